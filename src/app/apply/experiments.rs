//! Actions on the runs of the Experiments panel.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::action::Action;
use crate::app::experiments::{self as work, Answer as Found, Change, Folders, Listed, MOST_COMPARED};
use crate::app::reviewed;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::undo::Before;
use crate::app::{TuningForkApp, review_work};

impl TuningForkApp {
    pub(super) fn experiments(&mut self, change: Change) {
        let (runs, folders) = (self.runs_folder.clone(), self.folders());
        match change {
            Change::Refresh => self.list_runs(),
            Change::Trials(wanted) => {
                self.state.experiments.trials = wanted;
                self.list_runs();
            }
            Change::Compare(folder, true) => self.compare_more(folder),
            Change::Compare(folder, false) => self.state.experiments.compared.retain(|other| *other != folder),
            Change::CompareOnly(folders) => {
                self.state.experiments.compared.clear();
                folders.into_iter().take(MOST_COMPARED).for_each(|folder| self.compare_more(folder));
                self.list_runs();
            }
            Change::Focus(folder) => self.state.experiments.focus = folder,
            Change::Describe(folder, about) => {
                let path = folders.of(&folder);
                self.state.experiments.describe(&folder, &about);
                self.on_runs(move || work::describe(&path, &about));
            }
            Change::Delete(names) => self.delete_runs(names),
            Change::Restore(trashed) => self.on_runs(move || work::restore(&runs, &trashed)),
            Change::EmptyTrash => self.on_runs(move || work::empty_trash(&runs)),
            Change::BrowseImport => self.browse(|dialog| {
                let dialog = dialog.set_title("Import a run").add_filter("exported runs", &["zip"]);
                Answer::Experiments(Found::ImportChosen(dialog.pick_file()))
            }),
            Change::Import(capsule) => self.on_runs(move || work::import(&capsule, &runs)),
            Change::BrowseExport(folder) => self.browse(move |dialog| {
                let name = format!("{}.zip", folder.replace('/', "_"));
                let dialog = dialog.set_title("Export a run").set_file_name(name).add_filter("exported runs", &["zip"]);
                Answer::Experiments(Found::ExportChosen(folder, dialog.save_file()))
            }),
            Change::Export(folder, out) => self.on_runs(move || work::export(&folders.of(&folder), &out)),
            Change::SaveTable(path, table) => {
                self.on_runs(move || review_work::save(&path, table.as_bytes()).map(|()| format!("Saved {}", path.display())));
            }
            Change::UseConfig(folder) => {
                self.start_task(Kind::RunsConfig, move || {
                    Answer::Experiments(Found::Config(folder.clone(), work::config(&folders.of(&folder))))
                });
            }
            Change::GoOn(folder) => match self.state.experiments.run(&folder).ok_or("It is not listed.").and_then(work::may_go_on) {
                Ok(()) => self.apply(Action::GoOn(folders.of(&folder), None)),
                Err(why) => self.notify(NoticeKind::Failure, format!("{folder} does not go on. {why}")),
            },
            Change::LookBack(folder) => self.review(reviewed::Change::Open(folders.of(&folder))),
            Change::UseModel(folder) => {
                self.apply(Action::Show(crate::app::Pane::Classify));
                self.load_model(Some(folders.of(&folder)));
            }
            Change::Models(change) => self.models(change),
            Change::Mirror(target) => self.mirror(target),
        }
    }

    /// Where runs and the trials of searches are.
    pub(super) fn folders(&self) -> Folders {
        Folders { runs: self.runs_folder.clone(), searches: self.searches_folder.clone() }
    }

    fn delete_runs(&mut self, names: Vec<String>) {
        let (trials, names): (Vec<String>, Vec<String>) = names.into_iter().partition(|name| work::is_trial(name));
        if let Some(first) = trials.first() {
            let words =
                format!("{first} stays: a trial belongs to its search, which would miss it. Delete the search's folder and journal.");
            self.notify(NoticeKind::Info, words);
        }
        if names.is_empty() {
            return;
        }
        let runs = self.runs_folder.clone();
        self.start_task(Kind::RunsDelete, move || {
            let (moved, result) = work::delete(&runs, &names);
            Answer::Experiments(Found::Deleted(moved, result))
        });
    }

    fn list_runs(&mut self) {
        if self.state.experiments.working {
            return;
        }
        let (folders, trials, compared) = (self.folders(), self.state.experiments.trials, self.state.experiments.compared.clone());
        self.state.experiments.reading = true;
        self.start_task(Kind::RunsList, move || Answer::Experiments(Found::Listed(work::list(&folders, trials, &compared))));
    }

    fn compare_more(&mut self, folder: String) {
        let experiments = &mut self.state.experiments;
        if experiments.compared.contains(&folder) {
            return;
        }
        if experiments.compared.len() == MOST_COMPARED {
            let words = format!("At most {MOST_COMPARED} runs can be told apart in a plot; take one away first.");
            self.notify(NoticeKind::Info, words);
            return;
        }
        experiments.compared.push(folder);
        self.list_runs();
    }

