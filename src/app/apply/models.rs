//! Actions on the registry of models.

use std::path::PathBuf;

use crate::app::action::Action;
use crate::app::experiments::{Answer as Found, is_trial};
use crate::app::models::{self as work, Change};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::{Pane, TuningForkApp, review_work};
use crate::track::{ModelReference, Registry};

impl TuningForkApp {
    pub(super) fn models(&mut self, change: Change) {
        let runs = self.runs_folder.clone();
        match change {
            Change::Register { run, name, note } => {
                let run = self.run_to_register(run);
                self.on_runs(move || work::register(&runs, &run, name.trim(), note.trim()));
            }
            Change::Promote { version, alias, rule } => self.on_runs(move || work::promote(&runs, &version, alias.trim(), rule)),
            Change::Delete(name, version) => {
                self.start_task(Kind::RunsDelete, move || {
                    let result = Registry::of(&runs).delete(&name, version, false);
                    let (moved, result) = match result {
                        Ok(trashed) => (vec![trashed], Ok(())),
                        Err(error) => (Vec::new(), Err(error.to_string())),
                    };
                    Answer::Experiments(Found::Deleted(moved, result))
                });
            }
            Change::Use(reference) => self.use_registered(&reference),
            Change::ReadCard(name, version) => {
                self.start_task(Kind::ModelCard, move || Answer::Experiments(Found::Card(work::card(&runs, &name, version))));
            }
            Change::CloseCard => self.state.experiments.card = None,
            Change::BrowseCard => {
                let Some(card) = &self.state.experiments.card else { return };
                let name = format!("{}.md", card.version);
                self.browse(move |dialog| {
                    let dialog = dialog.set_title("Save the model card").set_file_name(name).add_filter("Markdown", &["md"]);
                    Answer::Experiments(Found::CardPlaceChosen(dialog.save_file()))
                });
            }
            Change::SaveCard(path) => {
                let Some(card) = self.state.experiments.card.clone() else { return };
                self.on_runs(move || review_work::save(&path, card.text.as_bytes()).map(|()| format!("Saved {}", path.display())));
            }
        }
    }

    /// The registry looks for a run among the runs; a trial of the list lies elsewhere.
    fn run_to_register(&self, run: PathBuf) -> PathBuf {
        match run.to_str().filter(|name| is_trial(name)) {
            Some(name) => {
                let path = self.folders().of(name);
                std::path::absolute(&path).unwrap_or(path)
            }
            None => run,
        }
    }

    pub(super) fn take_card(&mut self, card: Result<work::Card, String>) {
        match card {
            Ok(card) => self.state.experiments.card = Some(card),
            Err(message) => self.notify(NoticeKind::Failure, format!("The card cannot be shown. {message}")),
        }
    }

    fn use_registered(&mut self, reference: &ModelReference) {
        let registry = Registry::of(&self.runs_folder);
        let models = &self.state.experiments.models.models;
        let found = models.iter().find(|model| model.name == reference.name).and_then(|model| model.at(&reference.at));
        match found {
            Some(version) => {
                let folder = registry.version_folder(&version.model, version.version);
                self.apply(Action::Show(Pane::Classify));
                self.load_model(Some(folder));
            }
            None => self.notify(NoticeKind::Failure, format!("There is no {reference} any more; choose another version.")),
        }
    }
}
