//! The invariance microscope: one galaxy is turned, blurred, dimmed or moved, and the model's answer is plotted along the way.

use std::time::Duration;

use egui::{Color32, Rect, ScrollArea, Sense, Slider, TextureHandle, Ui, WidgetInfo, pos2, vec2};
use egui_plot::{HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints, VLine};
use serde::{Deserialize, Serialize};

use super::survey;
use crate::app::action::Action;
use crate::app::lab::sweep::{ATLAS_COLUMNS, Swept};
use crate::app::lab::{LabAction, Microscope, Specimen};
use crate::app::state::{Data, State};
use crate::app::{theme, widget};
use crate::augment::Sweep;

/// Classes that get a colour of their own; the rest are grey.
const COLOURED: usize = 8;
/// Side of the picture beside the plot.
const PICTURE: f32 = 168.0;
/// Height of the plot.
const PLOT: f32 = 250.0;
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

/// The curves of a sweep, made once.
#[derive(Clone, Default)]
struct Lines {
    /// The texture of the sweep that they belong to.
    of: Option<egui::TextureId>,
    curves: Vec<Vec<PlotPoint>>,
    /// Classes, the one that is most probable somewhere first.
    order: Vec<usize>,
}

impl Lines {
    fn update(&mut self, swept: &Swept, texture: &TextureHandle) {
        if self.of == Some(texture.id()) {
            return;
        }
        let classes = swept.invariance.classes.len();
        let points = |class: usize| {
            let values = swept.positions.iter().zip(&swept.probabilities);
            values.map(|(x, row)| PlotPoint::new(*x, f64::from(row[class]))).collect()
        };
        self.of = Some(texture.id());
        self.curves = (0..classes).map(points).collect();
        self.order = (0..classes).collect();
        let highest = |class: usize| swept.invariance.classes[class].high;
        self.order.sort_by(|a, b| highest(*b).total_cmp(&highest(*a)));
    }
}

/// What the user is told of a change.
fn about(sweep: Sweep) -> (&'static str, &'static str) {
    match sweep {
        Sweep::Turn => ("Turn", "degrees"),
        Sweep::MirroredTurn => ("Mirror and turn", "degrees"),
        Sweep::Blur => ("Blur", "sigma in pixels"),
        Sweep::Noise => ("Noise", "standard deviation, white is 1"),
        Sweep::Dimming => ("Dimming", "share of the light taken away"),
        Sweep::Shift => ("Shift", "share of the side, to the right"),
    }
}

