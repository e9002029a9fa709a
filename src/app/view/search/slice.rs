//! The objective against one parameter.

use egui::Ui;

use super::Shown;
use super::axis::{self, Axis};
use super::plot::{self, Dot, Scatter};
use super::table::colour;
use crate::app::{theme, widget};

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct Slice {
    name: String,
}

impl Slice {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        parameter(ui, "Parameter", &mut self.name, shown);
        let Some(along) = Axis::of(shown.study, &self.name) else {
            theme::empty(ui, "No trial yet", "Each trial is a dot here: its value of a parameter, and what came out.");
            return None;
        };
        let trials = shown.study.trials.iter();
        let dots: Vec<Dot> = trials
            .filter_map(|trial| {
                let at = [along.place(trial)?, axis::value(trial)?];
                Some(Dot { at, colour: colour(ui, trial.state), trial: trial.number })
            })
            .collect();
        let summary = format!("{} trials by {}", dots.len(), self.name);
        let up = Axis::plain(shown.objective());
        let axes = [&along, &up];
        let scatter = Scatter { id: "search slice", axes, lines: &[], dots: &dots, behind: None, focus: shown.focus, summary: &summary };
        let (response, trial) = plot::show(ui, &scatter);
        trial.map(|trial| (response, trial))
    }
}

/// Lets the user choose a parameter; if `name` is none of them, takes the first that `others` are not.
pub(super) fn parameter(ui: &mut Ui, label: &str, name: &mut String, shown: Shown<'_>) {
    let names = axis::names(shown.study);
    if !names.contains(name) {
        *name = names.first().cloned().unwrap_or_default();
    }
    let response = egui::ComboBox::from_id_salt(label).selected_text(name.as_str()).show_ui(ui, |ui| {
        for one in &names {
            ui.selectable_value(name, one.clone(), one);
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, label);
}
