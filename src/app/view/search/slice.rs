//! The objective against one parameter.

use egui::Ui;

use super::Shown;
use super::axis::{self, Axis};
use super::plot::{self, Dot, Scatter};
use super::table::colour;
use crate::app::{theme, widget};
use crate::search::{Trial, TrialState};

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct Slice {
    name: String,
    names: Names,
    made_for: Option<(u64, String)>,
    made: Option<Made>,
}

/// What is drawn, made again only when the study or the parameter changes.
#[derive(Clone)]
struct Made {
    along: Axis,
    up: Axis,
    /// Trial, state, place.
    trials: Vec<(usize, TrialState, [f64; 2])>,
    summary: String,
}

impl Slice {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        self.names.parameter(ui, "Parameter", &mut self.name, shown);
        if self.made_for.as_ref().is_none_or(|(version, name)| *version != shown.version || *name != self.name) {
            self.made = make(shown, &self.name);
            self.made_for = Some((shown.version, self.name.clone()));
        }
        let Some(Made { along, up, trials, summary }) = &self.made else {
            theme::empty(ui, "No trial yet", "Each trial is a dot here: its value of a parameter, and what came out.");
            return None;
        };
        let dots: Vec<Dot> = trials.iter().map(|&(trial, state, at)| Dot { at, colour: colour(ui, state), trial }).collect();
        let axes = [along, up];
        let scatter = Scatter { id: "search slice", axes, lines: &[], dots: &dots, behind: None, focus: shown.focus, summary };
        let (response, trial) = plot::show(ui, &scatter);
        trial.map(|trial| (response, trial))
    }
}

fn make(shown: Shown<'_>, name: &str) -> Option<Made> {
    let along = Axis::of(shown.study, name)?;
    let place = |trial: &Trial| Some((trial.number, trial.state, [along.place(trial)?, axis::value(trial)?]));
    let trials: Vec<_> = shown.study.trials.iter().filter_map(place).collect();
    let summary = format!("{} trials by {name}", trials.len());
    Some(Made { along, up: Axis::plain(shown.objective()), trials, summary })
}

/// The parameters of the study that is shown, collected again only when it changes.
#[derive(Clone, Default)]
pub(super) struct Names {
    made_for: Option<u64>,
    all: Vec<String>,
}

impl Names {
    /// The names.
    pub fn all(&mut self, shown: Shown<'_>) -> &[String] {
        if self.made_for != Some(shown.version) {
            self.all = axis::names(shown.study);
            self.made_for = Some(shown.version);
        }
        &self.all
    }

    /// Lets the user choose a parameter; if `name` is none of them, takes the first.
    pub fn parameter(&mut self, ui: &mut Ui, label: &str, name: &mut String, shown: Shown<'_>) {
        let names = self.all(shown);
        if !names.contains(name) {
            *name = names.first().cloned().unwrap_or_default();
        }
        let response = egui::ComboBox::from_id_salt(label).selected_text(name.as_str()).show_ui(ui, |ui| {
            for one in names {
                ui.selectable_value(name, one.clone(), one);
            }
        });
        widget::name(ui, &response.response, egui::Role::ComboBox, label);
    }
}
