//! Dropout (Srivastava et al. 2014), inverted: what is kept is scaled up, so that nothing changes in evaluation.

use candle_core::{Result, Tensor, bail};

use crate::random::{Purpose, Random};

/// Zeroes each element with `probability` in [0, 1) and divides the others by `1 - probability`. The mask is a function of
/// `seed`, `step` and `layer` alone, so a resumed run draws the masks it would have drawn.
///
/// # Errors
/// If the probability is outside [0, 1).
pub fn dropout(input: &Tensor, probability: f32, seed: u64, step: u64, layer: u64) -> Result<Tensor> {
    if !(0.0..1.0).contains(&probability) {
        bail!("a dropout probability of {probability} is not in [0, 1)");
    }
    if probability == 0.0 {
        return Ok(input.clone());
    }
    let mut random = Random::new(seed, Purpose::Dropout, &[step, layer]);
    let scale = 1.0 / (1.0 - probability);
    let mask: Vec<f32> = (0..input.elem_count()).map(|_| if random.chance(f64::from(probability)) { 0.0 } else { scale }).collect();
    input.mul(&Tensor::from_vec(mask, input.shape(), input.device())?)
}
