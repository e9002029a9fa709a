//! The menu of the mirror in MLflow: where it goes, how it stands, on and off.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Button, PopupCloseBehavior, RichText, TextEdit, Ui};

use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments};
use crate::app::theme;
use crate::track::mlflow::Target;

/// Shows the menu's button; `address` is what is being written in it.
pub fn menu(ui: &mut Ui, experiments: &Experiments, address: &mut String, actions: &mut Vec<Action>) {
    let mirror = &experiments.mirror;
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    let words = match (&mirror.target, mirror.remarks.is_empty()) {
        (None, _) => "MLflow".to_owned(),
        (Some(_), true) => "MLflow: on".to_owned(),
        (Some(_), false) => format!("MLflow: on, {} remarks", mirror.remarks.len()),
    };
    let (response, _) = MenuButton::new(words).config(config).ui(ui, |ui| {
        ui.set_max_width(360.0);
        if let Some(target) = &mirror.target {
            ui.label(format!("Runs and registered models are mirrored in {target} while this window is open."));
            if ui.button("Stop mirroring").clicked() {
                actions.push(Action::Experiments(Change::Mirror(None)));
                ui.close();
            }
        } else {
            let label = ui.label("Mirror runs and registered models in");
            let hint = "sqlite:///mlflow.db or http://host:5000";
            ui.add(TextEdit::singleline(address).hint_text(hint).desired_width(340.0)).labelled_by(label.id);
            let target = address.parse::<Target>();
            let button = ui.add_enabled(target.is_ok(), Button::new("Start mirroring"));
            match target {
                Ok(target) if button.clicked() => actions.push(Action::Experiments(Change::Mirror(Some(target)))),
                Ok(_) => {}
                Err(why) => drop(button.on_disabled_hover_text(why)),
            }
        }
        match &mirror.state {
            Some(Ok(words)) => drop(ui.label(theme::muted(ui, words.clone()))),
            Some(Err(words)) => drop(ui.label(RichText::new(words).color(theme::palette(ui.visuals()).warn))),
            None if mirror.target.is_some() => drop(ui.spinner()),
            None => {}
        }
        egui::ScrollArea::vertical().id_salt("mirror remarks").max_height(160.0).show(ui, |ui| {
            for words in &mirror.remarks {
                ui.label(RichText::new(words).color(theme::palette(ui.visuals()).warn));
            }
        });
    });
    response.on_hover_text("Show runs and models in MLflow too, live while they train");
}
