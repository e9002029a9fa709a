//! The picture with its map, the answer, what the network saw, and what was looked at before.

use egui::{Id, Image, RichText, ScrollArea, Sense, Ui, UiBuilder, vec2};

use super::{controls, familiar, picture, rival, tiles, trust};
use crate::app::action::Action;
use crate::app::inspect::{InspectAction, MapState, Question, Shown};
use crate::app::state::{State, Subject, Verdict};
use crate::app::theme;
use crate::app::widget::probability_bars;
use crate::explain::Method;

/// From this width on a panel is wide, points.
const WIDE: f32 = 620.0;
/// The share of a wide panel that one picture has, and that two have.
const SHARES: [f32; 2] = [0.5, 0.6];

/// The pictures, and how the sections stand.
#[derive(Clone, Default)]
pub struct SubjectView {
    picture: picture::PictureView,
    /// Whether the menu of second models was open in the last frame.
    choosing: bool,
}

impl SubjectView {
    /// Shows the picture and the answer. In a wide panel everything else stands beside the picture, which stays where it is while that
    /// is scrolled; in a narrow one below.
    pub fn show(&mut self, ui: &mut Ui, state: &State, subject: &Subject, actions: &mut Vec<Action>) {
        let mut question = state.inspect.question.clone();
        let width = ui.available_width();
        let two = picture::compares(state);
        let scroll = ScrollArea::vertical().id_salt("verdict").auto_shrink(false);
        if width > WIDE {
            ui.horizontal_top(|ui| {
                let room = vec2(width * SHARES[usize::from(two)], ui.available_height());
                if let Some(picture) = &subject.picture {
                    self.picture.show(ui, state, subject, picture, &mut question, room);
                }
                ui.vertical(|ui| {
                    scroll.show(ui, |ui| {
                        headline(ui, state, subject, actions);
                        self.below(ui, state, subject, &mut question, actions);
                    });
                });
            });
        } else {
            scroll.show(ui, |ui| {
                let room = vec2(width * if two { 1.0 } else { 0.5 }, ui.clip_rect().height() * 0.85);
                let mut head = |ui: &mut Ui| {
                    if let Some(picture) = &subject.picture {
                        self.picture.show(ui, state, subject, picture, &mut question, room);
                    }
                    ui.vertical(|ui| headline(ui, state, subject, actions));
                };
                if two {
                    ui.vertical(&mut head)
                } else {
                    ui.horizontal_top(&mut head)
                };
                self.below(ui, state, subject, &mut question, actions);
            });
        }
        if question != state.inspect.question {
            actions.push(Action::Inspect(InspectAction::Ask(Box::new(question))));
        }
    }

    /// The probabilities, small maps, the legend of the map, what can be asked, and what was looked at before.
    fn below(&mut self, ui: &mut Ui, state: &State, subject: &Subject, question: &mut Question, actions: &mut Vec<Action>) {
        let explained = state.inspect.explainer.is_some();
        if explained && question.map {
            // above all that grows: what is looked for most must not slip below the fold
            ui.horizontal_wrapped(|ui| controls::saving(ui, state, question, actions));
        }
        answers(ui, state, subject);
        if explained {
            if question.map {
                tiles::show(ui, state, question, actions);
            }
            legend(ui, state, question);
            // menus stay open while lines above come and go
            let steady = UiBuilder::new().scope_id(Id::unique("classify controls"));
            ui.scope_builder(steady, |ui| {
                controls::show(ui, state, question, actions);
                ui.horizontal_wrapped(|ui| rival::choice(ui, state, &mut self.choosing, actions));
            });
            // below what is worked with: its lines come and go with each measurement
            trust::show(ui, state);
        }
        history(ui, state, actions);
    }
}

/// All classes as bars: of one model, or of two.
fn answers(ui: &mut Ui, state: &State, subject: &Subject) {
    ui.add_space(theme::GAP);
    if let Verdict::Ready(bars) = &subject.verdict {
        if !rival::show(ui, state) {
            probability_bars::show(ui, bars);
        }
        ui.add_space(theme::GAP);
    }
}

