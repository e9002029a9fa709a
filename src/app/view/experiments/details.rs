//! One run: what its user says about it, and what can be done with it.

use egui::{ScrollArea, TextEdit, Ui};

use super::models::ModelsPage;

use crate::app::action::Action;
use crate::app::experiments::{Change, Experiments, is_trial, may_go_on};
use crate::app::{theme, widget};
use crate::track::{About, RunFacts};

/// The page's own state: what is being written, of which run.
#[derive(Clone, Default)]
pub(super) struct Details {
    folder: String,
    /// As it was read.
    read: About,
    /// As it stands in the fields.
    name: String,
    tags: String,
    notes: String,
}

impl Details {
    /// Shows the page; `blocked` says why no run can begin now.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        experiments: &Experiments,
        blocked: Option<&str>,
        models: &mut ModelsPage,
        actions: &mut Vec<Action>,
    ) {
        let Some(run) = experiments.focus.as_ref().and_then(|folder| experiments.run(folder)) else {
            theme::empty(ui, "No run chosen", "Click a run in the table: its name, tags and notes are written here.");
            return;
        };
        if self.folder != run.folder || self.read != run.about {
            *self = Self::of(run);
        }
        ScrollArea::vertical().id_salt("details").auto_shrink(false).show(ui, |ui| {
            buttons(ui, run, blocked, models, actions);
            ui.add_space(theme::GAP);
            self.fields(ui, run, actions);
            if let Some(message) = &run.message {
                ui.add_space(theme::GAP);
                ui.label(theme::muted(ui, message.clone()));
            }
        });
    }

    fn of(run: &RunFacts) -> Self {
        let about = &run.about;
        Self {
            folder: run.folder.clone(),
            read: about.clone(),
            name: about.name.clone(),
            tags: about.tags.join(", "),
            notes: about.notes.clone(),
        }
    }

    fn fields(&mut self, ui: &mut Ui, run: &RunFacts, actions: &mut Vec<Action>) {
        let mut done = false;
        egui::Grid::new("about").num_columns(2).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| {
            for (label, text) in [("Name", &mut self.name), ("Tags", &mut self.tags)] {
                let hint = if label == "Name" { run.folder.as_str() } else { "with commas between them" };
                let words = ui.label(label);
                let response = ui.add(TextEdit::singleline(text).hint_text(hint).desired_width(320.0)).labelled_by(words.id);
                done |= response.lost_focus();
                ui.end_row();
            }
            let words = ui.label("Notes");
            let field = TextEdit::multiline(&mut self.notes).hint_text("why this run, what came out (Markdown)").desired_rows(3);
            done |= ui.add(field.desired_width(f32::INFINITY)).labelled_by(words.id).lost_focus();
            ui.end_row();
        });
        let tags = self.tags.split(',').map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect();
        let about = About { name: self.name.trim().to_owned(), tags, notes: self.notes.clone() };
        if done && about != self.read {
            self.read = about.clone();
            actions.push(Action::Experiments(Change::Describe(run.folder.clone(), about)));
        }
    }
}

fn buttons(ui: &mut Ui, run: &RunFacts, blocked: Option<&str>, models: &mut ModelsPage, actions: &mut Vec<Action>) {
    let folder = || run.folder.clone();
    let ask = |ui: &mut Ui, actions: &mut Vec<Action>, words: &str, hover: &str, enabled: Result<(), &str>, change: Change| {
        let response = ui.add_enabled(enabled.is_ok(), egui::Button::new(words));
        let response = match enabled {
            Ok(()) => response.on_hover_text(hover),
            Err(why) => response.on_disabled_hover_text(why),
        };
        if response.clicked() {
            actions.push(Action::Experiments(change));
        }
    };
    let has_model = if run.best.is_some() { Ok(()) } else { Err("It has no model yet.") };
    let idle = if run.state.is_live() { Err("It trains now; stop it first.") } else { Ok(()) };
    ui.horizontal_wrapped(|ui| {
        ask(ui, actions, "Look back", "What it confuses, at any epoch, in the Confusion panel", Ok(()), Change::LookBack(folder()));
        ask(ui, actions, "Use model", "Classify with its best epoch", has_model, Change::UseModel(folder()));
        models.register(ui, run, actions);
        let rest = may_go_on(run).and_then(|()| blocked.map_or(Ok(()), Err));
        ask(ui, actions, "Go on", "Train the rest of its epochs, from its last checkpoint", rest, Change::GoOn(folder()));
        ask(ui, actions, "Use values", "Take its values into the form, to train like it", Ok(()), Change::UseConfig(folder()));
        ask(ui, actions, "Export run…", "Write it as one file that opens elsewhere", idle, Change::BrowseExport(folder()));
        let mine = if is_trial(&run.folder) { Err("It belongs to its search.") } else { idle };
        ask(ui, actions, "Delete", "Move it to the trash; Undo brings it back", mine, Change::Delete(vec![folder()]));
    });
    let label = ui.label(theme::muted(ui, format!("{} · {} · program {}", run.folder, run.device, run.version)));
    widget::name(ui, &label, egui::Role::Label, &format!("Folder {}", run.folder));
}
