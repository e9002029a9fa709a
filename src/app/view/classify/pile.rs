//! The table of many pictures: thumbnails, classes, probabilities; sorted by a click on a heading.

use std::collections::HashMap;

use egui::{Align2, FontId, Rect, ScrollArea, Sense, TextureHandle, TextureOptions, Ui, WidgetInfo, pos2, vec2};

use super::controls;
use crate::app::action::Action;
use crate::app::inspect::InspectAction;
use crate::app::pile::{Column, Pile, PileAction, Row};
use crate::app::state::State;
use crate::app::theme;
use crate::explain::{Likeness, TableFormat};

/// Height of a row, points.
const ROW: f32 = 36.0;
/// Textures that are kept.
const TEXTURES: usize = 256;
/// Where the columns begin, as shares of the width that the thumbnail leaves.
const STARTS: [f32; 5] = [0.0, 0.30, 0.54, 0.71, 0.85];

/// What the last column says.
const ABOUT_DISTANCE: &str = "Distance to the training pictures, and the share of the validation pictures that are nearer: beyond 95 % a \
                              picture is unusual. It comes once all are classified and the training pictures were looked at, which \
                              the panel of one picture offers where it is not done by itself.";

/// The thumbnails in sight.
#[derive(Clone, Default)]
pub struct PileView {
    generation: u64,
    textures: HashMap<usize, TextureHandle>,
}

impl PileView {
    /// Shows the table.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let pile = &state.pile;
        if self.generation != pile.generation {
            self.textures.clear();
            self.generation = pile.generation;
        }
        bar(ui, pile, actions);
        ui.horizontal_wrapped(|ui| how(ui, state, actions));
        headings(ui, pile, actions);
        ScrollArea::vertical().id_salt("pile").auto_shrink(false).show_rows(ui, ROW, pile.order.len(), |ui, range| {
            for &number in &pile.order[range] {
                self.row(ui, pile, number, actions);
            }
        });
    }

    fn row(&mut self, ui: &mut Ui, pile: &Pile, number: usize, actions: &mut Vec<Action>) {
        let row = &pile.rows[number];
        let palette = theme::palette(ui.visuals());
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW - ui.spacing().item_spacing.y), Sense::click());
        let name = row.source.name();
        let text = match &row.answer {
            Ok(_) => {
                let far = row.nearness.map_or_else(String::new, |near| format!(", distance percentile {:.1}", near.percentile()));
                format!("{name}: {}, {:.1} %{far}", class(pile, row), 100.0 * row.probability())
            }
            Err(reason) => format!("{name}: skipped, {reason}"),
        };
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &text));
        if response.hovered() {
            ui.painter().rect_filled(rect, 3.0, palette.field);
        }
        if let Some(texture) = self.texture(ui, number, row) {
            let [width, height] = texture.size_vec2().into();
            let scale = rect.height() / width.max(height);
            let here = Rect::from_center_size(rect.left_center() + vec2(rect.height() / 2.0, 0.0), vec2(width, height) * scale);
            ui.painter().image(texture.id(), here, Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0)), egui::Color32::WHITE);
        }
        let cell = |column: usize, text: &str, colour: egui::Color32| {
            let (left, right) = cell_range(rect, column);
            let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), FontId::proportional(13.0), colour);
            job.wrap = egui::text::TextWrapping::truncate_at_width(right - left - 6.0);
            let galley = ui.painter().layout_job(job);
            ui.painter().galley(pos2(left, rect.center().y - galley.size().y / 2.0), galley, colour);
        };
        cell(0, &name, palette.text);
        match &row.answer {
            Ok(_) => {
                cell(1, class(pile, row), palette.text);
                cell(2, &format!("{:.1} %", 100.0 * row.probability()), palette.text);
                cell(3, &format!("{:.2} bits", row.entropy), palette.muted);
                match row.nearness {
                    Some(near) => {
                        let colour = if near.likeness() == Likeness::Usual { palette.muted } else { palette.warn };
                        cell(4, &format!("{:.3}, {:.0} %", near.distance, near.percentile()), colour);
                    }
                    None => cell(4, "-", palette.muted),
                }
            }
            Err(reason) => cell(1, &format!("skipped: {reason}"), palette.warn),
        }
        if response.on_hover_text(row.source.path().display().to_string()).clicked() {
            actions.push(Action::Pile(PileAction::Look(number)));
        }
    }

    fn texture(&mut self, ui: &Ui, number: usize, row: &Row) -> Option<&TextureHandle> {
        let thumbnail = row.thumbnail.as_ref()?;
        if self.textures.len() > TEXTURES && !self.textures.contains_key(&number) {
            self.textures.clear();
        }
        let load = || ui.ctx().load_texture("pile", thumbnail.clone(), TextureOptions::LINEAR);
        Some(self.textures.entry(number).or_insert_with(load))
    }
}