/// The most probable class and the entropy, or why there is none.
fn headline(ui: &mut Ui, state: &State, subject: &Subject, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui.visuals());
    match &subject.verdict {
        Verdict::Ready(bars) => {
            if let Some((name, p)) = bars.first() {
                ui.label(RichText::new(name).size(17.0).strong().color(palette.accent));
                ui.label(format!("probability {:.1} %", 100.0 * p));
                ui.label(theme::muted(ui, entropy(bars)))
                    .on_hover_text("How undecided the model is: 0 is certain, the largest value is a blind guess.");
            }
            ui.label(theme::muted(ui, &subject.name));
            familiar::show(ui, state, actions);
        }
        Verdict::Working => {
            ui.label(theme::muted(ui, &subject.name));
            ui.spinner();
        }
        Verdict::Failed(message) => {
            ui.label(theme::muted(ui, &subject.name));
            theme::failure_frame(&palette).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.label(message);
            });
        }
        Verdict::Waiting => {
            ui.label(theme::muted(ui, &subject.name));
            if state.model.classifier.is_none() {
                ui.label("No model yet: train one, or choose a model file above. The picture is classified as soon as there is one.");
            }
        }
    }
}

/// The entropy of the probabilities, beside its largest value.
fn entropy(bars: &[(String, f32)]) -> String {
    let bits: f32 = bars.iter().filter(|(_, p)| *p > 0.0).map(|(_, p)| -p * p.log2()).sum();
    format!("entropy {:.2} of {:.2} bits", bits.max(0.0), (bars.len() as f32).log2())
}

/// What the map is, or why there is none; beside it what the network saw.
fn legend(ui: &mut Ui, state: &State, question: &mut Question) {
    let palette = theme::palette(ui.visuals());
    ui.horizontal_top(|ui| {
        if let Some(seen) = &state.inspect.seen {
            let image = Image::new(seen).fit_to_exact_size(vec2(theme::THUMBNAIL, theme::THUMBNAIL)).alt_text("what the network sees");
            let [width, height] = seen.size();
            ui.add(image).on_hover_text(format!("What the network sees: {width} x {height} pixels"));
        }
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            match &state.inspect.map {
                MapState::Ready(shown) => {
                    for line in &shown.legend {
                        let text = if picture::warns(line) {
                            RichText::new(line).color(palette.warn)
                        } else {
                            theme::muted(ui, line.as_str()).small()
                        };
                        ui.label(text);
                    }
                    finer(ui, shown, question);
                }
                MapState::Failed(message) => {
                    ui.label(RichText::new(message).color(palette.warn));
                }
                MapState::None => {}
            }
        });
    });
}

/// Offers a map of more cells where the present one is too coarse to say where.
fn finer(ui: &mut Ui, shown: &Shown, question: &mut Question) {
    let Some(fine) = shown.explainer.fine_layer().filter(|_| shown.explanation.too_coarse().is_some()) else { return };
    let words = format!("Finer: LayerCAM at {}, {} x {}", fine.name, fine.width, fine.height);
    if ui.button(words).on_hover_text("A finer map: where in the galaxy the evidence is").clicked() {
        (question.method, question.layer) = (Some(Method::LayerCam), Some(fine.name.clone()));
    }
}

/// Small pictures of what was looked at before; a click looks again.
fn history(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    if state.inspect.past.len() < 2 {
        return;
    }
    ui.add_space(theme::GAP);
    ui.label(theme::muted(ui, "Looked at before"));
    ScrollArea::horizontal().id_salt("past").auto_shrink([false, true]).show(ui, |ui| {
        ui.horizontal(|ui| {
            for (number, past) in state.inspect.past.iter().enumerate().skip(1) {
                let answer = past.answer.as_ref().map_or_else(String::new, |(class, p)| format!(": {class}, {:.1} %", 100.0 * p));
                let text = format!("{}{answer}", past.name);
                let image = Image::new(&past.picture.texture).fit_to_exact_size(vec2(44.0, 44.0)).maintain_aspect_ratio(true);
                let response = ui.add(image.sense(Sense::click()).alt_text(format!("Look again at {text}"))).on_hover_text(text);
                if response.clicked() {
                    actions.push(Action::Inspect(InspectAction::Again(number)));
                }
            }
        });
    });
}
