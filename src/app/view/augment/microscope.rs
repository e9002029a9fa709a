//! The invariance microscope: one galaxy is turned, blurred, dimmed or moved, and the model's answer is plotted along the way.

use std::time::Duration;

use egui::{Color32, Rect, ScrollArea, Sense, Slider, TextureHandle, Ui, WidgetInfo, pos2, vec2};
use serde::{Deserialize, Serialize};

use super::answers::{Lines, about, position, verdict};
use super::{export, survey};
use crate::app::action::Action;
use crate::app::lab::sweep::{ATLAS_COLUMNS, Swept};
use crate::app::lab::{LabAction, Microscope, Specimen};
use crate::app::state::{Data, State};
use crate::app::{theme, widget};
use crate::augment::Sweep;

/// Narrower panels show the tables below each other.
const NARROW: f32 = 860.0;
/// Side of the picture beside the plot.
const PICTURE: f32 = 168.0;
/// Time between two positions while the picture moves by itself.
const FRAME: Duration = Duration::from_millis(60);

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct MicroscopeView {
    /// What is changed: a place in [`Sweep::ALL`].
    sweep: usize,
    /// The position that is shown: a place in the sweep.
    #[serde(skip)]
    place: usize,
    #[serde(skip)]
    playing: bool,
    /// When the picture moved last, in seconds.
    #[serde(skip)]
    moved: f64,
    /// Whether the classes are being surveyed.
    #[serde(skip)]
    surveying: bool,
    #[serde(skip)]
    lines: Lines,
}

impl Default for MicroscopeView {
    fn default() -> Self {
        Self { sweep: 0, place: 0, playing: false, moved: 0.0, surveying: false, lines: Lines::default() }
    }
}

impl MicroscopeView {
    /// Shows the microscope.
    pub fn show(&mut self, ui: &mut Ui, state: &State, data: &Data, index: usize, actions: &mut Vec<Action>) {
        let Some(classifier) = &state.model.classifier else {
            theme::empty(
                ui,
                "No model yet",
                "Train one (it is used from its first epoch on), or choose a model file on the Classify panel.",
            );
            return;
        };
        let specimen = Specimen { classifier: classifier.clone(), data: data.generation, index: Some(index) };
        let microscope = &state.lab.microscope;
        let fresh = microscope.specimen.as_ref() == Some(&specimen);
        self.ask(microscope, fresh, actions);
        // what is shown may be of the model before, which may have other classes
        let shown = microscope.specimen.as_ref().map_or(classifier, |specimen| &specimen.classifier);
        let classes = &shown.spec().classes;
        ScrollArea::vertical().id_salt("microscope").auto_shrink(false).show(ui, |ui| {
            self.choose(ui);
            ui.label(theme::muted(ui, format!("Asked: {}", shown.title())).small());
            let kind = Sweep::ALL[self.sweep.min(Sweep::ALL.len() - 1)];
            match &microscope.sweeps[self.sweep.min(Sweep::ALL.len() - 1)] {
                Some(Ok((swept, texture))) => {
                    self.result(ui, swept, texture, classes);
                    ui.horizontal(|ui| export::microscope(ui, microscope, swept, classes, data, actions));
                }
                Some(Err(message)) => {
                    let palette = theme::palette(ui.visuals());
                    theme::failure_frame(&palette).show(ui, |ui| ui.label(message));
                }
                None => {
                    ui.horizontal(|ui| {
                        ui.spinner();
                        ui.label(theme::muted(ui, format!("Asking the model: {}", about(kind).0)));
                    });
                }
            }
            let swept = microscope.sweeps[self.sweep.min(Sweep::ALL.len() - 1)].as_ref().and_then(|result| result.as_ref().ok());
            let (lines, surveying) = (&self.lines, &mut self.surveying);
            let left = |ui: &mut Ui| {
                if let Some((swept, _)) = swept {
                    lines.table(ui, swept, classes);
                }
            };
            if ui.available_width() < NARROW {
                left(ui);
                flips(ui, microscope, fresh, classes);
                survey::show(ui, state, data, surveying, actions);
            } else {
                ui.columns_const(|[one, two]| {
                    left(one);
                    flips(two, microscope, fresh, classes);
                    survey::show(two, state, data, surveying, actions);
                });
            }
        });
    }

    /// Asks for the sweep that is shown, then for the others, one after the other.
    fn ask(&self, microscope: &Microscope, fresh: bool, actions: &mut Vec<Action>) {
        if microscope.sweeping.is_some() && fresh {
            return;
        }
        let shown = self.sweep.min(Sweep::ALL.len() - 1);
        let missing = |place: &usize| !fresh || microscope.sweeps[*place].is_none();
        if let Some(place) = std::iter::once(shown).chain(0..Sweep::ALL.len()).find(missing) {
            actions.push(Action::Lab(LabAction::Sweep(Sweep::ALL[place])));
        }
    }

