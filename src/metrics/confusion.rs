//! The confusion matrix and what follows from it.

use serde::{Deserialize, Serialize};

/// Counts of (true class, predicted class). Serialised as a list of rows, one row a true class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<Vec<u64>>", try_from = "Vec<Vec<u64>>")]
pub struct Confusion {
    classes: usize,
    counts: Vec<u64>,
}

impl Confusion {
    /// All zeros for `classes` classes.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts one image.
    ///
    /// # Panics
    /// If either class is out of range.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        assert!(truth < self.classes && predicted < self.classes, "class out of range");
        self.counts[truth * self.classes + predicted] += 1;
    }

    /// The number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Images of class `truth` that were called `predicted`.
    #[must_use]
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        self.counts[truth * self.classes + predicted]
    }

    /// One row a true class, `classes * classes` counts.
    #[must_use]
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }
}

impl From<Confusion> for Vec<Vec<u64>> {
    fn from(c: Confusion) -> Self {
        if c.classes == 0 {
            return Self::new();
        }
        c.counts.chunks(c.classes).map(<[u64]>::to_vec).collect()
    }
}

impl TryFrom<Vec<Vec<u64>>> for Confusion {
    type Error = String;

    fn try_from(rows: Vec<Vec<u64>>) -> Result<Self, String> {
        let classes = rows.len();
        if rows.iter().any(|row| row.len() != classes) {
            return Err(format!("a confusion matrix of {classes} rows needs {classes} numbers in each row"));
        }
        Ok(Self { classes, counts: rows.concat() })
    }
}
