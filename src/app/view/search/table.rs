//! The table of trials: a click on a head orders, a click on a row shows the trial.

use std::time::Duration;

use egui::{Align, Layout, RichText, Ui};
use egui_extras::{Column as Width, TableBuilder};
use serde::{Deserialize, Serialize};

use super::axis;
use crate::app::action::Action;
use crate::app::searched::{Change, Searched};
use crate::app::view::words;
use crate::app::{theme, widget};
use crate::search::{Direction, StudyRecord, Trial, TrialState};

const ROW: f32 = 21.0;

/// What orders the table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) enum Key {
    /// The number.
    #[default]
    Number,
    /// The state.
    State,
    /// The objective.
    Value,
    /// Epochs.
    Epochs,
    /// Duration.
    Time,
    /// A parameter.
    Parameter(String),
}

/// The table's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Table {
    by: Key,
    descending: bool,
    #[serde(skip)]
    made_for: Option<u64>,
    /// Parameters, each a column.
    #[serde(skip)]
    names: Vec<String>,
    /// Trials in the order of the rows.
    #[serde(skip)]
    rows: Vec<usize>,
}

impl Default for Table {
    fn default() -> Self {
        Self { by: Key::Number, descending: true, made_for: None, names: Vec::new(), rows: Vec::new() }
    }
}

impl Table {
    /// Shows the table of the state `version` of a study.
    pub fn show(&mut self, ui: &mut Ui, search: &Searched, study: &StudyRecord, actions: &mut Vec<Action>) {
        let (version, focus) = (search.changes, search.focus);
        if self.made_for != Some(version) {
            self.names = axis::names(study);
            self.order(study);
            self.made_for = Some(version);
        }
        let heads = [(Key::Number, "Trial"), (Key::State, "State"), (Key::Value, "Value"), (Key::Epochs, "Epochs"), (Key::Time, "Time")];
        let mut heads: Vec<(Key, String)> = heads.map(|(key, title)| (key, title.to_owned())).to_vec();
        heads.extend(self.names.iter().map(|name| (Key::Parameter(name.clone()), name.clone())));
        let best = study.best().map(|trial| trial.number);
        let mut builder = TableBuilder::new(ui)
            .id_salt("trials")
            .striped(true)
            .resizable(true)
            .sense(egui::Sense::click())
            .cell_layout(Layout::left_to_right(Align::Center))
            .auto_shrink(false)
            .min_scrolled_height(0.0);
        for (key, _) in &heads {
            let width = if *key == Key::State { 92.0 } else { 74.0 };
            builder = builder.column(Width::initial(width).at_least(36.0).clip(true));
        }
        let mut clicked = None;
        let builder = builder.header(ROW, |mut header| {
            for (key, title) in &heads {
                header.col(|ui| {
                    if head(ui, title, (key == &self.by).then_some(self.descending)) {
                        clicked = Some(key.clone());
                    }
                });
            }
        });
        builder.body(|body| {
            body.rows(ROW, self.rows.len(), |mut row| {
                let Some(trial) = study.trials.get(self.rows[row.index()]) else { return };
                row.set_selected(focus == Some(trial.number));
                for (key, _) in &heads {
                    row.col(|ui| match key {
                        Key::State => state(ui, trial, search.is_interrupted(trial.number)),
                        _ => cell(ui, key, trial, best == Some(trial.number)),
                    });
                }
                if row.response().clicked() {
                    actions.push(Action::Search(Change::Focus(Some(trial.number))));
                }
            });
        });
        if let Some(key) = clicked {
            self.descending = if key == self.by { !self.descending } else { key == Key::Value && study.direction == Direction::Maximize };
            self.by = key;
            self.order(study);
        }
    }

    fn order(&mut self, study: &StudyRecord) {
        let number = |trial: &Trial| match &self.by {
            Key::Number => Some(trial.number as f64),
            Key::State => Some(f64::from(trial.state as u8)),
            Key::Value => axis::value(trial),
            Key::Epochs => trial.last().map(|(epoch, _)| epoch as f64),
            Key::Time => trial.seconds(),
            Key::Parameter(name) => trial.params.get(name).map(|param| param.internal),
        };
        let mut rows: Vec<(Option<f64>, usize)> = study.trials.iter().map(|trial| (number(trial), trial.number)).collect();
        // what has no value stands last, whichever way
        rows.sort_by(|(a, i), (b, j)| match (a, b) {
            (Some(a), Some(b)) => (if self.descending { b.total_cmp(a) } else { a.total_cmp(b) }).then(i.cmp(j)),
            (a, b) => b.is_some().cmp(&a.is_some()).then(i.cmp(j)),
        });
        self.rows = rows.into_iter().map(|(_, trial)| trial).collect();
    }
}

fn head(ui: &mut Ui, title: &str, ordered: Option<bool>) -> bool {
    let arrow = match ordered {
        None => "",
        Some(false) => " ⏶",
        Some(true) => " ⏷",
    };
    let text = RichText::new(format!("{title}{arrow}")).color(theme::palette(ui.visuals()).muted);
    let response = ui.add(egui::Button::new(text).frame(false).truncate());
    widget::name(ui, &response, egui::Role::Button, &format!("Order trials by {title}"));
    response.clicked()
}

fn cell(ui: &mut Ui, key: &Key, trial: &Trial, best: bool) {
    let text = match key {
        Key::Number if best => format!("{} best", trial.number),
        Key::Number => trial.number.to_string(),
        Key::State => state_name(trial.state).to_owned(),
        Key::Value => axis::value(trial).map_or_else(String::new, |value| format!("{value:.4}")),
        Key::Epochs => trial.last().map_or_else(String::new, |(epoch, _)| epoch.to_string()),
        Key::Time => trial.seconds().map_or_else(String::new, |s| words::duration(Duration::try_from_secs_f64(s).unwrap_or_default())),
        Key::Parameter(name) => trial.params.get(name).map_or_else(String::new, |param| axis::word(&param.value())),
    };
    ui.add(egui::Label::new(text).truncate().selectable(false));
}

fn state(ui: &mut Ui, trial: &Trial, interrupted: bool) {
    let (dot, words) =
        if interrupted { (theme::palette(ui.visuals()).warn, "interrupted") } else { (colour(ui, trial.state), state_name(trial.state)) };
    theme::dot(ui, dot);
    let label = ui.add(egui::Label::new(words).truncate().selectable(false));
    if let Some(error) = trial.user_attrs.get("error").and_then(|error| error.as_str()) {
        label.on_hover_text(error);
    } else if interrupted {
        label.on_hover_text("Its program ended before it did; it goes on when the search does");
    }
}

/// The colour of a state.
pub(super) fn colour(ui: &Ui, state: TrialState) -> egui::Color32 {
    let palette = theme::palette(ui.visuals());
    match state {
        TrialState::Running => palette.accent,
        TrialState::Complete => palette.good,
        TrialState::Pruned | TrialState::Waiting => palette.muted,
        TrialState::Fail => palette.bad,
    }
}

/// A state in a word.
pub(super) fn state_name(state: TrialState) -> &'static str {
    match state {
        TrialState::Running => "running",
        TrialState::Complete => "complete",
        TrialState::Pruned => "pruned",
        TrialState::Fail => "failed",
        TrialState::Waiting => "waiting",
    }
}
