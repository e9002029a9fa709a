//! What a run told since it was read last, as metrics: `events.jsonl` from where a mirror has it up to its last whole line.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

use crate::track::TrackError;
use crate::train::{Event, RunFolder};

/// Bytes that are read at once, so that memory stays bounded however long a run was.
const CHUNK: u64 = 4 << 20;

/// How far a mirror has a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// Bytes of `events.jsonl`.
    pub offset: u64,
    /// When the run was started or resumed last, milliseconds since 1970-01-01 UTC.
    pub started: i64,
    /// Seconds that it trained since, up to the last whole epoch.
    pub epochs: f64,
    /// Seconds of the steps after that.
    pub steps: f64,
    /// Digest of what else the mirror has of the run.
    pub record: String,
}

impl Position {
    /// When what was read last happened, milliseconds since 1970-01-01 UTC.
    pub fn time(&self) -> i64 {
        self.started.saturating_add(((self.epochs + self.steps) * 1e3) as i64)
    }
}

/// A number of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// What it is called.
    pub key: &'static str,
    /// The number; it need not be finite.
    pub value: f64,
    /// Milliseconds since 1970-01-01 UTC.
    pub time: i64,
    /// The training step, or the epoch.
    pub step: i64,
}

/// Reads the next lines, as many as are read at once, and moves `position` behind them. Empty if there are no more whole lines.
pub fn read(folder: &RunFolder, position: &mut Position) -> Result<Vec<Metric>, TrackError> {
    let path = folder.events_path();
    let io = |error| TrackError::io(&path, error);
    let mut file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
    };
    if file.metadata().map_err(io)?.len() < position.offset {
        // another run took its place
        *position = Position::default();
    }
    let mut metrics = Vec::new();
    file.seek(SeekFrom::Start(position.offset)).map_err(io)?;
    let mut bytes = Vec::new();
    let mut more = CHUNK;
    loop {
        let read = file.by_ref().take(more).read_to_end(&mut bytes).map_err(io)? as u64;
        // a line may be longer than a chunk
        if read < more || bytes.contains(&b'\n') {
            break;
        }
        more *= 2;
    }
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    for line in bytes[..whole].split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        // a line that was torn by a power cut says nothing; what comes after it does
        if let Ok(event) = serde_json::from_slice(line) {
            take(&event, position, &mut metrics);
        }
    }
    position.offset += whole as u64;
    Ok(metrics)
}

fn take(event: &Event, position: &mut Position, metrics: &mut Vec<Metric>) {
    match event {
        Event::Started(started) => {
            let started = i64::try_from(started.time).unwrap_or(i64::MAX).saturating_mul(1000);
            *position = Position { started, epochs: 0.0, steps: 0.0, ..std::mem::take(position) };
        }
        Event::Steps(steps) => {
            position.steps += steps.seconds;
            let named = [
                ("step_loss", steps.loss),
                ("step_accuracy", steps.accuracy),
                ("step_learning_rate", steps.learning_rate),
                ("step_gradient_norm", steps.gradient_norm),
            ];
            add(metrics, position, steps.step, &named);
        }
        Event::Epoch(epoch) => {
            position.epochs += epoch.seconds;
            position.steps = 0.0;
            let named = [
                ("train_loss", epoch.train_loss),
                ("train_accuracy", epoch.train_accuracy),
                ("valid_loss", epoch.valid_loss),
                ("valid_accuracy", epoch.valid_accuracy),
                ("valid_macro_f1", epoch.valid_macro_f1),
                ("learning_rate", epoch.learning_rate),
                ("gradient_norm", epoch.gradient_norm),
                ("images_per_s", epoch.images_per_s),
            ];
            add(metrics, position, epoch.epoch, &named);
            if let Some(joules) = epoch.energy {
                add(metrics, position, epoch.epoch, &[("epoch_energy_joules", joules)]);
            }
            if epoch.best {
                let best = [
                    ("best_valid_loss", epoch.valid_loss),
                    ("best_valid_accuracy", epoch.valid_accuracy),
                    ("best_valid_macro_f1", epoch.valid_macro_f1),
                ];
                add(metrics, position, epoch.epoch, &best);
            }
        }
        Event::Saved(_) | Event::Paused(_) | Event::Ended(_) => {}
    }
}

fn add(metrics: &mut Vec<Metric>, position: &Position, step: usize, named: &[(&'static str, f64)]) {
    let (time, step) = (position.time(), step as i64);
    metrics.extend(named.iter().map(|&(key, value)| Metric { key, value, time, step }));
}
