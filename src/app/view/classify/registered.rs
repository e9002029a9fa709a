//! Registered models in the choice of the model that answers.

use egui::{ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::experiments::Change;
use crate::app::models;
use crate::app::state::State;
use crate::app::theme;
use crate::track::{At, ModelReference, RegisteredModel};

/// A menu of the registered models by alias and as their latest version, and below each all its versions. They are listed when it opens.
pub fn choice(ui: &mut Ui, state: &State, was_open: &mut bool, actions: &mut Vec<Action>) {
    let registered = &state.experiments.models.models;
    let menu = ui.menu_button("Registered", |ui| {
        if registered.is_empty() {
            ui.label(theme::muted(ui, "None yet: press Register… at a run in Experiments."));
        }
        let mut choose = |ui: &mut Ui, model: &RegisteredModel, at: At| {
            let Some(version) = model.at(&at) else { return };
            let reference = ModelReference { name: model.name.clone(), at };
            let what = format!("{version}, macro-F1 {:.4} on its validation images", version.macro_f1);
            if ui.button(reference.to_string()).on_hover_text(what).clicked() {
                actions.push(Action::Experiments(Change::Models(models::Change::Use(reference))));
                ui.close();
            }
        };
        for model in registered {
            let aliases = model.aliases.keys().filter(|alias| model.named(alias).is_some()).cloned().map(At::Alias);
            for at in aliases.chain([At::Latest]) {
                choose(ui, model, at);
            }
            ui.menu_button(format!("Versions of {}", model.name), |ui| {
                ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                    for version in model.versions.iter().rev() {
                        choose(ui, model, At::Version(version.version));
                    }
                });
            });
        }
    });
    menu.response.on_hover_text("Choose a registered model");
    let open = menu.inner.is_some();
    if open && !*was_open {
        actions.push(Action::Experiments(Change::Refresh));
    }
    *was_open = open;
}
