//! How much each parameter mattered for coming among the best.

use egui::{ScrollArea, Ui};

use super::Shown;
use crate::app::theme;
use crate::app::widget::probability_bars;
use crate::search;

/// What is drawn, made again only when the study changes.
#[derive(Clone, Default)]
pub(super) struct Importance {
    made_for: Option<u64>,
    bars: Vec<(String, f32)>,
}

impl Importance {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) {
        if self.made_for != Some(shown.version) {
            self.bars = search::importances(shown.study).into_iter().map(|(name, share)| (name, share as f32)).collect();
            self.made_for = Some(shown.version);
        }
        if self.bars.is_empty() {
            theme::empty(
                ui,
                "Nothing to compare yet",
                "Two complete trials or more show which parameters matter; some dozens show it well.",
            );
            return;
        }
        let words = "How far the values of the best tenth of the complete trials differ from those of all (PED-ANOVA). With few trials this \
                     is mostly chance.";
        ui.label(theme::muted(ui, words));
        ui.add_space(theme::GAP);
        ScrollArea::vertical().id_salt("importances").auto_shrink(false).show(ui, |ui| probability_bars::show(ui, &self.bars));
    }
}
