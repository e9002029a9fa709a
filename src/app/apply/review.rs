//! Actions on the runs that the Confusion panel looks back on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::explored::Progress;
use crate::app::layout::Pane;
use crate::app::reviewed::{Answer as Reviewed, Change, Evaluated, Evaluating, Key, Opened, SESSION, Wanted};
use crate::app::state::{NoticeKind, is_synthetic};
use crate::app::tasks::{Answer, Kind};
use crate::app::{TuningForkApp, review_work as work};
use crate::data::Part;
use crate::review::Record;

impl TuningForkApp {
    pub(super) fn review(&mut self, change: Change) {
        match change {
            Change::Open(path) => {
                self.apply(crate::app::Action::Show(Pane::Confusion));
                self.open_run(path);
            }
            Change::Restore(path) => self.open_run(path),
            Change::Browse => self.browse(|dialog| Answer::Review(Reviewed::Chosen(dialog.set_title("Open a run").pick_folder()))),
            Change::List => {
                let folder = self.runs_folder.clone();
                self.start_task(Kind::ReviewList, move || Answer::Review(Reviewed::Found(work::runs_in(&folder))));
            }
            Change::Close(run) => {
                self.state.review.opened.retain(|opened| opened.id != run);
                self.state.review.forget(run);
            }
            Change::Seen => self.state.review.show = None,
            Change::Want(wanted) => self.want(wanted),
            Change::Evaluate(run, part, epoch) => self.evaluate_run(run, part, epoch),
            Change::StopEvaluating => self.state.review.stop_evaluating(),
            Change::OpenData(run) => self.open_data_of(run),
            Change::StoreTemperature(key) => self.store_temperature(key),
            Change::Save(path, make) => {
                self.start_task(Kind::ReviewSave, move || {
                    let result = make().and_then(|bytes| work::save(&path, &bytes));
                    Answer::Review(Reviewed::Saved(path, result))
                });
            }
        }
    }

    fn open_run(&mut self, path: PathBuf) {
        self.state.review.opening = Some(path.clone());
        let set = self.state.data.as_ref().map(|data| Arc::clone(&data.set));
        self.start_task(Kind::ReviewOpen, move || Answer::Review(Reviewed::Opened(work::open(&path, set.as_deref()))));
    }

    /// Reads this session's run again, because more of it is on disk.
    pub(super) fn read_session_run(&mut self) {
        let Some(path) = self.state.run.as_ref().map(|run| run.folder.clone()) else { return };
        self.start_task(Kind::ReviewSession, move || Answer::Review(Reviewed::Session(work::open(&path, None))));
    }

    /// Forgets what was known of the session's run before this one.
    pub(super) fn forget_session_run(&mut self) {
        self.tasks.cancel(Kind::ReviewSession);
        self.state.review.session = None;
        self.state.review.forget(SESSION);
    }

    /// The record of a run, with the labels of the data set that is open if that is needed and possible.
    fn labelled(&mut self, run: u64) -> Option<Arc<Record>> {
        let record = self.state.review.record_mut(run)?;
        if record.labels(Part::Valid).is_none()
            && let Some(data) = &self.state.data
            && record.difference(&data.set).is_none()
        {
            Arc::make_mut(record).learn_labels(&data.set);
        }
        Some(Arc::clone(record))
    }

    /// How the predictions of a key are had: they are there, or can be read.
    fn source(&mut self, key: Key) -> Option<work::Source> {
        if let Some(Ok(ready)) = self.state.review.predictions.get(key) {
            return Some(work::Source::Ready(ready));
        }
        let record = self.labelled(key.run)?;
        // other parts than validation are evaluated when the user asks for it
        let there = key.part == Part::Valid || record.kept.of(key.part).contains(&key.epoch);
        there.then_some(work::Source::Read(record, key.part, key.epoch))
    }

