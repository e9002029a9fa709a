//! Training from the command line: the event stream, interrupts, kills, resuming.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tuning_fork::train::{EpochReport, Event, Outcome};

use super::{Answer, events, finished_run, program, run, succeed, train};

/// A run in the background whose JSON lines are read one by one.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Running {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut child = program(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, lines }
    }

    /// Reads on until an event is as asked for.
    fn until(&mut self, wanted: impl Fn(&Event) -> bool) {
        for line in self.lines.by_ref() {
            let event: Event = serde_json::from_str(&line.expect("a line")).expect("an event");
            if wanted(&event) {
                return;
            }
        }
        panic!("the run ended before the event came");
    }

    /// Reads the rest.
    fn end(mut self) -> Answer {
        let mut answer = Answer { code: None, stdout: String::new(), stderr: String::new() };
        for line in self.lines {
            answer.stdout.push_str(&line.expect("a line"));
            answer.stdout.push('\n');
        }
        self.child.stderr.take().expect("a pipe").read_to_string(&mut answer.stderr).expect("text");
        answer.code = self.child.wait().expect("an end").code();
        assert!(!answer.stderr.contains("panicked"), "{}", answer.stderr);
        answer
    }
}

/// The tensors of a model or checkpoint: name -> shape and bytes. The header may hold times; the numbers may not differ.
fn tensors(path: &Path) -> BTreeMap<String, (Vec<usize>, Vec<u8>)> {
    let bytes = std::fs::read(path).expect("a file");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("safetensors");
    file.tensors().into_iter().map(|(name, t)| (name, (t.shape().to_vec(), t.data().to_vec()))).collect()
}

/// Epoch reports without what the clock says.
fn timeless(events: &[Event]) -> Vec<EpochReport> {
    let report = |event: &Event| match event {
        Event::Epoch(report) => Some(EpochReport { seconds: 0.0, images_per_s: 0.0, energy: None, ..report.clone() }),
        _ => None,
    };
    events.iter().filter_map(report).collect()
}

fn outcome(events: &[Event]) -> Outcome {
    match events.last() {
        Some(Event::Ended(ended)) => ended.outcome,
        other => panic!("the last event is {other:?}"),
    }
}

#[test]
fn json_lines_are_the_event_stream_and_the_same_seed_gives_the_same_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = succeed(folder.path(), &train("a", &["--epochs=2", "--json"]));
    let stream = events(&first);
    let Some(Event::Started(started)) = stream.first() else { panic!("the first event is {:?}", stream.first()) };
    assert_eq!((started.epochs, started.classes.len(), started.epochs_done, started.threads), (2, 10, 0, 1));
    assert_eq!(stream.iter().filter(|e| matches!(e, Event::Started(_))).count(), 1);
    assert_eq!(stream.iter().filter(|e| matches!(e, Event::Ended(_))).count(), 1);
    assert_eq!(outcome(&stream), Outcome::Completed);
    let numbers: Vec<usize> = timeless(&stream).iter().map(|e| e.epoch).collect();
    assert_eq!(numbers, [1, 2]);
    let steps: usize = stream.iter().map(|e| if let Event::Steps(steps) = e { steps.count } else { 0 }).sum();
    assert_eq!(steps, 2 * started.steps_per_epoch);
    assert!(first.lines().all(|line| line.starts_with("{\"event\":\"")), "the tag comes first: {first}");
    let stored = std::fs::read_to_string(folder.path().join("a/events.jsonl")).expect("events.jsonl");
    assert_eq!(timeless(&events(&stored)), timeless(&stream));

    let second = events(&succeed(folder.path(), &train("b", &["--epochs=2", "--json"])));
    assert_eq!(timeless(&second), timeless(&stream));
    assert_eq!(tensors(&folder.path().join("a/best.safetensors")), tensors(&folder.path().join("b/best.safetensors")));
}

