//! `tuning-fork search`: trials one after another, from the command line.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use crossbeam_channel::{Receiver, unbounded};
use serde_json::json;

use super::choice::Choice;
use super::flags::{self, ConfigFlags};
use super::{STOPPED, output};
use crate::data;
use crate::search::{
    self, Address, Budget, Closing, Ending, Event, Kept, Objective, OnRestart, Plan, Pruner, PrunerKind, Sampler, Space, Storage,
    StudyRecord, Trial, TrialEnded, TrialEpoch, TrialStarted, TrialState,
};
use crate::train::{Command, Config};

/// Trials of the closing table.
const SHOWN: usize = 5;
/// Trials of a search whose budget nobody named.
const TRIALS: usize = 30;
/// Epochs before a trial may be stopped early.
const LEAST: usize = 5;
/// The name of a study that nobody named.
const NAME: &str = "galaxies";
/// Where searches are kept.
const FOLDER: &str = "searches";

/// What `search` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A TOML or JSON file that says what is searched, such as `lr = { low = 1e-4, high = 1e-2, log = true }` [default: the space of the
    /// study, or a built-in one]
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// The study: its name, or where it is kept, as a journal FILE.log or `postgresql://USER@HOST/DATABASE` with Optuna's tables, which
    /// machines share (the name is then that of --name; the password comes from PGPASSWORD or ~/.pgpass). One that is there already
    /// goes on
    #[arg(long, value_name = "NAME|FILE.log|ADDRESS", default_value = NAME)]
    study: String,
    /// The name of the study in a file or at an address [default: that of the file, ?study=NAME of the address, or galaxies]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The study's journal, which optuna-dashboard opens; the runs are in a folder beside it [default: searches/<study>.log]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Where the runs of a study at an address are kept: a folder of this machine, or one that all share so that any machine can go on
    /// with any trial [default: searches]
    #[arg(long, value_name = "FOLDER")]
    runs: Option<PathBuf>,
    /// Be one of many workers, which a scheduler may start N times and kill at any time: what the flags leave out comes from the study
    /// (the first worker makes it), and there is no table at the end
    #[arg(long)]
    worker: bool,
    /// Seconds between two signs of life; a worker on another machine that is silent for twice as long counts as dead, and its trial
    /// becomes what --on-restart says (`heartbeat_interval` in Optuna)
    #[arg(long, value_name = "SECONDS", value_parser = flags::count, default_value = "60")]
    heartbeat: usize,
    /// Seconds that a database that is away when the search begins is waited for; later it is waited for a quarter of an hour
    #[arg(long, value_name = "SECONDS", value_parser = flags::count, default_value_t = search::WAIT.as_secs() as usize)]
    wait: usize,
    /// Trials of the study in all, earlier ones included [default: that of the study, or 30 if --hours is not given either]
    #[arg(long, value_name = "N", value_parser = flags::count)]
    trials: Option<usize>,
    /// Start no trial after so many hours
    #[arg(long, value_name = "H", value_parser = flags::number)]
    hours: Option<f64>,
    /// How values are chosen: each trial by itself, by what the good ones have in common (Optuna's multivariate TPE), or by a cloud that
    /// moves to them (CMA-ES; choices as by TPE) [default: that of the study, or tpe]
    #[arg(long, value_name = "NAME", value_parser = Choice::<Sampler>::new())]
    sampler: Option<Sampler>,
    /// Which trials stop early: none, those below the median, or all but the best third at --least-epochs times 1, 3, 9 ... (Hyperband)
    /// [default: that of the study, or hyperband]
    #[arg(long, value_name = "NAME", value_parser = Choice::<PrunerKind>::new())]
    pruner: Option<PrunerKind>,
    /// Epochs before a trial may be stopped early [default: that of the study, or 5]
    #[arg(long, value_name = "N", value_parser = flags::count)]
    least_epochs: Option<usize>,
    /// What is optimised on the validation images [default: that of the study, or macro-f1]
    #[arg(long, value_name = "NAME", value_parser = Choice::<Objective>::new())]
    objective: Option<Objective>,
    /// What becomes of trials whose process was killed: they go on from their last checkpoint, or count as failed
    #[arg(long, value_name = "NAME", value_parser = Choice::<OnRestart>::new(), default_value = "resume")]
    on_restart: OnRestart,
    /// A TOML file with any of the fields below for all trials; flags win over it, and the space over both
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Print what happens on standard output, one JSON object a line, and the best trials last
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: ConfigFlags,
}

