//! Which run is shown, and how to open another.

use std::path::PathBuf;

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{ComboBox, Key, PopupCloseBehavior, ScrollArea, TextEdit, Ui};

use super::shown::run_name;
use crate::app::action::Action;
use crate::app::reviewed::{Change, SESSION};
use crate::app::state::State;
use crate::app::theme;
use crate::app::widget;

/// The menu's own state.
#[derive(Clone, Default)]
pub(super) struct RunMenu {
    /// What stands in the path field.
    path: String,
    was_open: bool,
}

/// The width of what stands in the line beside the name of the run, points.
const OTHERS: f32 = 210.0;

impl RunMenu {
    /// Shows the choice of the run and the menu that opens one.
    pub fn show(&mut self, ui: &mut Ui, state: &State, run: &mut u64, actions: &mut Vec<Action>) {
        let session = state.run.iter().map(|_| SESSION);
        let runs: Vec<u64> = session.chain(state.review.opened.iter().map(|opened| opened.id)).collect();
        if !runs.is_empty() {
            let room = (ui.available_width() - OTHERS).max(90.0);
            let combo = ComboBox::from_id_salt("run").width(room.min(150.0)).truncate().selected_text(run_name(state, *run));
            let choose = |ui: &mut Ui| {
                // a long name is cut off where the buttons begin
                ui.set_max_width(room);
                combo.show_ui(ui, |ui| {
                    for id in runs {
                        ui.selectable_value(run, id, run_name(state, id));
                    }
                })
            };
            let response = ui.scope(choose).inner;
            widget::name(ui, &response.response, egui::Role::ComboBox, "Run");
            if *run != SESSION && theme::icon_button(ui, "✖", "Close run").on_hover_text("Put this run away; its folder stays").clicked()
            {
                actions.push(Action::Review(Change::Close(*run)));
            }
        }
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        let (_, menu) = MenuButton::new("Open run…").config(config).ui(ui, |ui| self.menu(ui, state, actions));
        if menu.is_some() && !self.was_open {
            actions.push(Action::Review(Change::List));
        }
        self.was_open = menu.is_some();
        if state.review.opening.is_some() {
            ui.add(egui::Spinner::new().size(14.0));
        }
    }

    fn menu(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        ui.set_width(340.0);
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.path).hint_text("path of a run folder").desired_width(210.0);
            let response = ui.add(field);
            widget::name(ui, &response, egui::Role::TextInput, "Run folder");
            let entered = response.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            let named = !self.path.trim().is_empty();
            if (ui.add_enabled(named, egui::Button::new("Open")).clicked() || entered) && named {
                actions.push(Action::Review(Change::Open(PathBuf::from(std::mem::take(&mut self.path).trim()))));
                ui.close();
            }
            if ui.button("Browse…").clicked() {
                actions.push(Action::Review(Change::Browse));
                ui.close();
            }
        });
        if state.review.found.is_empty() {
            ui.label(theme::muted(ui, "No runs where runs are kept yet."));
            return;
        }
        ScrollArea::vertical().max_height(260.0).show(ui, |ui| {
            for folder in &state.review.found {
                let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
                if ui.selectable_label(false, name).on_hover_text(folder.display().to_string()).clicked() {
                    actions.push(Action::Review(Change::Open(folder.clone())));
                    ui.close();
                }
            }
        });
    }
}
