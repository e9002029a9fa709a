//! The losses: class-balanced focal loss and cross-entropy, both with label smoothing.
//!
//! Value and gradient are computed together from the logits, in 64-bit floating point and in closed form. Logits are
//! N x classes, so this is a few hundred numbers a step; what it buys is that no logit, however large, makes a loss or a
//! gradient that is not finite (through a softmax in 32 bits, p -> 0 gives log 0 and p -> 1 gives 0 times infinity).

use candle_core::{Result, Tensor};

use super::{Config, LossKind};
use crate::nn::ops::accelerator::calls::LossRule;

/// A loss with its parameters.
///
/// For one image of class y with probabilities p = softmax(logits) and targets t (1 at y; with label smoothing s,
/// 1 - s + s/C at y and s/C elsewhere):
///
/// L = - `w_y` sum over c of `t_c` (1 - `p_c`)^gamma log `p_c`
///
/// Without smoothing this is the class-balanced focal loss (Cui et al. 2019, arXiv 1901.05555; Lin et al. 2017, arXiv
/// 1708.02002); with gamma = 0 and unit weights it is `torch.nn.functional.cross_entropy(.., label_smoothing=s)`.
/// The loss of a batch is the sum over its images divided by their number. The loss of a picture that is mixed of two is the
/// mixture of the losses for their labels (Zhang et al. 2018, arXiv 1710.09412), which for cross-entropy is the loss for soft
/// targets.
#[derive(Clone, Debug)]
pub struct Loss {
    weights: Vec<f64>,
    gamma: f64,
    smoothing: f64,
}

/// What the pictures of a mixed batch hold besides their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Mixed {
    /// The label of each picture's partner.
    pub partners: Vec<u32>,
    /// What a picture's own label counts, from 0 to 1; its partner's counts the rest.
    pub share: f64,
}

/// Value and gradient of a loss over a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct LossValue {
    /// The loss of each image, class weight included.
    pub losses: Vec<f64>,
    /// Gradient of the mean loss with respect to the logits, N x classes.
    pub gradient: Vec<f32>,
    /// The class with the largest logit, for each image.
    pub predicted: Vec<usize>,
}

impl LossValue {
    /// The loss of the batch.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.losses.iter().sum::<f64>() / self.losses.len() as f64
    }
}

/// Class weights by the effective number of samples (Cui et al. 2019): 1/E with E = (1 - beta^n)/(1 - beta), scaled so that
/// they sum to the number of classes. A class without images weighs 0; with beta = 0 all others weigh the same.
///
/// `counts` are the training images of each class; `beta` is in [0, 1).
#[must_use]
pub fn class_weights(counts: &[usize], beta: f64) -> Vec<f64> {
    let inverse = |n: usize| match n {
        0 => 0.0,
        n => (1.0 - beta) / -(n as f64 * beta.ln()).exp_m1(),
    };
    let raw: Vec<f64> = counts.iter().map(|&n| inverse(n)).collect();
    let total: f64 = raw.iter().sum();
    if total == 0.0 { raw } else { raw.iter().map(|w| w / total * counts.len() as f64).collect() }
}

impl Loss {
    /// The loss that `config` asks for, on a training part with `counts` images in each class.
    #[must_use]
    pub fn new(config: &Config, counts: &[usize]) -> Self {
        let (weights, gamma) = match config.loss {
            LossKind::Focal => (class_weights(counts, config.beta), config.gamma),
            LossKind::CrossEntropy => (vec![1.0; counts.len()], 0.0),
        };
        Self { weights, gamma, smoothing: config.label_smoothing }
    }

    /// Its constants, as a device wants them.
    #[must_use]
    pub fn rule(&self) -> LossRule {
        LossRule { weights: self.weights.clone(), gamma: self.gamma, smoothing: self.smoothing }
    }

    /// Value, gradient and predictions for `logits` (N x classes, row by row) and `targets` (N labels).
    ///
    /// Not-a-number logits give a not-a-number loss; everything finite gives something finite.
    ///
    /// # Panics
    /// If the lengths do not fit, or a label is not below the number of classes.
    #[must_use]
    pub fn evaluate(&self, logits: &[f32], targets: &[u32]) -> LossValue {
        self.evaluate_mixed(logits, targets, None)
    }

