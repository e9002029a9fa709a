//! When to stop early.

use serde::{Deserialize, Serialize};

/// Early stopping on the validation loss: over once it has not fallen by more than `min_delta` below its lowest value for
/// `patience` epochs in a row. The counters are part of a checkpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyStopping {
    /// The lowest validation loss that counted as a fall.
    pub best: Option<f64>,
    /// Epochs since.
    pub waited: usize,
}

impl EarlyStopping {
    /// Takes the validation loss of an epoch; true if the run should end. A `patience` of 0 never ends it.
    pub fn epoch_ended(&mut self, valid_loss: f64, patience: usize, min_delta: f64) -> bool {
        if self.best.is_none_or(|best| valid_loss < best - min_delta) {
            self.best = Some(valid_loss);
            self.waited = 0;
        } else {
            self.waited += 1;
        }
        patience > 0 && self.waited >= patience
    }
}
