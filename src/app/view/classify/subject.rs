//! The picture with its map, the answer, what the network saw, and what was looked at before.

use egui::{Align2, Color32, FontId, Id, Image, Rect, RichText, ScrollArea, Sense, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::{controls, familiar, rival, tiles, trust};
use crate::app::action::Action;
use crate::app::inspect::{InspectAction, MapState, Question, Shown};
use crate::app::state::{Picture, State, Subject, Verdict};
use crate::app::theme;
use crate::app::widget::probability_bars;
use crate::explain::{number, ticks};
use crate::imaging::Frame;

/// Sides of the handle that sizes the crop box, points.
const HANDLE: f32 = 14.0;
/// From this width on a panel is wide, points.
const WIDE: f32 = 620.0;
/// The smallest crop box, pixels of the picture.
const SMALLEST_BOX: f32 = 8.0;

/// What is being dragged, and how the sections stand.
#[derive(Clone, Default)]
pub struct SubjectView {
    /// The crop box while it is dragged: left, top and side in pixels of the picture.
    dragged: Option<[f32; 3]>,
    /// Whether the menu of second models was open in the last frame.
    choosing: bool,
}

impl SubjectView {
    /// Shows the picture and the answer; in a wide panel everything else stands beside the picture, in a narrow one below.
    pub fn show(&mut self, ui: &mut Ui, state: &State, subject: &Subject, actions: &mut Vec<Action>) {
        ScrollArea::vertical().id_salt("verdict").auto_shrink(false).show(ui, |ui| {
            let mut question = state.inspect.question.clone();
            let wide = ui.available_width() > WIDE;
            ui.horizontal_top(|ui| {
                if let Some(picture) = &subject.picture {
                    self.picture(ui, state, subject, picture, &mut question);
                }
                ui.vertical(|ui| {
                    headline(ui, state, subject);
                    if matches!(subject.verdict, Verdict::Ready(_)) {
                        familiar::show(ui, state, actions);
                    }
                    if wide {
                        bars(ui, subject);
                        self.below(ui, state, &mut question, actions);
                    }
                });
            });
            if !wide {
                bars(ui, subject);
                self.below(ui, state, &mut question, actions);
            }
            if question != state.inspect.question {
                actions.push(Action::Inspect(InspectAction::Ask(Box::new(question))));
            }
        });
    }

    /// The legend of the map, what can be asked, and what was looked at before.
    fn below(&mut self, ui: &mut Ui, state: &State, question: &mut Question, actions: &mut Vec<Action>) {
        if state.inspect.explainer.is_some() {
            legend(ui, state);
            // menus stay open while lines above come and go
            let steady = UiBuilder::new().scope_id(Id::unique("classify controls"));
            ui.scope_builder(steady, |ui| {
                controls::show(ui, state, question, actions);
                ui.horizontal_wrapped(|ui| rival::choice(ui, state, &mut self.choosing, actions));
            });
            if question.map {
                tiles::show(ui, state, question, actions);
            }
            rival::show(ui, state);
        }
        history(ui, state, actions);
    }

    /// The picture under its map, with the crop box and the colour bar.
    fn picture(&mut self, ui: &mut Ui, state: &State, subject: &Subject, picture: &Picture, question: &mut Question) {
        let longer = (ui.available_width() * 0.5).min(ui.clip_rect().height() * 0.85).clamp(80.0, 520.0);
        let (width, height) = (picture.image.width() as f32, picture.image.height() as f32);
        let scale = longer / width.max(height);
        let shown = match &state.inspect.map {
            MapState::Ready(shown) if state.inspect.explainer.as_ref().is_some_and(|explainer| shown.of(explainer)) => Some(shown),
            _ => None,
        };
        let texture = shown.map_or(&picture.texture, |shown| &shown.texture);
        let alt = match shown {
            Some(shown) => format!("picture {} with map: {}", subject.name, shown.legend.join("; ")),
            None => format!("picture {}", subject.name),
        };
        let image = Image::new(texture).fit_to_exact_size(vec2(width * scale, height * scale)).alt_text(alt);
        let response = ui.add(image);
        if question.marked.is_some() {
            self.crop_box(ui, response.rect, scale, question);
        } else {
            self.dragged = None;
        }
        if let Some(shown) = shown {
            colour_bar(ui, shown, height * scale);
        }
    }

    /// The crop box: drag it to move it, drag its corner to size it. It takes effect when it is let go.
    fn crop_box(&mut self, ui: &mut Ui, rect: Rect, scale: f32, question: &mut Question) {
        let Some(frame) = question.marked else { return };
        let [mut x, mut y, mut side] = self.dragged.unwrap_or([frame.x as f32, frame.y as f32, frame.width as f32]);
        let on_screen = |x: f32, y: f32, side: f32| Rect::from_min_size(rect.min + vec2(x, y) * scale, vec2(side, side) * scale);
        let id = ui.scope_id().with("crop box");
        let here = on_screen(x, y, side);
        let body = ui.interact(here.intersect(rect), id, Sense::drag());
        let corner = Rect::from_center_size(here.max - vec2(HANDLE / 4.0, HANDLE / 4.0), vec2(HANDLE, HANDLE));
        let handle = ui.interact(corner, id.with("size"), Sense::drag());
        for (response, label) in [(&body, "Move the crop box"), (&handle, "Size the crop box")] {
            response.widget_info(|| WidgetInfo::labeled(egui::Role::Unknown, true, label));
        }
        // the pointer's way to where it was pressed is no part of the drag
        let started = handle.drag_started() || body.drag_started();
        if started {
            self.dragged = Some([x, y, side]);
        } else if handle.dragged() {
            let delta = handle.drag_delta();
            side = (side + delta.x.max(delta.y) / scale).max(SMALLEST_BOX);
        } else if body.dragged() {
            x += body.drag_delta().x / scale;
            y += body.drag_delta().y / scale;
        }
        if handle.dragged() || body.dragged() {
            self.dragged = Some([x, y, side]);
        } else if self.dragged.take().is_some() {
            question.marked =
                Some(Frame { x: x.round() as i64, y: y.round() as i64, width: side.round() as usize, height: side.round() as usize });
        }
        let palette = theme::palette(ui.visuals());
        let painter = ui.painter().with_clip_rect(rect.expand(HANDLE));
        let here = on_screen(x, y, side);
        painter.rect_stroke(here, 0.0, egui::Stroke::new(3.0, palette.background), egui::StrokeKind::Middle);
        painter.rect_stroke(here, 0.0, egui::Stroke::new(1.5, palette.warn), egui::StrokeKind::Middle);
        painter.rect_filled(Rect::from_center_size(here.max, vec2(HANDLE * 0.6, HANDLE * 0.6)), 1.0, palette.warn);
        if body.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::Move);
        }
        if handle.hovered() {
            ui.ctx().set_cursor_icon(egui::CursorIcon::ResizeNwSe);
        }
    }
}

