//! What the lines of a journal mean: studies and trials, as Optuna's own replay has them.
//!
//! Lines that come too late (a value of a trial that ended, a parameter that does not fit) are passed over, as there: of two processes
//! that write at once the first one is right.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::configure::{Param, Params};
use super::{Direction, Distribution, StudyRecord, Trial, TrialState};

/// The operations of a journal; the numbers are Optuna's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    CreateStudy = 0,
    DeleteStudy = 1,
    StudyUserAttr = 2,
    StudySystemAttr = 3,
    CreateTrial = 4,
    Param = 5,
    State = 6,
    Intermediate = 7,
    TrialUserAttr = 8,
    TrialSystemAttr = 9,
}

impl Operation {
    const ALL: [Self; 10] = [
        Self::CreateStudy,
        Self::DeleteStudy,
        Self::StudyUserAttr,
        Self::StudySystemAttr,
        Self::CreateTrial,
        Self::Param,
        Self::State,
        Self::Intermediate,
        Self::TrialUserAttr,
        Self::TrialSystemAttr,
    ];
}

/// Everything that a journal told so far.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// Studies by their number; deleted ones are gone.
    studies: BTreeMap<usize, StudyRecord>,
    next_study: usize,
    /// Of each trial, its study and its number there.
    places: Vec<(usize, usize)>,
    /// Distributions by their text: a study writes the same few again and again.
    distributions: HashMap<String, Arc<Distribution>>,
}

impl Replay {
    /// The study of this name.
    pub fn study(&self, name: &str) -> Option<&StudyRecord> {
        self.studies.values().find(|study| study.name == name)
    }

    /// The study of this number.
    pub fn study_by_id(&self, id: usize) -> Option<&StudyRecord> {
        self.studies.get(&id)
    }

    /// All studies.
    pub fn into_studies(self) -> Vec<StudyRecord> {
        self.studies.into_values().collect()
    }

    /// Trials of all studies, deleted ones too: the id of the next one.
    pub fn trials(&self) -> usize {
        self.places.len()
    }

    /// Takes a line in; an error says what is wrong with it.
    pub fn apply(&mut self, line: Value) -> Result<(), String> {
        let Value::Object(mut line) = line else { return Err("this is no JSON object; take the line out".into()) };
        let code = line.get("op_code").and_then(Value::as_u64);
        let Some(operation) = Operation::ALL.into_iter().find(|operation| Some(*operation as u64) == code) else {
            // 10 is known to be of no matter to readers; what comes after it is not known
            return if code == Some(10) {
                Ok(())
            } else {
                let code = line.get("op_code").map_or("without a number".to_owned(), Value::to_string);
                Err(format!("the operation {code} is of a newer Optuna, or this is no journal; use a newer program, or name another file"))
            };
        };
        match operation {
            Operation::CreateStudy => self.create_study(&line),
            Operation::DeleteStudy => index(&line, "study_id").map(|id| drop(self.studies.remove(&id))),
            Operation::StudyUserAttr | Operation::StudySystemAttr => {
                let Some(study) = self.studies.get_mut(&index(&line, "study_id")?) else { return Ok(()) };
                match operation {
                    Operation::StudyUserAttr => study.user_attrs.extend(object(&mut line, "user_attr")),
                    _ => study.system_attrs.extend(object(&mut line, "system_attr")),
                }
                Ok(())
            }
            Operation::CreateTrial => self.create_trial(&mut line),
            _ => self.change_trial(operation, &mut line),
        }
    }

    fn create_study(&mut self, line: &Map<String, Value>) -> Result<(), String> {
        let name = line.get("study_name").and_then(Value::as_str).ok_or("study_name is missing")?;
        if self.study(name).is_some() {
            return Ok(());
        }
        let id = self.next_study;
        self.next_study += 1;
        // of several objectives the first one counts here
        let maximize = line.get("directions").and_then(|d| d.get(0)).and_then(Value::as_u64) == Some(Direction::Maximize as u64);
        let direction = if maximize { Direction::Maximize } else { Direction::Minimize };
        let study = StudyRecord { id, name: name.into(), direction, user_attrs: Map::new(), system_attrs: Map::new(), trials: Vec::new() };
        self.studies.insert(id, study);
        Ok(())
    }

