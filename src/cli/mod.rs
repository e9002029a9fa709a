//! The headless front end: one file a subcommand. It prints what the rooms tell; it decides nothing about training.

mod bench;
mod choice;
mod data;
mod device;
mod evaluate;
mod explain;
mod export;
mod familiarity;
mod flags;
mod model;
mod models;
mod output;
mod predict;
mod progress;
mod rendering;
mod report;
mod review;
mod runs;
mod search;
mod selftest;
mod summary;
mod track;
mod train;

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::data::Dataset;
use crate::nn::Step;

/// Exit code of a run that was stopped by Ctrl-C, as shells have it.
const STOPPED: u8 = 130;

const EXAMPLES: &str = "\
Examples:
  tuning-fork                                    open the window
  tuning-fork train --epochs 10                  train on synthetic galaxies
  tuning-fork train --data galaxies --out run1   train on a folder of galaxies
  tuning-fork train --resume run1                go on with a run that was stopped
  tuning-fork search --trials 30 --epochs 30     find good hyper-parameters
  tuning-fork evaluate --run run1                scores on the test images
  tuning-fork report --run run1 --out run1.html  one page about a run
  tuning-fork predict --run run1 pictures/       classes of pictures
  tuning-fork explain --run run1 m51.png --out cam.png
                                                 where the network looked
  tuning-fork runs list --filter 'f1>0.8 -state:failed' --sort -f1
                                                 runs in a table
  tuning-fork models register run1 --name galaxy-classifier
                                                 keep a run's best model
  tuning-fork predict --model galaxy-classifier@champion pictures/
                                                 classify with the best one
  tuning-fork track --mlflow sqlite:///mlflow.db --watch
                                                 show runs in MLflow as they train
  tuning-fork data fetch galaxies                download Galaxy10 (2.7 GB)
  tuning-fork train --help                       every setting with its default

Exit codes: 0 done; 1 failed, with a message on standard error; 2 wrong
arguments; 130 stopped by Ctrl-C (the run is kept and can be resumed).
RUST_LOG=tuning_fork=debug writes a log to standard error.";

/// Train on galaxies, look at how well it went, classify pictures. Without a subcommand the window opens
#[derive(Debug, Parser)]
#[command(name = "tuning-fork", version, after_help = EXAMPLES, max_term_width = 120)]
struct Arguments {
    /// Make the CPU's products run on these instructions, whatever the machine or `--precision` would choose
    #[arg(long, global = true, value_name = "NAME", value_parser = instructions(), help_heading = "Machine")]
    instructions: Option<Step>,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Reads the name of a step of the ladder.
fn instructions() -> impl TypedValueParser<Value = Step> {
    PossibleValuesParser::new(Step::ALL.map(Step::name)).try_map(|name| name.parse::<Step>())
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a network on a data set; a run folder keeps everything
    #[command(args_override_self = true)]
    Train(Box<train::Arguments>),
    /// Search hyper-parameters: trials one after another, on one machine or on many, kept in a journal or a database that survives anything
    #[command(args_override_self = true)]
    Search(Box<search::Arguments>),
    /// Score a run's best epoch on a part of its data
    Evaluate(evaluate::Arguments),
    /// Write one page about a run: scores, confusion, calibration, galaxies to look at
    Report(review::Arguments),
    /// Classify pictures with a saved model
    Predict(predict::Arguments),
    /// Draw where a saved model looked at a picture
    Explain(Box<explain::Arguments>),
    /// Show a network's layers, parameters and cost
    Summary(summary::Arguments),
    /// Measure how fast a network trains here, on random pictures
    Bench(bench::Arguments),
    /// Check that a CUDA device computes what the processor does
    Selftest(selftest::Arguments),
    /// List, describe, export, import and delete runs
    #[command(subcommand)]
    Runs(runs::RunsCommand),
    /// Keep models under a name, with versions and aliases such as champion
    #[command(subcommand)]
    Models(models::ModelsCommand),
    /// Mirror runs and registered models in MLflow: a database or a server
    Track(track::Arguments),
    /// Import, download, draw or inspect data sets
    #[command(subcommand)]
    Data(data::DataCommand),
}

/// Reads the command line; `None` asks for the window. Wrong arguments, `--help` and `--version` end the program here, and
/// so do `--instructions` that the processor lacks.
#[must_use]
pub fn parse() -> Option<Command> {
    let mut command = Arguments::command().mut_subcommand("train", flags::show_defaults).mut_subcommand("search", flags::show_defaults);
    let matches = command.get_matches_mut();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Err(message) = Step::force(arguments.instructions) {
        command.error(ErrorKind::InvalidValue, message).exit();
    }
    arguments.command
}

/// Carries a subcommand out.
#[must_use]
pub fn run(command: &Command) -> ExitCode {
    let done = match command {
        Command::Train(arguments) => train::run(arguments),
        Command::Search(arguments) => search::run(arguments),
        Command::Evaluate(arguments) => evaluate::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Report(arguments) => review::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Predict(arguments) => predict::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Explain(arguments) => explain::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Summary(arguments) => summary::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Bench(arguments) => bench::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Selftest(arguments) => selftest::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Runs(command) => runs::run(command).map(|()| ExitCode::SUCCESS),
        Command::Track(arguments) => track::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Models(command) => models::run(command).map(|()| ExitCode::SUCCESS),
        Command::Data(command) => data::run(command).map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| fail(&error))
}

/// Tells an error with its causes on standard error. A reader of our output that went away is no error.
#[must_use]
pub fn fail(error: &anyhow::Error) -> ExitCode {
    if output::is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    output::note(format!("error: {}", told(error)));
    ExitCode::FAILURE
}

/// An error with its causes. Many messages of the rooms contain their cause already; it is not said twice.
fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// A count of the files that were left out, with the first few of them.
fn tell_skipped(dataset: &Dataset) {
    const SHOWN: usize = 5;
    if dataset.skipped.is_empty() {
        return;
    }
    output::note(format!("warning: {} files of {} are left out:", dataset.skipped.len(), dataset.name));
    for file in dataset.skipped.iter().take(SHOWN) {
        output::note(format!("  {}: {}", file.path.display(), file.reason));
    }
    if dataset.skipped.len() > SHOWN {
        output::note(format!("  and {} more", dataset.skipped.len() - SHOWN));
    }
}

/// Sends the log to standard error, as `RUST_LOG` asks; without it only warnings are told.
pub fn start_logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).compact().init();
}
