//! Actions on what the Explore panel works with.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::TuningForkApp;
use crate::app::explored::{Change, Explored, Found, Integrities, Progress, Projection, Read, Selection, Shown, Table};
use crate::app::layout::Pane;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::work::explore::{self as work, Features, Known};
use crate::data::integrity::same_positions;
use crate::data::query::{Query, QueryError};
use crate::data::{Predictions, Sidecar};
use crate::explain::TSNE_STEPS;

/// Up to so many images are filtered at once, in about a millisecond; more on a thread of their own.
const FILTERED_AT_ONCE: usize = 20_000;
/// Duplicates are looked for as soon as a data set is open, if its pictures have no more pixels than this together (1,500
/// pictures of 256 x 256, a second's work); else when the user asks.
const CHECKED_AT_ONCE: usize = 100_000_000;
/// Pictures that are shown as the nearest neighbours of one.
const NEIGHBOURS: usize = 60;

impl TuningForkApp {
    /// Starts afresh with the data set that was opened.
    pub(super) fn start_exploring(&mut self) {
        let before = std::mem::take(&mut self.state.explore);
        before.stop_all();
        for kind in [Kind::Select, Kind::Read, Kind::Answers, Kind::Integrity, Kind::Map] {
            self.tasks.cancel(kind);
        }
        // a filter is kept from one data set to the next where it makes sense there
        self.state.explore.lists = before.lists;
        self.state.explore.query = before.shown.map_or(before.query, |shown| shown.before);
        self.select();
        if self.state.explore.selection.error.is_some() {
            self.state.explore.query.clear();
            self.select();
        }
        let Some(data) = &self.state.data else { return };
        let (set, generation, folder) = (Arc::clone(&data.set), data.generation, self.marks_folder.clone());
        let parts = data.parts.clone();
        let pixels = set.images.size().map_or(usize::MAX, |(width, height)| set.len() * width * height);
        self.start_task(Kind::Marks, move || {
            let positions = same_positions(&set, &parts).across(&parts);
            Answer::Explore(Found::Marks(generation, Box::new(Sidecar::open(&set, folder.as_deref())), positions))
        });
        if pixels <= CHECKED_AT_ONCE {
            self.check_integrity();
        }
    }

    /// Brings Explore to the front with exactly these pictures; those that the data set does not have are left out.
    pub(super) fn show_in_explore(&mut self, title: String, mut indices: Vec<usize>) {
        let Some(data) = &self.state.data else { return };
        indices.retain(|&index| index < data.set.len());
        let explore = &mut self.state.explore;
        let query = std::mem::take(&mut explore.query);
        let before = explore.shown.take().map_or(query, |shown| shown.before);
        explore.lists += 1;
        explore.shown = Some(Shown { title, indices: Arc::new(indices), number: explore.lists, before });
        self.select();
        self.show_pane(Pane::Explore);
    }

    pub(super) fn change_explored(&mut self, change: Change) {
        match change {
            Change::Filter(text) => {
                self.state.explore.query = text;
                self.select();
            }
            Change::CloseShown => {
                if let Some(shown) = self.state.explore.shown.take() {
                    self.state.explore.query = shown.before;
                    self.select();
                }
            }
            Change::Relabel(index, label) => self.mark(|marks, labels, classes| {
                (label as usize) < classes && labels.get(index).is_some_and(|&original| marks.relabel(index, label, original))
            }),
            Change::Tag(index, tag) => self.mark(|marks, labels, _| index < labels.len() && marks.toggle_tag(index, &tag)),
            Change::Undo => self.undo_mark(),
            Change::Classify => self.classify_pictures(),
            Change::StopClassifying => stop(self.state.explore.reading.as_ref()),
            Change::Answers(Some(of)) => self.read_answers(of),
            Change::Answers(None) => {
                self.tasks.cancel(Kind::Answers);
                self.state.explore.answer_by_model();
                self.select();
            }
            Change::CheckIntegrity => self.check_integrity(),
            Change::StopIntegrity => {
                self.state.explore.stop_all_but_reading();
                self.tasks.cancel(Kind::Integrity);
                self.state.explore.integrity = Integrities::Unknown;
            }
            Change::MakeMap(projection) => self.make_map(projection),
            Change::StopMap => stop(self.state.explore.map.working.as_ref()),
            Change::Neighbours(index) => self.show_neighbours(index),
            Change::BrowseExport(table) => self.browse_table(table),
            Change::Export(table, path) => self.export_table(table, path),
        }
    }

