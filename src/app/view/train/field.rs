//! One line of the form: name, control, a way back to the default, the why on hover, and what is wrong below.

use egui::{Response, RichText, Ui, vec2};

use crate::app::theme;
use crate::train::ConfigError;

/// Widest that a field's name gets.
const NAME_WIDTH: f32 = 112.0;
/// Most of a line that a field's name takes.
const NAME_SHARE: f32 = 0.38;

/// What the user is told of a field.
pub struct About {
    /// Its name in the configuration.
    pub key: &'static str,
    /// Its name on the form.
    pub label: &'static str,
    /// Why one would change it.
    pub why: &'static str,
}

const fn about(key: &'static str, label: &'static str, why: &'static str) -> About {
    About { key, label, why }
}

/// Every field.
const FIELDS: &[About] = &[
    about("data", "Data set", "The galaxies to learn from."),
    about("synthetic_images", "Images", "How many galaxies are drawn; more take longer and teach more."),
    about("model", "Network", "Which network learns; the larger one needs more time and more images."),
    about("size", "Image size", "Pixels a side that the network sees; larger shows finer structure and costs time with its square."),
    about("epochs", "Epochs", "How often the network sees every training image."),
    about("batch", "Batch size", "Images in one step; larger batches give steadier but fewer steps."),
    about("lr", "Learning rate", "The size of a step: too small learns slowly, too large not at all."),
    about("weight_decay", "Weight decay", "Pulls weights towards zero, which helps against learning by heart."),
    about("optimizer", "Optimiser", "How a gradient becomes a step."),
    about("momentum", "Momentum", "How much of the last step SGD keeps."),
    about("schedule", "Schedule", "How the learning rate changes during the run."),
    about("cycle_momentum", "Cycle momentum", "Lowers the momentum while the learning rate is high, so that large steps do not overshoot."),
    about("loss", "Loss", "What the network is asked to make small."),
    about("beta", "Beta", "Class balance: 0 counts every image the same, close to 1 every class the same."),
    about("gamma", "Gamma", "Focus: the larger, the less an image counts that is already classified well."),
    about("label_smoothing", "Label smoothing", "Tells the network that labels may be wrong, which makes it less sure of itself."),
    about("dropout", "Dropout", "Share of the head's inputs that is left out at random, against learning by heart."),
    about("clip", "Gradient clip", "Longest gradient that is allowed, against sudden jumps; 0 allows any."),
    about("patience", "Patience", "Epochs without a better validation loss before the run stops early; 0 never stops early."),
    about("min_delta", "Least gain", "How much the validation loss must fall to count as better."),
    about("best_by", "Best epoch by", "What decides which epoch is kept as the model."),
    about("flip", "Mirror", "Shows each galaxy mirrored half of the time: the sky knows no left and right."),
    about("rotation", "Turn", "Shows each galaxy turned at random: the sky knows no up and down."),
    about("seed", "Seed", "The same seed gives the same run; change it to see how much is luck."),
    about("split_seed", "Split seed", "Decides which images train, validate and test; keep it to compare runs."),
    about("threads", "Threads", "Processor threads that compute; 0 takes one for each physical core."),
    about("device", "Device", "Where to compute."),
    about("precision", "Precision", "Fewer bits are faster where the hardware has them."),
];

/// What the user is told of the field `key`, if there is such a field.
fn find(key: &str) -> Option<&'static About> {
    FIELDS.iter().find(|about| about.key == key)
}

/// The name on the form of the configuration's field `key`.
#[must_use]
pub fn label(key: &str) -> Option<&'static str> {
    find(key).map(|about| about.label)
}

/// A field's value with its default, and how to write it.
pub struct Field<'a, T> {
    /// The field's name in the configuration.
    pub key: &'static str,
    /// The value.
    pub value: &'a mut T,
    /// The default.
    pub default: T,
    /// The default in words.
    pub words: String,
}

impl<'a, T: PartialEq> Field<'a, T> {
    /// A field whose default is written as `words`.
    pub fn new(key: &'static str, value: &'a mut T, default: T, words: impl Into<String>) -> Self {
        Self { key, value, default, words: words.into() }
    }

    /// Shows the line; `control` shows the value and lets it be changed.
    pub fn show(self, ui: &mut Ui, errors: &[ConfigError], control: impl FnOnce(&mut Ui, &mut T) -> Response) {
        let key = self.key;
        let About { label, why, .. } = find(key).unwrap_or(&FIELDS[0]);
        let hover = format!("{why}\nDefault: {}", self.words);
        ui.horizontal(|ui| {
            let width = (ui.available_width() * NAME_SHARE).min(NAME_WIDTH);
            let name = ui
                .allocate_ui_with_layout(
                    vec2(width, ui.spacing().interact_size.y),
                    egui::Layout::left_to_right(egui::Align::Center),
                    |ui| {
                        ui.set_min_width(width);
                        ui.add(egui::Label::new(*label).truncate())
                    },
                )
                .inner
                .on_hover_text(&hover);
            control(ui, self.value).labelled_by(name.id).on_hover_text(&hover);
            if *self.value != self.default {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    let back = theme::icon_button(ui, "↺", &format!("Reset {label}"));
                    if back.on_hover_text(format!("Back to {}", self.words)).clicked() {
                        *self.value = self.default;
                    }
                });
            }
        });
        for error in errors.iter().filter(|error| error.field == key) {
            message(ui, &error.message);
        }
    }
}

/// What is wrong with the field above.
pub fn message(ui: &mut Ui, text: &str) {
    let palette = theme::palette(ui.visuals());
    ui.label(RichText::new(text).color(palette.bad).small());
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
                assert!(label(key).is_some(), "{key} is not on the form");
            }
        }
        assert!(FIELDS.iter().all(|about| about.why.ends_with('.')));
    }
}
