//! `calibration.json` beside a run's model: the temperature that makes its probabilities mean what they say. It belongs to
//! one model file, which it names by digest; beside another model it is not used.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The file's name in the model's folder.
pub const CALIBRATION: &str = "calibration.json";

/// A temperature and how it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What logits are divided by, above 0.
    pub temperature: f64,
    /// The epoch whose validation images it was fitted on, counted from 1.
    pub epoch: usize,
    /// How many images those were.
    pub images: usize,
    /// Mean negative logarithm of the label's probability before and after.
    pub negative_log_likelihood: [f64; 2],
    /// Expected calibration error before and after.
    pub expected_error: [f64; 2],
    /// SHA-256 of the model file, hexadecimal.
    pub model: String,
}

impl Calibration {
    /// Where the calibration of a model file lies.
    #[must_use]
    pub fn path(model: &Path) -> PathBuf {
        model.with_file_name(CALIBRATION)
    }

    /// The calibration that lies beside a model file and belongs to it, if there is one. A file that is damaged or belongs to
    /// another model is left alone and told in the log.
    #[must_use]
    pub fn of_model(model: &Path) -> Option<Self> {
        let path = Self::path(model);
        let bytes = std::fs::read(&path).ok()?;
        let wrong = |why: &str| {
            tracing::warn!("{}: {why}; probabilities are not calibrated, store the temperature again", path.display());
            None
        };
        match serde_json::from_slice::<Self>(&bytes) {
            Ok(calibration) if !calibration.temperature.is_finite() || calibration.temperature <= 0.0 => wrong("no temperature above 0"),
            Ok(calibration) => match digest(model) {
                Ok(digest) if digest == calibration.model => Some(calibration),
                Ok(_) => wrong("it belongs to another model"),
                Err(error) => wrong(&error.to_string()),
            },
            Err(error) => wrong(&format!("it cannot be read ({error})")),
        }
    }

    /// Names the model file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn digest(model: &Path) -> io::Result<String> {
        digest(model)
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    io::copy(&mut File::open(path)?, &mut HashWriter(&mut hash))?;
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect())
}

/// Bytes that are written are hashed.
struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
