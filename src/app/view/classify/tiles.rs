//! The sheet of small maps: a click chooses what the tile shows.

use egui::{Image, Sense, Stroke, StrokeKind, Ui, vec2};

use crate::app::action::Action;
use crate::app::inspect::{Export, InspectAction, Question};
use crate::app::state::State;
use crate::app::theme;
use crate::app::tiles::{Side, Tile};
use crate::explain::Content;

/// What can be shown side by side, and what that is called.
const SHEETS: [(Option<Side>, &str, &str); 4] = [
    (None, "One map", "Only the map on the picture"),
    (Some(Side::Classes), "All classes", "This picture, one small map for each class"),
    (Some(Side::Methods), "All methods", "This class, one small map for each method; Score-CAM, which is slow, is left out"),
    (Some(Side::Film), "Over the epochs", "How the map came to be: one small map for each epoch whose model the run keeps"),
];
/// The longer side of a tile, points.
const SIDE: f32 = 112.0;

/// Shows the choice of a sheet and, if one is chosen, its small maps.
pub fn show(ui: &mut Ui, state: &State, question: &mut Question, actions: &mut Vec<Action>) {
    let sheet = &state.inspect.sheet;
    ui.horizontal_wrapped(|ui| {
        for (side, title, about) in SHEETS {
            let label = ui.selectable_label(sheet.wanted == side, title).on_hover_text(about);
            if label.clicked() && sheet.wanted != side {
                actions.push(Action::Inspect(InspectAction::Sheet(side)));
            }
        }
        if let Some(side) = sheet.wanted {
            if ui.button("Save sheet…").on_hover_text("Save the small maps as one PNG file").clicked() {
                actions.push(Action::Inspect(InspectAction::Save(export(side))));
            }
            if sheet.drawing {
                ui.add(egui::Spinner::new().size(12.0));
            }
        }
    });
    if sheet.wanted.is_none() {
        return;
    }
    if let Some(message) = &sheet.failed {
        ui.label(egui::RichText::new(message).color(theme::palette(ui.visuals()).warn));
        return;
    }
    let gap = ui.spacing().item_spacing.x;
    let columns = (((ui.available_width() + gap) / (SIDE + gap)) as usize).max(1);
    for row in sheet.tiles.chunks(columns) {
        ui.horizontal_top(|ui| {
            for tile in row {
                one(ui, state, tile, question, actions);
            }
        });
    }
    if !sheet.tiles.is_empty() {
        ui.label(theme::muted(ui, sheet.scale).small());
    }
}

/// What saves a sheet.
fn export(side: Side) -> Export {
    match side {
        Side::Classes => Export::Drawing(Content::Classes),
        Side::Methods => Export::Drawing(Content::Methods),
        Side::Film => Export::Film,
    }
}

/// Whether a small map is of what is chosen.
fn is_chosen(state: &State, tile: &Tile, question: &Question) -> bool {
    let Some(explainer) = &state.inspect.explainer else { return false };
    let explanation = &tile.small.explanation;
    match state.inspect.sheet.wanted {
        Some(Side::Classes) => question.class.unwrap_or_else(|| explainer.ranking()[0]) == explanation.class,
        Some(Side::Methods) => question.method.unwrap_or_else(|| explainer.best_method()) == explanation.method,
        Some(Side::Film) => tile.small.model.as_deref() == Some(explainer.classifier().path()),
        None => false,
    }
}

/// Chooses what a small map shows.
fn choose(state: &State, tile: &Tile, question: &mut Question, actions: &mut Vec<Action>) {
    let (class, method) = (tile.small.explanation.class, tile.small.explanation.method);
    match state.inspect.sheet.wanted {
        Some(Side::Methods) => (question.method, question.layer) = (Some(method), None),
        Some(Side::Classes) => {
            question.class = Some(class);
            question.against = question.against.filter(|against| *against != class);
        }
        Some(Side::Film) => {
            // the model of another epoch may find another class more probable; the film is of this one
            question.class = Some(class);
            actions.extend(tile.small.model.clone().map(Action::LoadModel));
        }
        None => {}
    }
}

/// One small map with its caption.
fn one(ui: &mut Ui, state: &State, tile: &Tile, question: &mut Question, actions: &mut Vec<Action>) {
    let chosen = is_chosen(state, tile, question);
    let size = tile.texture.size_vec2();
    let scale = SIDE / size.x.max(size.y).max(1.0);
    ui.vertical(|ui| {
        ui.set_width(SIDE);
        ui.spacing_mut().item_spacing.y = 2.0;
        let label = format!("Choose {}", tile.small.caption);
        let image = Image::new(&tile.texture).fit_to_exact_size(vec2(size.x * scale, size.y * scale));
        let response = ui.add(image.sense(Sense::click()).alt_text(&label));
        response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, chosen, &label));
        let palette = theme::palette(ui.visuals());
        if chosen || response.hovered() || response.has_focus() {
            let colour = if chosen { palette.accent } else { palette.muted };
            ui.painter().rect_stroke(response.rect, 0.0, Stroke::new(2.0, colour), StrokeKind::Inside);
        }
        if response.clicked() {
            choose(state, tile, question, actions);
        }
        ui.label(egui::RichText::new(&tile.small.caption).small());
        if !tile.small.explanation.signed && !tile.small.explanation.has_positive() {
            ui.label(theme::muted(ui, "no positive evidence").small());
        }
    });
}
