//! What of a run can be written to files.

use std::sync::Arc;

use super::shown::Shown;
use crate::app::action::Action;
use crate::app::review_work as work;
use crate::app::reviewed::{Change, Make};
pub(super) use crate::app::view::offer::{Offer, plot, table};

/// The longest that a file's name gets by its words, characters.
const LONGEST: usize = 80;

/// Writes a file into the run's folder of exports.
pub(super) fn write(offer: Offer, shown: &Shown<'_>) -> Action {
    let name = format!("epoch_{:04}_{}_{}", shown.key.epoch, shown.key.part.name(), offer.name);
    Action::Review(Change::Save(shown.export_folder().join(name), offer.make))
}

/// Words as a part of a file's name: letters and digits, and one sign for everything between them.
pub(super) fn file_name(words: &str) -> String {
    let parts: Vec<String> = words.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty()).map(str::to_lowercase).collect();
    parts.join("_").chars().take(LONGEST).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_become_names_that_every_system_takes() {
        assert_eq!(file_name("In-between Round Smooth called \"Barred\" / Ü?"), "in_between_round_smooth_called_barred_ü");
        assert_eq!((file_name(" …"), file_name(&"x ".repeat(99)).len()), (String::new(), LONGEST));
    }
}
