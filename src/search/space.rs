//! Which fields of a configuration are searched, and over what: from a file, or the built-in default.
//!
//! A file (TOML or JSON) has one table a field. The kind follows from the field: a number takes `low` and `high` (and `log` or
//! `step`), anything takes `choices`; `when` makes a field active only where another has a given value:
//!
//! ```toml
//! lr = { low = 1e-4, high = 1e-2, log = true }
//! batch = { choices = [16, 32, 64] }
//! optimizer = { choices = ["adamw", "sgd"] }
//! momentum = { low = 0.8, high = 0.99, when = { optimizer = "sgd" } }
//! augmentation = { choices = ["turns", "gentle", "strong"] }
//! ```

mod adopted;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::configure::{self, FieldKind};
use super::{Distribution, Params, SearchError};
use crate::train::Config;

/// The built-in space: what matters most for these networks.
const DEFAULT: &str = r#"
lr = { low = 3e-4, high = 3e-2, log = true }
weight_decay = { low = 1e-4, high = 1e-1, log = true }
batch = { choices = [16, 32, 64] }
optimizer = { choices = ["adamw", "radam", "sgd"] }
momentum = { low = 0.8, high = 0.98, when = { optimizer = "sgd" } }
schedule = { choices = ["one_cycle", "cosine", "constant"] }
beta = { low = 0.0, high = 0.99 }
gamma = { low = 0.0, high = 3.0 }
augmentation = { choices = ["turns", "gentle", "strong"] }
"#;

/// One field that is searched.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// The field of [`Config`] or of its augmentation, or "augmentation" for a preset.
    pub name: String,
    /// What values it may take.
    pub distribution: Distribution,
    /// Active only if this holds; a field that is not active keeps the value of the base configuration.
    pub when: Option<Condition>,
}

/// That another parameter has one of some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The other parameter.
    pub parameter: String,
    /// Its values that make the condition hold.
    pub values: Vec<Value>,
}

impl Condition {
    /// Whether it holds among `params`.
    #[must_use]
    pub fn holds(&self, params: &Params) -> bool {
        params.get(&self.parameter).is_some_and(|param| self.values.contains(&param.value()))
    }
}

/// What is searched. Parameters stand after those that they wait for.
#[derive(Clone, Debug, PartialEq)]
pub struct Space {
    parameters: Vec<Parameter>,
}

/// One table of a file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    #[serde(skip_serializing_if = "Option::is_none")]
    low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    log: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choices: Option<Vec<Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<Map<String, Value>>,
}

impl Default for Space {
    fn default() -> Self {
        Self::parse(DEFAULT).unwrap_or(Self { parameters: Vec::new() })
    }
}

impl Space {
    /// The space in a file.
    ///
    /// # Errors
    /// If the file cannot be read or is no space; the message names every fault.
    pub fn read(path: &Path) -> Result<Self, SearchError> {
        Self::parse(&std::fs::read_to_string(path).map_err(|e| SearchError::io(path, e))?)
    }