    fn create_trial(&mut self, line: &mut Map<String, Value>) -> Result<(), String> {
        let study_id = index(line, "study_id")?;
        let mut params = Params::new();
        let distributions = object(line, "distributions");
        for (name, internal) in object(line, "params") {
            let text = distributions.get(&name).and_then(Value::as_str).ok_or("a parameter has no distribution")?;
            params.insert(name, Param { internal: number(&internal).unwrap_or(f64::NAN), distribution: self.distribution(text)? });
        }
        let Some(study) = self.studies.get_mut(&study_id) else { return Ok(()) };
        let state = line.get("state").and_then(Value::as_u64).map_or(Some(TrialState::Running), TrialState::from_number);
        let step = |(step, value): (String, Value)| Some((step.parse().ok()?, number(&value)?));
        let (intermediate, user_attrs) = (object(line, "intermediate_values"), object(line, "user_attrs"));
        study.trials.push(Trial {
            id: self.places.len(),
            number: study.trials.len(),
            state: state.ok_or("a trial has an unknown state")?,
            params,
            value: line.get("values").and_then(|v| v.get(0)).or(line.get("value")).and_then(number),
            intermediate: intermediate.into_iter().filter_map(step).collect(),
            user_attrs,
            system_attrs: object(line, "system_attrs"),
            started: text(line, "datetime_start"),
            ended: text(line, "datetime_complete"),
        });
        self.places.push((study_id, study.trials.len() - 1));
        Ok(())
    }

    fn change_trial(&mut self, operation: Operation, line: &mut Map<String, Value>) -> Result<(), String> {
        let &(study_id, number_in_study) = self.places.get(index(line, "trial_id")?).ok_or("there is no such trial")?;
        let param = match operation {
            Operation::Param => Some(self.param(line)?),
            _ => None,
        };
        let Some(study) = self.studies.get_mut(&study_id) else { return Ok(()) };
        if let Some((name, param)) = &param {
            let earlier = study.trials.iter().find_map(|trial| trial.params.get(name));
            if earlier.is_some_and(|earlier| !earlier.distribution.is_compatible(&param.distribution)) {
                return Ok(());
            }
        }
        let Some(trial) = study.trials.get_mut(number_in_study).filter(|trial| !trial.state.is_finished()) else { return Ok(()) };
        match operation {
            Operation::State => set_state(trial, line)?,
            Operation::Intermediate => {
                let step = line.get("step").and_then(Value::as_i64).ok_or("step is missing")?;
                let value = line.get("intermediate_value").and_then(number).unwrap_or(f64::NAN);
                trial.intermediate.insert(step, value);
            }
            Operation::TrialUserAttr => trial.user_attrs.extend(object(line, "user_attr")),
            Operation::TrialSystemAttr => trial.system_attrs.extend(object(line, "system_attr")),
            _ => trial.params.extend(param),
        }
        Ok(())
    }

    fn param(&mut self, line: &Map<String, Value>) -> Result<(String, Param), String> {
        let name = text(line, "param_name").ok_or("param_name is missing")?;
        let internal = line.get("param_value_internal").and_then(number).ok_or("param_value_internal is missing")?;
        let distribution = line.get("distribution").and_then(Value::as_str).ok_or("distribution is missing")?;
        Ok((name, Param { internal, distribution: self.distribution(distribution)? }))
    }

    fn distribution(&mut self, text: &str) -> Result<Arc<Distribution>, String> {
        if let Some(known) = self.distributions.get(text) {
            return Ok(known.clone());
        }
        let distribution = Arc::new(Distribution::from_json(text)?);
        self.distributions.insert(text.into(), distribution.clone());
        Ok(distribution)
    }
}

fn set_state(trial: &mut Trial, line: &mut Map<String, Value>) -> Result<(), String> {
    let state = line.get("state").and_then(Value::as_u64).and_then(TrialState::from_number).ok_or("a trial has an unknown state")?;
    if state == TrialState::Running {
        // a trial that waited was taken, by whoever wrote first
        if trial.state != TrialState::Running {
            trial.started = text(line, "datetime_start");
            trial.state = state;
        }
        return Ok(());
    }
    trial.state = state;
    if state.is_finished() {
        trial.ended = text(line, "datetime_complete");
    }
    if let Some(value) = line.get("values").and_then(|values| values.get(0)).and_then(number) {
        trial.value = Some(value);
    }
    Ok(())
}

/// A number, also one that Python spelled out.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(name) => match name.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        other => other.as_f64(),
    }
}

fn index(line: &Map<String, Value>, key: &str) -> Result<usize, String> {
    line.get(key).and_then(Value::as_u64).map(|id| id as usize).ok_or_else(|| format!("{key} is missing"))
}

fn text(line: &Map<String, Value>, key: &str) -> Option<String> {
    line.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn object(line: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match line.remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}
