//! One trial of a search is trained: what is reported of it, when it is pruned, how it ends.
//!
//! The training has a thread of its own and never waits for the study: while a database is away its epochs are kept here and written
//! once it is back.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::TryRecvError;

use super::changes::Changes;
use super::plan::Plan;
use super::protocol::{Event, Notice, TrialEnded, TrialEpoch, TrialStarted};
use super::runner::{ERROR, PATIENCE, Runner, WORKER, is_of, run_of, was_of};
use super::storage::{Scope, Storage};
use super::waiting::{PAUSES, patient};
use super::{SearchError, Trial, TrialState, artifacts, configure};
use crate::files;
use crate::train::{self, Command, Config, EpochReport, Handle, Job, Outcome, RunError, RunFolder};

/// Commands are looked at this often.
const ATTENTION: Duration = Duration::from_millis(50);
/// A disk without room for so many bytes is full: a run's first files take as much.
const ROOM: usize = 64 << 10;
/// After so many failures in a row something is wrong with the plan, not with the values.
const FAILURES: usize = 10;

/// What a study says of a trial that trains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It goes on.
    Trains,
    /// It was pruned.
    Pruned,
    /// Another process ended it or took it over.
    Lost,
}

/// Epochs and the objective after each, which the study does not know yet.
#[derive(Debug, Default)]
struct Waiting {
    epochs: Vec<(usize, f64)>,
    /// When the study is tried again, and the pause after that.
    again: Option<(Instant, Duration)>,
}

impl Waiting {
    fn is_due(&self) -> bool {
        !self.epochs.is_empty() && self.again.is_none_or(|(when, _)| Instant::now() >= when)
    }

    fn put_off(&mut self) {
        let pause = self.again.map_or(PAUSES.0, |(_, pause)| pause);
        self.again = Some((Instant::now() + pause, (2 * pause).min(PAUSES.1)));
    }

    fn write(&self, id: usize, changes: &mut Changes) {
        self.epochs.iter().for_each(|&(epoch, value)| changes.intermediate(id, epoch as i64, value));
    }
}

