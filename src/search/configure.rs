//! A set of values -> a configuration.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use serde_json::Value;

use super::{Distribution, SearchError};
use crate::augment::Preset;
use crate::train::Config;

/// The name of the augmentation preset in a space.
const PRESET: &str = "augmentation";

/// Fields that are no matter of a search, and what to do about them.
const FIXED: &[(&str, &str)] = &[
    ("data", "choose the data with --data"),
    ("synthetic_images", "choose their number with --synthetic-images"),
    ("epochs", "choose the most epochs of a trial with --epochs"),
    ("seed", "choose it with --seed; all trials have the same"),
    ("split_seed", "choose it with --split-seed; all trials have the same split"),
    ("best_by", "it follows from --objective"),
    ("snapshots", "choose it with --snapshots"),
    ("threads", "choose it with --threads"),
    ("device", "choose it with --device"),
    ("precision", "choose it with --precision"),
];

/// A parameter of a trial: its value and what it was drawn from.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// The value, as Optuna keeps it: a number as it is, a choice as its index.
    pub internal: f64,
    /// What it was drawn from.
    pub distribution: Arc<Distribution>,
}

impl Param {
    /// The value as a configuration has it.
    #[must_use]
    pub fn value(&self) -> Value {
        self.distribution.value(self.internal)
    }
}

/// The parameters of a trial by their names.
pub type Params = BTreeMap<String, Param>;

/// Parameters from (name, internal number, distribution).
pub(super) fn params<'a>(list: impl IntoIterator<Item = (&'a str, f64, &'a Distribution)>) -> Params {
    let param = |(name, internal, distribution): (&str, f64, &Distribution)| {
        (name.to_owned(), Param { internal, distribution: Arc::new(distribution.clone()) })
    };
    list.into_iter().map(param).collect()
}

/// "batch 32, lr 0.0123": parameters in words.
#[must_use]
pub fn words(params: &Params) -> String {
    let mut text = String::new();
    for (name, param) in params {
        let comma = if text.is_empty() { "" } else { ", " };
        // writing to a text cannot fail
        let _ = match param.value() {
            Value::Number(n) if n.is_f64() => write!(text, "{comma}{name} {}", short(n.as_f64().unwrap_or(f64::NAN))),
            Value::String(choice) => write!(text, "{comma}{name} {choice}"),
            other => write!(text, "{comma}{name} {other}"),
        };
    }
    text
}

/// A number with four digits that matter.
fn short(x: f64) -> String {
    if x != 0.0 && !(1e-3..1e4).contains(&x.abs()) {
        format!("{x:.3e}")
    } else {
        let digits = (3 - x.abs().max(1e-3).log10().floor() as i32).max(0) as usize;
        let text = format!("{x:.digits$}");
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

/// What values a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Float,
    Int,
    Choice,
}

/// The names of all fields that can be searched; "augmentation" is the preset, and its own fields stand after it.
#[must_use]
pub fn fields() -> Vec<String> {
    let config = serde_json::to_value(Config::default()).unwrap_or_default();
    let keys = |object: &Value| object.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let mut names = [keys(&config), keys(&config[PRESET])].concat();
    names.retain(|key| FIXED.iter().all(|(fixed, _)| fixed != key));
    names
}

/// The kind of the field `name`; an error says why it cannot be searched.
pub(super) fn field(name: &str) -> Result<FieldKind, String> {
    if name == PRESET {
        return Ok(FieldKind::Choice);
    }
    if let Some((_, advice)) = FIXED.iter().find(|(fixed, _)| *fixed == name) {
        return Err(format!("is not searched; {advice}"));
    }
    let config = serde_json::to_value(Config::default()).unwrap_or_default();
    match config.get(name).or_else(|| config[PRESET].get(name)) {
        Some(Value::Number(n)) if n.is_f64() => Ok(FieldKind::Float),
        Some(Value::Number(_)) => Ok(FieldKind::Int),
        Some(_) => Ok(FieldKind::Choice),
        None => Err(format!("there is no such field; choose among {}", fields().join(", "))),
    }
}

/// `base` with the values of a trial: the preset of the augmentation first, then every field. It may still have
/// [`errors`](Config::errors).
///
/// # Errors
/// If a field is unknown or takes no such value.
pub fn config(base: &Config, params: &Params) -> Result<Config, SearchError> {
    let refused = |name: &str, value: &Value, why: String| SearchError::Values(format!("{name} cannot be {value}: {why}"));
    let mut config = base.clone();
    if let Some(preset) = params.get(PRESET).map(Param::value) {
        let preset: Preset = serde_json::from_value(preset.clone()).map_err(|e| refused(PRESET, &preset, e.to_string()))?;
        config.augmentation = preset.augmentation();
    }
    for (name, param) in params.iter().filter(|(name, _)| *name != PRESET) {
        let mut fields = serde_json::to_value(&config).map_err(|e| SearchError::Values(e.to_string()))?;
        let value = param.value();
        let place = if fields.get(name).is_some() { fields.get_mut(name) } else { fields[PRESET].get_mut(name) };
        *place.ok_or_else(|| refused(name, &value, "there is no such field".into()))? = value.clone();
        config = serde_json::from_value(fields).map_err(|e| refused(name, &value, e.to_string()))?;
    }
    Ok(config)
}