    /// The space in a text, TOML or JSON.
    ///
    /// # Errors
    /// If it is no space; the message names every fault.
    pub fn parse(text: &str) -> Result<Self, SearchError> {
        let one = |fault: String| SearchError::Space { faults: vec![fault] };
        let entries: BTreeMap<String, Value> = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|e| one(format!("this is no JSON ({e})")))?
        } else {
            toml::from_str(text).map_err(|e| one(format!("this is no TOML: {e}")))?
        };
        if entries.is_empty() {
            return Err(one("it names no field; name at least one, such as lr = { low = 1e-4, high = 1e-2, log = true }".into()));
        }
        let mut faults = Vec::new();
        let mut parameters = Vec::new();
        for (name, entry) in entries {
            match parameter(&name, entry) {
                Ok(parameter) => parameters.push(parameter),
                Err(fault) => faults.push(format!("{name}: {fault}")),
            }
        }
        if !faults.is_empty() {
            return Err(SearchError::Space { faults });
        }
        Self::new(parameters)
    }

    /// A space of these parameters, in an order in which none waits for a later one.
    ///
    /// # Errors
    /// If a distribution has a fault, or a condition can never hold.
    pub fn new(parameters: Vec<Parameter>) -> Result<Self, SearchError> {
        let mut faults: Vec<String> =
            parameters.iter().filter_map(|p| p.distribution.fault().map(|fault| format!("{}: {fault}", p.name))).collect();
        for parameter in &parameters {
            faults.extend(condition_fault(parameter, &parameters));
        }
        let (mut placed, mut waiting): (Vec<Parameter>, Vec<Parameter>) = (Vec::new(), parameters);
        while faults.is_empty() && !waiting.is_empty() {
            let ready = |p: &Parameter| p.when.as_ref().is_none_or(|when| placed.iter().any(|other| other.name == when.parameter));
            let (ready, later): (Vec<Parameter>, Vec<Parameter>) = waiting.into_iter().partition(ready);
            if ready.is_empty() {
                let names: Vec<&str> = later.iter().map(|p| p.name.as_str()).collect();
                faults.push(format!("{} wait for each other; take one `when` away", names.join(", ")));
            }
            placed.extend(ready);
            waiting = later;
        }
        if faults.is_empty() { Ok(Self { parameters: placed }) } else { Err(SearchError::Space { faults }) }
    }

    /// The parameters; none waits for a later one.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The parameter of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|p| p.name == name)
    }

    /// The largest number that a parameter may take; `None` if it is not searched or no number.
    #[must_use]
    pub fn largest(&self, name: &str) -> Option<f64> {
        match &self.get(name)?.distribution {
            Distribution::Float { high, .. } => Some(*high),
            Distribution::Int { high, .. } => Some(*high as f64),
            Distribution::Categorical { choices } => choices.iter().filter_map(Value::as_f64).reduce(f64::max),
        }
    }

    /// The space without batches of more than `images` training images, which no run takes; what was left out in words, if anything.
    ///
    /// # Errors
    /// If no batch is left.
    pub fn without_larger_batches(&self, images: usize) -> Result<(Self, Option<String>), SearchError> {
        let mut parameters = self.parameters.clone();
        let Some(batch) = parameters.iter_mut().find(|p| p.name == "batch") else { return Ok((self.clone(), None)) };
        let fits = |choice: &Value| choice.as_f64().is_none_or(|batch| batch <= images as f64);
        let too_large = || {
            let fault = format!("batch: all of it is above the {images} training images; choose batches of at most {images}");
            Err(SearchError::Space { faults: vec![fault] })
        };
        let left_out = match &mut batch.distribution {
            Distribution::Categorical { choices } if !choices.iter().any(fits) => return too_large(),
            Distribution::Int { low, .. } if *low > images as i64 => return too_large(),
            Distribution::Categorical { choices } => {
                let large: Vec<String> = choices.iter().filter(|choice| !fits(choice)).map(ToString::to_string).collect();
                choices.retain(fits);
                (!large.is_empty()).then(|| large.join(" and "))
            }
            Distribution::Int { high, .. } if *high > images as i64 => {
                *high = images as i64;
                Some(format!("above {images}"))
            }
            _ => None,
        };
        let Some(left_out) = left_out else { return Ok((self.clone(), None)) };
        batch.distribution = batch.distribution.clone().adjusted();
        let words = format!("batch {left_out} is left out of the space: the data have {images} training images");
        Ok((Self::new(parameters)?, Some(words)))
    }

    /// As a file has it, in JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let entry = |p: &Parameter| (p.name.clone(), serde_json::to_value(entry(p)).unwrap_or_default());
        Value::Object(self.parameters.iter().map(entry).collect())
    }

    /// As a file has it, in TOML: a line a parameter.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let line = |p: &Parameter| {
            // TOML has no null; JSON stands in for a choice of it
            let entry = toml::Value::try_from(entry(p)).map(|value| format!("{} = {value}\n", p.name));
            entry.ok()
        };
        let lines: Option<String> = self.parameters.iter().map(line).collect();
        lines.unwrap_or_else(|| self.to_json().to_string())
    }

    /// Fails with every value at an end of its range, and every choice, that a configuration refuses, alone or beside a choice of
    /// another parameter (as a small size beside a network that wants a large one).
    ///
    /// # Errors
    /// One line a refused value.
    pub fn check(&self, base: &Config) -> Result<(), SearchError> {
        let (mut faults, mut told): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for parameter in &self.parameters {
            for params in self.corners(parameter) {
                let fault = match configure::config(base, &params) {
                    Ok(config) => config.errors().into_iter().find(|e| params.contains_key(e.field)).map(|e| e.to_string()),
                    Err(error) => Some(error.to_string()),
                };
                // the same of other values beside it says nothing new
                if let Some(fault) = fault.filter(|fault| !told.contains(fault)) {
                    faults.push(format!("{fault} (with {})", configure::words(&params)));
                    told.push(fault);
                }
            }
        }
        faults.truncate(12);
        if faults.is_empty() { Ok(()) } else { Err(SearchError::Space { faults }) }
    }

    /// Sets of values with `parameter` at each of its ends or choices, beside each choice of the others.
    fn corners(&self, parameter: &Parameter) -> Vec<Params> {
        let mut corners: Vec<Params> = Vec::new();
        for internal in ends(&parameter.distribution) {
            let one = configure::params([(parameter.name.as_str(), internal, &parameter.distribution)]);
            corners.push(one.clone());
            let others = self.parameters.iter().filter(|p| p.name != parameter.name);
            for other in others.filter(|p| matches!(p.distribution, Distribution::Categorical { .. })) {
                for choice in ends(&other.distribution) {
                    let mut both = one.clone();
                    both.extend(configure::params([(other.name.as_str(), choice, &other.distribution)]));
                    let active =
                        |p: &Parameter| p.when.as_ref().is_none_or(|when| !both.contains_key(&when.parameter) || when.holds(&both));
                    if active(parameter) && active(other) {
                        corners.push(both);
                    }
                }
            }
        }
        // a pair stands for the single values in it wherever the parameter waits for the other
        if parameter.when.is_some() {
            corners.retain(|params| params.len() > 1);
        }
        corners
    }
}

