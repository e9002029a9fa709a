//! The data set on the Train panel: which it is, and how to open another.

use std::path::PathBuf;

use egui::{CollapsingHeader, Key, RichText, TextEdit, Ui};

use super::form;
use crate::app::action::Action;
use crate::app::state::{Data, State, is_synthetic};
use crate::app::theme;
use crate::app::view::words;
use crate::app::widget;
use crate::data::{ACKNOWLEDGEMENT, GALAXY10_CLASSES};

/// The most skipped files that are listed.
const LISTED: usize = 200;

/// Shows what is open, and the ways to open something else. `folder` is what stands in the path field.
pub fn show(ui: &mut Ui, state: &State, folder: &mut String, actions: &mut Vec<Action>) {
    CollapsingHeader::new(RichText::new("Data set").strong()).default_open(true).show_unindented(ui, |ui| {
        let synthetic = is_synthetic(&state.config.data);
        ui.horizontal(|ui| {
            if ui.selectable_label(synthetic, "Synthetic galaxies").clicked() && !synthetic {
                actions.push(Action::UseSynthetic);
            }
            if ui.selectable_label(!synthetic, "Folder…").on_hover_text("Choose a data folder (Ctrl+O)").clicked() {
                actions.push(Action::BrowseData);
            }
        });
        ui.horizontal(|ui| {
            let width = ui.available_width() - 58.0;
            let field = TextEdit::singleline(folder).hint_text("or the path of a folder").desired_width(width);
            let response = ui.add(field);
            widget::name(ui, &response, egui::Role::TextInput, "Data folder");
            let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            let named = !folder.trim().is_empty();
            if (ui.add_enabled(named, egui::Button::new("Open")).clicked() || entered) && named {
                actions.push(Action::OpenData(PathBuf::from(folder.trim())));
            }
        });
        if synthetic {
            let mut config = state.config.clone();
            form::synthetic_images(ui, &mut config);
            if config != state.config {
                actions.push(Action::Configure(Box::new(config)));
            }
        }
        if let Some(data) = &state.data {
            about(ui, data);
            overlap(ui, &state.explore.leaks, actions);
        }
        ui.add_space(theme::GAP);
    });
}

/// A warning if the same galaxies stand in two parts of the split.
fn overlap(ui: &mut Ui, leaks: &[usize], actions: &mut Vec<Action>) {
    if leaks.is_empty() {
        return;
    }
    let palette = theme::palette(ui.visuals());
    ui.horizontal_wrapped(|ui| {
        let text = format!("⚠ The parts overlap: {} pictures of the same galaxies", words::thousands(leaks.len()));
        ui.label(RichText::new(text).color(palette.warn)).on_hover_text(
            "The same picture or position stands in two parts of the split, so validation and test look better than they are",
        );
        if ui.button("Show them").clicked() {
            actions.push(Action::ShowInExplore { title: "The same galaxies in two parts".into(), indices: leaks.to_vec() });
        }
    });
}

/// What is open.
fn about(ui: &mut Ui, data: &Data) {
    if let Some(folder) = &data.set.location {
        let path = folder.display().to_string();
        ui.add(egui::Label::new(&path).truncate()).on_hover_text(path);
    }
    let [train, valid, test] = [&data.split.train, &data.split.valid, &data.split.test].map(|part| words::thousands(part.len()));
    let given = if data.set.given_split.is_some() { " (as given)" } else { "" };
    ui.label(theme::muted(ui, format!("{train} train, {valid} validation, {test} test{given}")));
    if data.set.location.is_some() && data.set.classes == GALAXY10_CLASSES {
        CollapsingHeader::new(theme::muted(ui, "How to credit Galaxy10")).id_salt("credit").show(ui, |ui| ui.label(ACKNOWLEDGEMENT));
    }
    let skipped = &data.set.skipped;
    if skipped.is_empty() {
        return;
    }
    let palette = theme::palette(ui.visuals());
    let title = RichText::new(format!("{} files were skipped", skipped.len())).color(palette.warn);
    CollapsingHeader::new(title).id_salt("skipped").show(ui, |ui| {
        for file in skipped.iter().take(LISTED) {
            let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
            ui.label(format!("{name}: {}", file.reason)).on_hover_text(file.path.display().to_string());
        }
        if skipped.len() > LISTED {
            ui.label(theme::muted(ui, format!("and {} more", skipped.len() - LISTED)));
        }
    });
}
