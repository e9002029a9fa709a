//! The objective of every trial and the best so far.

use std::time::Duration;

use egui::Ui;
use egui_plot::PlotPoint;
use serde::{Deserialize, Serialize};

use super::Shown;
use super::axis::{self, Axis};
use super::plot::{self, Dot, Scatter, Thread};
use super::table::colour;
use crate::app::theme;
use crate::app::view::words;
use crate::search::{StudyRecord, TrialState};

/// The page's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct History {
    by_time: bool,
    #[serde(skip)]
    made_for: Option<(u64, bool)>,
    /// Trial, state, place.
    #[serde(skip)]
    trials: Vec<(usize, TrialState, [f64; 2])>,
    #[serde(skip)]
    best: Vec<PlotPoint>,
}

impl History {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        ui.checkbox(&mut self.by_time, "By time").on_hover_text("To the right: hours of training in all, not the number of the trial");
        if self.made_for != Some((shown.version, self.by_time)) {
            self.update(shown.study);
            self.made_for = Some((shown.version, self.by_time));
        }
        let Some(last) = self.best.last() else {
            theme::empty(ui, "No value yet", "Each trial is a dot here after its first epoch.");
            return None;
        };
        let palette = theme::palette(ui.visuals());
        let dots: Vec<Dot> = self.trials.iter().map(|&(trial, state, at)| Dot { at, colour: colour(ui, state), trial }).collect();
        let line = Thread { points: &self.best, colour: palette.accent, width: theme::LINE, trial: None };
        let summary = format!("{} trials, the best so far {:.4}", dots.len(), last.y);
        let along = Axis::plain(if self.by_time { "hours" } else { "trial" });
        let up = Axis::plain(shown.objective());
        let scatter = Scatter {
            id: "search history",
            axes: [&along, &up],
            lines: &[line],
            dots: &dots,
            behind: None,
            focus: shown.focus,
            summary: &summary,
        };
        let (response, trial) = plot::show(ui, &scatter);
        trial.map(|trial| (response, trial))
    }

    fn update(&mut self, study: &StudyRecord) {
        self.trials.clear();
        self.best.clear();
        let mut best: Option<f64> = None;
        let mut hours = 0.0;
        for trial in &study.trials {
            hours += trial.seconds().unwrap_or(0.0).max(0.0) / 3600.0;
            let Some(value) = axis::value(trial) else { continue };
            let x = if self.by_time { hours } else { trial.number as f64 };
            self.trials.push((trial.number, trial.state, [x, value]));
            // only a whole trial can be the best
            if trial.state == TrialState::Complete && best.is_none_or(|best| study.direction.is_better(value, best)) {
                if let Some(before) = best {
                    self.best.push(PlotPoint::new(x, before));
                }
                best = Some(value);
                self.best.push(PlotPoint::new(x, value));
            }
        }
        if let (Some(best), Some((.., [x, _]))) = (best, self.trials.last()) {
            self.best.push(PlotPoint::new(*x, best));
        }
        if self.best.is_empty() {
            // while none is whole there is no best, but there may be dots
            self.best.extend(self.trials.last().map(|(.., [x, y])| PlotPoint::new(*x, *y)));
        }
    }
}

/// "3 min": how long all trials took together.
pub(super) fn total(study: &StudyRecord) -> String {
    let seconds: f64 = study.trials.iter().filter_map(crate::search::Trial::seconds).sum();
    words::duration(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
