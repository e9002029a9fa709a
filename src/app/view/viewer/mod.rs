//! A picture of the data set, large: pan, zoom and tone, what is known of it, its label and tags, its place on the sky.

mod canvas;
mod facts;
mod sky;
mod tone;

use egui::{Context, Id, Key, Modal, Ui};

use super::explore::mark_keys;
use crate::app::action::Action;
use crate::app::explored::Change;
use crate::app::lab::LabAction;
use crate::app::state::State;
use crate::app::theme;
use canvas::Canvas;
use tone::{Band, Tone};

/// Height of everything but the picture, and the smallest and largest side of that.
const AROUND: f32 = 180.0;
const SIDES: std::ops::RangeInclusive<f32> = 200.0..=900.0;
/// Width of what stands beside the picture.
pub const FACTS_WIDTH: f32 = 270.0;

/// The viewer's own state.
#[derive(Clone, Default)]
pub struct ViewerView {
    canvas: Canvas,
    tone: Tone,
    /// The picture that was open in the last frame.
    shown: Option<usize>,
    /// Where it stands, or last stood, in the list: a new label may take it out of the filter.
    place: usize,
}

impl ViewerView {
    /// Shows the picture that is open, one of those `among` which it goes on to the next (`None`: those of the grid); `tag` is
    /// the tag that the T key gives.
    pub fn show(&mut self, context: &Context, state: &State, among: Option<&[usize]>, tag: &mut String, actions: &mut Vec<Action>) {
        let (Some(opened), Some(data)) = (&state.opened, &state.data) else {
            *self = Self { tone: self.tone, ..Self::default() };
            return;
        };
        if self.shown.replace(opened.index) != Some(opened.index) {
            self.canvas.reset(); // the tone stays, to compare pictures
        }
        let places = among.unwrap_or(&state.explore.selection.places);
        let found = places.iter().position(|&index| index == opened.index);
        self.place = found.unwrap_or(self.place);
        let previous = self.place.checked_sub(1).and_then(|place| places.get(place)).copied();
        let next = places.get(self.place + usize::from(found.is_some())).copied();
        let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
        let modal = Modal::new(Id::unique("picture")).frame(frame).show(context, |ui| {
            let room = context.content_rect();
            let side = (room.height() - AROUND).min(room.width() - FACTS_WIDTH - 90.0).clamp(*SIDES.start(), *SIDES.end());
            ui.horizontal(|ui| {
                ui.vertical(|ui| {
                    self.canvas.show(ui, opened, data, &mut self.tone, side);
                    self.tools(ui, side);
                });
                ui.add_space(theme::SECTION_GAP);
                ui.vertical(|ui| facts::show(ui, state, data, opened, tag, actions));
            });
            ui.add_space(theme::GAP);
            buttons(ui, state, opened.index, previous, next, actions);
        });
        keys(context, opened.index, tag, previous, next, actions);
        if modal.should_close() {
            actions.push(Action::ClosePicture);
        }
    }

    /// Bands, contrast, and back to the picture as it is.
    fn tools(&mut self, ui: &mut Ui, width: f32) {
        ui.scope(|ui| {
            ui.set_width(width);
            ui.horizontal(|ui| {
                for (band, title, hint) in [
                    (Band::All, "RGB", "All three bands in colour"),
                    (Band::One(0), "R", "The red channel alone (z band in Galaxy10 DECaLS)"),
                    (Band::One(1), "G", "The green channel alone (r band in Galaxy10 DECaLS)"),
                    (Band::One(2), "B", "The blue channel alone (g band in Galaxy10 DECaLS)"),
                ] {
                    ui.selectable_value(&mut self.tone.band, band, title).on_hover_text(hint);
                }
                ui.toggle_value(&mut self.tone.inverted, "Inverted").on_hover_text("Dark on light");
                for (value, range, speed, name, hint) in [
                    (&mut self.tone.bias, 0.0..=1.0, 0.005, "Bias", "The value that becomes middle grey"),
                    (&mut self.tone.contrast, Tone::CONTRAST, 0.02, "Contrast", "1 shows the values as they are"),
                ] {
                    let label = ui.label(theme::muted(ui, name)).on_hover_text("Or drag on the picture with the right button, as in ds9");
                    ui.add(egui::DragValue::new(value).range(range).speed(speed).fixed_decimals(2))
                        .labelled_by(label.id)
                        .on_hover_text(hint);
                }
                if ui.button("Reset").on_hover_text("The whole picture as it is").clicked() {
                    self.tone = Tone::default();
                    self.canvas.reset();
                }
            });
        });
    }
}

fn buttons(ui: &mut Ui, state: &State, index: usize, previous: Option<usize>, next: Option<usize>, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        for (target, label) in [(previous, "Previous"), (next, "Next")] {
            if ui.add_enabled(target.is_some(), egui::Button::new(label)).clicked()
                && let Some(index) = target
            {
                actions.push(Action::OpenPicture(index));
            }
        }
        if ui.button("Classify").on_hover_text("Ask the model what this is").clicked() {
            actions.push(Action::ClassifyImage(index));
            actions.push(Action::ClosePicture);
        }
        if ui.button("To the lab").on_hover_text("See what augmentation makes of it").clicked() {
            actions.push(Action::ClosePicture);
            actions.push(Action::Lab(LabAction::Open(index)));
        }
        let seen = state.explore.read.as_ref().is_some_and(|read| read.features.indices.contains(&index));
        let neighbours = ui.add_enabled(seen, egui::Button::new("Nearest neighbours"));
        let neighbours = neighbours.on_hover_text("The pictures that look most like this one to the model");
        if neighbours.on_disabled_hover_text("Let a model go through the pictures first (Explore, Classify pictures)").clicked() {
            actions.push(Action::Explore(Change::Neighbours(index)));
            actions.push(Action::ClosePicture);
        }
        if ui.button("Close").clicked() {
            actions.push(Action::ClosePicture);
        }
    });
}

/// The keys of the viewer.
fn keys(context: &Context, index: usize, tag: &str, previous: Option<usize>, next: Option<usize>, actions: &mut Vec<Action>) {
    // a field that is written into takes its own keys
    if context.text_edit_focused() {
        return;
    }
    for (key, target) in [(Key::ArrowLeft, previous), (Key::ArrowRight, next)] {
        if let Some(index) = target.filter(|_| context.input(|i| i.key_pressed(key))) {
            actions.push(Action::OpenPicture(index));
        }
    }
    mark_keys(context, index, tag, actions);
}
