//! The columns of a table of runs: what a run has in each, to be shown, compared and filtered.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{EpochValues, RunFacts, parameters};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Column {
    /// The run's name.
    Name,
    /// Where it stands.
    State,
    /// When it was started.
    Started,
    /// Seconds of its epochs.
    Duration,
    /// Joules of its epochs.
    Energy,
    /// Epochs done.
    Epochs,
    /// The best epoch.
    BestEpoch,
    /// Validation macro-F1 of the best epoch.
    MacroF1,
    /// Validation accuracy of the best epoch.
    Accuracy,
    /// Validation loss of the best epoch.
    Loss,
    /// Training loss of the best epoch.
    TrainLoss,
    /// The data set.
    Data,
    /// Training images.
    TrainImages,
    /// Trainable numbers of the network.
    Parameters,
    /// The device.
    Device,
    /// The program's version.
    Version,
    /// Digest of the split.
    Split,
    /// Digest of the data set.
    DataDigest,
    /// The user's tags.
    Tags,
    /// The user's notes.
    Notes,
    /// A value of the configuration, by its name in `config.json`.
    Parameter(String),
}

/// What a run has in a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Missing,
    /// Words.
    Text(String),
    /// A number.
    Number(f64),
}

const FIXED: [(Column, &str, &str); 20] = [
    (Column::Name, "name", "Run"),
    (Column::State, "state", "State"),
    (Column::Started, "started", "Last started (UTC)"),
    (Column::Duration, "duration", "Duration"),
    (Column::Energy, "energy", "Energy"),
    (Column::Epochs, "done", "Epochs done"),
    (Column::BestEpoch, "best", "Best epoch"),
    (Column::MacroF1, "f1", "Macro-F1"),
    (Column::Accuracy, "accuracy", "Accuracy"),
    (Column::Loss, "valid_loss", "Valid. loss"),
    (Column::TrainLoss, "train_loss", "Train. loss"),
    (Column::Data, "data_set", "Data set"),
    (Column::TrainImages, "images", "Train. images"),
    (Column::Parameters, "parameters", "Parameters"),
    (Column::Device, "computer", "Device"),
    (Column::Version, "version", "Version"),
    (Column::Split, "split", "Split"),
    (Column::DataDigest, "data_digest", "Data digest"),
    (Column::Tags, "tag", "Tags"),
    (Column::Notes, "notes", "Notes"),
];

