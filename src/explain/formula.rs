//! The formulas of the maps on plain numbers: activations and gradients of K channels of P cells each, row by row, to one
//! signed value a cell. They follow the papers named at [`Method`](super::Method); small constants against a division by zero
//! are those of the package pytorch-grad-cam. Sums are in f64.

/// sum over k of `weights[k] A_k`.
pub fn weighted(activations: &[f32], weights: &[f64]) -> Vec<f32> {
    let cells = activations.len() / weights.len().max(1);
    let mut map = vec![0.0f64; cells];
    for (plane, &weight) in activations.chunks_exact(cells.max(1)).zip(weights) {
        for (sum, &a) in map.iter_mut().zip(plane) {
            *sum += weight * f64::from(a);
        }
    }
    map.into_iter().map(|sum| sum as f32).collect()
}

/// sum over k of `factor(g_k) A_k`, cell by cell.
fn elementwise(activations: &[f32], gradients: &[f32], cells: usize, factor: impl Fn(f64) -> f64) -> Vec<f32> {
    let mut map = vec![0.0f64; cells];
    for (a, g) in activations.chunks_exact(cells).zip(gradients.chunks_exact(cells)) {
        for ((sum, &a), &g) in map.iter_mut().zip(a).zip(g) {
            *sum += factor(f64::from(g)) * f64::from(a);
        }
    }
    map.into_iter().map(|sum| sum as f32).collect()
}

/// One weight a channel from its activations and gradients.
fn channel_weights(activations: &[f32], gradients: &[f32], cells: usize, weight: impl Fn(&[f32], &[f32]) -> f64) -> Vec<f64> {
    activations.chunks_exact(cells).zip(gradients.chunks_exact(cells)).map(|(a, g)| weight(a, g)).collect()
}

fn sum(values: &[f32]) -> f64 {
    values.iter().map(|&v| f64::from(v)).sum()
}

/// Grad-CAM: weights mean(g).
pub fn grad_cam(activations: &[f32], gradients: &[f32], cells: usize) -> Vec<f32> {
    weighted(activations, &channel_weights(activations, gradients, cells, |_, g| sum(g) / cells as f64))
}

/// `HiResCAM`: g A.
pub fn hires_cam(activations: &[f32], gradients: &[f32], cells: usize) -> Vec<f32> {
    elementwise(activations, gradients, cells, |g| g)
}

/// `LayerCAM`: relu(g) A.
pub fn layer_cam(activations: &[f32], gradients: &[f32], cells: usize) -> Vec<f32> {
    elementwise(activations, gradients, cells, |g| g.max(0.0))
}

/// Grad-CAM++: weights sum of a relu(g), a = g^2 / (2 g^2 + sum(A) g^3 + eps).
pub fn grad_cam_plus_plus(activations: &[f32], gradients: &[f32], cells: usize) -> Vec<f32> {
    const EPSILON: f64 = 1e-6;
    let weight = |a: &[f32], g: &[f32]| {
        let total = sum(a);
        let share = |g: f64| if g > 0.0 { g * g / (2.0 * g * g + total * g * g * g + EPSILON) * g } else { 0.0 };
        g.iter().map(|&g| share(f64::from(g))).sum()
    };
    weighted(activations, &channel_weights(activations, gradients, cells, weight))
}

/// XGrad-CAM: weights sum(g A) / (sum(A) + eps).
pub fn xgrad_cam(activations: &[f32], gradients: &[f32], cells: usize) -> Vec<f32> {
    const EPSILON: f64 = 1e-7;
    let weight = |a: &[f32], g: &[f32]| {
        let both: f64 = a.iter().zip(g).map(|(&a, &g)| f64::from(a) * f64::from(g)).sum();
        both / (sum(a) + EPSILON)
    };
    weighted(activations, &channel_weights(activations, gradients, cells, weight))
}

/// Eigen-CAM: the cells' coordinates along the first principal component of their K activations. Of its two signs the one is
/// taken that grows with the mean activation.
pub fn eigen_cam(activations: &[f32], cells: usize) -> Vec<f32> {
    let channels = activations.len() / cells;
    let centred: Vec<f64> = activations
        .chunks_exact(cells)
        .flat_map(|plane| {
            let mean = sum(plane) / cells as f64;
            plane.iter().map(move |&a| f64::from(a) - mean)
        })
        .collect();
    // the smaller of the two Gram matrices has the same first eigenvalue
    let at = |k: usize, p: usize| centred[k * cells + p];
    let map: Vec<f64> = if cells <= channels {
        let (vector, value) = first_eigenvector(cells, |p, q| (0..channels).map(|k| at(k, p) * at(k, q)).sum());
        vector.into_iter().map(|v| v * value.sqrt()).collect()
    } else {
        let dot = |j: usize, k: usize| {
            let rows = centred[j * cells..][..cells].iter().zip(&centred[k * cells..][..cells]);
            rows.map(|(a, b)| a * b).sum()
        };
        let (vector, _) = first_eigenvector(channels, dot);
        (0..cells).map(|p| vector.iter().enumerate().map(|(k, v)| v * at(k, p)).sum()).collect()
    };
    let along: f64 = (0..cells).map(|p| map[p] * (0..channels).map(|k| at(k, p)).sum::<f64>()).sum();
    let sign = if along < 0.0 { -1.0 } else { 1.0 };
    map.into_iter().map(|v| (sign * v) as f32).collect()
}

/// The eigenvector (of length 1) of the largest eigenvalue of a symmetric matrix without negative ones, and that value, by
/// power iteration.
fn first_eigenvector(n: usize, element: impl Fn(usize, usize) -> f64) -> (Vec<f64>, f64) {
    const STEPS: usize = 5000;
    const CHANGE: f64 = 1e-10;
    let mut matrix = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let value = element(i, j);
            matrix[i * n + j] = value;
            matrix[j * n + i] = value;
        }
    }
    let largest = (0..n).max_by(|&i, &j| matrix[i * n + i].total_cmp(&matrix[j * n + j])).unwrap_or(0);
    let norm = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut vector = matrix[largest * n..(largest + 1) * n].to_vec();
    let mut value = norm(&vector);
    if value == 0.0 {
        return (vec![0.0; n], 0.0);
    }
    scale(&mut vector, 1.0 / value);
    for _ in 0..STEPS {
        let mut next: Vec<f64> = matrix.chunks_exact(n).map(|row| row.iter().zip(&vector).map(|(a, b)| a * b).sum()).collect();
        value = norm(&next);
        scale(&mut next, 1.0 / value);
        let change = next.iter().zip(&vector).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        vector = next;
        if change < CHANGE {
            break;
        }
    }
    (vector, value)
}

fn scale(vector: &mut [f64], factor: f64) {
    for x in vector {
        *x *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_eigenvector_of_a_known_matrix() {
        // eigenvalues 3 and 1 along the diagonals
        let matrix = [[2.0, 1.0], [1.0, 2.0]];
        let (vector, value) = first_eigenvector(2, |i, j| matrix[i][j]);
        assert!((value - 3.0).abs() < 1e-9);
        assert!(vector.iter().all(|v| (v - 0.5f64.sqrt()).abs() < 1e-9), "{vector:?}");
        assert_eq!(first_eigenvector(2, |_, _| 0.0), (vec![0.0, 0.0], 0.0));
    }
}
