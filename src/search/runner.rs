//! A search at work: chooses a trial, trains it, reports and prunes it, and so on until the budget is spent.
//!
//! Several processes may run the same plan. What one decides stands in the journal before anything else happens, so a process
//! that is killed loses nothing but the epoch that it was in.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, TryRecvError};
use serde_json::Value;

use super::plan::{self, OnRestart, Plan};
use super::protocol::{Ending, Event, TrialEnded, TrialEpoch, TrialStarted};
use super::study::{Lines, Study};
use super::worker::{self, Worker};
use super::{SearchError, StudyRecord, Trial, TrialState, configure};
use crate::data::Dataset;
use crate::files;
use crate::train::{self, Command, Config, EpochReport, Handle, Job, Outcome, RunFolder};

/// The note of a trial that says which worker trains it.
const WORKER: &str = "tuning_fork:worker";
/// The note of a trial that says where its run is, from the journal's folder.
const RUN: &str = "run";
/// The note of a trial that says why it failed.
const ERROR: &str = "error";
/// Commands are looked at this often.
const ATTENTION: Duration = Duration::from_millis(50);
/// A disk without room for so many bytes is full: a run's first files take as much.
const ROOM: usize = 64 << 10;
/// After so many failures in a row something is wrong with the plan, not with the values.
const FAILURES: usize = 10;

/// Runs `plan` on `dataset` until its budget is spent or a command stops it; `tell` hears everything but the end.
///
/// # Errors
/// If the space or the study cannot be used, the journal cannot be written, or ten trials in a row fail.
pub fn run(plan: &Plan, dataset: &Arc<Dataset>, commands: &Receiver<Command>, tell: &mut dyn FnMut(Event)) -> Result<Ending, SearchError> {
    plan.space.check(&plan.base)?;
    let workers = plan.workers();
    let me = Worker::register(&workers)?;
    worker::sweep(&workers);
    let study = Study::open(&plan.journal, &plan.study, plan.objective, me.name(), &plan.notes())?;
    plan.check_same(study.record()?)?;
    let mut runner = Runner { plan, dataset, commands, tell, study, me, start: Instant::now(), failures: 0 };
    loop {
        if runner.is_stopped() {
            return Ok(Ending::Stopped);
        }
        match runner.choose()? {
            Next::End(ending) => return Ok(ending),
            Next::Trial { number, resumed } => {
                if !runner.train(number, resumed)? {
                    return Ok(Ending::Stopped);
                }
            }
        }
    }
}

/// What comes next.
enum Next {
    Trial { number: usize, resumed: bool },
    End(Ending),
}

struct Runner<'a> {
    plan: &'a Plan,
    dataset: &'a Arc<Dataset>,
    commands: &'a Receiver<Command>,
    tell: &'a mut dyn FnMut(Event),
    study: Study,
    me: Worker,
    start: Instant,
    /// Trials in a row that failed.
    failures: usize,
}