    pub(super) fn take_found(&mut self, found: Found) {
        match found {
            Found::Selected(result) => self.take_selection(result),
            Found::Marks(generation, loaded, positions) => self.take_marks(generation, *loaded, positions),
            Found::MarksSaved(generation, change, result) => self.take_saved(generation, change, result),
            Found::Read(result) => self.take_read(result),
            Found::Answers(of, result) => match result {
                Ok(answers) => {
                    let (predictions, missing) = *answers;
                    self.state.explore.take_answers(of, predictions);
                    for words in missing {
                        self.notify(NoticeKind::Failure, words);
                    }
                    self.select();
                }
                Err(message) => self.notify(NoticeKind::Failure, format!("The run's answers cannot be shown: {message}.")),
            },
            Found::Integrity(result) => match result {
                Ok(integrity) => {
                    if let Some(data) = &self.state.data {
                        self.state.explore.leaks = integrity.leaking(&data.parts);
                    }
                    self.state.explore.integrity = Integrities::Known(integrity);
                }
                Err(message) => {
                    self.state.explore.integrity = Integrities::Unknown;
                    self.notify(NoticeKind::Failure, format!("The search for duplicates ended early. {message}"));
                }
            },
            Found::Map(result) => self.take_map(result),
            Found::Neighbours(index, result) => match result {
                Ok(indices) => self.show_in_explore(format!("Most like image {index} to the model"), indices),
                Err(message) => self.notify(NoticeKind::Failure, format!("There are no neighbours to show: {message}.")),
            },
            Found::ExportChosen(table, path) => {
                if let Some(path) = path {
                    self.export_table(table, path);
                }
            }
            Found::Exported(result) => {
                self.state.explore.exporting = false;
                match result {
                    Ok((path, rows)) => self.notify(NoticeKind::Info, format!("{rows} pictures written to {}.", path.display())),
                    Err(message) => self.notify(NoticeKind::Failure, format!("Nothing was exported. {message}")),
                }
            }
        }
    }

    /// Chooses the pictures of the grid anew; those that are there stay until the others come.
    pub(super) fn select(&mut self) {
        let Some(data) = &self.state.data else { return };
        let explore = &mut self.state.explore;
        let query = match Query::parse(&explore.query) {
            Ok(query) => query,
            Err(error) => {
                explore.selection.error = Some(error);
                return;
            }
        };
        let list = explore.shown.as_ref().map(|shown| Arc::clone(&shown.indices));
        if data.set.len() <= FILTERED_AT_ONCE {
            let result = work::select(&query, list.as_ref().map(|list| list.as_slice()), &explore.facts(data));
            self.tasks.cancel(Kind::Select);
            self.take_selection(result);
            return;
        }
        explore.selection.working = true;
        let Some(known) = self.known() else { return };
        self.start_task(Kind::Select, move || {
            let list = list.as_ref().map(|list| list.as_slice());
            Answer::Explore(Found::Selected(work::select(&query, list, &known.facts())))
        });
    }

    fn take_selection(&mut self, result: Result<Vec<usize>, QueryError>) {
        let selection = &mut self.state.explore.selection;
        selection.working = false;
        match result {
            Ok(places) => *selection = Selection { places: Arc::new(places), ..Selection::default() },
            Err(error) => selection.error = Some(error),
        }
    }

    /// What a thread needs to know to filter or to write tables.
    fn known(&self) -> Option<Known> {
        let (data, explore) = (self.state.data.as_ref()?, &self.state.explore);
        Some(Known {
            set: Arc::clone(&data.set),
            parts: data.parts.clone(),
            predictions: explore.predictions.clone(),
            marks: explore.marked.as_ref().map(|marked| Arc::clone(&marked.marks)),
        })
    }

    fn classify_pictures(&mut self) {
        let (Some(data), Some(model)) = (&self.state.data, self.state.model.classifier.clone()) else { return };
        if self.state.explore.reading.is_some() {
            return;
        }
        let set = Arc::clone(&data.set);
        let description = self.state.model.description.clone();
        let explore = &mut self.state.explore;
        explore.answer_by_model();
        // what the same model said before stays; another model starts anew
        let before = match (&explore.predictions, &explore.read) {
            (Some(predictions), Some(read)) if Arc::ptr_eq(&read.model, &model) => {
                (predictions.as_ref().clone(), Arc::clone(&read.features))
            }
            _ => (Predictions::new(description.clone(), set.classes.len(), set.len()), Arc::new(Features::default())),
        };
        let missing: Vec<usize> = (0..set.len()).filter(|&index| before.0.row(index).is_none()).collect();
        let progress = Progress::of(missing.len());
        explore.reading = Some(Arc::clone(&progress));
        self.start_task(Kind::Read, move || {
            Answer::Explore(Found::Read(work::read(&set, &missing, before, (model, description), &progress)))
        });
    }

