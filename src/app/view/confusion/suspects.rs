//! Galaxies to look at: labels that are probably wrong, confident mistakes, galaxies that were forgotten over the epochs.

use egui::Ui;

use super::export::Offer;
use super::galaxies::{Galaxies, Which};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::reviewed::Wanted;
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::data::Part;
use crate::metrics::most_forgotten;

/// Which galaxies are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    #[default]
    Labels,
    Mistakes,
    Forgotten,
}

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct SuspectsTab {
    kind: Kind,
}

impl SuspectsTab {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown<'_>, galaxies: &mut Galaxies, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.kind, Kind::Labels, "Label errors");
            ui.selectable_value(&mut self.kind, Kind::Mistakes, "Confident mistakes");
            if shown.key.part == Part::Valid {
                ui.selectable_value(&mut self.kind, Kind::Forgotten, "Forgotten");
            } else if self.kind == Kind::Forgotten {
                self.kind = Kind::Labels;
            }
        });
        let about = match self.kind {
            Kind::Labels => "Labels that are probably wrong, by confident learning (Northcutt et al. 2021). Look before you believe it.",
            Kind::Mistakes => "Wrong, and sure of it.",
            Kind::Forgotten => "Right in one epoch and wrong in the next, most often first (Toneva et al. 2019).",
        };
        ui.label(theme::muted(ui, about));
        let predictions = shown.predictions(actions);
        if shown.waits(ui, predictions.as_ref()) {
            return;
        }
        let Some(Ok(predictions)) = predictions else { return };
        let (key, images) = (shown.key, shown.images());
        match self.kind {
            Kind::Labels => {
                let rows = || {
                    let suspects = predictions.label_errors().suspects;
                    // where it is what the network calls the galaxy, the card says so already
                    let remark = |probably: u32, called: u32| {
                        if probably == called { String::new() } else { format!("probably {}", shown.names[probably as usize]) }
                    };
                    suspects.into_iter().map(|s| (s.image, remark(s.probably, predictions.predicted()[s.image]))).collect()
                };
                galaxies.set(Which::Errors(key), "Probable label errors", images, rows);
            }
            Kind::Mistakes => {
                let rows = || predictions.mistakes().into_iter().map(|place| (place, String::new())).collect();
                galaxies.set(Which::Mistakes(key), "Confident mistakes", images, rows);
            }
            Kind::Forgotten => {
                let Some(record) = shown.record else { return };
                let of = (key.run, record.kept.of(Part::Valid).len());
                let ready = shown.state.review.learning.get(of);
                shown.ask(shown.state.review.learning.lacks(of), Wanted::Learning(of.0, of.1), actions);
                if shown.waits(ui, ready.as_ref()) {
                    return;
                }
                let Some(Ok(learning)) = ready else { return };
                let rows = || {
                    let times = |n: u32| if n == 1 { "once".to_owned() } else { format!("{n} times") };
                    let remark =
                        |place: usize| format!("forgotten {}, right {}/{}", times(learning[place].forgotten), learning[place].right, of.1);
                    most_forgotten(&learning).into_iter().map(|place| (place, remark(place))).collect()
                };
                galaxies.set(Which::Forgotten(key, of.1), "Most forgotten", images, rows);
            }
        }
        ui.push_id("suspects", |ui| galaxies.show(ui, shown, &predictions, thumbnails, actions));
    }
}

/// What this page can write.
pub(super) fn exports(shown: &Shown<'_>, galaxies: &Galaxies) -> Vec<Offer> {
    galaxies.export(shown).into_iter().collect()
}