/// All classes as bars.
fn bars(ui: &mut Ui, subject: &Subject) {
    ui.add_space(theme::GAP);
    if let Verdict::Ready(bars) = &subject.verdict {
        probability_bars::show(ui, bars);
        ui.add_space(theme::GAP);
    }
}

/// The most probable class and the entropy, or why there is none.
fn headline(ui: &mut Ui, state: &State, subject: &Subject) {
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

/// The colours of the map from top to bottom, with numbers.
fn colour_bar(ui: &mut Ui, shown: &Shown, height: f32) {
    const STEPS: usize = 64;
    let (explanation, style) = (&shown.explanation, &shown.scaled);
    let ((low, high), colours) = (style.range(explanation), style.colours_of(explanation));
    let (rect, response) = ui.allocate_exact_size(vec2(theme::COLOUR_BAR + 42.0, height), Sense::hover());
    let label = format!("Colour bar from {} to {}", number(low), number(high));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &label));
    let bar = Rect::from_min_size(rect.min, vec2(theme::COLOUR_BAR, height));
    let row = height / STEPS as f32;
    for step in 0..STEPS {
        let [r, g, b] = colours.at(1.0 - (step as f32 + 0.5) / STEPS as f32);
        let top = bar.top() + step as f32 * row;
        ui.painter().rect_filled(Rect::from_min_size(pos2(bar.left(), top), vec2(bar.width(), row + 0.5)), 0.0, Color32::from_rgb(r, g, b));
    }
    let palette = theme::palette(ui.visuals());
    for tick in ticks(low, high) {
        let y = bar.bottom() - (tick - low) / (high - low) * height;
        ui.painter().hline(bar.right()..=bar.right() + 3.0, y, egui::Stroke::new(1.0, palette.muted));
        let y = y.clamp(bar.top() + 5.0, bar.bottom() - 5.0);
        ui.painter().text(pos2(bar.right() + 5.0, y), Align2::LEFT_CENTER, number(tick), FontId::proportional(11.0), palette.muted);
    }
}

/// What the map is, or why there is none; beside it what the network saw.
fn legend(ui: &mut Ui, state: &State) {
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
                        let nothing = line.starts_with("No positive");
                        let text = if nothing { RichText::new(line).color(palette.warn) } else { theme::muted(ui, line.as_str()).small() };
                        ui.label(text);
                    }
                }
                MapState::Failed(message) => {
                    ui.label(RichText::new(message).color(palette.warn));
                }
                MapState::None => {}
            }
            trust::show(ui, state);
            if state.inspect.drawing {
                ui.horizontal(|ui| {
                    ui.add(egui::Spinner::new().size(12.0));
                    ui.label(theme::muted(ui, "drawing the map"));
                });
            }
        });
    });
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