/// The name of a row's class.
fn class<'a>(pile: &'a Pile, row: &Row) -> &'a str {
    row.class.and_then(|class| pile.classes.get(class)).map_or("", String::as_str)
}

/// Left and right of a column in a row.
fn cell_range(rect: Rect, column: usize) -> (f32, f32) {
    let (start, width) = (rect.left() + ROW + 6.0, rect.width() - ROW - 6.0);
    let end = STARTS.get(column + 1).copied().unwrap_or(1.0);
    (start + STARTS[column] * width, start + end * width)
}

/// How far it is, and what can be done with all.
fn bar(ui: &mut Ui, pile: &Pile, actions: &mut Vec<Action>) {
    let done = pile.rows.len();
    let total = pile.total.map_or_else(|| "?".to_owned(), |total| total.to_string());
    ui.horizontal_wrapped(|ui| {
        let skipped = if pile.failed > 0 { format!(" · {} skipped", pile.failed) } else { String::new() };
        ui.label(format!("{done} of {total} pictures{skipped}"));
        if pile.running {
            ui.add(egui::Spinner::new().size(14.0));
            if ui.button("Cancel").on_hover_text("Stop classifying; what is there stays").clicked() {
                actions.push(Action::Pile(PileAction::Cancel));
            }
        }
        let answered = done > pile.failed;
        for (format, title) in [(TableFormat::Csv, "Save CSV…"), (TableFormat::VoTable, "Save VOTable…")] {
            let button = ui.add_enabled(answered, egui::Button::new(title));
            if button
                .on_hover_text("The probability of every class, in the order shown")
                .on_disabled_hover_text("Nothing is classified yet.")
                .clicked()
            {
                actions.push(Action::Pile(PileAction::Save(format)));
            }
        }
        if ui.button("Clear").on_hover_text("Forget these pictures").clicked() {
            actions.push(Action::Pile(PileAction::Clear));
        }
    });
    if let Some(total) = pile.total.filter(|total| pile.running && *total > 0) {
        ui.add(egui::ProgressBar::new(done as f32 / total as f32).desired_height(6.0));
    }
}

/// How the pictures were classified, how they would be now, and the offer to make it so.
fn how(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let pile = &state.pile;
    let mut question = state.inspect.question.clone();
    if pile.fits {
        controls::rendering_of_many(ui, &mut question.rendering);
    }
    controls::average(ui, &mut question.average);
    let rendering = question.rendering.of_any_file();
    let mut then = Vec::new();
    if pile.fits && rendering != pile.rendering {
        then.push(format!("with {}", pile.rendering.words()));
    }
    if question.average != pile.average {
        then.push(if pile.average { "as the mean of 8 turns" } else { "as they are" }.to_owned());
    }
    if question != state.inspect.question {
        actions.push(Action::Inspect(InspectAction::Ask(Box::new(question))));
    }
    if !then.is_empty() {
        ui.label(theme::muted(ui, format!("classified {}", then.join(", "))));
        if ui.button("Classify again").on_hover_text("Asks the model again about all of them, as is chosen here").clicked() {
            actions.push(Action::Pile(PileAction::Again));
        }
    }
}

fn headings(ui: &mut Ui, pile: &Pile, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui.visuals());
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 22.0), Sense::hover());
    for (number, column) in Column::ALL.into_iter().enumerate() {
        let (left, right) = cell_range(rect, number);
        let here = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
        let response = ui.interact(here, ui.scope_id().with(("sort", number)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("Sort by {}", column.title().to_lowercase())));
        let response = if column == Column::Distance { response.on_hover_text(ABOUT_DISTANCE) } else { response };
        let (sorted, falling) = (pile.sort.0 == column, pile.sort.1);
        let arrow = if !sorted {
            ""
        } else if falling {
            " ⏷"
        } else {
            " ⏶"
        };
        let colour = if sorted || response.hovered() { palette.text } else { palette.muted };
        let text = format!("{}{arrow}", column.title());
        let painter = ui.painter().with_clip_rect(here.intersect(ui.clip_rect()));
        painter.text(pos2(left, rect.center().y), Align2::LEFT_CENTER, text, FontId::proportional(11.0), colour);
        if response.clicked() {
            actions.push(Action::Pile(PileAction::Sort(column)));
        }
    }
}
