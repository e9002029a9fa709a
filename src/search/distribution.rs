//! What values a parameter may take: Optuna's three distributions, in its JSON, with its internal numbers.
//!
//! Everything that samples works on internal numbers: a float as it is, an integer as a float, a choice as its index.

use serde_json::{Value, json};

use crate::random::Random;

/// The values that a parameter may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Distribution {
    /// A number from `low` to `high`, both included; in multiples of `step` from `low` if there is one.
    Float {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
        /// Uniform in the logarithm.
        log: bool,
        /// Distance of two neighbours.
        step: Option<f64>,
    },
    /// A whole number from `low` to `high`, both included.
    Int {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// Uniform in the logarithm.
        log: bool,
        /// Distance of two neighbours.
        step: i64,
    },
    /// One of a few values: null, a boolean, a number or a text.
    Categorical {
        /// The values.
        choices: Vec<Value>,
    },
}

impl Distribution {
    /// What is wrong with it and what to do, if anything.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let (low, high, log, step) = match self {
            Self::Categorical { choices } if choices.is_empty() => return Some("there are no choices; give at least one".into()),
            Self::Categorical { choices } => {
                let twice = choices.iter().enumerate().find(|(i, choice)| choices[..*i].contains(choice));
                return twice.map(|(_, choice)| format!("the choice {choice} stands there twice; remove one"));
            }
            Self::Float { low, high, log, step } => (*low, *high, *log, *step),
            Self::Int { low, high, log, step } => (*low as f64, *high as f64, *log, (*step != 1).then_some(*step as f64)),
        };
        if !low.is_finite() || !high.is_finite() {
            Some("low and high must be finite numbers".into())
        } else if low > high {
            Some(format!("low = {low} is above high = {high}; swap them"))
        } else if log && low <= 0.0 {
            Some(format!("a logarithmic range starts above 0, not at {low}; raise low, or leave log out"))
        } else if step.is_some_and(|step| !step.is_finite() || step <= 0.0) {
            Some("step must be above 0; leave it out for a continuous range".into())
        } else if log && step.is_some() {
            Some("a logarithmic range has no step; leave out log or step".into())
        } else {
            None
        }
    }

    /// The range with `high` on a multiple of the step, as Optuna has it.
    #[must_use]
    pub fn adjusted(self) -> Self {
        match self {
            Self::Float { low, high, log, step: Some(step) } => {
                // a millionth of a step is rounding, not a step that does not fit
                let steps = ((high - low) / step + 1e-6).floor();
                Self::Float { low, high: (low + steps * step).min(high), log, step: Some(step) }
            }
            Self::Int { low, high, log, step } => Self::Int { low, high: low + (high - low) / step * step, log, step },
            other => other,
        }
    }

    /// Whether there is only one value.
    #[must_use]
    pub fn is_single(&self) -> bool {
        match self {
            Self::Float { low, high, step, .. } => high <= low || step.is_some_and(|step| high - low < step),
            Self::Int { low, high, step, .. } => high - low < *step,
            Self::Categorical { choices } => choices.len() == 1,
        }
    }

    /// Whether trials of both may stand in one study: the same kind, the same scale, the same choices. Ranges may differ.
    #[must_use]
    pub fn is_compatible(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float { log: a, .. }, Self::Float { log: b, .. }) | (Self::Int { log: a, .. }, Self::Int { log: b, .. }) => a == b,
            (Self::Categorical { choices: a }, Self::Categorical { choices: b }) => a == b,
            _ => false,
        }
    }

    /// Whether an internal number stands for one of the values.
    #[must_use]
    pub fn contains(&self, internal: f64) -> bool {
        match self {
            Self::Float { low, high, .. } => (*low..=*high).contains(&internal),
            Self::Int { low, high, .. } => (*low as f64..=*high as f64).contains(&internal),
            Self::Categorical { choices } => internal >= 0.0 && (internal as usize) < choices.len(),
        }
    }

    /// The value of an internal number, as a configuration has it.
    #[must_use]
    pub fn value(&self, internal: f64) -> Value {
        match self {
            Self::Float { .. } => json!(internal),
            Self::Int { .. } => json!(internal.round() as i64),
            Self::Categorical { choices } => choices.get(internal.max(0.0) as usize).cloned().unwrap_or(Value::Null),
        }
    }

    /// Low, high (in logarithms if the scale is) and step, half a step wider at each end where there is one; `None` for choices.
    #[must_use]
    pub(super) fn axis(&self) -> Option<Axis> {
        let (low, high, log, step) = match self {
            Self::Float { low, high, log, step } => (*low, *high, *log, *step),
            Self::Int { low, high, log, step } => (*low as f64, *high as f64, *log, Some(*step as f64)),
            Self::Categorical { .. } => return None,
        };
        Some(Axis { low, high, log, step })
    }

    /// A uniform draw (uniform in the logarithm where the scale is), as an internal number.
    #[must_use]
    pub fn uniform(&self, random: &mut Random) -> f64 {
        match (self, self.axis()) {
            (Self::Categorical { choices }, _) => random.below(choices.len().max(1)) as f64,
            (_, Some(axis)) => {
                let (low, high) = axis.ends();
                axis.back(random.range(low, high))
            }
            (_, None) => 0.0,
        }
    }

    /// Optuna's JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (name, attributes) = match self {
            Self::Float { low, high, log, step } => ("FloatDistribution", json!({ "step": step, "low": low, "high": high, "log": log })),
            Self::Int { low, high, log, step } => ("IntDistribution", json!({ "log": log, "step": step, "low": low, "high": high })),
            Self::Categorical { choices } => ("CategoricalDistribution", json!({ "choices": choices })),
        };
        json!({ "name": name, "attributes": attributes }).to_string()
    }

    /// Reads Optuna's JSON; the error says what is wrong with it.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let whole: Value = serde_json::from_str(text).map_err(|e| format!("a distribution is no JSON ({e})"))?;
        let at = &whole["attributes"];
        let flag = |name: &str| at[name].as_bool().unwrap_or(false);
        let number = |name: &str| at[name].as_f64().ok_or_else(|| format!("a distribution has no number {name:?}: {text}"));
        let whole_number = |name: &str| number(name).map(|x| x as i64);
        match whole["name"].as_str() {
            Some("FloatDistribution") => {
                Ok(Self::Float { low: number("low")?, high: number("high")?, log: flag("log"), step: at["step"].as_f64() })
            }
            Some("IntDistribution") => Ok(Self::Int {
                low: whole_number("low")?,
                high: whole_number("high")?,
                log: flag("log"),
                step: at["step"].as_i64().unwrap_or(1).max(1),
            }),
            Some("CategoricalDistribution") => match &at["choices"] {
                Value::Array(choices) if !choices.is_empty() => Ok(Self::Categorical { choices: choices.clone() }),
                _ => Err(format!("a distribution has no choices: {text}")),
            },
            _ => Err(format!("this kind of distribution is not known: {text}")),
        }
    }
}