impl Runner<'_> {
    /// Obeys the commands that wait between two trials; true if the search should end.
    fn is_stopped(&self) -> bool {
        let mut paused = false;
        loop {
            let command = match (paused, self.commands.try_recv()) {
                (true, Err(TryRecvError::Empty)) => self.commands.recv().map_err(|_| TryRecvError::Disconnected),
                (_, received) => received,
            };
            match command {
                Ok(Command::Pause) => paused = true,
                Ok(Command::Resume) => paused = false,
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return true,
                Err(TryRecvError::Empty) => return false,
            }
        }
    }

    /// Takes over a trial that a dead process left, or begins a new one. What is chosen is in the journal when this returns.
    fn choose(&mut self) -> Result<Next, SearchError> {
        let Self { plan, study, me, start, .. } = self;
        let time_is_over = plan.budget.time.is_some_and(|time| start.elapsed() >= time);
        let workers = plan.workers();
        study.update(|record, next_id, lines| {
            let left: Vec<&Trial> = record.trials.iter().filter(|trial| is_left(trial, &workers)).collect();
            if plan.on_restart == OnRestart::Fail {
                for trial in &left {
                    lines.user_attr(trial.id, ERROR, "the process that trained it ended");
                    lines.end(trial.id, TrialState::Fail, None);
                }
            }
            if time_is_over {
                return Next::End(Ending::Time);
            }
            if let (OnRestart::Resume, Some(trial)) = (plan.on_restart, left.first()) {
                lines.system_attr(trial.id, WORKER, me.name());
                return Next::Trial { number: trial.number, resumed: true };
            }
            let taken = record.trials.len() - record.count(TrialState::Waiting);
            if plan.budget.trials.is_some_and(|most| taken >= most) {
                return Next::End(Ending::Trials);
            }
            create(plan, record, next_id, me.name(), lines);
            Next::Trial { number: record.trials.len(), resumed: false }
        })
    }

    /// Trains a trial; false if the search was stopped meanwhile (then the trial goes on another time).
    fn train(&mut self, number: usize, resumed: bool) -> Result<bool, SearchError> {
        let trial = self.study.trial(number)?.clone();
        let folder = run_folder(self.plan, &trial);
        let params = trial.params.iter().map(|(name, param)| (name.clone(), param.value())).collect();
        let run = folder.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        (self.tell)(Event::TrialStarted(TrialStarted { number, params, words: configure::words(&trial.params), run, resumed }));
        let job = folder.and_then(|path| self.job(&trial, &path));
        let job = match job {
            Ok(job) => job,
            Err(error) => return self.failed(&trial, error.to_string()).map(|()| true),
        };
        let folder = job.folder.clone();
        let handle = train::spawn(job, None);
        let (pruned, outcome, message) = self.follow(&handle, &trial)?;
        drop(handle);
        match outcome {
            _ if pruned => {}
            Outcome::Completed => self.complete(&trial, &folder, message)?,
            Outcome::Stopped => return Ok(false),
            Outcome::Failed | Outcome::Panicked => {
                let _ = folder.discard_unstarted();
                self.failed(&trial, message)?;
            }
        }
        Ok(true)
    }

    /// What to train for a trial: a fresh run, or the one that is in its folder.
    fn job(&self, trial: &Trial, path: &Path) -> Result<Job, SearchError> {
        let Plan { base, objective, .. } = self.plan;
        let dataset = Arc::clone(self.dataset);
        if let Ok(folder) = RunFolder::open(path) {
            let kept = folder.config()?;
            let config = Config { data: base.data.clone(), threads: base.threads, device: base.device, ..kept };
            return Ok(Job { config, dataset, folder });
        }
        let config = Config { best_by: objective.best_by(), ..configure::config(base, &trial.params)? };
        // A process that was killed before the run began left a lock and half a file at most. Whatever else lies there is not ours: a
        // journal may name any folder of the study.
        if path.is_dir() {
            let _ = std::fs::remove_file(path.join("lock"));
            files::remove_leftovers(path).map_err(|e| SearchError::io(path, e))?;
        }
        Ok(Job { config, dataset, folder: RunFolder::create(path)? })
    }

    /// Listens to a run until it ends: whether it was pruned, how it ended, its last words.
    fn follow(&mut self, handle: &Handle, trial: &Trial) -> Result<(bool, Outcome, String), SearchError> {
        let (mut pruned, mut stopping) = (false, false);
        loop {
            loop {
                match self.commands.try_recv() {
                    Ok(command) => handle.send(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => {
                        if !stopping {
                            handle.send(Command::Stop);
                        }
                        stopping = true;
                        break;
                    }
                }
            }
            match handle.next(ATTENTION) {
                Some(train::Event::Epoch(report)) if !pruned => {
                    pruned = self.report(trial, &report)?;
                    if pruned {
                        handle.send(Command::Stop);
                    }
                }
                Some(train::Event::Ended(ended)) => return Ok((pruned, ended.outcome, ended.message)),
                None if handle.is_finished() => {
                    return Ok((pruned, Outcome::Panicked, "the run ended without a word; please report this".into()));
                }
                _ => {}
            }
        }
    }

    /// Writes an epoch down and lets the pruner decide, in one transaction; true if the trial was pruned.
    fn report(&mut self, trial: &Trial, report: &EpochReport) -> Result<bool, SearchError> {
        let (plan, number, id) = (self.plan, trial.number, trial.id);
        let (epoch, value) = (report.epoch, plan.objective.of(report));
        let pruned = self.study.update(|record, _, lines| {
            let Some(known) = record.trials.get(number) else { return false };
            let mut now = known.clone();
            now.intermediate.insert(epoch as i64, value);
            lines.intermediate(id, epoch as i64, value);
            // after the last epoch there is nothing left to save
            if epoch >= plan.base.epochs {
                return false;
            }
            let verdict = plan.pruner.decide(record, &now);
            for (key, value) in verdict.notes {
                lines.system_attr(id, &key, value);
            }
            if verdict.prune {
                lines.end(id, TrialState::Pruned, Some(value));
            }
            verdict.prune
        })?;
        (self.tell)(Event::TrialEpoch(TrialEpoch { number, epoch, epochs: plan.base.epochs, value }));
        if pruned {
            self.failures = 0;
            let message = format!("pruned after epoch {epoch}");
            (self.tell)(Event::TrialEnded(TrialEnded { number, state: TrialState::Pruned, value: Some(value), message }));
        }
        Ok(pruned)
    }

    fn complete(&mut self, trial: &Trial, folder: &RunFolder, message: String) -> Result<(), SearchError> {
        // all epochs, also those of an earlier process
        let session = folder.outline()?;
        let Some(value) = self.plan.objective.best(&session.epochs) else {
            return self.fail(trial, "the run has no epoch".into());
        };
        let best_epoch = session.best_epoch().map(|epoch| epoch.epoch);
        self.study.update(|_, _, lines| {
            if let Some(epoch) = best_epoch {
                lines.user_attr(trial.id, "best_epoch", epoch);
            }
            lines.end(trial.id, TrialState::Complete, Some(value));
        })?;
        self.failures = 0;
        let number = trial.number;
        (self.tell)(Event::TrialEnded(TrialEnded { number, state: TrialState::Complete, value: Some(value), message }));
        Ok(())
    }

    /// Counts a trial that could not go on as failed, unless the disk is full: then the search ends, and the trial goes on with it.
    fn failed(&mut self, trial: &Trial, message: String) -> Result<(), SearchError> {
        let home = self.plan.home();
        let folder = if home.as_os_str().is_empty() { Path::new(".") } else { home.as_path() };
        if files::is_full_for(folder, ROOM) {
            let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
            return Err(SearchError::io(folder, SearchError::advised(full)));
        }
        self.fail(trial, message)
    }

    fn fail(&mut self, trial: &Trial, message: String) -> Result<(), SearchError> {
        self.study.update(|_, _, lines| {
            lines.user_attr(trial.id, ERROR, message.as_str());
            lines.end(trial.id, TrialState::Fail, None);
        })?;
        let ended = TrialEnded { number: trial.number, state: TrialState::Fail, value: None, message: message.clone() };
        (self.tell)(Event::TrialEnded(ended));
        self.failures += 1;
        if self.failures >= FAILURES { Err(SearchError::AllFail { count: self.failures, message }) } else { Ok(()) }
    }
}

