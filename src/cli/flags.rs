//! The run's configuration from three places: the defaults, then a TOML file, then the flags; later ones win.
//!
//! Every field of [`Config`] is a flag; a test walks the serialised configuration and fails if one is missing.

use std::path::Path;

use anyhow::{Context, bail};
use clap::{Arg, Args, Command};
use serde_json::Value;

use super::choice::{Choice, kebab};
use crate::augment::{Border, Preset, Rotation};
use crate::imaging::Fit;
use crate::nn::Architecture;
use crate::train::{BestBy, Config, DeviceChoice, LossKind, OptimizerKind, Precision, ScheduleKind};

/// One optional flag for every field of [`Config`]. Defaults are shown in the help but live in [`Config`] alone.
#[derive(Args, Clone, Debug, Default)]
pub struct ConfigFlags {
    /// The data set: "synthetic" for galaxies drawn in memory, or a folder (images.npy and labels.npy, or one subfolder
    /// of pictures a class)
    #[arg(long, value_name = "DIR|synthetic", help_heading = "Data")]
    pub data: Option<String>,
    /// Galaxies to draw when the data set is "synthetic"; at least 50
    #[arg(long, value_name = "N", help_heading = "Data")]
    pub synthetic_images: Option<usize>,
    /// Seed of the 60/20/20 split, apart from --seed so that repeated runs see the same split
    #[arg(long, value_name = "K", help_heading = "Data")]
    pub split_seed: Option<u64>,
    /// Mirror training images left to right with probability 1/2
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Data")]
    pub flip: Option<bool>,
    /// Turn training images: not at all, by quarter turns (exact), or by any angle (bilinear)
    #[arg(long, value_name = "TURN", value_parser = Choice::<Rotation>::new(), help_heading = "Data")]
    pub rotation: Option<Rotation>,

    /// Set all augmentation of the training images at once (flags below, --flip and --rotation change it further): none, turns (mirrored
    /// and quarter turns), gentle, strong, or the seed project's
    #[arg(long, value_name = "PRESET", value_parser = Choice::<Preset>::new(), help_heading = "Augmentation")]
    pub augmentation: Option<Preset>,
    /// Largest angle of --rotation any, degrees, above 0 and at most 360
    #[arg(long, value_name = "DEG", value_parser = number, help_heading = "Augmentation")]
    pub max_angle: Option<f64>,
    /// What lies beyond the edges of a picture that was turned, shifted or made smaller
    #[arg(long, value_name = "NAME", value_parser = Choice::<Border>::new(), help_heading = "Augmentation")]
    pub border: Option<Border>,
    /// Height of the middle that is cut out, as a share of the picture's, 0.1 to 1
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub crop_height: Option<f64>,
    /// Width of the middle that is cut out, as a share of the picture's, 0.1 to 1
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub crop_width: Option<f64>,
    /// Multiply brightness by 1 -+ X at most; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub brightness: Option<f64>,
    /// Multiply contrast by 1 -+ X at most; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub contrast: Option<f64>,
    /// Multiply saturation by 1 -+ X at most; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub saturation: Option<f64>,
    /// Turn the hue by X of the circle at most, up to 0.5; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub hue: Option<f64>,
    /// Take away X of the light at most; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub dimming: Option<f64>,
    /// Blur with a Gaussian of at most X pixels (sigma); 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub blur: Option<f64>,
    /// Pixels of the blur's kernel, odd
    #[arg(long, value_name = "N", help_heading = "Augmentation")]
    pub blur_kernel: Option<usize>,
    /// Scale by a factor from 1 / (1 + X) to 1 + X; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub zoom: Option<f64>,
    /// Move by X of the side at most; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub shift: Option<f64>,
    /// Add sky noise of at most this standard deviation, where white is 1; 0 is off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Augmentation")]
    pub noise: Option<f64>,
    /// Blacken a rectangle with this probability
    #[arg(long, value_name = "P", value_parser = number, help_heading = "Augmentation")]
    pub erase: Option<f64>,
    /// Mixup: blend the pictures of a batch in pairs, with shares from Beta(A, A), such as 0.2; 0 is off
    #[arg(long, value_name = "A", value_parser = number, help_heading = "Augmentation")]
    pub mixup: Option<f64>,
    /// CutMix: take a rectangle from another picture of the batch, the share that stays from Beta(A, A), such as 1; 0 is off. With
    /// --mixup too, each batch gets one of the two
    #[arg(long, value_name = "A", value_parser = number, help_heading = "Augmentation")]
    #[expect(clippy::doc_markdown, reason = "this is the help that users read")]
    pub cutmix: Option<f64>,