impl Runner<'_> {
    /// Trains a trial; false if the search was stopped meanwhile (then the trial goes on another time).
    pub fn train(&mut self, number: usize, resumed: bool) -> Result<bool, SearchError> {
        let trial = self.study.trial(number)?.clone();
        let folder = self.run_folder(&trial);
        let params = trial.params.iter().map(|(name, param)| (name.clone(), param.value())).collect();
        let run = folder.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        (self.tell)(Event::TrialStarted(TrialStarted { number, params, words: configure::words(&trial.params), run, resumed }));
        let job = folder.and_then(|path| self.job(&trial, &path));
        let mut waiting = Waiting::default();
        let job = match job {
            Ok(job) => job,
            // its process lives, though it is silent: it says so itself, or lets go
            Err(SearchError::Run(RunError::Busy { .. })) => {
                self.leave(&trial);
                return Ok(true);
            }
            Err(error) => return self.failed(&trial, &waiting, error.to_string()).map(|()| true),
        };
        let folder = job.folder.clone();
        let handle = train::spawn(job, None);
        if std::mem::take(&mut self.paused) {
            handle.send(Command::Pause);
        }
        let (standing, outcome, message) = self.follow(&handle, &trial, &mut waiting)?;
        drop(handle);
        match (standing, outcome) {
            (Standing::Pruned, _) => {}
            (Standing::Lost, _) => self.lose(number),
            (_, Outcome::Completed) => self.complete(&trial, &waiting, &folder, message)?,
            (_, Outcome::Stopped) => {
                self.release(&trial, &waiting);
                return Ok(false);
            }
            (_, Outcome::Failed | Outcome::Panicked) => {
                let _ = folder.discard_unstarted();
                self.failed(&trial, &waiting, message)?;
            }
        }
        Ok(true)
    }

    /// The folder of a trial's run, if it says where and that is in the study's own folder.
    fn run_folder(&self, trial: &Trial) -> Result<PathBuf, SearchError> {
        let run = run_of(trial).unwrap_or_default();
        let inside =
            run.components().all(|part| matches!(part, Component::Normal(_))) && run.starts_with(self.plan.runs(self.study.record()?));
        if inside && run.components().count() == 2 {
            Ok(self.plan.storage.home().join(run))
        } else {
            Err(SearchError::Study(format!("the study says that its run is in {}, which is no folder of this study", run.display())))
        }
    }

    /// What to train for a trial: a fresh run, or the one that is in its folder.
    fn job(&self, trial: &Trial, path: &Path) -> Result<Job, SearchError> {
        let Plan { base, objective, .. } = self.plan;
        let dataset = Arc::clone(self.dataset);
        if let Ok(folder) = RunFolder::open(path) {
            if folder.is_busy() {
                return Err(RunError::Busy { path: path.into() }.into());
            }
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

    /// Listens to a run until it ends: how its trial stands, how it ended, its last words. What the study could not be told is left in
    /// `waiting`.
    fn follow(&mut self, handle: &Handle, trial: &Trial, waiting: &mut Waiting) -> Result<(Standing, Outcome, String), SearchError> {
        let (mut standing, mut stopping, mut beaten) = (Standing::Trains, false, Instant::now());
        loop {
            stopping |= self.pass_commands(handle, stopping);
            if standing == Standing::Trains && waiting.is_due() {
                standing = self.report(trial, waiting)?;
                if standing != Standing::Trains {
                    handle.send(Command::Stop);
                }
            }
            if beaten.elapsed() >= self.plan.heartbeat {
                beaten = Instant::now();
                // one that is missed is made up by the next; what is wrong is told with the next epoch
                if let Err(error) = self.study.beat(trial.id) {
                    tracing::debug!("no sign of life could be given: {error}");
                }
            }
            match handle.next(ATTENTION) {
                Some(train::Event::Epoch(report)) if standing == Standing::Trains => self.hear(trial, &report, waiting),
                Some(train::Event::Ended(ended)) => return Ok((standing, ended.outcome, ended.message)),
                None if handle.is_finished() => {
                    return Ok((standing, Outcome::Panicked, "the run ended without a word; please report this".into()));
                }
                _ => {}
            }
        }
    }

    /// Gives the commands that wait to a run; true if it is to stop because nobody listens any more.
    fn pass_commands(&mut self, handle: &Handle, stopping: bool) -> bool {
        loop {
            match self.commands.try_recv() {
                Ok(command) => {
                    self.stopping |= command == Command::Stop;
                    handle.send(command);
                }
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => {
                    if !stopping {
                        handle.send(Command::Stop);
                    }
                    return true;
                }
            }
        }
    }

    fn hear(&mut self, trial: &Trial, report: &EpochReport, waiting: &mut Waiting) {
        let (epoch, value) = (report.epoch, self.plan.objective.of(report));
        waiting.epochs.push((epoch, value));
        (self.tell)(Event::TrialEpoch(TrialEpoch { number: trial.number, epoch, epochs: self.plan.base.epochs, value }));
    }

    /// Writes epochs down and lets the pruner decide, in one transaction.
    fn report(&mut self, trial: &Trial, waiting: &mut Waiting) -> Result<Standing, SearchError> {
        let Some(&(epoch, value)) = waiting.epochs.last() else { return Ok(Standing::Trains) };
        let (plan, number, id, me) = (self.plan, trial.number, trial.id, self.me.name().to_owned());
        let standing = self.try_update(Scope::Trial(id), |record, _, changes| {
            let Some(known) = record.trials.get(number).filter(|trial| was_of(trial, &me)) else { return Standing::Lost };
            match known.state {
                TrialState::Running => {}
                // this process said so before the connection was lost, without hearing that it was heard
                TrialState::Pruned => return Standing::Pruned,
                _ => return Standing::Lost,
            }
            let mut now = known.clone();
            // one that began anew is not judged by what it was before
            now.intermediate.retain(|&step, _| step <= epoch as i64);
            now.intermediate.extend(waiting.epochs.iter().map(|&(epoch, value)| (epoch as i64, value)));
            waiting.write(id, changes);
            // after the last epoch there is nothing left to save
            if epoch >= plan.base.epochs {
                return Standing::Trains;
            }
            let verdict = plan.pruner.decide(record, &now);
            for (key, value) in verdict.notes {
                changes.system_attr(id, &key, value);
            }
            if verdict.prune {
                changes.end(id, TrialState::Pruned, Some(value));
                return Standing::Pruned;
            }
            Standing::Trains
        });
        let standing = match standing {
            Err(error) if error.is_passing() => {
                waiting.put_off();
                return Ok(Standing::Trains);
            }
            standing => standing?,
        };
        *waiting = Waiting::default();
        if standing == Standing::Pruned {
            self.failures = 0;
            let message = format!("pruned after epoch {epoch}");
            (self.tell)(Event::TrialEnded(TrialEnded { number, state: TrialState::Pruned, value: Some(value), message }));
        }
        Ok(standing)
    }

    /// Writes what is left to say of a trial and ends it, unless another process did or took it over; tells which.
    fn close(
        &mut self,
        trial: &Trial,
        waiting: &Waiting,
        (state, value): (TrialState, Option<f64>),
        note: impl Fn(&mut Changes),
    ) -> Result<bool, SearchError> {
        let me = self.me.name().to_owned();
        let is_ours = self.update(Scope::Trial(trial.id), |record, _, changes| {
            let Some(known) = record.trials.get(trial.number).filter(|trial| was_of(trial, &me)) else { return false };
            if known.state == TrialState::Running {
                waiting.write(trial.id, changes);
                note(changes);
                changes.end(trial.id, state, value);
                return true;
            }
            // ended by this process before the connection was lost, without hearing that it was
            known.state == state
        })?;
        if !is_ours {
            self.lose(trial.number);
        }
        Ok(is_ours)
    }

    fn lose(&mut self, number: usize) {
        let message = "another process ended this trial, or took it over because no sign of life came from here".into();
        (self.tell)(Event::TrialEnded(TrialEnded { number, state: TrialState::Fail, value: None, message }));
    }

    /// Lets another process take the trial over at once. In a storage that is away its silence will say the same.
    fn release(&mut self, trial: &Trial, waiting: &Waiting) {
        if self.away && self.closing.is_begun() {
            return;
        }
        let me = self.me.name().to_owned();
        let released = self.study.update(Scope::Trial(trial.id), |record, _, changes| {
            if record.trials.get(trial.number).is_some_and(|trial| is_of(trial, &me)) {
                waiting.write(trial.id, changes);
                changes.system_attr(trial.id, WORKER, "");
            }
        });
        if let Err(error) = released {
            tracing::warn!("trial {} could not be given up: {error}", trial.number);
        }
    }

    /// Leaves a trial alone for a while, because another process still holds its run.
    fn leave(&mut self, trial: &Trial) {
        self.release(trial, &Waiting::default());
        self.held.insert(trial.number, Instant::now());
        let message = format!("trial {} is left alone: its process is silent, but still holds its run", trial.number);
        (self.tell)(Event::Notice(Notice { message }));
    }

    fn complete(&mut self, trial: &Trial, waiting: &Waiting, folder: &RunFolder, message: String) -> Result<(), SearchError> {
        // all epochs, also those of an earlier process
        let session = folder.outline()?;
        let Some(value) = self.plan.objective.best(&session.epochs) else {
            return self.fail(trial, waiting, "the run has no epoch".into());
        };
        if !value.is_finite() {
            return self.fail(trial, waiting, "the objective is no number after any epoch; try lower learning rates".into());
        }
        // what only a dashboard shows keeps no trial from its end
        let kept = artifacts::keep(self.plan.storage.home(), trial, folder, &session).unwrap_or_else(|error| {
            let message = format!("trial {} has no pictures in optuna-dashboard: {error}", trial.number);
            (self.tell)(Event::Notice(Notice { message }));
            Vec::new()
        });
        let is_ours = self.close(trial, waiting, (TrialState::Complete, Some(value)), |changes| {
            if let Some(best) = session.best_epoch() {
                changes.user_attr(trial.id, "best_epoch", best.epoch);
            }
            for (key, text) in &kept {
                changes.system_attr(trial.id, key, text.as_str());
            }
        })?;
        if is_ours {
            self.failures = 0;
            let ended = TrialEnded { number: trial.number, state: TrialState::Complete, value: Some(value), message };
            (self.tell)(Event::TrialEnded(ended));
        }
        Ok(())
    }

    /// Counts a trial that could not go on as failed, unless the disk is full: then it goes on once there is room.
    fn failed(&mut self, trial: &Trial, waiting: &Waiting, message: String) -> Result<(), SearchError> {
        let home = self.plan.storage.home();
        let folder = if home.as_os_str().is_empty() { Path::new(".") } else { home };
        if files::is_full_for(folder, ROOM) {
            // It goes on, and this was no death of it. A database can be told at once, so that another machine may take it; a journal
            // is on the full disk itself.
            let elsewhere = matches!(self.plan.storage, Storage::Database { .. });
            if elsewhere {
                self.release(trial, waiting);
            }
            let room = self.wait_for_room(folder);
            if !elsewhere {
                self.release(trial, waiting);
            }
            return room;
        }
        self.fail(trial, waiting, message)
    }

    /// Waits until the disk is not full any more.
    fn wait_for_room(&mut self, folder: &Path) -> Result<(), SearchError> {
        let look = || {
            let full = files::is_full_for(folder, ROOM);
            if full { Err(SearchError::io(folder, std::io::ErrorKind::StorageFull.into())) } else { Ok(()) }
        };
        let mut told = false;
        patient(PATIENCE, look, |error, pause| {
            if !std::mem::replace(&mut told, true) {
                (self.tell)(Event::Notice(Notice { message: format!("{error}. It is tried again") }));
            }
            self.rest(pause)
        })
    }

    fn fail(&mut self, trial: &Trial, waiting: &Waiting, message: String) -> Result<(), SearchError> {
        let is_ours =
            self.close(trial, waiting, (TrialState::Fail, None), |changes| changes.user_attr(trial.id, ERROR, message.as_str()))?;
        if !is_ours {
            return Ok(());
        }
        let ended = TrialEnded { number: trial.number, state: TrialState::Fail, value: None, message: message.clone() };
        (self.tell)(Event::TrialEnded(ended));
        self.failures += 1;
        if self.failures >= FAILURES { Err(SearchError::AllFail { count: self.failures, message }) } else { Ok(()) }
    }
}