/// Whether a trial was left by a process of ours that is gone.
fn is_left(trial: &Trial, workers: &Path) -> bool {
    let worker = trial.system_attrs.get(WORKER).and_then(Value::as_str);
    trial.state == TrialState::Running && worker.is_some_and(|name| !worker::is_alive(workers, name))
}

/// The numbers of the trials of a study that were left unfinished by a process of this program on this machine that is gone.
#[must_use]
pub fn interrupted(journal: &Path, study: &StudyRecord) -> Vec<usize> {
    let workers = plan::workers(journal, &study.name);
    study.trials.iter().filter(|trial| is_left(trial, &workers)).map(|trial| trial.number).collect()
}

/// Writes down a new trial with the next values.
fn create(plan: &Plan, record: &StudyRecord, id: usize, worker: &str, lines: &mut Lines) {
    let proposal = plan.sampler.propose(&plan.space, record, plan.base.seed);
    lines.create_trial(record, id, &proposal.params);
    for (key, note) in proposal.notes {
        lines.system_attr(id, &key, note);
    }
    lines.system_attr(id, WORKER, worker);
    lines.user_attr(id, RUN, free_run(plan, record.trials.len()));
}

/// A folder that is not there yet, from the journal's folder: an earlier study of the same name may have left some.
fn free_run(plan: &Plan, number: usize) -> String {
    let name = format!("{}/trial-{number:04}", plan.runs());
    let taken = |name: &str| plan.home().join(name).exists();
    let (mut free, mut again) = (name.clone(), 2_u32);
    while taken(&free) {
        free = format!("{name}-{again}");
        again += 1;
    }
    free
}

/// The folder of a trial's run, if it says where and that is in the study's own folder.
fn run_folder(plan: &Plan, trial: &Trial) -> Result<PathBuf, SearchError> {
    let run = super::run_of(trial).unwrap_or_default();
    let inside = run.components().all(|part| matches!(part, Component::Normal(_))) && run.starts_with(plan.runs());
    if inside && run.components().count() == 2 {
        Ok(plan.home().join(run))
    } else {
        Err(SearchError::Values(format!("the journal says that its run is in {}, which is no folder of this study", run.display())))
    }
}

/// The folder of a trial's run, from the folder of the journal; `None` of trials of other programs.
#[must_use]
pub fn run_of(trial: &Trial) -> Option<PathBuf> {
    trial.user_attrs.get(RUN).and_then(Value::as_str).map(PathBuf::from)
}
