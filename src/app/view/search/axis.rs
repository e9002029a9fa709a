//! The axis of a parameter or of the objective: where a value lies on it, and how it is written.

use serde_json::Value;

use crate::app::view::train::form::decimal;
use crate::search::{Distribution, Parameter, StudyRecord, Trial};

/// The axis of a parameter.
#[derive(Clone)]
pub(super) struct Axis {
    /// The parameter.
    pub name: String,
    /// Whether places are logarithms.
    pub log: bool,
    /// The choices, if it has choices: places are their numbers.
    pub choices: Vec<String>,
}

impl Axis {
    /// The axis of a parameter of a study, as the last trial that has it was drawn from it.
    pub fn of(study: &StudyRecord, name: &str) -> Option<Self> {
        let param = study.trials.iter().rev().find_map(|trial| trial.params.get(name))?;
        let (log, choices) = match &*param.distribution {
            Distribution::Float { log, .. } | Distribution::Int { log, .. } => (*log, Vec::new()),
            Distribution::Categorical { choices } => (false, choices.iter().map(word).collect()),
        };
        Some(Self { name: name.to_owned(), log, choices })
    }

    /// An axis of plain numbers.
    pub fn plain(name: impl Into<String>) -> Self {
        Self { name: name.into(), log: false, choices: Vec::new() }
    }

    /// Where a trial lies on it.
    pub fn place(&self, trial: &Trial) -> Option<f64> {
        let internal = trial.params.get(&self.name)?.internal;
        let place = if self.log { internal.log10() } else { internal };
        place.is_finite().then_some(place)
    }

    /// What stands at a place; nothing between two choices.
    pub fn text(&self, place: f64) -> String {
        if self.choices.is_empty() {
            return decimal(if self.log { 10_f64.powf(place) } else { place });
        }
        let whole = (place - place.round()).abs() < 1e-6 && place >= 0.0;
        self.choices.get(place.round().max(0.0) as usize).filter(|_| whole).cloned().unwrap_or_default()
    }
}

/// A value as people read it.
pub(super) fn word(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, decimal),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The values of a parameter in words: "1e-4 to 0.03, log".
pub(super) fn range(parameter: &Parameter) -> String {
    let (ends, log) = match &parameter.distribution {
        Distribution::Float { low, high, log, .. } => ([decimal(*low), decimal(*high)].join(" to "), *log),
        Distribution::Int { low, high, log, .. } => (format!("{low} to {high}"), *log),
        Distribution::Categorical { choices } => (choices.iter().map(word).collect::<Vec<_>>().join(", "), false),
    };
    let log = if log { ", log" } else { "" };
    let when = parameter.when.as_ref().map(|when| format!(", only with {}", when.values.iter().map(word).collect::<Vec<_>>().join(", ")));
    format!("{ends}{log}{}", when.unwrap_or_default())
}

/// The names of all parameters of a study.
pub(super) fn names(study: &StudyRecord) -> Vec<String> {
    let mut names: Vec<String> = study.trials.iter().flat_map(|trial| trial.params.keys().cloned()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The value by which a trial is drawn: of complete and of pruned trials.
pub(super) fn value(trial: &Trial) -> Option<f64> {
    trial.value.or_else(|| trial.last().map(|(_, value)| value)).filter(|value| value.is_finite())
}

/// 0 for the worst of some values, 1 for the best.
pub(super) fn goodness(study: &StudyRecord, values: &[f64]) -> impl Fn(f64) -> f64 + use<> {
    let direction = study.direction;
    let costs = values.iter().map(|value| direction.cost(*value));
    let (low, high) = costs.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), cost| (low.min(cost), high.max(cost)));
    move |value| if high > low { (high - direction.cost(value)) / (high - low) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_values() {
        let log = Axis { log: true, ..Axis::plain("lr") };
        assert_eq!((log.text(-2.0), log.text(-4.0)), ("0.01".into(), "1e-4".into()));
        let choices = Axis { choices: vec!["adamw".into(), "sgd".into()], ..Axis::plain("optimizer") };
        assert_eq!([0.0, 0.5, 1.0, 2.0, -1.0].map(|place| choices.text(place)), ["adamw", "", "sgd", "", ""]);
    }
}