    /// Does something to run folders, after what was asked for before, then lists them again.
    pub(super) fn on_runs(&mut self, job: impl FnOnce() -> Result<String, String> + Send + 'static) {
        self.state.experiments.jobs.push_back(Box::new(job));
        if !self.state.experiments.working {
            self.next_job();
        }
    }

    fn next_job(&mut self) {
        let Some(job) = self.state.experiments.jobs.pop_front() else { return self.list_runs() };
        // a list that is on its way knows nothing of this
        self.tasks.cancel(Kind::RunsList);
        self.state.experiments.reading = false;
        self.state.experiments.working = self.start_task(Kind::Runs, move || Answer::Experiments(Found::Done(job())));
    }

    pub(super) fn take_experiments(&mut self, answer: Found) {
        match answer {
            Found::Listed(result) => self.take_listed(result),
            Found::ImportChosen(path) => {
                if let Some(path) = path {
                    self.experiments(Change::Import(path));
                }
            }
            Found::ExportChosen(folder, path) => {
                if let Some(path) = path {
                    self.experiments(Change::Export(folder, path));
                }
            }
            Found::Done(result) => {
                match result {
                    Ok(words) if words.is_empty() => {}
                    Ok(words) => self.notify(NoticeKind::Info, words),
                    Err(message) => self.notify(NoticeKind::Failure, message),
                }
                self.state.experiments.working = false;
                self.next_job();
            }
            Found::Deleted(moved, result) => {
                if let Err(message) = result {
                    self.notify(NoticeKind::Failure, message);
                }
                self.take_deleted(moved);
            }
            Found::Unpacked(result) => self.take_unpacked(result),
            Found::Card(card) => self.take_card(card),
            Found::CardPlaceChosen(path) => {
                if let Some(path) = path {
                    self.models(crate::app::models::Change::SaveCard(path));
                }
            }
            Found::Config(folder, Ok(config)) => {
                self.apply(Action::Configure(config));
                self.apply(Action::Show(crate::app::Pane::Train));
                self.notify(NoticeKind::Info, format!("The form has the values of {folder}; Undo takes it back."));
            }
            Found::Config(folder, Err(message)) => {
                self.notify(NoticeKind::Failure, format!("The values of {folder} were not taken. {message}"));
            }
        }
    }

    fn take_deleted(&mut self, moved: Vec<crate::track::Trashed>) {
        if let Some(first) = moved.first() {
            let bytes = crate::files::bytes(moved.iter().map(|trashed| trashed.bytes).sum());
            let what = match moved.len() {
                1 if first.name.starts_with("models/") => format!("the model {}", first.name),
                1 => format!("the run {}", first.name),
                several => format!("{several} runs"),
            };
            self.notify(NoticeKind::Info, format!("Moved {what} ({bytes}) to the trash; Undo brings it back."));
            let experiments = &mut self.state.experiments;
            let gone = |folder: &String| moved.iter().any(|trashed| trashed.name == *folder);
            experiments.compared.retain(|folder| !gone(folder));
            experiments.focus.take_if(|folder| gone(folder));
            self.state.undo.push(format!("delete {what}"), Before::Runs(moved));
        }
        self.list_runs();
    }

    fn take_listed(&mut self, result: Result<Box<Listed>, String>) {
        let experiments = &mut self.state.experiments;
        experiments.reading = false;
        match result {
            Ok(listed) => {
                let Listed { listing, curves, models, trash, took } = *listed;
                experiments.took = took;
                let same = matches!(&experiments.listing, Some(Ok(old)) if **old == listing) && experiments.curves == curves;
                if !same {
                    experiments.changes += 1;
                    experiments.listing = Some(Ok(Arc::new(listing)));
                    experiments.curves = curves;
                    let there =
                        |folder: &String| experiments.listing.iter().flatten().any(|l| l.runs.iter().any(|run| run.folder == *folder));
                    let compared = std::mem::take(&mut experiments.compared).into_iter().filter(there).collect();
                    experiments.compared = compared;
                }
                experiments.models = models;
                experiments.trash = Some(trash);
            }
            Err(message) => {
                experiments.changes += 1;
                experiments.listing = Some(Err(message));
            }
        }
    }

    /// Unpacks runs that were dropped as files.
    pub(super) fn take_dropped_capsules(&mut self, capsules: Vec<PathBuf>) {
        let runs = self.runs_folder.clone();
        self.start_task(Kind::RunsImport, move || Answer::Experiments(Found::Unpacked(work::import_all(&capsules, &runs))));
    }

    /// Opens the last of the runs that were unpacked, with its model.
    fn take_unpacked(&mut self, result: Result<Vec<PathBuf>, String>) {
        match result {
            Ok(folders) => {
                let names: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
                self.notify(NoticeKind::Info, format!("Unpacked into {}", names.join(", ")));
                if let Some(last) = folders.last() {
                    self.review(reviewed::Change::Open(last.clone()));
                    self.load_model(Some(last.clone()));
                }
            }
            Err(message) => self.notify(NoticeKind::Failure, message),
        }
        self.list_runs();
    }
}