/// A position with its unit.
fn position(sweep: Sweep, at: f64) -> String {
    match sweep {
        Sweep::Turn | Sweep::MirroredTurn => format!("{at:.0}°"),
        Sweep::Blur => format!("{at:.2} px"),
        Sweep::Noise => format!("{at:.3}"),
        Sweep::Dimming | Sweep::Shift => format!("{:.0} %", 100.0 * at),
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
        ScrollArea::vertical().id_salt("microscope").auto_shrink(false).show(ui, |ui| {
            self.choose(ui);
            let kind = Sweep::ALL[self.sweep.min(Sweep::ALL.len() - 1)];
            match &microscope.sweeps[self.sweep.min(Sweep::ALL.len() - 1)] {
                Some(Ok((swept, texture))) => self.result(ui, swept, texture, &classifier.spec().classes),
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
            if fresh {
                flips(ui, microscope, &classifier.spec().classes);
            }
            survey::show(ui, state, data, &mut self.surveying, actions);
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
                ui.label(position(swept.sweep, swept.positions[self.place]));
                ui.strong(format!("{}: {:.1} %", classes[answer], 100.0 * here[answer]));
            });
            if let Some(place) = self.plot(ui, swept, classes) {
                self.place = place;
            }
        });
        self.table(ui, swept, classes);
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

    /// The probabilities along the way; the place that was clicked comes back.
    fn plot(&self, ui: &mut Ui, swept: &Swept, classes: &[String]) -> Option<usize> {
        let palette = theme::palette(ui.visuals());
        let (name, unit) = about(swept.sweep);
        let here = swept.positions[self.place];
        let response = Plot::new(("sweep", name))
            .height(PLOT)
            .width(ui.available_width())
            .allow_scroll(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_zoom(false)
            .show_background(false)
            .include_y(0.0)
            .include_y(1.0)
            .set_margin_fraction(vec2(0.01, 0.03))
            .grid_color(palette.line)
            .x_axis_label(unit)
            .y_axis_label("probability")
            .x_axis_formatter(|mark, _| position(swept.sweep, mark.value))
            .y_axis_formatter(|mark, _| format!("{:.0} %", 100.0 * mark.value))
            .label_formatter(|at| match at {
                HoverPosition::NearDataPoint { plot_name, position: at, .. } if !plot_name.is_empty() => {
                    Some(format!("{plot_name}\n{}: {:.1} %", position(swept.sweep, at.x), 100.0 * at.y))
                }
                _ => None,
            })
            .show(ui, |p| {
                for (rank, class) in self.lines.order.iter().enumerate().rev() {
                    let colour = colour(&palette, rank);
                    let points = PlotPoints::Borrowed(&self.lines.curves[*class]);
                    p.line(Line::new(classes[*class].as_str(), points).color(colour).width(theme::LINE));
                }
                p.vline(VLine::new("", here).color(palette.text).width(1.0));
                if let Some(flip) = &swept.flip {
                    p.vline(VLine::new("the answer flips", flip.at).color(palette.bad).style(LineStyle::dashed_dense()).width(1.0));
                }
            });
        let words = format!("Probabilities along {}: {}", name.to_lowercase(), verdict(swept, classes));
        response.response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
        let pointer = response.response.interact_pointer_pos().filter(|_| response.response.is_pointer_button_down_on())?;
        let x = response.transform.value_from_position(pointer).x;
        let distance = |place: &usize| (swept.positions[*place] - x).abs();
        (0..swept.positions.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }

    /// Each class's range along the way, with the colour of its line.
    fn table(&self, ui: &mut Ui, swept: &Swept, classes: &[String]) {
        let palette = theme::palette(ui.visuals());
        ui.add_space(theme::GAP);
        egui::Grid::new("class spreads").num_columns(5).spacing([16.0, 3.0]).striped(true).show(ui, |ui| {
            ui.label("");
            for head in ["Class", "Lowest", "Highest", "Range", "Std. deviation"].into_iter().skip(1) {
                ui.label(theme::muted(ui, head));
            }
            ui.end_row();
            for (rank, class) in self.lines.order.iter().enumerate() {
                let spread = &swept.invariance.classes[*class];
                ui.horizontal(|ui| {
                    theme::dot(ui, colour(&palette, rank));
                    ui.label(&classes[*class]);
                });
                for value in [spread.low, spread.high, spread.range(), spread.deviation] {
                    ui.label(format!("{:.1} %", 100.0 * value));
                }
                ui.end_row();
            }
        });
    }
}

/// The colour of the class that is at this place of the order.
fn colour(palette: &theme::Palette, rank: usize) -> Color32 {
    if rank < COLOURED { palette.series[rank] } else { palette.muted.gamma_multiply(0.6) }
}

/// What became of the answer, in a sentence.
fn verdict(swept: &Swept, classes: &[String]) -> String {
    let first = &classes[crate::metrics::top(&swept.probabilities[0])];
    match &swept.flip {
        Some(flip) => format!("{first} becomes {} at {}", classes[flip.class], position(swept.sweep, flip.at)),
        None if swept.sweep.is_circle() => format!("{first} at every angle"),
        None => format!("{first} up to {}", position(swept.sweep, swept.sweep.end())),
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
fn flips(ui: &mut Ui, microscope: &Microscope, classes: &[String]) {
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
