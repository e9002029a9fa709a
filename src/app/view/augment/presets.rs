//! Presets of the augmentation: choosing one, keeping one's own by name, renaming, deleting, bringing back.

use egui::{Key, RichText, TextEdit, Ui};

use crate::app::action::Action;
use crate::app::presets::{Called, PresetAction, UserPreset, called, check_name};
use crate::app::state::State;
use crate::app::undo::Before;
use crate::app::view::built_in_presets;
use crate::app::view::train::choice::Choice;
use crate::app::{theme, widget};
use crate::augment::{Augmentation, Preset};

/// What stands in the fields for names.
#[derive(Clone, Debug, Default)]
pub struct Names {
    save: String,
    /// The preset that is being renamed, and its new name.
    rename: Option<(usize, String)>,
}

/// What settings are called.
#[must_use]
pub fn title<'a>(augmentation: &Augmentation, own: &'a [UserPreset]) -> &'a str {
    match called(augmentation, own) {
        Called::BuiltIn(preset) => preset.name(),
        Called::Own(_, name) => name,
        Called::Mixture => "Own mixture",
    }
}

/// Named settings to begin with: the built-in ones, then the user's.
pub fn choice(ui: &mut Ui, augmentation: &mut Augmentation, own: &[UserPreset], salt: &str) {
    let chosen = called(augmentation, own);
    ui.horizontal(|ui| {
        let label = ui.label("Preset");
        let combo = egui::ComboBox::from_id_salt(salt).width(150.0).truncate().selected_text(title(augmentation, own));
        let combo = combo.show_ui(ui, |ui| {
            for &(preset, name, meaning) in <Preset as Choice>::ALL {
                if ui.selectable_label(chosen == Called::BuiltIn(preset), name).on_hover_text(meaning).clicked() {
                    *augmentation = preset.augmentation();
                }
            }
            if !own.is_empty() {
                ui.separator();
            }
            for (place, preset) in own.iter().enumerate() {
                if ui.selectable_label(chosen == Called::Own(place, &preset.name), &preset.name).clicked() {
                    *augmentation = preset.augmentation;
                }
            }
        });
        combo.response.labelled_by(label.id).on_hover_text("Sets all of the augmentation at once.");
    });
}

/// Keeps the settings by name, and changes the user's presets.
pub fn keep(ui: &mut Ui, state: &State, names: &mut Names, actions: &mut Vec<Action>) {
    match called(&state.config.augmentation, &state.presets) {
        Called::BuiltIn(_) => {}
        Called::Mixture => save(ui, state, names, actions),
        Called::Own(place, name) => own(ui, place, name, state, names, actions),
    }
    if let Some(step) = state.undo.last().filter(|step| matches!(step.before, Before::Presets(_))) {
        ui.horizontal_wrapped(|ui| {
            if ui.button("Undo").on_hover_text(format!("Undo: {} (Ctrl+Z)", step.words)).clicked() {
                actions.push(Action::Undo);
            }
            ui.label(theme::muted(ui, &step.words));
        });
    }
}

fn save(ui: &mut Ui, state: &State, names: &mut Names, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        let width = ui.available_width() - 58.0;
        let field = ui.add(TextEdit::singleline(&mut names.save).hint_text("name for this mixture").desired_width(width));
        widget::name(ui, &field, egui::Role::TextInput, "Preset name");
        let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
        let name = check_name(&names.save, &built_in_presets(), &state.presets, None);
        let button = ui.add_enabled(name.is_ok(), egui::Button::new("Save"));
        widget::name(ui, &button, egui::Role::Button, "Save preset");
        match name {
            Ok(name) if button.clicked() || entered => {
                actions.push(Action::Presets(PresetAction::Save(name)));
                names.save.clear();
            }
            Ok(_) => {
                button.on_hover_text("Keep these settings under this name");
            }
            Err(why) => {
                button.on_disabled_hover_text(why);
            }
        }
    });
}

fn own(ui: &mut Ui, place: usize, name: &str, state: &State, names: &mut Names, actions: &mut Vec<Action>) {
    let Some((_, text)) = names.rename.as_mut().filter(|(renamed, _)| *renamed == place) else {
        ui.horizontal(|ui| {
            if ui.button("Rename").on_hover_text("Give this preset another name").clicked() {
                names.rename = Some((place, name.to_owned()));
            }
            if ui.button("Delete").on_hover_text("Forget this preset; its settings stay on the form (Ctrl+Z brings it back)").clicked() {
                actions.push(Action::Presets(PresetAction::Delete(place)));
            }
        });
        return;
    };
    let mut done = false;
    let checked = ui
        .horizontal(|ui| {
            let field = ui.add(TextEdit::singleline(text).desired_width(ui.available_width() - 110.0));
            widget::name(ui, &field, egui::Role::TextInput, "New name");
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(Key::Enter));
            let checked = check_name(text, &built_in_presets(), &state.presets, Some(place));
            if let (true, Ok(name)) = (ui.add_enabled(checked.is_ok(), egui::Button::new("OK")).clicked() || entered, &checked) {
                actions.push(Action::Presets(PresetAction::Rename(place, name.clone())));
                done = true;
            }
            done |= ui.button("Cancel").clicked();
            checked
        })
        .inner;
    if let Err(why) = checked {
        let palette = theme::palette(ui.visuals());
        ui.label(RichText::new(why).color(palette.bad).small());
    }
    if done {
        names.rename = None;
    }
}
