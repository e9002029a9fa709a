//! The temperature of a run's model, stored beside it.

use super::{Analysis, Record, ReviewError};
use crate::explain::Calibration;
use crate::files;

/// Stores the temperature that fits the validation images at the best epoch beside the run's best model, where whatever
/// classifies with that model finds it. `analysis` is of that epoch.
///
/// # Errors
/// If there is no model, or the file cannot be written.
pub fn store_temperature(record: &Record, epoch: usize, analysis: &Analysis) -> Result<Calibration, ReviewError> {
    let model = record.folder.best_model();
    let digest = Calibration::digest(&model)
        .map_err(|error| ReviewError::Request(format!("{}: {error}; a temperature needs the model it belongs to", model.display())))?;
    let best = record.session.best_epoch().map(|e| e.epoch);
    if best != Some(epoch) {
        let best = best.map_or("not known".to_owned(), |best| best.to_string());
        return Err(ReviewError::Request(format!("the model is that of the best epoch ({best}), not of epoch {epoch}; choose that epoch")));
    }
    let calibration = Calibration {
        temperature: analysis.temperature,
        epoch,
        images: analysis.predictions.len(),
        negative_log_likelihood: [analysis.reliability.negative_log_likelihood, analysis.calibrated.negative_log_likelihood],
        expected_error: [analysis.reliability.expected_error, analysis.calibrated.expected_error],
        model: digest,
    };
    let path = Calibration::path(&model);
    let text = serde_json::to_vec_pretty(&calibration).map_err(|error| ReviewError::Request(format!("{}: {error}", path.display())))?;
    files::write_whole(&path, &text)
        .map_err(|error| ReviewError::Request(format!("{}: {error}; make room or free the folder for writing", path.display())))?;
    Ok(calibration)
}