    /// The network: seed (six convolutions, 14.8 M parameters at 256 x 256) or compact (five with batch norm, 1.6 M; exact activation maps)
    #[arg(long, value_name = "NAME", value_parser = Choice::<Architecture>::new(), help_heading = "Network")]
    pub model: Option<Architecture>,
    /// Filters of the network's first block, 1 to 128 (usually 32; multiples of 16 compute fastest). Each block has twice those of the one
    /// before it, and time and parameters grow with the square
    #[arg(long, value_name = "W", help_heading = "Network")]
    pub width: Option<usize>,
    /// Height and width that images are scaled to, pixels; 32 (seed: 64) to 1024
    #[arg(long, value_name = "S", help_heading = "Network")]
    pub size: Option<usize>,
    /// How images that are not square become squares: stretched, cut to the middle, or padded with black. The model keeps it
    #[arg(long, value_name = "FIT", value_parser = Choice::<Fit>::new(), help_heading = "Network")]
    pub fit: Option<Fit>,
    /// Dropout probability in the head, from 0 to below 1
    #[arg(long, value_name = "P", value_parser = number, help_heading = "Network")]
    pub dropout: Option<f64>,

    /// Passes over the training images; at least 1
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Images in a training step; at least 1, at most the training images
    #[arg(long, value_name = "B", help_heading = "Training")]
    pub batch: Option<usize>,
    /// Peak learning rate; above 0
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub lr: Option<f64>,
    /// How the learning rate moves: one cycle up and down, down a cosine, divided by ten on a plateau of the validation
    /// loss, or constant
    #[arg(long, value_name = "NAME", value_parser = Choice::<ScheduleKind>::new(), help_heading = "Training")]
    pub schedule: Option<ScheduleKind>,
    /// The optimiser
    #[arg(long, value_name = "NAME", value_parser = Choice::<OptimizerKind>::new(), help_heading = "Training")]
    pub optimizer: Option<OptimizerKind>,
    /// One cycle: let the momentum fall from 0.95 to 0.85 while the learning rate rises, and back
    #[arg(long, value_name = "true|false", num_args = 0..=1, require_equals = true, default_missing_value = "true", help_heading = "Training")]
    pub cycle_momentum: Option<bool>,
    /// Momentum (sgd only), from 0 to below 1
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub momentum: Option<f64>,
    /// Decoupled weight decay; at least 0. Biases and normalisation are exempt
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub weight_decay: Option<f64>,
    /// Largest global norm of the gradient; 0 switches clipping off
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub clip: Option<f64>,
    /// The loss: class-balanced focal loss with --beta and --gamma, or plain cross-entropy
    #[arg(long, value_name = "NAME", value_parser = Choice::<LossKind>::new(), help_heading = "Training")]
    pub loss: Option<LossKind>,
    /// Focal loss: class balance, from 0 (none) to below 1 (full)
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub beta: Option<f64>,
    /// Focal loss: focus on hard images; at least 0, where 0 is cross-entropy
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub gamma: Option<f64>,
    /// Share of the target spread over all classes, from 0 to below 1
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub label_smoothing: Option<f64>,
    /// Epochs without a fall of the validation loss before stopping early; 0 never stops early
    #[arg(long, value_name = "N", help_heading = "Training")]
    pub patience: Option<usize>,
    /// The least fall of the validation loss that counts; at least 0
    #[arg(long, value_name = "X", value_parser = number, help_heading = "Training")]
    pub min_delta: Option<f64>,
    /// What makes an epoch the best one: highest validation macro-F1 or lowest validation loss
    #[arg(long, value_name = "NAME", value_parser = Choice::<BestBy>::new(), help_heading = "Training")]
    pub best_by: Option<BestBy>,
    /// Of how many epochs, about, the model is kept in RUN_DIR/snapshots besides the best one, so that `explain --film` can show how maps
    /// came to be; 0 keeps none
    #[arg(long, value_name = "N", help_heading = "Training")]
    #[expect(clippy::doc_markdown, reason = "this is the help that users read")]
    pub snapshots: Option<usize>,
    /// Seed of everything random in the run; same seed, same device, same threads: same run
    #[arg(long, value_name = "K", help_heading = "Training")]
    pub seed: Option<u64>,

    /// Compute threads; 0 means one a physical core
    #[arg(long, value_name = "T", help_heading = "Machine")]
    pub threads: Option<usize>,
    /// Where to compute: auto (the first CUDA device if there is one, else the processor), cpu, cuda (the first device), cuda:N
    #[arg(long, value_name = "NAME", value_parser = place, help_heading = "Machine")]
    pub device: Option<DeviceChoice>,
    /// Arithmetic of the training step: auto (on the processor the fastest that keeps 32-bit accuracy; on a CUDA device TF32, or f32
    /// before Ampere), 32-bit floats, or bfloat16 products; on CUDA devices also TF32, and f16 for cards without bfloat16
    #[arg(long, value_name = "NAME", value_parser = Choice::<Precision>::new(), help_heading = "Machine")]
    pub precision: Option<Precision>,
}

