//! `tuning-fork train`: a run from the command line, fresh or resumed.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;

use super::flags::{self, ConfigFlags};
use super::progress::Progress;
use super::{STOPPED, output, report};
use crate::data::{self, Dataset, Part};
use crate::train::{self, Command, Config, Ended, Event, Handle, Job, Outcome, RunFolder, Session, energy_in_words};

/// The longest that a Ctrl-C waits for the listener's attention.
const PATIENCE: Duration = Duration::from_millis(50);

/// The folder in which runs get their own, if none is named.
const RUNS: &str = "runs";

/// What `train` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// The run's folder; it must not exist or be empty [default: runs/<date>_<time>_<model>]
    #[arg(long, value_name = "RUN_DIR", conflicts_with = "resume")]
    out: Option<PathBuf>,
    /// Go on with a run that was stopped or killed, exactly where it was. It keeps its configuration; only --data (if the
    /// data set has moved), --epochs, --threads and --device may be given anew
    #[arg(long, value_name = "RUN_DIR", conflicts_with = "config")]
    resume: Option<PathBuf>,
    /// A TOML file with any of the fields below, spelled as in a run's config.json; flags win over it
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Print the run's events on standard output, one JSON object a line, as in the run's events.jsonl
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    flags: ConfigFlags,
}

/// Trains to the end, or until Ctrl-C.
///
/// # Errors
/// If the run cannot start, or fails.
pub fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let config = configuration(arguments)?;
    let interrupted = catch_interrupts()?;
    let dataset = Arc::new(open_data(&config)?);
    // Only now, so that a data set that cannot be used leaves no empty folder behind.
    let folder = run_folder(arguments, &config)?;
    let progress = Progress::new(arguments.json);
    let handle = train::spawn(Job { config, dataset: Arc::clone(&dataset), folder: folder.clone() }, None);
    let (session, ended) = follow(&handle, &progress, &interrupted)?;
    match ended.outcome {
        Outcome::Completed => {
            conclude(arguments.json, &session, &folder, &dataset)?;
            Ok(ExitCode::SUCCESS)
        }
        Outcome::Stopped => {
            let path = folder.path().display();
            output::note(format!("stopped: {}\nto go on:  tuning-fork train --resume {path}", ended.message));
            Ok(ExitCode::from(STOPPED))
        }
        Outcome::Failed | Outcome::Panicked if folder.discard_unstarted() => bail!("{}", ended.message),
        Outcome::Failed | Outcome::Panicked => bail!("{}\nthe run is kept in {}", ended.message, folder.path().display()),
    }
}

/// The configuration of a fresh run from its three places, or that of the run to resume.
fn configuration(arguments: &Arguments) -> anyhow::Result<Config> {
    let mut config = match &arguments.resume {
        None => {
            let file = arguments.config.as_deref();
            arguments.flags.over(file.map_or_else(|| Ok(Config::default()), flags::read)?, file)?
        }
        Some(path) => {
            let kept = RunFolder::open(path)?.config()?;
            let wanted = arguments.flags.over(kept.clone(), None)?;
            let free = wanted.clone();
            let same = Config { data: free.data, epochs: free.epochs, threads: free.threads, device: free.device, ..kept };
            if wanted != same {
                bail!(
                    "a resumed run keeps its configuration: only --data, --epochs, --threads and --device may be given; \
                     leave the other flags out, or start a new run with --out"
                );
            }
            wanted
        }
    };
    // The run must find its data again from any folder.
    if config.data != data::SYNTHETIC {
        config.data = std::path::absolute(&config.data).with_context(|| format!("--data {}", config.data))?.display().to_string();
    }
    Ok(config)
}

/// The folder of the run: the one to resume, or a new one.
fn run_folder(arguments: &Arguments, config: &Config) -> anyhow::Result<RunFolder> {
    let folder = match (&arguments.resume, &arguments.out) {
        (Some(path), _) => RunFolder::open(path)?,
        (None, Some(path)) => RunFolder::create(path).context("the run folder cannot be used; name another one with --out")?,
        (None, None) => RunFolder::unique(Path::new(RUNS), config).context("no run folder can be made here; name one with --out")?,
    };
    Ok(folder)
}

/// Opens the data set that `config` names, and tells what was left out of it.
fn open_data(config: &Config) -> anyhow::Result<Dataset> {
    let dataset = data::load(&config.data, config.synthetic_images, config.size, config.seed)?;
    super::tell_skipped(&dataset);
    Ok(dataset)
}

/// A flag that the first Ctrl-C sets; the second one ends the program at once (what was saved stays good).
fn catch_interrupts() -> anyhow::Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(STOPPED));
        }
    })
    .context("Ctrl-C cannot be caught")?;
    Ok(interrupted)
}

/// Shows the run until it ended. An interrupt, or a reader of the JSON lines that went away, stops it.
fn follow(handle: &Handle, progress: &Progress, interrupted: &AtomicBool) -> anyhow::Result<(Session, Ended)> {
    let mut session = Session::default();
    let (mut stopping, mut unheard) = (false, false);
    loop {
        if interrupted.load(Ordering::SeqCst) && !stopping {
            stopping = true;
            handle.send(Command::Stop);
            progress.note("stopping at the end of this batch; press Ctrl-C again to exit at once");
        }
        let Some(event) = handle.next(PATIENCE) else {
            if handle.is_finished() {
                bail!("the run ended without a word; this is a fault of the program, please report it");
            }
            continue;
        };
        session.apply(event.clone());
        if !unheard && let Err(error) = progress.show(&event, &session) {
            unheard = true;
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                progress.note(&format!("warning: standard output cannot be written ({error}); the run is stopped and kept"));
            }
            handle.send(Command::Stop);
        }
        if let Event::Ended(ended) = event {
            return Ok((session, ended));
        }
    }
}

/// The best epoch, the test scores, the folder and what to type next: on standard output, or on standard error beside JSON.
fn conclude(json: bool, session: &Session, folder: &RunFolder, dataset: &Arc<Dataset>) -> anyhow::Result<()> {
    let mut lines: Vec<String> = session.message.iter().cloned().collect();
    if let Some(best) = session.best_epoch() {
        let accuracy = report::accuracy(&best.confusion);
        let (macro_f1, loss) = (best.valid_macro_f1, best.valid_loss);
        lines.push(format!("best epoch {}: validation accuracy {accuracy}, macro-F1 {macro_f1:.4}, loss {loss:.4}", best.epoch));
    }
    if let Some(joules) = session.energy() {
        lines.push(format!("energy of its epochs, as the device counted it: {}", energy_in_words(joules)));
    }
    let test = super::evaluate::evaluate_and_keep(folder, None, Part::Test, dataset)?;
    lines.push("test set, best epoch:".into());
    lines.push(report::indented(&report::scores(&test.confusion, test.loss)));
    let path = folder.path().display();
    lines.push(format!("run: {path}\nnext:\n  tuning-fork evaluate --run {path}\n  tuning-fork predict --run {path} PICTURE..."));
    let text = lines.join("\n");
    if json {
        output::note(text);
    } else {
        output::line(text)?;
    }
    Ok(())
}
