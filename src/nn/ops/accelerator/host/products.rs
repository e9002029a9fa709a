//! Convolutions and matrix products of the host twin, on f32 slices. Written for clarity: every 3 x 3 neighbourhood becomes a
//! row, and the rest is a matrix product.

use super::super::super::matrix::{Matrix, Threads, multiply};
use super::super::{Convolution, Product};

/// y = the rows of x times the transpose of w.
pub fn forward(shape: Convolution, x: &[f32], w: &[f32], y: &mut [f32]) {
    let rows = neighbourhoods(shape, x);
    let (depth, outputs) = (9 * shape.inputs, shape.outputs);
    multiply(y, Matrix::new(&rows, shape.pixels(), depth), Matrix::new(w, outputs, depth).transposed(), false, Threads::All);
}

/// dw = the transpose of dy times the rows of x.
pub fn weight_gradient(shape: Convolution, x: &[f32], dw: &mut [f32], dy: &[f32]) {
    let rows = neighbourhoods(shape, x);
    let (depth, outputs) = (9 * shape.inputs, shape.outputs);
    multiply(dw, Matrix::new(dy, shape.pixels(), outputs).transposed(), Matrix::new(&rows, shape.pixels(), depth), false, Threads::All);
}

/// dx = dy times w, each number added where its pixel came from.
pub fn input_gradient(shape: Convolution, dx: &mut [f32], w: &[f32], dy: &[f32]) {
    let (depth, outputs) = (9 * shape.inputs, shape.outputs);
    let mut rows = vec![0.0; shape.pixels() * depth];
    multiply(&mut rows, Matrix::new(dy, shape.pixels(), outputs), Matrix::new(w, outputs, depth), false, Threads::All);
    dx.fill(0.0);
    each_tap(shape, |row, pixel| {
        let row = &rows[row * shape.inputs..(row + 1) * shape.inputs];
        for (to, value) in dx[pixel * shape.inputs..].iter_mut().zip(row) {
            *to += value;
        }
    });
}

/// The nine pixels around each pixel, channels last; zeros beyond the edges.
fn neighbourhoods(shape: Convolution, x: &[f32]) -> Vec<f32> {
    let inputs = shape.inputs;
    let mut rows = vec![0.0; shape.pixels() * 9 * inputs];
    each_tap(shape, |row, pixel| rows[row * inputs..(row + 1) * inputs].copy_from_slice(&x[pixel * inputs..(pixel + 1) * inputs]));
    rows
}

/// Calls `f` with the number of each tap of each pixel and the pixel that it reads, where there is one.
fn each_tap(shape: Convolution, mut f: impl FnMut(usize, usize)) {
    let Convolution { images, height, width, .. } = shape;
    for image in 0..images {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            let pixel = (image * height + y) * width + x;
            for tap in 0..9 {
                // counted from one row and column before, so that nothing is negative
                let (row, column) = (y + tap / 3, x + tap % 3);
                if (1..=height).contains(&row) && (1..=width).contains(&column) {
                    f(pixel * 9 + tap, (image * height + row - 1) * width + column - 1);
                }
            }
        }
    }
}

/// c = a b.
pub fn product(shape: Product, a: &[f32], b: &[f32], c: &mut [f32]) {
    let Product { rows, columns, inner, a_transposed, b_transposed, .. } = shape;
    let a = if a_transposed { Matrix::new(a, inner, rows).transposed() } else { Matrix::new(a, rows, inner) };
    let b = if b_transposed { Matrix::new(b, columns, inner).transposed() } else { Matrix::new(b, inner, columns) };
    multiply(c, a, b, false, Threads::All);
}
