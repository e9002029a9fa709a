//! What the fields of a configuration are called on the form, and why one would change them.

/// What the user is told of a field.
pub struct About {
    /// Its name in the configuration.
    pub key: &'static str,
    /// Its name on the form.
    pub label: &'static str,
    /// Why one would change it.
    pub why: &'static str,
}

const fn field(key: &'static str, label: &'static str, why: &'static str) -> About {
    About { key, label, why }
}

/// Every field.
const FIELDS: &[About] = &[
    field("data", "Data set", "The galaxies to learn from."),
    field("synthetic_images", "Images", "How many galaxies are drawn; more take longer and teach more."),
    field("model", "Network", "Which network learns; the larger one needs more time and more images."),
    field("width", "Width", "Filters of the first block, and all others in proportion: wider learns more and costs time with its square."),
    field("size", "Image size", "Pixels a side that the network sees; larger shows finer structure and costs time with its square."),
    field("fit", "Fit", "How images that are not square become squares; the model keeps it, and Classify does the same."),
    field("epochs", "Epochs", "How often the network sees every training image."),
    field("batch", "Batch size", "Images in one step; larger batches give steadier but fewer steps."),
    field("lr", "Learning rate", "The size of a step: too small learns slowly, too large not at all."),
    field("weight_decay", "Weight decay", "Pulls weights towards zero, which helps against learning by heart."),
    field("optimizer", "Optimiser", "How a gradient becomes a step."),
    field("momentum", "Momentum", "How much of the last step SGD keeps."),
    field("schedule", "Schedule", "How the learning rate changes during the run."),
    field("cycle_momentum", "Cycle momentum", "Lowers the momentum while the learning rate is high, so that large steps do not overshoot."),
    field("loss", "Loss", "What the network is asked to make small."),
    field("beta", "Beta", "Class balance: 0 counts every image the same, close to 1 every class the same."),
    field("gamma", "Gamma", "Focus: the larger, the less an image counts that is already classified well."),
    field("label_smoothing", "Label smoothing", "Tells the network that labels may be wrong, which makes it less sure of itself."),
    field("dropout", "Dropout", "Share of the head's inputs that is left out at random, against learning by heart."),
    field("clip", "Gradient clip", "Longest gradient that is allowed, against sudden jumps; 0 allows any."),
    field("patience", "Patience", "Epochs without a better validation loss before the run stops early; 0 never stops early."),
    field("min_delta", "Least gain", "How much the validation loss must fall to count as better."),
    field("best_by", "Best epoch by", "What decides which epoch is kept as the model."),
    field("snapshots", "Kept epochs", "Of how many epochs, about, the model is kept, to see later how its maps came to be; 0 keeps none."),
    field("flip", "Mirror", "Shows each galaxy mirrored half of the time: the sky knows no left and right."),
    field("rotation", "Turn", "Shows each galaxy turned at random: the sky knows no up and down."),
    field("max_angle", "Largest angle", "Turns by any angle from 0 to this many degrees."),
    field("border", "Beyond the edge", "What fills the corners of a turned picture."),
    field("crop_height", "Crop height", "Share of the height that is cut out of the middle; 1 keeps everything."),
    field("crop_width", "Crop width", "Share of the width that is cut out of the middle; 1 keeps everything."),
    field("brightness", "Brightness", "How much brightness varies, against learning the exposure; 0 is off."),
    field("contrast", "Contrast", "How much contrast varies; 0 is off."),
    field("saturation", "Saturation", "How much colours fade or glow; 0 is off."),
    field("hue", "Hue", "How far colours move on the colour circle; colour tells galaxies apart, so keep it small; 0 is off."),
    field("dimming", "Dimming", "Share of the light that may be missing, as if the galaxy were farther away; 0 is off."),
    field("blur", "Blur", "Largest blur in pixels (sigma), as if the seeing were worse; 0 is off."),
    field("blur_kernel", "Blur kernel", "Pixels that the blur looks at; odd."),
    field("zoom", "Zoom", "How much larger or smaller galaxies may appear; 0 is off."),
    field("shift", "Shift", "How far galaxies may lie off the centre, as a share of the side; 0 is off."),
    field("noise", "Sky noise", "Largest standard deviation of added noise, where white is 1; 0 is off."),
    field("erase", "Erase", "Probability that a rectangle is blackened, so that no single feature decides; 0 is off."),
    field("mixup", "Mixup", "Blends each picture with another of its batch, and their labels alike; 0.2 is usual, 0 is off."),
    field("cutmix", "CutMix", "Puts a part of another picture into each, and mixes the labels by area; 1 is usual, 0 is off."),
    field("seed", "Seed", "The same seed gives the same run; change it to see how much is luck."),
    field("split_seed", "Split seed", "Decides which images train, validate and test; keep it to compare runs."),
    field("threads", "Threads", "Processor threads that compute; 0 takes one for each physical core."),
    field("device", "Device", "Where to compute."),
    field("precision", "Precision", "Fewer bits are faster where the hardware has them."),
];

/// What the user is told of the field `key`; of a field that is not in the table, nothing but that there is one.
#[must_use]
pub fn about(key: &str) -> &'static About {
    const UNKNOWN: &About = &field("", "Another field", "A field that this window does not know.");
    FIELDS.iter().find(|about| about.key == key).unwrap_or(UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Config;

    #[test]
    fn every_field_of_the_configuration_is_explained() {
        let config = serde_json::to_value(Config::default()).expect("a configuration is JSON");
        for (key, value) in config.as_object().expect("an object") {
            let keys: Vec<&str> = match value.as_object() {
                Some(inner) => inner.keys().map(String::as_str).collect(),
                None => vec![key],
            };
            for key in keys {
                assert!(!about(key).key.is_empty(), "{key} is not on the form");
            }
        }
        assert!(FIELDS.iter().all(|about| about.why.ends_with('.')));
    }
}