/// A numerical range.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    step: Option<f64>,
}

impl Axis {
    /// Where a number stands on the axis.
    pub fn forth(&self, x: f64) -> f64 {
        if self.log { x.ln() } else { x }
    }

    /// The ends of the range on the axis.
    pub fn range(&self) -> (f64, f64) {
        (self.forth(self.low), self.forth(self.high))
    }

    /// The ends of the axis, half a step beyond the range where there is one.
    pub fn ends(&self) -> (f64, f64) {
        let half = self.step.unwrap_or(0.0) / 2.0;
        (self.forth(self.low - half), self.forth(self.high + half))
    }

    /// The number (in range, on a step) at a place of the axis.
    pub fn back(&self, place: f64) -> f64 {
        let x = if self.log { place.exp() } else { place };
        let x = self.step.map_or(x, |step| self.low + ((x - self.low) / step).round() * step);
        x.clamp(self.low, self.high)
    }

    /// The ends of the step around a number, if there are steps.
    pub fn cell(&self, x: f64) -> Option<(f64, f64)> {
        self.step.map(|step| (self.forth(x - step / 2.0), self.forth(x + step / 2.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Purpose;

    #[test]
    fn json_is_that_of_optuna_and_comes_back() {
        // from optuna.distributions.distribution_to_json, keys in its order, without the spaces
        for text in [
            r#"{"name":"FloatDistribution","attributes":{"step":null,"low":1e-5,"high":0.01,"log":true}}"#,
            r#"{"name":"FloatDistribution","attributes":{"step":0.05,"low":0.0,"high":0.5,"log":false}}"#,
            r#"{"name":"IntDistribution","attributes":{"log":false,"step":1,"low":2,"high":5}}"#,
            r#"{"name":"CategoricalDistribution","attributes":{"choices":["radam",null,3,true]}}"#,
        ] {
            let read = Distribution::from_json(text).expect("Optuna's JSON");
            let again: Value = serde_json::from_str(&read.to_json()).expect("JSON");
            assert_eq!(again, serde_json::from_str::<Value>(text).expect("JSON"));
        }
        let empty = r#"{"name":"CategoricalDistribution","attributes":{"choices":[]}}"#;
        assert!(Distribution::from_json(empty).expect_err("nothing to choose").contains("no choices"));
        assert!(Distribution::from_json(r#"{"name":"Other","attributes":{}}"#).expect_err("unknown").contains("not known"));
    }

    #[test]
    fn uniform_draws_fill_the_range_and_its_steps_evenly() {
        let mut random = Random::new(1, Purpose::Test, &[]);
        let steps = Distribution::Float { low: 0.0, high: 0.5, log: false, step: Some(0.25) };
        let ints = Distribution::Int { low: 8, high: 256, log: true, step: 1 };
        let (mut counts, mut low_half) = ([0; 3], 0);
        for _ in 0..3_000 {
            counts[(steps.uniform(&mut random) / 0.25).round() as usize] += 1;
            let n = ints.uniform(&mut random);
            assert!(ints.contains(n) && n.fract() == 0.0, "{n}");
            low_half += i32::from(n <= 45.0);
        }
        // the geometric middle of 8 and 256 is 45.3
        assert!(counts.iter().all(|&c| (900..1_100).contains(&c)) && (1_400..1_600).contains(&low_half), "{counts:?} {low_half}");
    }

    #[test]
    fn faults_say_what_to_do() {
        let float = |low, high, log, step| Distribution::Float { low, high, log, step }.fault();
        assert!(float(2.0, 1.0, false, None).is_some_and(|f| f.contains("swap")));
        assert!(float(0.0, 1.0, true, None).is_some_and(|f| f.contains("above 0")));
        assert!(float(0.1, 1.0, true, Some(0.1)).is_some_and(|f| f.contains("no step")));
        assert!(float(0.0, f64::NAN, false, None).is_some_and(|f| f.contains("finite")));
        assert_eq!(float(0.0, 1.0, false, Some(0.5)), None);
        assert!(Distribution::Categorical { choices: vec![] }.fault().is_some());
        let adjusted = Distribution::Float { low: 0.0, high: 1.0, log: false, step: Some(0.3) }.adjusted();
        assert!(matches!(adjusted, Distribution::Float { high, .. } if (high - 0.9).abs() < 1e-12), "{adjusted:?}");
    }
}