impl Column {
    /// Every column that any run can have: the fixed ones, then the values of the configuration.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let fixed = FIXED.iter().map(|(column, ..)| column.clone());
        let values = parameters(&crate::train::Config::default()).into_iter().map(|(name, _)| Self::Parameter(name));
        fixed.chain(values).collect()
    }

    /// The columns of a first start.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        let parameter = |name: &str| Self::Parameter(name.into());
        vec![
            Self::Name,
            Self::State,
            Self::MacroF1,
            Self::Accuracy,
            Self::Loss,
            Self::Epochs,
            Self::Duration,
            parameter("model"),
            parameter("lr"),
            parameter("batch"),
            parameter("seed"),
            Self::Tags,
            Self::Started,
        ]
    }

    /// Its title.
    #[must_use]
    pub fn title(&self) -> &str {
        match self {
            Self::Parameter(name) => name,
            fixed => FIXED.iter().find(|(column, ..)| column == fixed).map_or("", |(.., title)| title),
        }
    }

    /// What it is called in a filter.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::Parameter(name) => name,
            fixed => FIXED.iter().find(|(column, ..)| column == fixed).map_or("", |(_, key, _)| key),
        }
    }

    /// Whether its largest value is the best; `None` where no value is better.
    #[must_use]
    pub fn largest_is_best(&self) -> Option<bool> {
        match self {
            Self::MacroF1 | Self::Accuracy => Some(true),
            Self::Loss | Self::TrainLoss => Some(false),
            _ => None,
        }
    }

    /// What a run has in it.
    #[must_use]
    pub fn value(&self, run: &RunFacts) -> Value {
        let best = |value: fn(&EpochValues) -> f64| run.best.as_ref().map_or(Value::Missing, |best| Value::Number(value(best)));
        let text = |text: &str| if text.is_empty() { Value::Missing } else { Value::Text(text.into()) };
        let count = |count: usize| if count == 0 { Value::Missing } else { Value::Number(count as f64) };
        match self {
            Self::Name => text(run.name()),
            Self::State => text(run.state.name()),
            Self::Started => run.started.map_or(Value::Missing, |time| Value::Number(time as f64)),
            Self::Duration if run.epochs > 0 => Value::Number(run.seconds),
            Self::Duration => Value::Missing,
            Self::Energy => run.energy.map_or(Value::Missing, Value::Number),
            Self::Epochs => Value::Number(run.epochs as f64),
            Self::BestEpoch => run.best.map_or(Value::Missing, |best| Value::Number(best.epoch as f64)),
            Self::MacroF1 => best(|best| best.valid_macro_f1),
            Self::Accuracy => best(|best| best.valid_accuracy),
            Self::Loss => best(|best| best.valid_loss),
            Self::TrainLoss => best(|best| best.train_loss),
            Self::Data => text(&run.data),
            Self::TrainImages => count(run.images[0]),
            Self::Parameters => count(run.weights),
            Self::Device => text(&run.device),
            Self::Version => text(&run.version),
            Self::Split => text(&run.split_digest),
            Self::DataDigest => text(&run.data_digest),
            Self::Tags => text(&run.about.tags.join(", ")),
            Self::Notes => text(run.about.notes.lines().next().unwrap_or_default()),
            Self::Parameter(name) => parameter(run, name),
        }
    }

    /// What a run has in it, as it is shown.
    #[must_use]
    pub fn text(&self, run: &RunFacts) -> String {
        match (self, self.value(run)) {
            (_, Value::Missing) => String::new(),
            (Self::Split | Self::DataDigest, Value::Text(digest)) => digest.chars().take(10).collect(),
            (_, Value::Text(text)) => text,
            (Self::Started, Value::Number(time)) => date(time as u64),
            (Self::Duration, Value::Number(seconds)) => duration(seconds),
            (Self::Energy, Value::Number(joules)) => crate::train::energy_in_words(joules),
            (Self::MacroF1 | Self::Accuracy | Self::Loss | Self::TrainLoss, Value::Number(value)) => format!("{value:.4}"),
            (Self::Epochs, Value::Number(done)) => format!("{done} of {}", run.epochs_wanted()),
            (_, Value::Number(value)) => value.to_string(),
        }
    }
}

fn parameter(run: &RunFacts, name: &str) -> Value {
    match run.parameters.get(name) {
        None | Some(Json::Null) => Value::Missing,
        Some(Json::Number(number)) => number.as_f64().map_or(Value::Missing, Value::Number),
        Some(Json::String(text)) => Value::Text(text.clone()),
        Some(other) => Value::Text(other.to_string()),
    }
}

impl Value {
    /// Orders values: numbers before words, what is missing last.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::Missing => 2,
        };
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.to_lowercase().cmp(&b.to_lowercase()),
            (a, b) => rank(a).cmp(&rank(b)),
        }
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(key: &str) -> Result<Self, String> {
        let column = Self::all().into_iter().find(|column| column.key().eq_ignore_ascii_case(key));
        column.ok_or_else(|| format!("there is no column {key}; the columns are {}", keys().join(", ")))
    }
}

fn keys() -> Vec<String> {
    Column::all().iter().map(|column| column.key().to_owned()).collect()
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl From<Column> for String {
    fn from(column: Column) -> Self {
        column.key().to_owned()
    }
}

impl TryFrom<String> for Column {
    type Error = String;

    fn try_from(key: String) -> Result<Self, String> {
        key.parse()
    }
}

/// `2026-11-23 20:15` in UTC.
fn date(time: u64) -> String {
    let stamp = crate::train::timestamp(std::time::UNIX_EPOCH + std::time::Duration::from_secs(time));
    let (day, clock) = stamp.split_once('_').unwrap_or((&stamp, ""));
    format!("{day} {}", clock.replace('-', ":").get(..5).unwrap_or_default())
}

/// `1 h 05 min`, `4 min 09 s`, `12.3 s`.
fn duration(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let whole = seconds.round() as u64;
    match whole / 3600 {
        0 => format!("{} min {:02} s", whole / 60, whole % 60),
        hours => format!("{hours} h {:02} min", whole / 60 % 60),
    }
}
