//! A search at work: chooses a trial, has it trained, and so on until the budget is spent.
//!
//! Several processes may run the same plan. What one decides stands in the study before anything else happens, so a process
//! that is killed loses nothing but the epoch that it was in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use serde_json::{Map, Value};

use super::changes::Changes;
use super::plan::{self, OnRestart, Plan};
use super::protocol::{Ending, Event, Notice};
use super::storage::{Opening, Scope};
use super::study::Study;
use super::waiting::{PAUSES, patient};
use super::worker::{self, Worker};
use super::{Closing, Proposal, SearchError, StudyRecord, Trial, TrialState, queue};
use crate::data::Dataset;
use crate::train::Command;

/// The note of a trial that says which worker trains it; empty once that one gave it up.
pub(super) const WORKER: &str = "tuning_fork:worker";
/// The note of a trial that says how many seconds are between two signs of life of that worker.
const HEARTBEAT: &str = "tuning_fork:heartbeat";
/// The note of a trial that says how often its process died without an epoch in between, and after how many epochs.
const DEATHS: &str = "tuning_fork:deaths";
/// The note of a trial that says where its run is, from the home of the storage.
const RUN: &str = "run";
/// The note of a trial that says on which machine that is.
const HOST: &str = "host";
/// The note of a trial that says why it failed.
pub(super) const ERROR: &str = "error";
/// A trial whose process dies so often kills it.
const MOST_DEATHS: u64 = 3;
/// A storage that is away for so long does not come back by waiting.
pub(super) const PATIENCE: Duration = Duration::from_mins(15);

/// Runs `plan` on `dataset` until its budget is spent or a command stops it; `tell` hears everything but the end.
///
/// # Errors
/// If the space or the study cannot be used, the study cannot be written, or ten trials in a row fail.
pub fn run(plan: &Plan, dataset: &Arc<Dataset>, commands: &Receiver<Command>, tell: &mut dyn FnMut(Event)) -> Result<Ending, SearchError> {
    run_until(plan, dataset, commands, &Closing::default(), tell)
}

/// The same; from when `closing` says so, no storage is waited for long.
///
/// # Errors
/// As [`run`].
pub fn run_until(
    plan: &Plan,
    dataset: &Arc<Dataset>,
    commands: &Receiver<Command>,
    closing: &Closing,
    tell: &mut dyn FnMut(Event),
) -> Result<Ending, SearchError> {
    plan.space.check(&plan.base)?;
    let workers = plan.workers();
    let me = Worker::register(workers.as_deref())?;
    if let Some(folder) = &workers {
        worker::sweep(folder, plan.grace());
    }
    let (mut told, mut paused, mut stopped) = (false, false, false);
    let opened = patient(
        plan.wait,
        || open(plan, me.name(), closing),
        |error, pause| {
            if !std::mem::replace(&mut told, true) {
                let message = format!("{error}. It is tried again for {} s", plan.wait.as_secs());
                tell(Event::Notice(Notice { message }));
            }
            match commands.recv_timeout(pause) {
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => stopped = true,
                Ok(command) => paused = command == Command::Pause,
                Err(RecvTimeoutError::Timeout) => {}
            }
            !stopped
        },
    );
    if stopped {
        return Ok(Ending::Stopped);
    }
    let study = opened?;
    let mut runner = Runner {
        plan,
        dataset,
        commands,
        closing,
        tell,
        study,
        me,
        start: Instant::now(),
        failures: 0,
        away: false,
        paused,
        stopping: false,
        held: BTreeMap::new(),
    };
    loop {
        if runner.is_stopped() {
            return Ok(Ending::Stopped);
        }
        let next = match runner.choose() {
            // a storage that is away has nothing to be told of a search that was stopped between two trials
            Err(error) if runner.stopping && error.is_passing() => return Ok(Ending::Stopped),
            next => next?,
        };
        match next {
            Next::End(ending) => return Ok(ending),
            Next::Unusable => {}
            Next::Trial { number, resumed } => {
                if !runner.train(number, resumed)? {
                    return Ok(Ending::Stopped);
                }
            }
        }
    }
}

/// Opens the study of a plan for the worker of this name; makes what is not there, and notes what a study of ours says of itself.
fn open(plan: &Plan, worker: &str, closing: &Closing) -> Result<Study, SearchError> {
    let notes = plan.notes();
    let opening = Opening { study: &plan.study, objective: plan.objective, notes: &notes, worker, grace: plan.grace(), closing };
    let mut study = Study::open(&plan.storage, opening)?;
    plan.check_same(study.record()?)?;
    study.update(Scope::Study, |record, _, changes| {
        plan.missing_notes(record).into_iter().for_each(|(key, value)| changes.study_user_attr(&key, value));
    })?;
    Ok(study)
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    Trial {
        number: usize,
        resumed: bool,
    },
    /// A trial that was queued cannot be trained; it failed.
    Unusable,
    End(Ending),
}

