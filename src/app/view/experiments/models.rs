//! Registered models: their versions with aliases and scores, and what can be done with each.

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Button, Grid, PopupCloseBehavior, RichText, ScrollArea, TextEdit, Ui};

use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments};
use crate::app::models::{Card, Change as Models, FIRST_NAME};
use crate::app::{theme, widget};
use crate::track::{CHAMPION, ModelReference, ModelVersion, RegisteredModel, Rule, RunFacts};

/// What is being written on the page and in its menus.
#[derive(Clone)]
pub(super) struct ModelsPage {
    /// The name for a run that is registered.
    name: String,
    /// What is said about it.
    note: String,
    /// An alias.
    alias: String,
}

impl Default for ModelsPage {
    fn default() -> Self {
        Self { name: FIRST_NAME.into(), note: String::new(), alias: "production".into() }
    }
}

fn ask(actions: &mut Vec<Action>, change: Models) {
    actions.push(Action::Experiments(Change::Models(change)));
}

/// A menu that stays open while something is written in it.
fn menu(ui: &mut Ui, words: &str, add: impl FnOnce(&mut Ui)) -> egui::Response {
    let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new(words).config(config).ui(ui, add).0
}

/// The card of a version, as it stands in its file.
fn show_card(ui: &mut Ui, card: &Card, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        ui.strong(format!("Model card of {}", card.version));
        if ui.button("Save card…").clicked() {
            ask(actions, Models::BrowseCard);
        }
        if ui.button("Close card").on_hover_text("Back to the list of models").clicked() {
            ask(actions, Models::CloseCard);
        }
    });
    ScrollArea::both().id_salt("card").auto_shrink(false).show(ui, |ui| {
        ui.add(egui::Label::new(RichText::new(&card.text).monospace()).wrap_mode(egui::TextWrapMode::Extend).selectable(true));
    });
}

impl ModelsPage {
    /// The button that registers a run.
    pub fn register(&mut self, ui: &mut Ui, run: &RunFacts, actions: &mut Vec<Action>) {
        if run.best.is_none() {
            ui.add_enabled(false, Button::new("Register…")).on_disabled_hover_text("It has no model yet.");
            return;
        }
        let response = menu(ui, "Register…", |ui| {
            for (label, text) in [("Model's name", &mut self.name), ("Note on the version", &mut self.note)] {
                let words = ui.label(label);
                ui.add(TextEdit::singleline(text).desired_width(200.0)).labelled_by(words.id);
            }
            if ui.button("Register").clicked() {
                let (name, note) = (self.name.clone(), std::mem::take(&mut self.note));
                ask(actions, Models::Register { run: run.folder.clone().into(), name, note });
                ui.close();
            }
        });
        response.on_hover_text("Keep its best model under a name, as a version; the run may be deleted then");
    }

    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, experiments: &Experiments, actions: &mut Vec<Action>) {
        for why in &experiments.models.damaged {
            ui.label(RichText::new(why).color(theme::palette(ui.visuals()).warn));
        }
        if let Some(card) = &experiments.card {
            show_card(ui, card, actions);
            return;
        }
        if experiments.models.models.is_empty() {
            theme::empty(ui, "No registered models", "Click a run in the table and press Register…: its best model is kept under a name.");
            return;
        }
        ScrollArea::both().id_salt("models").auto_shrink(false).show(ui, |ui| {
            for model in &experiments.models.models {
                ui.strong(&model.name);
                let by = model.measure.title();
                ui.label(theme::muted(ui, format!("The champion is the version of the best validation {by}, or the one made so by hand.")));
                Grid::new(&model.name).striped(true).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| {
                    for title in ["Version", "Aliases", "Macro-F1", "Accuracy", "Loss", "Split", "Run", ""] {
                        ui.label(theme::muted(ui, title));
                    }
                    ui.end_row();
                    for version in model.versions.iter().rev() {
                        self.row(ui, model, version, actions);
                        ui.end_row();
                    }
                });
                ui.add_space(theme::SECTION_GAP);
            }
        });
    }

    fn row(&mut self, ui: &mut Ui, model: &RegisteredModel, version: &ModelVersion, actions: &mut Vec<Action>) {
        let aliases: Vec<&str> = model.aliases_of(version.version).collect();
        let label = ui.label(version.to_string());
        if !version.note.is_empty() {
            label.on_hover_text(&version.note);
        }
        ui.label(RichText::new(aliases.join(", ")).color(theme::palette(ui.visuals()).good));
        for number in [version.macro_f1, version.accuracy, version.loss] {
            ui.label(format!("{number:.4}"));
        }
        ui.label(theme::muted(ui, version.split_digest.chars().take(8).collect::<String>()));
        ui.label(theme::muted(ui, format!("{}, epoch {}", version.run, version.epoch)));
        ui.horizontal(|ui| {
            let button = |ui: &mut Ui, words: &str, name: &str, enabled: bool, hover: &str| {
                let response = ui.add_enabled(enabled, Button::new(words));
                widget::name(ui, &response, egui::Role::Button, &format!("{name} {version}"));
                response.on_hover_text(hover).on_disabled_hover_text(hover).clicked()
            };
            if button(ui, "Classify", "Classify with", true, "This version answers on the Classify panel") {
                ask(actions, Models::Use(ModelReference::version(&version.model, version.version)));
            }
            self.aliases(ui, version, actions);
            if button(ui, "Card", "Card of", true, "What it was trained on, how well it does, what it is for") {
                ask(actions, Models::ReadCard(version.model.clone(), version.version));
            }
            let free = aliases.is_empty();
            let why = format!("It is {}; promote another version first.", aliases.join(" and "));
            let about = if free { "Move it to the trash" } else { &why };
            if button(ui, "Delete", "Delete", free, about) {
                ask(actions, Models::Delete(version.model.clone(), version.version));
            }
        });
    }

    fn aliases(&mut self, ui: &mut Ui, version: &ModelVersion, actions: &mut Vec<Action>) {
        let response = menu(ui, "Promote", |ui| {
            let mut promote = |ui: &mut Ui, words: &str, hover: &str, alias: &str, rule: Rule| {
                if ui.add_enabled(!alias.trim().is_empty(), Button::new(words)).on_hover_text(hover).clicked() {
                    let version = (version.model.clone(), version.version);
                    ask(actions, Models::Promote { version, alias: alias.to_owned(), rule });
                    ui.close();
                }
            };
            promote(ui, "Champion if better", "Better than the champion on the same validation images", CHAMPION, Rule::IfBetter);
            promote(ui, "Champion by hand", "Whatever the scores say", CHAMPION, Rule::ByHand);
            ui.separator();
            let words = ui.label("Another alias");
            ui.add(TextEdit::singleline(&mut self.alias).desired_width(140.0)).labelled_by(words.id);
            promote(ui, "Give this alias", "The version that has it now loses it", &self.alias, Rule::ByHand);
        });
        widget::name(ui, &response, egui::Role::Button, &format!("Promote {version}"));
    }
}
