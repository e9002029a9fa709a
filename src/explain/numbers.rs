//! Small arithmetic on lists of numbers.

/// The mean of lists of the same length.
pub fn mean(lists: &[Vec<f32>]) -> Vec<f32> {
    let length = lists.first().map_or(0, Vec::len);
    let sum = |i: usize| lists.iter().map(|list| f64::from(list[i])).sum::<f64>();
    (0..length).map(|i| (sum(i) / lists.len() as f64) as f32).collect()
}

/// Logits to probabilities; the largest is subtracted first.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponentials: Vec<f32> = logits.iter().map(|z| (z - largest).exp()).collect();
    let sum: f32 = exponentials.iter().sum();
    exponentials.into_iter().map(|e| e / sum).collect()
}