pub(super) struct Runner<'a> {
    pub plan: &'a Plan,
    pub dataset: &'a Arc<Dataset>,
    pub commands: &'a Receiver<Command>,
    pub closing: &'a Closing,
    pub tell: &'a mut dyn FnMut(Event),
    pub study: Study,
    pub me: Worker,
    start: Instant,
    /// Trials in a row that failed.
    pub failures: usize,
    /// Whether the storage is away, and the user was told.
    pub away: bool,
    /// Whether the user wants a pause that nothing obeys yet.
    pub paused: bool,
    /// Whether the user wants the search to end: a trial that came to its own end meanwhile was the last.
    pub stopping: bool,
    /// Trials whose silent process still holds their run, and when that was seen.
    pub held: BTreeMap<usize, Instant>,
}

impl Runner<'_> {
    /// Obeys the commands that wait between two trials; true if the search should end.
    fn is_stopped(&mut self) -> bool {
        if self.stopping || self.closing.is_begun() {
            return true;
        }
        let mut paused = std::mem::take(&mut self.paused);
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

    /// A transaction that is tried again while the storage is away, until patience or the user ends it.
    pub fn update<T>(&mut self, scope: Scope, mut decide: impl FnMut(&StudyRecord, &[usize], &mut Changes) -> T) -> Result<T, SearchError> {
        let (start, mut pause) = (Instant::now(), PAUSES.0);
        loop {
            match self.try_update(scope, &mut decide) {
                Err(error) if error.is_passing() && start.elapsed() < PATIENCE => {
                    if !self.rest(pause) {
                        return Err(error);
                    }
                    pause = (2 * pause).min(PAUSES.1);
                }
                done => return done,
            }
        }
    }

    /// Waits a while; false if the search shall end. Whether it shall pause is obeyed once there is something to do again.
    pub fn rest(&mut self, pause: Duration) -> bool {
        if self.stopping || self.closing.is_begun() {
            return false;
        }
        match self.commands.recv_timeout(pause) {
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => self.stopping = true,
            Ok(command) => self.paused = command == Command::Pause,
            Err(RecvTimeoutError::Timeout) => {}
        }
        !self.stopping
    }

    /// One transaction; tells the user when the storage goes away and when it is back.
    pub fn try_update<T>(&mut self, scope: Scope, decide: impl FnMut(&StudyRecord, &[usize], &mut Changes) -> T) -> Result<T, SearchError> {
        let done = self.study.update(scope, decide);
        let message = match &done {
            Err(error) if error.is_passing() && !self.away => format!("{error}. It is tried again; a trial that trains goes on"),
            Ok(_) if self.away => format!("{} is back", self.plan.storage),
            _ => return done,
        };
        self.away = done.is_err();
        (self.tell)(Event::Notice(Notice { message }));
        done
    }

    /// Takes over a trial that a dead process left, or one that was queued, or begins a new one. What is chosen stands in the study
    /// when this returns.
    fn choose(&mut self) -> Result<Next, SearchError> {
        let plan = self.plan;
        let time_is_over = plan.budget.time.is_some_and(|time| self.start.elapsed() >= time);
        let me = self.me.name().to_owned();
        self.held.retain(|_, seen| seen.elapsed() < plan.grace());
        let held = self.held.clone();
        self.update(Scope::Study, |record, left, changes| {
            // one that this process chose before the connection was lost, without hearing that it had
            if let Some(trial) = record.trials.iter().find(|trial| is_of(trial, &me)) {
                return Next::Trial { number: trial.number, resumed: false };
            }
            let left: Vec<usize> = left.iter().copied().filter(|number| !held.contains_key(number)).collect();
            let left = settle(plan, record, &left, changes);
            if time_is_over {
                return Next::End(Ending::Time);
            }
            if let Some(trial) = left {
                changes.system_attr(trial.id, WORKER, me.as_str());
                changes.system_attr(trial.id, HEARTBEAT, plan.heartbeat.as_secs_f64());
                changes.user_attr(trial.id, HOST, worker::host());
                // the last sign of life is that of the process that is gone
                changes.beat(trial.id);
                if !is_released(trial) {
                    changes.system_attr(trial.id, DEATHS, vec![deaths(trial) + 1, trial.intermediate.len() as u64]);
                }
                return Next::Trial { number: trial.number, resumed: true };
            }
            let taken = record.trials.len() - record.count(TrialState::Waiting);
            if plan.budget.trials.is_some_and(|most| taken >= most) {
                return Next::End(Ending::Trials);
            }
            match record.trials.iter().find(|trial| trial.state == TrialState::Waiting) {
                Some(waiting) => take(plan, record, waiting, &me, changes),
                None => create(plan, record, &me, changes),
            }
        })
    }
}

/// Ends the trials that dead processes of ours left, where they should not go on; the first of the others is returned. Those of other
/// programs are theirs to settle.
fn settle<'a>(plan: &Plan, record: &'a StudyRecord, left: &[usize], changes: &mut Changes) -> Option<&'a Trial> {
    let mut goes_on = None;
    let ours = |trial: &&Trial| trial.system_attrs.contains_key(WORKER);
    for trial in left.iter().filter_map(|&number| record.trials.get(number)).filter(ours) {
        let died_often = deaths(trial) >= MOST_DEATHS;
        if plan.on_restart == OnRestart::Resume && !died_often {
            goes_on = goes_on.or(Some(trial));
            continue;
        }
        let why = if died_often { "the processes that trained it always ended" } else { "the process that trained it ended" };
        changes.user_attr(trial.id, ERROR, why);
        changes.end(trial.id, TrialState::Fail, None);
    }
    goes_on
}