    fn read_answers(&mut self, of: (u64, usize)) {
        let (Some(data), Some(record)) = (&self.state.data, self.state.review.record(of.0)) else { return };
        let (set, record) = (Arc::clone(&data.set), Arc::clone(record));
        self.start_task(Kind::Answers, move || Answer::Explore(Found::Answers(of, work::answers(&record, of.1, &set))));
    }

    fn take_read(&mut self, result: Result<Box<(Predictions, Read)>, String>) {
        self.state.explore.reading = None;
        match result {
            Ok(answers) => {
                let (predictions, read) = *answers;
                self.state.explore.answer_by_model();
                self.state.explore.predictions = Some(Arc::new(predictions));
                self.state.explore.read = Some(read);
                self.select();
            }
            Err(message) => self.notify(NoticeKind::Failure, format!("The pictures were not classified. {message}")),
        }
    }

    fn check_integrity(&mut self) {
        let Some(known) = self.known() else { return };
        let progress = Progress::of(known.set.len());
        self.state.explore.integrity = Integrities::Working(Arc::clone(&progress));
        self.start_task(Kind::Integrity, move || Answer::Explore(Found::Integrity(work::check(&known.set, &known.parts, &progress))));
    }

    fn make_map(&mut self, projection: Projection) {
        let Some(read) = &self.state.explore.read else { return };
        let (features, model) = (Arc::clone(&read.features), read.description.clone());
        stop(self.state.explore.map.working.as_ref());
        let progress = Progress::of(if projection == Projection::Tsne { TSNE_STEPS } else { 1 });
        self.state.explore.map.projection = projection;
        self.state.explore.map.working = Some(Arc::clone(&progress));
        self.start_task(Kind::Map, move || Answer::Explore(Found::Map(work::map(&features, projection, &model, &progress))));
    }

    fn take_map(&mut self, result: Result<(Vec<crate::app::explored::MapPoint>, String), String>) {
        let map = &mut self.state.explore.map;
        let stopped = map.working.take().is_some_and(|progress| progress.stop.load(Ordering::Relaxed));
        match result {
            Ok((points, description)) => {
                map.points = Arc::new(points);
                map.made += 1;
                map.description = description;
            }
            Err(_) if stopped => {}
            Err(message) => self.notify(NoticeKind::Failure, format!("The map was not made: {message}.")),
        }
    }

    fn show_neighbours(&mut self, index: usize) {
        let Some(read) = &self.state.explore.read else { return };
        let features = Arc::clone(&read.features);
        self.start_task(Kind::Map, move || Answer::Explore(Found::Neighbours(index, work::neighbours(&features, index, NEIGHBOURS))));
    }

    fn browse_table(&mut self, table: Table) {
        self.browse(move |dialog| {
            let name = format!("galaxies.{}", table.extension());
            let dialog = dialog.set_title("Export").set_file_name(name).add_filter(table.title(), &[table.extension()]);
            Answer::Explore(Found::ExportChosen(table, dialog.save_file()))
        });
    }

    fn export_table(&mut self, table: Table, path: PathBuf) {
        let Some(known) = self.known() else { return };
        let which = Arc::clone(&self.state.explore.selection.places);
        self.state.explore.exporting = true;
        self.start_task(Kind::Export, move || {
            Answer::Explore(Found::Exported(work::write_table(table, &path, &known, &which).map(|rows| (path, rows))))
        });
    }
}

impl Explored {
    fn stop_all(&self) {
        stop(self.reading.as_ref());
        self.stop_all_but_reading();
        stop(self.map.working.as_ref());
    }

    fn stop_all_but_reading(&self) {
        if let Integrities::Working(progress) = &self.integrity {
            stop(Some(progress));
        }
    }
}

fn stop(progress: Option<&Arc<Progress>>) {
    if let Some(progress) = progress {
        progress.stop.store(true, Ordering::Relaxed);
    }
}