/// Searches until the budget is spent, or until Ctrl-C.
///
/// # Errors
/// If the search cannot start or go on.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    // an interrupted search has this long to write down what it knows; the second Ctrl-C ends it at once
    let closing = Closing::within(Duration::from_secs(20));
    let commands = catch_interrupts(closing.clone())?;
    let mut plan = plan(arguments, &closing)?;
    if arguments.worker {
        output::note(format!("a worker of the study {} in {}", plan.study, plan.storage));
    }
    let dataset = Arc::new(plan.data()?);
    super::tell_skipped(&dataset);
    if let Some(words) = search::patiently(plan.wait, &closing, output::note, || plan.fit(&dataset))? {
        output::note(words);
    }
    let mut unheard = None;
    let mut tell = |event: Event| {
        let told = if arguments.json { output::json(&event) } else { show(&event, &plan) };
        if unheard.is_none() {
            unheard = told.err();
        }
    };
    let result = search::run_until(&plan, &dataset, &commands, &closing, &mut tell);
    let stopped = matches!(result, Ok(Ending::Stopped));
    let ended = search::ended(result);
    if ended.ending == Ending::Failed {
        bail!("{}", ended.message);
    }
    tell(Event::SearchEnded(ended));
    if let Some(error) = unheard {
        return Err(error).context("standard output cannot be written; the study is kept");
    }
    if !arguments.worker {
        match conclude(arguments.json, &plan, &closing) {
            // it was stopped, and that is done
            Err(error) if stopped => output::note(format!("{error:#}")),
            told => told?,
        }
    }
    Ok(if stopped { ExitCode::from(STOPPED) } else { ExitCode::SUCCESS })
}

/// What the study is kept in, and its name.
fn place(arguments: &Arguments) -> anyhow::Result<(Storage, String)> {
    let Arguments { study, name, journal, runs, .. } = arguments;
    let (storage, name) = if Address::is_meant(study) {
        let address = Address::parse(study).map_err(|why| anyhow!("--study: {why}"))?;
        if journal.is_some() {
            bail!("--study says already where the study is kept; leave --journal out");
        }
        let name = name.clone().or_else(|| address.study().map(str::to_owned)).unwrap_or_else(|| NAME.into());
        let folder = runs.clone().unwrap_or_else(|| FOLDER.into());
        (Storage::Database { address, folder }, name)
    } else {
        if runs.is_some() {
            bail!("the runs of a journal are beside it; --runs is for a study at an address (--study postgresql://...)");
        }
        let path = Path::new(study);
        let is_file = path.extension().is_some_and(|extension| extension == "log");
        let stem = path.file_stem().filter(|_| is_file).map(|stem| stem.to_string_lossy().into_owned());
        let name = name.clone().or(stem).unwrap_or_else(|| study.clone());
        let file = journal.clone().unwrap_or_else(|| if is_file { path.into() } else { search::journal_of(Path::new(FOLDER), &name) });
        (Storage::Journal(file), name)
    };
    if name.trim().is_empty() {
        bail!("a study needs a name; give one with --study or --name");
    }
    Ok((storage, name))
}

/// What to do, from the flags and from what the study says of itself.
fn plan(arguments: &Arguments, closing: &Closing) -> anyhow::Result<Plan> {
    let (storage, study) = place(arguments)?;
    let wait = Duration::from_secs(arguments.wait as u64);
    let kept = search::patiently(wait, closing, output::note, || Kept::find(&storage, &study))?;
    let file = arguments.config.as_deref();
    let base = match (file, &kept) {
        (Some(file), _) => flags::read(file)?,
        (None, Some(kept)) => kept.base.clone(),
        // a thousand trials need not keep ten models each
        (None, None) => Config { snapshots: 0, ..Config::default() },
    };
    let mut base = arguments.flags.over(base, file)?;
    // The trials must find their data again from any folder.
    if base.data != data::SYNTHETIC {
        base.data = std::path::absolute(&base.data).with_context(|| format!("--data {}", base.data))?.display().to_string();
    }
    let space = match (&arguments.space, &kept) {
        (Some(file), _) => Space::read(file).with_context(|| format!("the space {} cannot be used", file.display()))?,
        (None, Some(kept)) => kept.space.clone(),
        (None, None) => Space::default(),
    };
    space.check(&base)?;
    Ok(Plan {
        storage,
        study,
        space,
        objective: arguments.objective.or(kept.as_ref().map(|kept| kept.objective)).unwrap_or_default(),
        sampler: arguments.sampler.or(kept.as_ref().and_then(|kept| kept.sampler)).unwrap_or_default(),
        pruner: pruner(arguments, kept.as_ref(), base.epochs),
        budget: budget(arguments, kept.as_ref())?,
        base,
        on_restart: arguments.on_restart,
        heartbeat: Duration::from_secs(arguments.heartbeat as u64),
        wait,
    })
}

/// That of the flags; where they leave something out, that of the study.
fn pruner(arguments: &Arguments, kept: Option<&Kept>, epochs: usize) -> Pruner {
    let kept = kept.and_then(|kept| kept.pruner);
    let (kind, least) = kept.map_or((PrunerKind::default(), LEAST), |kept| (kept.kind(), kept.least().unwrap_or(LEAST)));
    match kept {
        Some(kept) if arguments.pruner.is_none() && arguments.least_epochs.is_none() => kept,
        _ => arguments.pruner.unwrap_or(kind).pruner(arguments.least_epochs.unwrap_or(least), epochs),
    }
}