/// Where a run may compute: the twin of a device is for the self-test alone.
fn place(text: &str) -> Result<DeviceChoice, String> {
    match text.parse()? {
        DeviceChoice::Host(_) => Err("the host twin is for the self-test only; choose auto, cpu, cuda or cuda:N".into()),
        choice => Ok(choice),
    }
}

/// A finite number, with a message for those that are none.
pub fn number(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        _ => Err("choose a finite number, such as 0.001 or 1e-3".into()),
    }
}

/// A whole number of at least 1.
pub fn count(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err("choose a whole number of at least 1".into()),
    }
}

/// Writes the flags that were given into the fields of the same names.
macro_rules! overwrite {
    ($place:expr, $flags:expr, [$($field:ident),* $(,)?]) => {$(
        if let Some(value) = &$flags.$field {
            $place.$field.clone_from(value);
        }
    )*};
}

impl ConfigFlags {
    /// These flags over `config`, checked. `file` is where `config` came from, if from a file; messages name it.
    ///
    /// # Errors
    /// If a value cannot be used.
    pub fn over(&self, mut config: Config, file: Option<&Path>) -> anyhow::Result<Config> {
        self.apply(&mut config);
        check(&config, file)?;
        Ok(config)
    }

    /// Writes the flags that were given into `config`.
    fn apply(&self, config: &mut Config) {
        overwrite!(
            config,
            self,
            [
                data,
                synthetic_images,
                split_seed,
                model,
                width,
                size,
                fit,
                dropout,
                epochs,
                batch,
                lr,
                schedule,
                cycle_momentum,
                optimizer,
                momentum,
                weight_decay,
                clip,
                loss,
                beta,
                gamma,
                label_smoothing,
                patience,
                min_delta,
                best_by,
                snapshots,
                seed,
                threads,
                device,
                precision,
            ]
        );
        if let Some(preset) = self.augmentation {
            config.augmentation = preset.augmentation();
        }
        overwrite!(
            config.augmentation,
            self,
            [
                flip,
                rotation,
                max_angle,
                border,
                crop_height,
                crop_width,
                brightness,
                contrast,
                saturation,
                hue,
                dimming,
                blur,
                blur_kernel,
                zoom,
                shift,
                noise,
                erase,
                mixup,
                cutmix,
            ]
        );
    }
}

/// The configuration in a TOML file; fields that are not named keep their defaults.
///
/// # Errors
/// If the file cannot be read, has an unknown key or a value of the wrong kind.
pub fn read(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("the configuration {} cannot be read", path.display()))?;
    let config: Config = toml::from_str(&text).with_context(|| format!("the configuration {} cannot be used", path.display()))?;
    match place(&config.device.to_string()) {
        Ok(_) => Ok(config),
        Err(wrong) => bail!("the configuration {} cannot be used: device: {wrong}", path.display()),
    }
}

/// Fails with every value of `config` that cannot be used, each with its flag and what is allowed.
fn check(config: &Config, file: Option<&Path>) -> anyhow::Result<()> {
    let errors = config.errors();
    if errors.is_empty() {
        return Ok(());
    }
    let place = file.map_or_else(String::new, |path| format!(" (flags and {})", path.display()));
    let list: Vec<String> = errors.iter().map(|e| format!("  --{} ({}): {}", kebab(e.field), e.field, e.message)).collect();
    bail!("this configuration cannot be used{place}:\n{}", list.join("\n"));
}

/// Adds the default of each field to the help of its flag in `command`.
#[must_use]
pub fn show_defaults(command: Command) -> Command {
    let defaults = leaves(&serde_json::to_value(Config::default()).unwrap_or_default());
    command.mut_args(move |arg| match defaults.iter().find(|(name, _)| arg.get_long() == Some(kebab(name).as_str())) {
        Some((_, value)) => with_default(arg, value),
        None => arg,
    })
}

fn with_default(arg: Arg, value: &Value) -> Arg {
    let shown = match value {
        Value::String(text) => kebab(text),
        other => other.to_string(),
    };
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    arg.help(format!("{help} [default: {shown}]"))
}

/// The fields of a serialised configuration with those of its inner objects, by the name of the innermost.
fn leaves(config: &Value) -> Vec<(String, Value)> {
    let Value::Object(fields) = config else { return Vec::new() };
    fields.iter().flat_map(|(name, value)| if value.is_object() { leaves(value) } else { vec![(name.clone(), value.clone())] }).collect()
}

#[cfg(test)]
mod tests;
