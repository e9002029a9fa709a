//! Parallel coordinates of the trials.

use egui::Ui;

use super::Shown;
use super::axis::{self, Axis};
use crate::app::theme;
use crate::app::widget::parallel::{self, Emphasis, MOST};
use crate::search::{Trial, TrialState, importances};

/// What is drawn, made again only when the study changes.
#[derive(Clone, Default)]
pub(super) struct Parallel {
    made_for: Option<u64>,
    /// Trials with a value.
    trials: Vec<(usize, TrialState)>,
    axes: Vec<parallel::Axis>,
}

impl Parallel {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        if self.made_for != Some(shown.version) {
            self.update(shown);
        }
        if self.trials.len() < 2 || self.axes.len() < 2 {
            theme::empty(ui, "Nothing to set in parallel", "Two trials or more are drawn here: which values go with a good objective.");
            return None;
        }
        let emphasis = |at: usize| match self.trials[at] {
            (trial, _) if shown.focus == Some(trial) => Emphasis::Strong,
            (_, TrialState::Complete) => Emphasis::Usual,
            _ => Emphasis::Grey,
        };
        let summary = format!("{} trials on {} axes, the objective at the right", self.trials.len(), self.axes.len());
        let lines = parallel::Parallel { axes: &self.axes, count: self.trials.len(), emphasis: &emphasis, summary: &summary };
        let (response, near) = parallel::show(ui, &lines);
        near.map(|at| (response, self.trials[at].0))
    }

    fn update(&mut self, shown: Shown<'_>) {
        let study = shown.study;
        let trials: Vec<&Trial> = study.trials.iter().filter(|trial| axis::value(trial).is_some()).collect();
        // those that matter most, if there are too many
        let mut names: Vec<String> = importances(study).into_iter().map(|(name, _)| name).collect();
        if names.is_empty() {
            names = axis::names(study);
        }
        names.truncate(MOST - 1);
        let mut axes: Vec<parallel::Axis> =
            names.iter().filter_map(|name| Axis::of(study, name)).map(|axis| scaled(&axis, &trials)).collect();
        let objective = Axis::plain(shown.objective());
        axes.push(places(&objective, trials.iter().map(|trial| axis::value(trial)).collect()));
        self.trials = trials.iter().map(|trial| (trial.number, trial.state)).collect();
        self.axes = axes;
        self.made_for = Some(shown.version);
    }
}

fn scaled(axis: &Axis, trials: &[&Trial]) -> parallel::Axis {
    places(axis, trials.iter().map(|trial| axis.place(trial)).collect())
}

/// Values from the least at the bottom to the greatest at the top.
fn places(axis: &Axis, values: Vec<Option<f64>>) -> parallel::Axis {
    let (low, high) = values.iter().flatten().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)));
    let place = |value: f64| if high > low { ((value - low) / (high - low)) as f32 } else { 0.5 };
    parallel::Axis {
        title: axis.name.clone(),
        ends: [axis.text(low), axis.text(high)],
        places: values.into_iter().map(|value| value.map(place)).collect(),
    }
}
