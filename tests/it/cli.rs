//! The command line, tried as a user does: the real program, its output, its exit code, the files it leaves.

mod commands;
mod experiments;
mod export;
mod inputs;
mod predict;
mod runs;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;
use tuning_fork::train::Event;

/// Flags of a run that takes a second: 50 galaxies of 32 x 32, two steps an epoch, one thread.
const SMALL: &[&str] = &["--synthetic-images=50", "--size=32", "--batch=16", "--threads=1", "--model=compact"];

/// The program in a folder, with nothing of the tests' own environment that changes messages.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tuning-fork"));
    command.current_dir(folder).args(arguments).stdin(Stdio::null()).env_remove("RUST_LOG").env_remove("RUST_BACKTRACE");
    command
}

/// What the program said and how it ended.
struct Answer {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Answer {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let answer = Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
        answer
    }
}

/// Runs the program to its end.
fn run(folder: &Path, arguments: &[&str]) -> Answer {
    program(folder, arguments).output().expect("the program starts").into()
}

/// Runs the program to a good end; its standard output.
fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let answer = run(folder, arguments);
    assert_eq!(answer.code, Some(0), "{arguments:?}: {}", answer.stderr);
    answer.stdout
}

/// Arguments of `train` for a small run in `out`, with more flags.
fn train<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["train", "--out", out], SMALL, more].concat()
}

/// The events in JSON lines.
fn events(lines: &str) -> Vec<Event> {
    lines.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// A finished run of two epochs that all tests may read: (the folder above it, the name "run" inside).
fn finished_run() -> &'static Path {
    static RUN: OnceLock<TempDir> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        succeed(folder.path(), &train("run", &["--epochs=2"]));
        folder
    })
    .path()
}

/// A picture of one colour as a PNG file.
fn picture(path: &Path, (width, height): (usize, usize), colour: [u8; 3]) -> PathBuf {
    let image = tuning_fork::imaging::Image::new(width, height, colour.repeat(width * height)).expect("a picture");
    tuning_fork::imaging::write_png(path, &image).expect("a file");
    path.to_owned()
}
