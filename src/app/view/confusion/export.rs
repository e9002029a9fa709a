//! What can be written to a file, and how its bytes are made on a task thread.

use std::sync::Arc;

use super::shown::Shown;
use crate::app::action::Action;
use crate::app::review_work as work;
use crate::app::reviewed::{Change, Make};
use crate::review::Table;

/// A file that can be written.
pub(super) struct Offer {
    /// What the menu says.
    pub label: String,
    /// The file's name without run and epoch.
    name: String,
    make: Make,
}

impl Offer {
    /// Writes it into the run's folder of exports.
    pub fn into_action(self, shown: &Shown<'_>) -> Action {
        let name = format!("epoch_{:04}_{}_{}", shown.key.epoch, shown.key.part.name(), self.name);
        Action::Review(Change::Save(shown.export_folder().join(name), self.make))
    }
}

/// A plot as SVG and as PNG.
pub(super) fn plot(what: &str, name: &str, draw: impl Fn() -> String + Send + Sync + 'static) -> [Offer; 2] {
    let draw = Arc::new(draw);
    let again = Arc::clone(&draw);
    let offer =
        |kind: &str, extension: &str, make: Make| Offer { label: format!("{what} as {kind}"), name: format!("{name}.{extension}"), make };
    [offer("PNG", "png", Box::new(move || work::png(&draw()))), offer("SVG", "svg", Box::new(move || Ok(again().into_bytes())))]
}

/// A table as CSV.
pub(super) fn table(what: &str, name: &str, make: impl FnOnce() -> Table + Send + 'static) -> Offer {
    let make: Make = Box::new(move || make().to_csv().map_err(|error| error.to_string()));
    Offer { label: format!("{what} as CSV"), name: format!("{name}.csv"), make }
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
