//! From images to probabilities.

use candle_core::{D, Result, Tensor};

use super::{Mode, Network};

/// The class probabilities (N x classes, rows sum to 1) of N x C x H x W normalised images, in evaluation mode.
///
/// The softmax subtracts the largest logit first, so it is finite for any finite logits.
///
/// # Errors
/// If the shape does not fit the network.
pub fn predict(network: &dyn Network, images: &Tensor) -> Result<Tensor> {
    let logits = network.forward(&images.detach(), Mode::Eval)?;
    let exponentials = logits.broadcast_sub(&logits.max_keepdim(D::Minus1)?)?.exp()?;
    exponentials.broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)
}
