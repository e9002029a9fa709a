//! Trials that somebody queued: Optuna's `enqueue_trial` leaves the values that it wants in a note, the others are drawn.

use std::sync::Arc;

use serde_json::Value;

use super::configure::{Param, Params};
use super::{Distribution, Space, Trial};

/// The note with the values that are wanted, by the names of the parameters.
const FIXED: &str = "fixed_params";

/// The values that a trial that waits has, or should have, of the parameters of a space.
///
/// # Errors
/// The first value that its parameter cannot take, in words.
pub(super) fn wanted(space: &Space, trial: &Trial) -> Result<Params, String> {
    let mut params = trial.params.clone();
    let Some(Value::Object(fixed)) = trial.system_attrs.get(FIXED) else { return Ok(params) };
    for parameter in space.parameters() {
        let Some(value) = fixed.get(&parameter.name).filter(|_| !params.contains_key(&parameter.name)) else { continue };
        let internal = internal(&parameter.distribution, value)
            .ok_or_else(|| format!("it was queued with {} {value}, which the space of the study does not have", parameter.name))?;
        params.insert(parameter.name.clone(), Param { internal, distribution: Arc::new(parameter.distribution.clone()) });
    }
    Ok(params)
}

/// The internal number of a value. As in Optuna a number may lie outside of the range, a choice must be one of them.
fn internal(distribution: &Distribution, value: &Value) -> Option<f64> {
    match distribution {
        Distribution::Float { .. } => value.as_f64(),
        Distribution::Int { .. } => value.as_f64().filter(|x| x.fract() == 0.0),
        Distribution::Categorical { choices } => {
            let same = |choice: &Value| choice == value || (choice.is_number() && choice.as_f64() == value.as_f64());
            choices.iter().position(same).map(|at| at as f64)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::search::TrialState;

    fn trial(fixed: Value) -> Trial {
        Trial {
            id: 0,
            number: 0,
            state: TrialState::Waiting,
            params: Params::new(),
            value: None,
            intermediate: std::collections::BTreeMap::new(),
            user_attrs: Map::new(),
            system_attrs: Map::from_iter([(FIXED.to_owned(), fixed)]),
            started: None,
            ended: None,
        }
    }

    #[test]
    fn wanted_values_are_found_among_those_of_the_space() {
        let space = Space::parse("lr = { low = 1e-4, high = 1e-2 }\nbatch = { choices = [16, 32] }\noptimizer = { choices = [\"sgd\"] }");
        let space = space.expect("a space");
        let params = wanted(&space, &trial(json!({ "lr": 0.5, "batch": 32.0, "unknown": 1 }))).expect("values");
        let values: Vec<(&str, Value)> = params.iter().map(|(name, param)| (name.as_str(), param.value())).collect();
        assert_eq!(values, [("batch", json!(32)), ("lr", json!(0.5))]);
        for (fixed, word) in [(json!({ "optimizer": "lion" }), "lion"), (json!({ "lr": "fast" }), "fast")] {
            assert!(wanted(&space, &trial(fixed)).expect_err("no such value").contains(word));
        }
        assert!(wanted(&space, &trial(Value::Null)).expect("nothing").is_empty());
    }
}