    fn want(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Predictions(key) => {
                if let Some(source) = self.source(key) {
                    self.state.review.predictions.pending = Some(key);
                    self.start_task(Kind::ReviewPredictions, move || Answer::Review(Reviewed::Predictions(key, source.predictions())));
                }
            }
            Wanted::Analysis(key) => {
                if let Some(source) = self.source(key) {
                    self.state.review.analyses.pending = Some(key);
                    self.start_task(Kind::ReviewAnalysis, move || Answer::Review(Reviewed::Analysis(key, work::analyse(&source))));
                }
            }
            Wanted::Learning(run, epochs) => {
                if let Some(record) = self.labelled(run) {
                    self.state.review.learning.pending = Some((run, epochs));
                    self.start_task(Kind::ReviewLearning, move || {
                        Answer::Review(Reviewed::Learning((run, epochs), work::learning(&record)))
                    });
                }
            }
            Wanted::Comparison(first, second) => {
                let (Some(a), Some(b)) = (self.source(first), self.source(second)) else { return };
                let (Some(x), Some(y)) = (self.labelled(first.run), self.labelled(second.run)) else { return };
                self.state.review.comparisons.pending = Some((first, second));
                self.start_task(Kind::ReviewComparison, move || {
                    Answer::Review(Reviewed::Comparison((first, second), work::compare(&x, &y, second.part, &a, &b)))
                });
            }
        }
    }

    fn evaluate_run(&mut self, run: u64, part: Part, epoch: Option<usize>) {
        let Some(record) = self.labelled(run) else { return };
        let Some(data) = &self.state.data else {
            self.notify(NoticeKind::Failure, "The model cannot be evaluated without the run's data set; open it first.".into());
            return;
        };
        let set = Arc::clone(&data.set);
        let progress = Progress::of(record.images(part).len());
        self.state.review.stop_evaluating();
        self.state.review.evaluating = Some(Evaluating { run, part, epoch, progress: Arc::clone(&progress) });
        self.start_task(Kind::ReviewEvaluate, move || {
            Answer::Review(Reviewed::Evaluated(run, part, work::evaluate(&record, epoch, part, &set, &progress)))
        });
    }

    fn open_data_of(&mut self, run: u64) {
        let Some(record) = self.state.review.record(run) else { return };
        let config = record.config.clone();
        self.open_data_for(config);
    }

    /// Opens the data set that a run of this configuration had.
    pub(super) fn open_data_for(&mut self, config: crate::train::Config) {
        if is_synthetic(&config.data) {
            let form = crate::train::Config {
                data: config.data,
                synthetic_images: config.synthetic_images,
                size: config.size,
                seed: config.seed,
                split_seed: config.split_seed,
                ..self.state.config.clone()
            };
            self.configure(form);
        } else {
            self.open_folder(Path::new(&config.data));
        }
    }

    fn store_temperature(&mut self, key: Key) {
        let (Some(record), Some(Ok(analysis))) = (self.labelled(key.run), self.state.review.analyses.get(key)) else { return };
        self.start_task(Kind::ReviewSave, move || {
            let stored = crate::review::store_temperature(&record, key.epoch, &analysis).map_err(|error| error.to_string());
            Answer::Review(Reviewed::Stored(key.run, stored))
        });
    }

    pub(super) fn take_review(&mut self, answer: Reviewed) {
        match answer {
            Reviewed::Chosen(path) => {
                if let Some(path) = path {
                    self.review(Change::Open(path));
                }
            }
            Reviewed::Found(found) => self.state.review.found = found,
            Reviewed::Opened(result) => {
                self.state.review.opening = None;
                match result {
                    Ok(record) => self.take_opened_run(*record),
                    Err(message) => self.notify(NoticeKind::Failure, format!("The run was not opened. {message}")),
                }
            }
            Reviewed::Session(result) => {
                self.state.review.session = Some(result.map(|record| Arc::new(*record)));
                self.state.review.forget_failures();
            }
            Reviewed::Predictions(key, result) => self.state.review.predictions.put(key, result),
            Reviewed::Evaluated(run, part, result) => self.take_evaluated(run, part, result),
            Reviewed::Analysis(key, result) => self.state.review.analyses.put(key, result),
            Reviewed::Learning(key, result) => self.state.review.learning.put(key, result),
            Reviewed::Comparison(key, result) => self.state.review.comparisons.put(key, result),
            Reviewed::Stored(run, Ok(calibration)) => {
                let words = format!("Temperature {:.2} is stored with the model; Classify uses it from now on.", calibration.temperature);
                self.state.review.calibrations.retain(|(of, _)| *of != run);
                self.state.review.calibrations.push((run, calibration));
                self.notify(NoticeKind::Info, words);
                self.calibrate_model(run);
            }
            Reviewed::Stored(_, Err(message)) => self.notify(NoticeKind::Failure, format!("The temperature was not stored. {message}")),
            Reviewed::Saved(path, Ok(())) => self.notify(NoticeKind::Info, format!("Saved {}", path.display())),
            Reviewed::Saved(path, Err(message)) => {
                self.notify(NoticeKind::Failure, format!("{} was not saved. {message}", path.display()));
            }
        }
    }

    fn take_opened_run(&mut self, record: Record) {
        let review = &mut self.state.review;
        // a run that is open already is read again under its number
        let known = review.opened.iter().find(|opened| opened.record.folder == record.folder).map(|opened| opened.id);
        let id = known.unwrap_or(review.count + 1);
        review.count = review.count.max(id);
        review.opened.retain(|opened| opened.id != id);
        review.forget(id);
        if let Some(calibration) = work::stored_calibration(&record) {
            review.calibrations.push((id, calibration));
        }
        review.opened.push(Opened { id, record: Arc::new(record) });
        review.opened.sort_by_key(|opened| opened.id);
        review.show = Some(id);
    }

    /// Reads the model on the Classify panel again if it is the one of a run whose temperature was stored.
    fn calibrate_model(&mut self, run: u64) {
        let model = self.state.review.record(run).map(|record| record.folder.best_model());
        let loaded = self.state.model.classifier.as_ref().map(|classifier| classifier.path().to_owned());
        if loaded.is_some() && loaded == model {
            self.load_model(self.state.model.chosen.clone());
        }
    }

    fn take_evaluated(&mut self, run: u64, part: Part, result: Result<Option<Evaluated>, String>) {
        // one that was stopped in its last moment is not shown either
        if self.state.review.evaluating.take_if(|evaluating| evaluating.run == run && evaluating.part == part).is_none() {
            return;
        }
        match result {
            Ok(None) => {}
            Ok(Some(evaluated)) => self.take_evaluation(run, part, evaluated),
            Err(message) => self.notify(NoticeKind::Failure, format!("The model was not evaluated. {message}")),
        }
    }

    fn take_evaluation(&mut self, run: u64, part: Part, evaluated: Evaluated) {
        let Some(record) = self.state.review.record_mut(run) else { return };
        let epoch = evaluated.epoch.or_else(|| record.best_epoch()).unwrap_or_default();
        if evaluated.kept.is_ok() {
            Arc::make_mut(record).kept.add(part, epoch);
        }
        let key = Key { run, part, epoch };
        // what was read of an evaluation before this one is gone
        self.state.review.predictions.put(key, Ok(evaluated.predictions));
        self.state.review.analyses.forget(|other| *other == key);
        self.state.review.comparisons.forget(|(a, b)| *a == key || *b == key);
        if let Err(message) = evaluated.kept {
            let words = format!("The model was evaluated, but the answers are not kept in the run's folder. {message}");
            self.notify(NoticeKind::Failure, words);
        }
    }
}