#[test]
fn without_a_terminal_an_epoch_is_a_line_and_the_end_says_what_to_do_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = run(folder.path(), &["train", "--synthetic-images=50", "--size=32", "--batch=16", "--threads=1", "--epochs=2"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let lines: Vec<&str> = answer.stderr.lines().filter(|line| line.starts_with("epoch ")).collect();
    assert!(lines.len() == 2 && lines[0].starts_with("epoch 1/2") && lines[1].starts_with("epoch 2/2"), "{}", answer.stderr);
    for words in ["best epoch", "test set", "95 % interval", "tuning-fork evaluate --run runs", "tuning-fork predict --run runs"] {
        assert!(answer.stdout.contains(words), "{words}: {}", answer.stdout);
    }
    let runs: Vec<_> = std::fs::read_dir(folder.path().join("runs")).expect("runs").collect();
    assert!(matches!(&runs[..], [Ok(run)] if run.file_name().to_string_lossy().ends_with("_compact")), "{runs:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_a_run_that_can_be_resumed() {
    let folder = tempfile::tempdir().expect("a folder");
    // So many epochs that no machine is through before the signal comes.
    let mut running = Running::start(folder.path(), &train("run", &["--epochs=500", "--patience=0", "--json"]));
    running.until(|event| matches!(event, Event::Epoch(_)));
    let pid = running.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    let answer = running.end();
    assert_eq!(answer.code, Some(130), "{}", answer.stderr);
    assert_eq!(outcome(&events(&answer.stdout)), Outcome::Stopped);
    assert!(answer.stderr.contains("train --resume run"), "{}", answer.stderr);
    succeed(folder.path(), &["evaluate", "--run", "run"]);

    let stored = std::fs::read_to_string(folder.path().join("run/events.jsonl")).expect("events.jsonl");
    let done = timeless(&events(&stored)).len();
    let stream = events(&succeed(folder.path(), &["train", "--resume=run", "--json", &format!("--epochs={}", done + 1)]));
    assert!(matches!(stream.first(), Some(Event::Started(started)) if started.epochs_done == done));
    assert_eq!(outcome(&stream), Outcome::Completed);
    assert_eq!(timeless(&stream).last().map(|e| e.epoch), Some(done + 1));
}

#[test]
fn a_killed_run_resumes_to_the_same_weights() {
    let folder = tempfile::tempdir().expect("a folder");
    let flags = ["--epochs=3", "--json"];
    succeed(folder.path(), &train("whole", &flags));
    let mut running = Running::start(folder.path(), &train("killed", &flags));
    running.until(|event| matches!(event, Event::Steps(steps) if steps.epoch == 2));
    running.child.kill().expect("a signal");
    running.end();

    let stream = events(&succeed(folder.path(), &["train", "--resume", "killed", "--json"]));
    assert!(matches!(stream.first(), Some(Event::Started(started)) if started.epochs_done >= 1));
    for file in ["best.safetensors", "last.safetensors"] {
        let (whole, killed) = (folder.path().join("whole").join(file), folder.path().join("killed").join(file));
        assert_eq!(tensors(&whole), tensors(&killed), "{file}");
    }
}

#[test]
fn a_resumed_run_keeps_its_configuration() {
    let folder = finished_run();
    let answer = run(folder, &["train", "--resume", "run", "--lr=0.1"]);
    assert_eq!(answer.code, Some(1));
    assert!(answer.stderr.contains("keeps its configuration") && answer.stderr.contains("--out"), "{}", answer.stderr);
}

#[test]
fn a_reader_that_goes_away_stops_the_run_without_a_panic() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut running = Running::start(folder.path(), &train("run", &["--epochs=50", "--json"]));
    running.until(|event| matches!(event, Event::Started(_)));
    let Running { mut child, lines } = running;
    drop(lines);
    let mut stderr = String::new();
    child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
    assert_eq!(child.wait().expect("an end").code(), Some(130), "{stderr}");
    assert!(!stderr.contains("panicked") && stderr.contains("--resume"), "{stderr}");
    if !folder.path().join("run/best.safetensors").exists() {
        let early = run(folder.path(), &["evaluate", "--run=run"]);
        assert!(early.code == Some(1) && early.stderr.contains("first epoch"), "{}", early.stderr);
    }
}