/// The internal numbers at the ends of a range, or of every choice.
fn ends(distribution: &Distribution) -> Vec<f64> {
    match distribution {
        Distribution::Float { low, high, .. } => vec![*low, *high],
        Distribution::Int { low, high, .. } => vec![*low as f64, *high as f64],
        Distribution::Categorical { choices } => (0..choices.len()).map(|i| i as f64).collect(),
    }
}

fn parameter(name: &str, entry: Value) -> Result<Parameter, String> {
    let kind = configure::field(name)?;
    let entry: Entry = serde_json::from_value(entry).map_err(|e| format!("{e}; give low and high (and log or step), or choices"))?;
    let when = entry.when.clone().map(condition).transpose()?;
    Ok(Parameter { name: name.into(), distribution: distribution(entry, kind)?, when })
}

fn distribution(entry: Entry, kind: FieldKind) -> Result<Distribution, String> {
    if let Some(choices) = entry.choices {
        if entry.low.is_some() || entry.high.is_some() || entry.log || entry.step.is_some() {
            return Err("choices stand alone; leave out low, high, log and step".into());
        }
        let snake = |choice: Value| match choice {
            Value::String(text) => Value::String(text.replace('-', "_")),
            other => other,
        };
        return Ok(Distribution::Categorical { choices: choices.into_iter().map(snake).collect() });
    }
    let (Some(low), Some(high)) = (entry.low, entry.high) else {
        return Err("give low and high, or choices".into());
    };
    let distribution = match kind {
        FieldKind::Float => Distribution::Float { low, high, log: entry.log, step: entry.step },
        FieldKind::Int if [Some(low), Some(high), entry.step].into_iter().flatten().any(|x| x.fract() != 0.0) => {
            return Err("this field takes whole numbers; give whole low, high and step".into());
        }
        FieldKind::Int => {
            Distribution::Int { low: low as i64, high: high as i64, log: entry.log, step: entry.step.map_or(1, |x| x as i64) }
        }
        FieldKind::Choice => return Err("this field takes no range; give choices".into()),
    };
    distribution.fault().map_or(Ok(distribution.adjusted()), Err)
}

fn condition(when: Map<String, Value>) -> Result<Condition, String> {
    let mut pairs = when.into_iter();
    match (pairs.next(), pairs.next()) {
        (Some((parameter, Value::Array(values))), None) => Ok(Condition { parameter, values }),
        (Some((parameter, value)), None) => Ok(Condition { parameter, values: vec![value] }),
        _ => Err("when names one other parameter, such as when = { optimizer = \"sgd\" }".into()),
    }
}

/// What is wrong with the condition of a parameter, if anything.
fn condition_fault(parameter: &Parameter, all: &[Parameter]) -> Option<String> {
    let when = parameter.when.as_ref()?;
    let name = &parameter.name;
    match all.iter().find(|p| p.name == when.parameter) {
        None => Some(format!("{name}: waits for {}, which is not in the space; add it, or take `when` away", when.parameter)),
        Some(Parameter { distribution: Distribution::Categorical { choices }, .. }) => {
            let never = when.values.iter().find(|value| !choices.contains(value))?;
            Some(format!(
                "{name}: waits for {0} to be {never}, which is not among the choices of {0}; add it there, or remove {name}",
                when.parameter
            ))
        }
        Some(_) => Some(format!("{name}: waits for {}, which has no choices; give it choices", when.parameter)),
    }
}

fn entry(parameter: &Parameter) -> Entry {
    let when = parameter.when.as_ref().map(|when| {
        let values = if let [one] = when.values.as_slice() { one.clone() } else { Value::Array(when.values.clone()) };
        Map::from_iter([(when.parameter.clone(), values)])
    });
    match &parameter.distribution {
        Distribution::Float { low, high, log, step } => {
            Entry { low: Some(*low), high: Some(*high), log: *log, step: *step, when, ..Entry::default() }
        }
        Distribution::Int { low, high, log, step } => {
            let step = (*step != 1).then_some(*step as f64);
            Entry { low: Some(*low as f64), high: Some(*high as f64), log: *log, step, when, ..Entry::default() }
        }
        Distribution::Categorical { choices } => Entry { choices: Some(choices.clone()), when, ..Entry::default() },
    }
}

#[cfg(test)]
mod tests;