/// How long the process that trains a trial may be silent: twice its heartbeat, of which its own note tells.
pub(super) fn grace_of(trial: &Trial, usual: Duration) -> Duration {
    let noted = trial.system_attrs.get(HEARTBEAT).and_then(Value::as_f64);
    noted.and_then(|seconds| Duration::try_from_secs_f64(2.0 * seconds).ok()).unwrap_or(usual)
}

/// How often the process of a trial died since its last epoch, the present time not included.
fn deaths(trial: &Trial) -> u64 {
    let Some(note) = trial.system_attrs.get(DEATHS) else { return 0 };
    let same_epoch = note[1].as_u64() == Some(trial.intermediate.len() as u64);
    if same_epoch { note[0].as_u64().unwrap_or(0) } else { 0 }
}

/// Whether a worker trains a trial, or should.
pub(super) fn is_of(trial: &Trial, worker: &str) -> bool {
    trial.state == TrialState::Running && was_of(trial, worker)
}

/// Whether a worker is the last one that trained a trial.
pub(super) fn was_of(trial: &Trial, worker: &str) -> bool {
    trial.system_attrs.get(WORKER).and_then(Value::as_str) == Some(worker)
}

/// Whether the worker that trained a trial gave it up before it was at its end.
pub(super) fn is_released(trial: &Trial) -> bool {
    is_of(trial, "")
}

/// The numbers of the trials of a study in a journal that were left by a process of ours that is gone.
pub(super) fn left(study: &StudyRecord, workers: &Path, grace: Duration) -> Vec<usize> {
    let is_left = |trial: &&Trial| {
        let worker = trial.system_attrs.get(WORKER).and_then(Value::as_str);
        trial.state == TrialState::Running && worker.is_some_and(|name| !worker::is_alive(workers, name, grace_of(trial, grace)))
    };
    study.trials.iter().filter(is_left).map(|trial| trial.number).collect()
}

/// The numbers of the trials of a study in a journal that were left unfinished by a process of this program that is gone.
#[must_use]
pub fn interrupted(journal: &Path, study: &StudyRecord) -> Vec<usize> {
    left(study, &plan::workers(journal, &study.name), 2 * plan::HEARTBEAT)
}

/// Writes down a new trial with the next values.
fn create(plan: &Plan, record: &StudyRecord, worker: &str, changes: &mut Changes) -> Next {
    let number = record.trials.len();
    let Proposal { params, notes } = plan.sampler.propose(&plan.space, record, plan.base.seed);
    let note = |key: &str, value: String| (key.to_owned(), Value::from(value));
    let user = Map::from_iter([note(RUN, free_run(plan, record, number)), note(HOST, worker::host())]);
    let heartbeat = (HEARTBEAT.to_owned(), Value::from(plan.heartbeat.as_secs_f64()));
    let system = notes.into_iter().chain([note(WORKER, worker.into()), heartbeat]);
    changes.create_trial(params, user, system.collect());
    Next::Trial { number, resumed: false }
}

/// Takes a trial that was queued.
fn take(plan: &Plan, record: &StudyRecord, waiting: &Trial, worker: &str, changes: &mut Changes) -> Next {
    let id = waiting.id;
    let wanted = match queue::wanted(&plan.space, waiting) {
        Ok(wanted) => wanted,
        Err(why) => {
            changes.user_attr(id, ERROR, why);
            changes.end(id, TrialState::Fail, None);
            return Next::Unusable;
        }
    };
    let params = plan.sampler.complete(&plan.space, record, waiting.number, wanted, plan.base.seed);
    changes.take_trial(id, params.into_iter().filter(|(name, _)| !waiting.params.contains_key(name)).collect());
    changes.system_attr(id, WORKER, worker);
    changes.system_attr(id, HEARTBEAT, plan.heartbeat.as_secs_f64());
    changes.user_attr(id, RUN, free_run(plan, record, waiting.number));
    changes.user_attr(id, HOST, worker::host());
    Next::Trial { number: waiting.number, resumed: false }
}

/// A folder that is not there yet, from the home of the storage: an earlier study of the same name may have left some.
fn free_run(plan: &Plan, record: &StudyRecord, number: usize) -> String {
    let name = format!("{}/trial-{number:04}", plan.runs(record));
    let taken = |name: &str| plan.storage.home().join(name).exists();
    let (mut free, mut again) = (name.clone(), 2_u32);
    while taken(&free) {
        free = format!("{name}-{again}");
        again += 1;
    }
    free
}

/// The folder of a trial's run, from the home of the storage; `None` of trials of other programs.
#[must_use]
pub fn run_of(trial: &Trial) -> Option<PathBuf> {
    trial.user_attrs.get(RUN).and_then(Value::as_str).map(PathBuf::from)
}
