//! The data set on the Train panel: which it is, and how to open another.

use std::path::{Path, PathBuf};

use egui::{CollapsingHeader, Key, RichText, TextEdit, Ui};

use super::form;
use crate::app::action::Action;
use crate::app::explored::Change;
use crate::app::import::{ImportAction, Importing, Wanted};
use crate::app::layout::Pane;
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
        ui.horizontal_wrapped(|ui| {
            if ui.selectable_label(synthetic, "Synthetic galaxies").clicked() && !synthetic {
                actions.push(Action::UseSynthetic);
            }
            if ui.selectable_label(!synthetic, "Folder…").on_hover_text("Choose a data folder (Ctrl+O)").clicked() {
                actions.push(Action::BrowseData);
            }
            galaxy10(ui, state, folder.trim(), actions);
        });
        ui.horizontal(|ui| {
            let width = ui.available_width() - 58.0;
            let field = TextEdit::singleline(folder).hint_text("or the path of a folder or .h5 file").desired_width(width);
            let response = ui.add(field);
            widget::name(ui, &response, egui::Role::TextInput, "Data folder");
            let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            let named = !folder.trim().is_empty();
            if (ui.add_enabled(named, egui::Button::new("Open")).clicked() || entered) && named {
                actions.push(Action::OpenData(PathBuf::from(folder.trim())));
            }
        });
        if let Some(importing) = &state.importing {
            progress(ui, importing, actions);
        }
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
            relabelled(ui, state, actions);
        }
        ui.add_space(theme::GAP);
    });
}

/// The ways to a data folder of Galaxy10. `place` is what stands in the path field.
fn galaxy10(ui: &mut Ui, state: &State, place: &str, actions: &mut Vec<Action>) {
    let free = state.importing.is_none();
    let menu = ui.menu_button("Galaxy10", |ui| {
        let mut ask = |words: &str, about: &str, action: &dyn Fn() -> ImportAction| {
            let button = ui.add_enabled(free, egui::Button::new(words)).on_hover_text(about);
            if button.on_disabled_hover_text("A data folder is being made.").clicked() {
                actions.push(Action::Import(action()));
                ui.close();
            }
        };
        let about =
            "Makes a data folder of the file, beside it. Dropping the file on the window does the same, and so does its path below.";
        ask("Import a file (.h5)…", about, &|| ImportAction::Browse);
        let about = "Galaxy10 DECaLS: 17,736 images of 256 x 256 pixels from Zenodo, into a folder that you choose. It needs 6.2 GB there, \
                     of which 2.7 GB may be deleted afterwards; a download that breaks off can be gone on with.";
        ask("Download (2.7 GB)…", about, &|| ImportAction::BrowseDownload);
        if may_download_into(state, place) {
            let wanted = || Box::new(Wanted::galaxy10(&absolute(place)));
            ask("Download into the folder below", &format!("{place}: {about}"), &|| ImportAction::Download(wanted()));
        }
    });
    menu.response.on_hover_text("Galaxy10's HDF5 file: import it, or download it");
}

/// Whether what stands in the path field can be meant as a place for a download: no file, and not the data set that is open.
fn may_download_into(state: &State, place: &str) -> bool {
    let open = state.data.as_ref().and_then(|data| data.set.location.as_deref());
    !place.is_empty() && !Path::new(place).is_file() && open.is_none_or(|open| !absolute(place).starts_with(open))
}

fn absolute(place: &str) -> PathBuf {
    std::path::absolute(place).unwrap_or_else(|_| place.into())
}

/// How far an import is.
fn progress(ui: &mut Ui, importing: &Importing, actions: &mut Vec<Action>) {
    let (words, share) = importing.progress.words();
    ui.horizontal(|ui| {
        let width = ui.available_width() - 58.0;
        let bar = egui::ProgressBar::new(share.unwrap_or(0.0)).desired_width(width).animate(share.is_none());
        let bar = ui.add(if share.is_some() { bar.show_percentage() } else { bar });
        widget::name(ui, &bar, egui::Role::ProgressIndicator, &words);
        if ui.button("End").on_hover_text("End it; what was downloaded stays, of a data folder nothing").clicked() {
            actions.push(Action::Import(ImportAction::Stop));
        }
    });
    ui.add(egui::Label::new(&words).wrap());
    let folder = importing.wanted.folder.display().to_string();
    ui.add(egui::Label::new(theme::muted(ui, format!("into {folder}"))).truncate());
    ui.add_space(theme::GAP);
    ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
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

/// Says that labels which the user gave are not what is trained on.
fn relabelled(ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
    let relabelled = state.explore.marked.as_ref().map_or(0, |marked| marked.marks.relabelled());
    if relabelled == 0 {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        let text = format!("Training takes the data set's own labels, not the {} that you changed", words::thousands(relabelled));
        ui.label(theme::muted(ui, text))
            .on_hover_text("Export… in Explore writes yours as a table: make a data set of it to train on them");
        if ui.button("Show these").clicked() {
            actions.push(Action::Explore(Change::Filter("relabelled".into())));
            actions.push(Action::Show(Pane::Explore));
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
