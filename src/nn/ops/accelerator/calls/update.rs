//! The loss, the norm of the gradient, and the optimiser.

use super::super::kernels::{Launch, layout};
use super::super::{AcceleratorError, Argument, View};
use super::{Called, Calls, Pictures, blocks, control_and_tally, doubles, floats, u32_of};

/// The constants of the class-balanced focal loss.
#[derive(Clone, Debug, PartialEq)]
pub struct LossRule {
    /// One a class.
    pub weights: Vec<f64>,
    /// Focus on hard images; 0 is cross-entropy.
    pub gamma: f64,
    /// Share of the target spread over all classes.
    pub smoothing: f64,
}

/// The constants of an optimiser.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpdateRule {
    /// [`Self::RADAM`], [`Self::ADAMW`] or [`Self::SGD`].
    pub kind: u32,
    /// Weight decay.
    pub weight_decay: f64,
    /// The largest norm of the gradient; 0 is any.
    pub clip: f64,
}

/// What the loss of some images is worked out from, and where it goes.
#[derive(Clone, Copy, Debug)]
pub struct LossViews<'a> {
    /// f32, images x classes.
    pub logits: View<'a>,
    /// Labels, u32.
    pub targets: View<'a>,
    /// The header of the table of pictures, if they are mixed.
    pub mixing: View<'a>,
    /// The labels of the partners of mixed pictures; without them it is the one before.
    pub partners: View<'a>,
    /// f64, one a class.
    pub weights: View<'a>,
    /// The state of the step.
    pub control: View<'a>,
    /// The gradient of the logits, in the format of activations.
    pub gradient: View<'a>,
}

/// All parameters of a network as the optimiser sees them.
#[derive(Clone, Copy, Debug)]
pub struct ParameterViews<'a> {
    /// The records of the parameters.
    pub parameters: View<'a>,
    /// The records of the tiles.
    pub tiles: View<'a>,
    /// How many tiles.
    pub count: usize,
    /// f64, one a tile.
    pub partial: View<'a>,
    /// The state of the step.
    pub control: View<'a>,
    /// The sums.
    pub tally: View<'a>,
}

impl UpdateRule {
    /// [`UpdateRule::kind`] of `RAdam`.
    pub const RADAM: u32 = 0;
    /// That of `AdamW`.
    pub const ADAMW: u32 = 1;
    /// That of SGD with momentum.
    pub const SGD: u32 = 2;
}

impl Calls<'_> {
    /// Loss and gradient of `images` images of a step of `divisor` images.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn focal_loss(&self, rule: &LossRule, images: usize, divisor: usize, views: LossViews) -> Called {
        let classes = rule.weights.len();
        if classes == 0 || divisor == 0 {
            return Err(AcceleratorError::Misused(format!("a loss of {classes} classes and {divisor} images")));
        }
        // what is not there has no length
        if views.mixing.bytes() > 0 {
            views.mixing.at_least(Pictures::HEADER, "mixing")?;
        }
        if views.partners.bytes() > 0 {
            views.partners.at_least(4 * images, "partners")?;
        }
        floats(views.logits, images * classes, "logits")?;
        views.targets.at_least(4 * images, "targets")?;
        doubles(views.weights, classes, "weights")?;
        views.control.at_least(layout::CONTROL_BYTES, "control")?;
        self.reals(views.gradient, images * classes, "gradient")?;
        let (none, launch) = (Argument::from(View::NONE), Launch::blocks([1, 1, 1]));
        let from = [none, views.logits.into(), views.targets.into(), views.mixing.into(), views.partners.into(), views.weights.into()];
        let numbers = [rule.gamma.into(), rule.smoothing.into(), u32_of(images)?, u32_of(divisor)?, u32_of(classes)?];
        let to = [views.control.into(), views.gradient.into(), none, none, none];
        // SAFETY: the kernel's arguments; the lengths were checked, and labels are below the number of classes
        unsafe { self.launch("focal_loss", launch, &[&from[..], &numbers, &to].concat()) }
    }

    /// The end of a step: norm, clipping, and the change of all parameters. Rates are pairs of learning rate and momentum for the
    /// coming steps; how many have been used stands in the control.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn update(&self, rule: UpdateRule, rates: View, scaling: bool, views: ParameterViews) -> Called {
        let ParameterViews { parameters, tiles, count, partial, control, tally } = views;
        parameters.at_least(layout::PARAMETER_BYTES, "parameters")?;
        tiles.at_least(layout::TILE_BYTES * count, "tiles")?;
        doubles(partial, count, "partial")?;
        doubles(rates, 2, "rates")?;
        control_and_tally(control, tally)?;
        let tiled = blocks(count, 1)?;
        let one = Launch { grid: [1, 1, 1], ..tiled };
        let number = u32_of(count)?;
        let finish = [
            partial.into(),
            number,
            rates.into(),
            rule.clip.into(),
            rule.weight_decay.into(),
            rule.kind.into(),
            u32::from(scaling).into(),
            control.into(),
            tally.into(),
        ];
        // SAFETY: the kernels' arguments; the lengths were checked. The records were made for this network's memory, which lives as
        // long as they do
        unsafe {
            self.launch("gradient_squares", tiled, &[parameters.into(), tiles.into(), number, partial.into()])?;
            self.launch("step_finish", one, &finish)?;
            self.launch("optimizer_step", tiled, &[parameters.into(), tiles.into(), number, control.into()])
        }
    }
}