/// That of the flags; without any, that of the study.
fn budget(arguments: &Arguments, kept: Option<&Kept>) -> anyhow::Result<Budget> {
    let time = arguments.hours.map(|hours| Duration::try_from_secs_f64(hours * 3600.0)).transpose().context("--hours")?;
    let kept = kept.and_then(|kept| kept.budget).filter(|_| time.is_none() && arguments.trials.is_none());
    Ok(kept.unwrap_or(Budget { trials: arguments.trials.or(time.is_none().then_some(TRIALS)), time }))
}

/// The first Ctrl-C stops the trial after its batch, the second one ends the program at once (the study stays good).
fn catch_interrupts(closing: Closing) -> anyhow::Result<Receiver<Command>> {
    let (send, receive) = unbounded();
    let pressed = std::sync::atomic::AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if pressed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            std::process::exit(i32::from(STOPPED));
        }
        output::note("stopping at the end of this batch; press Ctrl-C again to exit at once");
        closing.begin();
        // the receiver lives as long as the program
        let _ = send.send(Command::Stop);
    })
    .context("Ctrl-C cannot be caught")?;
    Ok(receive)
}

/// Says on standard error what happened.
#[expect(clippy::unnecessary_wraps, reason = "the other way to tell may fail")]
fn show(event: &Event, plan: &Plan) -> std::io::Result<()> {
    match event {
        Event::TrialStarted(TrialStarted { number, words, resumed, .. }) => {
            let again = if *resumed { " goes on" } else { "" };
            output::note(format!("trial {number}{again}: {words}"));
        }
        Event::TrialEpoch(TrialEpoch { number, epoch, epochs, value }) => {
            output::note(format!("trial {number}: epoch {epoch}/{epochs}  {} {value:.4}", plan.objective.name()));
        }
        Event::TrialEnded(TrialEnded { number, state: TrialState::Complete, value: Some(value), .. }) => {
            output::note(format!("trial {number}: complete  {} {value:.4}", plan.objective.name()));
        }
        Event::TrialEnded(TrialEnded { number, state: TrialState::Fail, message, .. }) => {
            output::note(format!("trial {number}: failed: {message}"));
        }
        Event::TrialEnded(TrialEnded { number, message, .. }) => output::note(format!("trial {number}: {message}")),
        Event::Notice(notice) => output::note(&notice.message),
        Event::SearchEnded(ended) => output::note(&ended.message),
    }
    Ok(())
}

/// The best trials and what to type next.
fn conclude(json: bool, plan: &Plan, closing: &Closing) -> anyhow::Result<()> {
    let studies = search::patiently(plan.wait, closing, output::note, || search::studies(&plan.storage, &plan.study))?;
    let Some(study) = studies.iter().find(|study| study.name == plan.study) else { bail!("the study {:?} is gone", plan.study) };
    let best: Vec<&Trial> = study.ranking().into_iter().take(SHOWN).collect();
    let home = plan.storage.home();
    let run = |trial: &Trial| search::run_of(trial).map(|run| home.join(run).display().to_string());
    if json {
        let trial = |trial: &&Trial| {
            let params: serde_json::Map<_, _> = trial.params.iter().map(|(name, param)| (name.clone(), param.value())).collect();
            json!({ "number": trial.number, "value": trial.value, "params": params, "run": run(trial) })
        };
        output::json(&json!({ "event": "best", "counts": counts(study), "trials": best.iter().map(trial).collect::<Vec<_>>() }))?;
        return Ok(());
    }
    let count = |state| study.count(state);
    let mut lines = vec![format!(
        "study {}: {} trials, {} complete, {} pruned, {} failed, {} unfinished",
        study.name,
        study.trials.len(),
        count(TrialState::Complete),
        count(TrialState::Pruned),
        count(TrialState::Fail),
        count(TrialState::Running) + count(TrialState::Waiting),
    )];
    if !best.is_empty() {
        lines.push(format!("{:>6}  {:<13}  values", "trial", plan.objective.name()));
    }
    for trial in &best {
        let value = trial.value.unwrap_or(f64::NAN);
        lines.push(format!("{:>6}  {value:<13.4}  {}", trial.number, search::words(&trial.params)));
    }
    let importances: Vec<String> =
        search::importances(study).iter().take(SHOWN).map(|(name, share)| format!("{name} {:.0} %", share * 100.0)).collect();
    if !importances.is_empty() {
        lines.push(format!("importance for being among the best: {}", importances.join(", ")));
    }
    if let Some(run) = best.first().and_then(|trial| run(trial)) {
        let (storage, files) = (plan.storage.dashboard(), search::artifacts_in(plan.storage.home()));
        let files = files.display();
        lines.push(format!("next:\n  tuning-fork evaluate --run {run}\n  optuna-dashboard {storage} --artifact-dir {files}"));
    }
    output::line(lines.join("\n"))?;
    Ok(())
}

fn counts(study: &StudyRecord) -> serde_json::Value {
    let count = |state| study.count(state);
    json!({
        "all": study.trials.len(),
        "complete": count(TrialState::Complete),
        "pruned": count(TrialState::Pruned),
        "failed": count(TrialState::Fail),
        "running": count(TrialState::Running),
        "waiting": count(TrialState::Waiting),
    })
}
