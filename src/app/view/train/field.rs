//! One line of the form: name, control, a way back to the default, the why on hover, and what is wrong below.

use egui::{Response, RichText, Ui, vec2};

use crate::app::fields::{self, About};
use crate::app::theme;
use crate::train::ConfigError;

/// Widest that a field's name gets.
const NAME_WIDTH: f32 = 112.0;
/// Most of a line that a field's name takes.
const NAME_SHARE: f32 = 0.38;

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
        let About { label, why, .. } = fields::about(key);
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