    fn choose(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            for (place, sweep) in Sweep::ALL.into_iter().enumerate() {
                if ui.selectable_label(self.sweep == place, about(sweep).0).clicked() {
                    (self.sweep, self.place, self.playing) = (place, 0, false);
                }
            }
        });
    }

    fn result(&mut self, ui: &mut Ui, swept: &Swept, texture: &TextureHandle, classes: &[String]) {
        self.lines.update(swept, texture);
        let last = swept.positions.len() - 1;
        self.place = self.place.min(last);
        self.play(ui, last);
        let numbers = &swept.invariance;
        ui.horizontal_wrapped(|ui| {
            ui.strong(format!("Spread {:.3}", numbers.spread)).on_hover_text(
                "The mean total variation distance of the answers from their mean: 0 if nothing moves, towards 1 if every position says something else",
            );
            ui.label(format!("answer kept at {:.0} % of the positions", 100.0 * numbers.kept));
            ui.label(theme::muted(ui, verdict(swept, classes)));
        });
        ui.horizontal_top(|ui| {
            ui.vertical(|ui| {
                ui.set_width(PICTURE);
                tile(ui, swept, texture, self.place);
                ui.horizontal(|ui| {
                    let (sign, label) = if self.playing { ("⏸", "Hold") } else { ("▶", "Move by itself") };
                    let button = ui.button(sign);
                    widget::name(ui, &button, egui::Role::Button, label);
                    if button.on_hover_text(label).clicked() {
                        self.playing = !self.playing;
                    }
                    ui.spacing_mut().slider_width = PICTURE - 46.0;
                    let slider = ui.add(Slider::new(&mut self.place, 0..=last).show_value(false));
                    widget::name(ui, &slider, egui::Role::Slider, "Position");
                });
                let here = &swept.probabilities[self.place];
                let answer = crate::metrics::top(here);
                ui.strong(&classes[answer]);
                let at = position(swept.sweep, swept.positions[self.place]);
                ui.label(format!("{:.1} % at {at}", 100.0 * here[answer]));
            });
            if let Some(place) = self.lines.plot(ui, swept, classes, self.place) {
                self.place = place;
            }
        });
    }

    /// Moves the position on, if it moves by itself.
    fn play(&mut self, ui: &Ui, last: usize) {
        if !self.playing {
            return;
        }
        let now = ui.input(|i| i.time);
        if now - self.moved >= FRAME.as_secs_f64() {
            self.place = if self.place >= last { 0 } else { self.place + 1 };
            self.moved = now;
        }
        ui.ctx().request_repaint_after(FRAME);
    }
}

/// The picture at a position.
fn tile(ui: &mut Ui, swept: &Swept, texture: &TextureHandle, place: usize) {
    let (rect, response) = ui.allocate_exact_size(vec2(PICTURE, PICTURE), Sense::hover());
    let words = format!("the galaxy at {}", position(swept.sweep, swept.positions[place]));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
    let rows = swept.positions.len().div_ceil(ATLAS_COLUMNS) as f32;
    let size = vec2(1.0 / ATLAS_COLUMNS as f32, 1.0 / rows);
    let corner = pos2((place % ATLAS_COLUMNS) as f32 * size.x, (place / ATLAS_COLUMNS) as f32 * size.y);
    ui.painter().image(texture.id(), rect, Rect::from_min_size(corner, size), Color32::WHITE);
}

/// Where the answer flips along each change.
fn flips(ui: &mut Ui, microscope: &Microscope, fresh: bool, classes: &[String]) {
    if !fresh {
        return;
    }
    ui.add_space(theme::SECTION_GAP);
    ui.strong("What this galaxy withstands");
    egui::Grid::new("flips").num_columns(3).spacing([16.0, 3.0]).striped(true).show(ui, |ui| {
        for (sweep, result) in Sweep::ALL.into_iter().zip(&microscope.sweeps) {
            ui.label(about(sweep).0);
            match result {
                Some(Ok((swept, _))) => {
                    ui.label(verdict(swept, classes));
                    ui.label(theme::muted(ui, format!("spread {:.3}", swept.invariance.spread)));
                }
                Some(Err(message)) => {
                    ui.label(message);
                }
                None => {
                    ui.label(theme::muted(ui, "to come"));
                }
            }
            ui.end_row();
        }
    });
}
