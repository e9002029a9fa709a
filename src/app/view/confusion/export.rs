//! What of a run can be written to files.

use std::sync::Arc;

use super::shown::Shown;
use crate::app::action::Action;
use crate::app::review_work as work;
use crate::app::reviewed::{Change, Make};
pub(super) use crate::app::view::offer::{Offer, plot, table};

/// Writes a file into the run's folder of exports.
pub(super) fn write(offer: Offer, shown: &Shown<'_>) -> Action {
    let name = format!("epoch_{:04}_{}_{}", shown.key.epoch, shown.key.part.name(), offer.name);
    Action::Review(Change::Save(shown.export_folder().join(name), offer.make))
}

/// The whole run as one page, if it is on disk.
pub(super) fn report(shown: &Shown<'_>) -> Option<Offer> {
    let record = Arc::clone(shown.record?);
    let (part, epoch) = (shown.key.part, shown.key.epoch);
    let set = shown.data.map(|data| Arc::clone(&data.set));
    let ready = shown.state.review.predictions.get(shown.key).and_then(Result::ok);
    let make: Make = Box::new(move || {
        let read = || record.predictions(part, epoch).map(Arc::new).ok();
        let predictions = ready.or_else(read);
        Ok(work::report(&record, part, epoch, predictions.as_deref(), set.as_deref()))
    });
    Some(Offer { label: "Report as HTML".into(), name: "report.html".into(), make })
}