    /// The same for a batch whose pictures may be mixed.
    ///
    /// # Panics
    /// As [`evaluate`](Self::evaluate), and if there is not one partner an image.
    #[must_use]
    pub fn evaluate_mixed(&self, logits: &[f32], targets: &[u32], mixed: Option<&Mixed>) -> LossValue {
        let classes = self.weights.len();
        assert_eq!(logits.len(), targets.len() * classes, "logits must be images x classes");
        let mut value = LossValue {
            losses: Vec::with_capacity(targets.len()),
            gradient: vec![0.0; logits.len()],
            predicted: Vec::with_capacity(targets.len()),
        };
        if let Some(mixed) = mixed {
            assert_eq!(mixed.partners.len(), targets.len(), "one partner an image");
        }
        let mut log_p = vec![0.0; classes];
        let mut slopes = vec![0.0; classes];
        let images = targets.len() as f64;
        let rows = logits.chunks_exact(classes).zip(value.gradient.chunks_exact_mut(classes));
        for (n, ((row, gradient), &target)) in rows.zip(targets).enumerate() {
            value.predicted.push(log_softmax(row, &mut log_p));
            slopes.fill(0.0);
            let loss = match mixed {
                None => self.image(&log_p, target as usize, 1.0, &mut slopes),
                Some(Mixed { partners, share }) => {
                    let own = self.image(&log_p, target as usize, *share, &mut slopes);
                    own + self.image(&log_p, partners[n] as usize, 1.0 - share, &mut slopes)
                }
            };
            value.losses.push(loss);
            for (out, slope) in gradient.iter_mut().zip(&slopes) {
                *out = (slope / images) as f32;
            }
        }
        value
    }

    /// `part` times the loss of one image for one label; adds the same of its gradient to `gradient`.
    fn image(&self, log_p: &[f64], target: usize, part: f64, gradient: &mut [f64]) -> f64 {
        let weight = part * self.weights[target];
        let spread = self.smoothing / log_p.len() as f64;
        let share = |class: usize| if class == target { 1.0 - self.smoothing + spread } else { spread };
        let (mut loss, mut slopes) = (0.0, 0.0);
        for (class, &l) in log_p.iter().enumerate() {
            let t = share(class);
            if t > 0.0 {
                let (value, slope) = focal(l, self.gamma);
                loss += t * value;
                slopes += t * slope;
            }
        }
        // d log p_c / d z_j = [c = j] - p_j
        for (class, (g, &l)) in gradient.iter_mut().zip(log_p).enumerate() {
            let t = share(class);
            let own = if t > 0.0 { t * focal(l, self.gamma).1 } else { 0.0 };
            *g += weight * (own - l.exp() * slopes);
        }
        weight * loss
    }

    /// The loss of `logits` (N x classes, f32) on Candle's autograd.
    ///
    /// # Errors
    /// If the logits are not N x classes for the given targets.
    pub fn forward(&self, logits: &Tensor, targets: &[u32], mixed: Option<&Mixed>) -> Result<(LossValue, Tensor)> {
        let (n, classes) = logits.dims2()?;
        if n != targets.len() || classes != self.weights.len() {
            candle_core::bail!("logits are {n} x {classes}, but there are {} targets and {} classes", targets.len(), self.weights.len());
        }
        let value = self.evaluate_mixed(&logits.flatten_all()?.to_vec1::<f32>()?, targets, mixed);
        let gradient = Tensor::from_slice(&value.gradient, (n, classes), logits.device())?;
        // The derivative of sum(logits * gradient) with respect to the logits is `gradient`: the closed form enters the chain here.
        let seed = (logits * gradient)?.sum_all()?;
        Ok((value, seed))
    }
}

/// The softmax of `logits`, row by row (N x classes); each row sums to 1.
pub(super) fn probabilities(logits: &[f32], classes: usize) -> Vec<f32> {
    let mut log_p = vec![0.0; classes];
    let mut all = Vec::with_capacity(logits.len());
    for row in logits.chunks_exact(classes) {
        log_softmax(row, &mut log_p);
        all.extend(log_p.iter().map(|l| l.exp() as f32));
    }
    all
}

/// Writes log p of a softmax and returns the class of the largest logit (the first of equals).
fn log_softmax(logits: &[f32], log_p: &mut [f64]) -> usize {
    let mut top = 0;
    for (class, &z) in logits.iter().enumerate() {
        if z > logits[top] {
            top = class;
        }
    }
    let max = f64::from(logits[top]);
    // log(1 + rest), not log(sum): for p -> 1 this keeps the digits that (1 - p) is made of.
    let rest: f64 = logits.iter().enumerate().filter(|&(c, _)| c != top).map(|(_, &z)| (f64::from(z) - max).exp()).sum();
    let log_sum = rest.ln_1p();
    for (l, &z) in log_p.iter_mut().zip(logits) {
        *l = f64::from(z) - max - log_sum;
    }
    top
}

/// -(1 - p)^gamma log p and its derivative with respect to log p, for `l` = log p <= 0.
fn focal(l: f64, gamma: f64) -> (f64, f64) {
    let q = -l.exp_m1();
    let modulation = q.powf(gamma);
    // gamma q^(gamma - 1) p l, written so that q -> 0 (where l/q -> -1) has no 0 times infinity
    let ratio = if q == 0.0 { -1.0 } else { l / q };
    (-modulation * l, modulation * (gamma * l.exp() * ratio - 1.0))
}
