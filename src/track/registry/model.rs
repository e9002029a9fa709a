//! What is written down of a registered model (`model.json`) and of each of its versions (`version.json`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::At;

/// The version of the form of both files.
pub(super) const FORMAT: u32 = 1;

/// What says which of two versions is better, on the validation images at the version's epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Macro-F1, the higher the better.
    #[default]
    MacroF1,
    /// Accuracy, the higher the better.
    Accuracy,
    /// Loss, the lower the better.
    Loss,
}

impl Measure {
    /// What it is called in a sentence.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::MacroF1 => "macro-F1",
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
        }
    }

    /// What a version has of it.
    #[must_use]
    pub fn of(self, version: &ModelVersion) -> f64 {
        match self {
            Self::MacroF1 => version.macro_f1,
            Self::Accuracy => version.accuracy,
            Self::Loss => version.loss,
        }
    }

    /// Whether one number is better than another; one that is not finite never is.
    #[must_use]
    pub fn is_better(self, number: f64, than: f64) -> bool {
        let better = if self == Self::Loss { number < than } else { number > than };
        number.is_finite() && (better || !than.is_finite())
    }
}

/// A version of a registered model: the best epoch of a run when it was registered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The form of the file.
    pub(super) format: u32,
    /// The model's name.
    pub model: String,
    /// Its number, from 1; never given twice.
    pub version: u32,
    /// When it was registered, seconds since 1970-01-01 UTC.
    pub registered: u64,
    /// The run that trained it: its folder below the one where runs are kept, or its whole path if it is elsewhere.
    pub run: String,
    /// The epoch, counted from 1.
    pub epoch: usize,
    /// The data set's name.
    pub data: String,
    /// Digest of the data set (hexadecimal); empty if the run does not say.
    pub data_digest: String,
    /// Digest of the split (hexadecimal).
    pub split_digest: String,
    /// Macro-F1 on the validation images.
    pub macro_f1: f64,
    /// Accuracy on the validation images.
    pub accuracy: f64,
    /// Mean loss on the validation images.
    pub loss: f64,
    /// SHA-256 of the model file (hexadecimal).
    pub sha256: String,
    /// Bytes of the model file.
    pub bytes: u64,
    /// What was said when it was registered.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

impl ModelVersion {
    /// Whether both were measured on the same images of the same data, as far as both say.
    #[must_use]
    pub fn same_images(&self, other: &Self) -> bool {
        let data = self.data_digest.is_empty() || other.data_digest.is_empty() || self.data_digest == other.data_digest;
        data && !self.split_digest.is_empty() && self.split_digest == other.split_digest
    }
}

impl fmt::Display for ModelVersion {
    /// `galaxy-classifier@3`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.model, self.version)
    }
}

/// A registered model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredModel {
    /// The form of the file.
    pub(super) format: u32,
    /// Its name.
    #[serde(skip)]
    pub name: String,
    /// When its first version was registered, seconds since 1970-01-01 UTC.
    pub created: u64,
    /// What makes a version the better one.
    pub measure: Measure,
    /// The highest number that was given to a version.
    pub last: u32,
    /// The versions that aliases name.
    pub aliases: BTreeMap<String, u32>,
    /// Its versions, the lowest number first.
    #[serde(skip)]
    pub versions: Vec<ModelVersion>,
}

impl RegisteredModel {
    /// The version of a number.
    #[must_use]
    pub fn version(&self, number: u32) -> Option<&ModelVersion> {
        self.versions.iter().find(|version| version.version == number)
    }

    /// The aliases of a version, in the order of the alphabet.
    pub fn aliases_of(&self, number: u32) -> impl Iterator<Item = &str> {
        self.aliases.iter().filter(move |(_, named)| **named == number).map(|(alias, _)| alias.as_str())
    }

    /// The version that is meant, if it is there.
    #[must_use]
    pub fn at(&self, at: &At) -> Option<&ModelVersion> {
        match at {
            At::Version(number) => self.version(*number),
            At::Alias(alias) => self.named(alias),
            At::Latest => self.versions.last(),
        }
    }

    /// The version that an alias names, if that is there.
    #[must_use]
    pub fn named(&self, alias: &str) -> Option<&ModelVersion> {
        self.aliases.get(alias).and_then(|number| self.version(*number))
    }
}
