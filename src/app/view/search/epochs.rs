//! The objective over the epochs of every trial; those that were stopped early in grey.

use egui::Ui;
use egui_plot::PlotPoint;

use super::Shown;
use super::axis::{self, Axis};
use super::plot::{self, Scatter, Thread};
use crate::app::theme;
use crate::search::TrialState;

/// What is drawn, made again only when the study changes.
#[derive(Clone, Default)]
pub(super) struct Epochs {
    made_for: Option<u64>,
    /// Trial, state, how good it is among all (0 to 1), points; those in grey first.
    lines: Vec<(usize, TrialState, f64, Vec<PlotPoint>)>,
}

impl Epochs {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        if self.made_for != Some(shown.version) {
            self.update(shown);
        }
        if self.lines.is_empty() {
            theme::empty(ui, "No epoch yet", "Each trial is a line here; those that were stopped early are grey.");
            return None;
        }
        let palette = theme::palette(ui.visuals());
        let (low, span) = if ui.visuals().dark_mode { (0.3, 0.65) } else { (0.05, 0.7) };
        let thread = |(trial, state, good, points): &'_ (usize, TrialState, f64, Vec<PlotPoint>)| {
            let (colour, width) = match state {
                TrialState::Running => (palette.accent, 2.2),
                TrialState::Complete => (theme::heat(low + span * good), 1.4),
                _ => (palette.muted.gamma_multiply(0.4), 1.0),
            };
            let (colour, width) = if shown.focus == Some(*trial) { (palette.accent, 2.6) } else { (colour, width) };
            (*trial, colour, width, points.clone())
        };
        let drawn: Vec<_> = self.lines.iter().map(thread).collect();
        let lines: Vec<Thread> = drawn
            .iter()
            .map(|(trial, colour, width, points)| Thread { points, colour: *colour, width: *width, trial: Some(*trial) })
            .collect();
        let count = |wanted: TrialState| self.lines.iter().filter(|(_, state, ..)| *state == wanted).count();
        let summary = format!("{} trials over their epochs, {} of them stopped early", lines.len(), count(TrialState::Pruned));
        let (along, up) = (Axis::plain("epoch"), Axis::plain(shown.objective()));
        let scatter = Scatter {
            id: "search epochs",
            axes: [&along, &up],
            lines: &lines,
            dots: &[],
            behind: None,
            focus: shown.focus,
            summary: &summary,
        };
        let (response, trial) = plot::show(ui, &scatter);
        trial.map(|trial| (response, trial))
    }

    fn update(&mut self, shown: Shown<'_>) {
        let study = shown.study;
        let values: Vec<f64> = study.trials.iter().filter(|t| t.state == TrialState::Complete).filter_map(axis::value).collect();
        let good = axis::goodness(study, &values);
        let drawn = study.trials.iter().filter(|trial| !trial.intermediate.is_empty());
        let mut lines: Vec<_> = drawn
            .map(|trial| {
                let points = trial.intermediate.iter().map(|(epoch, value)| PlotPoint::new(*epoch as f64, *value)).collect();
                (trial.number, trial.state, axis::value(trial).map_or(0.0, &good).clamp(0.0, 1.0), points)
            })
            .collect();
        lines.sort_by_key(|(_, state, ..)| match state {
            TrialState::Complete => 1,
            TrialState::Running => 2,
            _ => 0,
        });
        self.lines = lines;
        self.made_for = Some(shown.version);
    }
}
