//! The bar above the panels: name, data set, run, device and memory, theme, text size.

use egui::{Align, ComboBox, Layout, RichText, Ui};

use crate::app::action::Action;
use crate::app::saved::Appearance;
use crate::app::state::State;
use crate::app::theme;
use crate::app::view::words;
use crate::app::widget;
use crate::files;
use crate::train::{Outcome, Status};

/// Shows the bar.
pub fn show(ui: &mut Ui, state: &State, appearance: &mut Appearance, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let palette = theme::palette(ui.visuals());
        ui.label(RichText::new("Tuning Fork").size(16.0).strong().color(palette.text));
        ui.add_space(theme::SECTION_GAP);
        data_badge(ui, state);
        import_badge(ui, state);
        run_badge(ui, state);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if theme::icon_button(ui, "?", "Keyboard shortcuts").on_hover_text("Keyboard shortcuts (F1)").clicked() {
                actions.push(Action::Help(true));
            }
            if theme::icon_button(ui, "⌘", "Command palette").on_hover_text("Find any command (Ctrl+K)").clicked() {
                actions.push(Action::Palette(true));
            }
            undo_button(ui, state, actions);
            scale_choice(ui, appearance);
            let (sign, other) = if appearance.dark { ("☀", "Light theme") } else { ("🌙", "Dark theme") };
            if theme::icon_button(ui, sign, other).on_hover_text(other).clicked() {
                appearance.dark = !appearance.dark;
            }
            ui.add_space(theme::GAP);
            machine_badge(ui, state);
        });
    });
}

fn badge(ui: &mut Ui, text: RichText) -> egui::Response {
    let palette = theme::palette(ui.visuals());
    theme::badge_frame(&palette).show(ui, |ui| ui.label(text)).inner
}

fn data_badge(ui: &mut Ui, state: &State) {
    if let Some(what) = &state.loading {
        ui.add(egui::Spinner::new().size(14.0));
        badge(ui, theme::muted(ui, format!("Opening {what}")));
    } else if let Some(data) = &state.data {
        let text = format!("{}  ·  {} images, {} classes", data.set.name, words::thousands(data.set.len()), data.set.classes.len());
        let hover = data
            .set
            .location
            .as_ref()
            .map_or_else(|| "Synthetic galaxies, drawn in memory".to_owned(), |folder| folder.display().to_string());
        badge(ui, RichText::new(text)).on_hover_text(hover);
    } else {
        badge(ui, theme::muted(ui, "No data set"));
    }
}

/// How far a data folder is that is being made: its progress and its end stand on the Train panel, which may be hidden.
fn import_badge(ui: &mut Ui, state: &State) {
    let Some(importing) = &state.importing else { return };
    let (words, share) = importing.progress.words();
    let share = share.map_or_else(|| "Importing".to_owned(), |share| format!("Importing, {:.0} %", 100.0 * share));
    badge(ui, theme::muted(ui, share)).on_hover_text(format!("{words}, into {}", importing.wanted.folder.display()));
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
}

fn run_badge(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui.visuals());
    let (colour, text) = match &state.run {
        None if state.starting => (palette.warn, "Setting up a run".to_owned()),
        None => (palette.muted, "No run yet".to_owned()),
        Some(run) => match run.session.status {
            Status::Waiting => (palette.warn, "Setting up".to_owned()),
            Status::Running => (palette.good, format!("Training, {:.0} %", 100.0 * run.session.progress())),
            Status::Paused => (palette.warn, "Paused".to_owned()),
            Status::Ended(Outcome::Completed) => (palette.good, "Completed".to_owned()),
            Status::Ended(Outcome::Stopped) => (palette.muted, "Stopped".to_owned()),
            Status::Ended(Outcome::Failed | Outcome::Panicked) => (palette.bad, "Failed".to_owned()),
        },
    };
    theme::badge_frame(&palette).show(ui, |ui| {
        theme::dot(ui, colour);
        ui.label(text);
    });
}

fn machine_badge(ui: &mut Ui, state: &State) {
    let threads = state.machine.threads;
    let device = state
        .run
        .as_ref()
        .and_then(|run| run.session.started.as_ref())
        .map_or_else(|| format!("CPU, {threads} threads"), |started| started.device.clone());
    let text = match state.machine.resident {
        Some(resident) => format!("{device}  ·  {}", files::bytes(resident)),
        None => device,
    };
    let hover = match state.machine.total {
        Some(total) => format!("Where the run computes, and the memory this program holds of {}", files::bytes(total)),
        None => "Where the run computes".to_owned(),
    };
    badge(ui, theme::muted(ui, text)).on_hover_text(hover);
}

fn undo_button(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let last = state.undo.last();
    ui.add_enabled_ui(last.is_some(), |ui| {
        let button = theme::icon_button(ui, "⟲", "Undo");
        let hover = last.map_or_else(|| "There is nothing to undo".to_owned(), |step| format!("Undo: {} (Ctrl+Z)", step.words));
        if button.on_hover_text(&hover).on_disabled_hover_text(hover).clicked() {
            actions.push(Action::Undo);
        }
    });
}

fn scale_choice(ui: &mut Ui, appearance: &mut Appearance) {
    let percent = |scale: f32| format!("{:.0} %", 100.0 * scale);
    let combo = ComboBox::from_id_salt("text size").width(64.0).selected_text(percent(appearance.scale));
    let response = combo.show_ui(ui, |ui| {
        for scale in theme::SCALES {
            ui.selectable_value(&mut appearance.scale, scale, percent(scale));
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Text size");
    response.response.on_hover_text("Text size");
}
