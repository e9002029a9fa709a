//! What the tables hold: studies and trials, as Optuna's own storage reads them. A trial that ended never changes again, so a look
//! reads those that are new or were not at their end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value};
use tokio_postgres::types::Type;

use super::client::{Client, Transaction};
use super::connect::Trouble;
use super::write;
use crate::search::configure::{Param, Params};
use crate::search::replay::number;
use crate::search::{Direction, Distribution, SearchError, StudyRecord, Trial, TrialState, runner};

const STUDY: &str = "
SELECT json_build_object(
    'name', study_name,
    'direction', (SELECT direction FROM study_directions d WHERE d.study_id = s.study_id ORDER BY objective LIMIT 1),
    'user', (SELECT json_agg(json_build_array(key, value_json)) FROM study_user_attributes a WHERE a.study_id = s.study_id),
    'system', (SELECT json_agg(json_build_array(key, value_json)) FROM study_system_attributes a WHERE a.study_id = s.study_id)
)::text FROM studies s WHERE study_id = $1";

const TRIALS: &str = r#"
SELECT json_build_object(
    'id', trial_id,
    'number', number,
    'state', state,
    'started', to_char(datetime_start, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    'ended', to_char(datetime_complete, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
    'value', (SELECT json_build_array(value, value_type) FROM trial_values v WHERE v.trial_id = t.trial_id ORDER BY objective LIMIT 1),
    'params', (SELECT json_agg(json_build_array(param_name, param_value, distribution_json)) FROM trial_params p WHERE p.trial_id = t.trial_id),
    'steps', (SELECT json_agg(json_build_array(step, intermediate_value, intermediate_value_type))
        FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
    'user', (SELECT json_agg(json_build_array(key, value_json)) FROM trial_user_attributes a WHERE a.trial_id = t.trial_id),
    'system', (SELECT json_agg(json_build_array(key, value_json)) FROM trial_system_attributes a WHERE a.trial_id = t.trial_id)
)::text FROM trials t WHERE study_id = $1 AND (trial_id > $2 OR trial_id = ANY($3)) ORDER BY trial_id"#;

/// For how many seconds the process of each trial that runs has been silent, as long as the server could hear it.
const SILENCE: &str = "
SELECT trial_id, extract(epoch FROM localtimestamp - greatest(heartbeat, pg_postmaster_start_time()::timestamp))::float8
FROM trials JOIN trial_heartbeats USING (trial_id) WHERE study_id = $1 AND state = 'RUNNING'";

/// Notes: keys and their JSON.
type Notes = Option<Vec<(String, Option<String>)>>;

#[derive(Deserialize)]
struct StudyRow {
    name: String,
    direction: Option<String>,
    user: Notes,
    system: Notes,
}

#[derive(Deserialize)]
struct TrialRow {
    id: i32,
    number: Option<i64>,
    state: String,
    started: Option<String>,
    ended: Option<String>,
    value: Option<(Value, String)>,
    params: Option<Vec<(String, Value, String)>>,
    steps: Option<Vec<(i64, Value, String)>>,
    user: Notes,
    system: Notes,
}

/// A study as of the last look.
#[derive(Debug)]
pub(super) struct Known {
    id: i32,
    record: Option<StudyRecord>,
    /// Distributions by their text: a study writes the same few again and again.
    distributions: HashMap<String, Arc<Distribution>>,
}

impl Known {
    pub fn new(id: i32) -> Self {
        Self { id, record: None, distributions: HashMap::new() }
    }

    pub fn id(&self) -> i32 {
        self.id
    }

    pub fn record(&self) -> Option<&StudyRecord> {
        self.record.as_ref()
    }

    /// Forgets everything: what was read may have been undone.
    pub fn forget(&mut self) {
        self.record = None;
    }

    /// Reads what was added; tells whether anything was. After an error everything is read anew.
    pub fn refresh(&mut self, client: &mut Client) -> Result<bool, Trouble> {
        let row = client.query_typed_opt(STUDY, &[(&self.id, Type::INT4)])?.ok_or_else(SearchError::deleted)?;
        let row: StudyRow = parsed(row.get(0))?;
        let mut record = StudyRecord {
            id: self.id as usize,
            name: row.name,
            // of several objectives the first one counts here
            direction: if row.direction.as_deref() == Some("MAXIMIZE") { Direction::Maximize } else { Direction::Minimize },
            user_attrs: notes(row.user),
            system_attrs: notes(row.system),
            trials: Vec::new(),
        };
        let mut changed = true;
        if let Some(mut old) = self.record.take() {
            record.trials = std::mem::take(&mut old.trials);
            changed = (&record.user_attrs, &record.system_attrs) != (&old.user_attrs, &old.system_attrs);
        }
        let last = record.trials.last().map_or(-1, |trial| trial.id as i32);
        let open: Vec<i32> = record.trials.iter().filter(|trial| !trial.state.is_finished()).map(|trial| trial.id as i32).collect();
        let rows = client.query_typed(TRIALS, &[(&self.id, Type::INT4), (&last, Type::INT4), (&open, Type::INT4_ARRAY)])?;
        for row in rows {
            let trial = self.trial(parsed(row.get(0))?)?;
            let (number, next) = (trial.number, record.trials.len());
            match record.trials.get_mut(number) {
                Some(known) if *known == trial => continue,
                Some(known) if known.id == trial.id => *known = trial,
                None if number == next => record.trials.push(trial),
                _ => {
                    return Err(SearchError::Study(format!(
                        "trial {number} of the study {:?} stands where trial {next} should",
                        record.name
                    ))
                    .into());
                }
            }
            changed = true;
        }
        self.record = Some(record);
        Ok(changed)
    }

    /// The numbers of trials that run whose process has given no sign of life for as long as it says, or for `grace`. `back` is when the
    /// database was reached again after it was lost: others may have lost it too.
    pub fn left(&self, client: &mut Client, grace: Duration, back: Option<Instant>) -> Result<Vec<usize>, Trouble> {
        let Some(record) = &self.record else { return Ok(Vec::new()) };
        let rows = client.query_typed(SILENCE, &[(&self.id, Type::INT4)])?;
        let silences: HashMap<i32, f64> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let heard = back.map_or(f64::INFINITY, |back| back.elapsed().as_secs_f64());
        let is_left = |trial: &&Trial| {
            let grace = runner::grace_of(trial, grace).as_secs_f64();
            silences.get(&(trial.id as i32)).is_some_and(|silence| silence.min(heard) > grace) || runner::is_released(trial)
        };
        Ok(record.trials.iter().filter(is_left).map(|trial| trial.number).collect())
    }

    /// The same, with the rows of those trials locked: whoever was about to write to one has done so.
    pub fn left_locked(
        &mut self,
        transaction: &mut Transaction<'_>,
        grace: Duration,
        back: Option<Instant>,
    ) -> Result<Vec<usize>, Trouble> {
        let left = self.left(transaction, grace, back)?;
        if left.is_empty() {
            return Ok(left);
        }
        let ids = self.record.iter().flat_map(|record| left.iter().map(|&number| record.trials[number].id as i32));
        write::lock(transaction, &ids.collect::<Vec<_>>())?;
        self.refresh(transaction)?;
        // one that became silent just now is not locked; it is left another time
        let still = self.left(transaction, grace, back)?;
        Ok(still.into_iter().filter(|number| left.contains(number)).collect())
    }

    fn trial(&mut self, row: TrialRow) -> Result<Trial, SearchError> {
        let id = row.id;
        let wrong = |what: &str| SearchError::Study(format!("the trial with trial_id {id} has {what}"));
        let mut params = Params::new();
        for (name, internal, text) in row.params.into_iter().flatten() {
            let distribution = self.distribution(&text).map_err(|why| wrong(&format!("no usable parameter {name}: {why}")))?;
            params.insert(name, Param { internal: number(&internal).unwrap_or(f64::NAN), distribution });
        }
        let value = row.value.and_then(|(value, kind)| stored(&value, &kind));
        let steps = row.steps.into_iter().flatten();
        Ok(Trial {
            id: id as usize,
            number: row.number.and_then(|n| usize::try_from(n).ok()).ok_or_else(|| wrong("no number"))?,
            state: state_of(&row.state).ok_or_else(|| wrong("an unknown state"))?,
            params,
            value,
            intermediate: steps.map(|(step, value, kind)| (step, stored(&value, &kind).unwrap_or(f64::NAN))).collect(),
            user_attrs: notes(row.user),
            system_attrs: notes(row.system),
            started: row.started,
            ended: row.ended,
        })
    }

    fn distribution(&mut self, text: &str) -> Result<Arc<Distribution>, String> {
        if let Some(known) = self.distributions.get(text) {
            return Ok(Arc::clone(known));
        }
        let distribution = Arc::new(Distribution::from_json(text)?);
        self.distributions.insert(text.into(), Arc::clone(&distribution));
        Ok(distribution)
    }
}

/// Ids and names of the studies, the oldest first.
pub(super) fn studies(client: &mut Client) -> Result<Vec<(i32, String)>, Trouble> {
    let rows = client.query_typed("SELECT study_id, study_name::text FROM studies ORDER BY study_id", &[])?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// The name of a state in the tables.
pub(super) fn state_name(state: TrialState) -> &'static str {
    match state {
        TrialState::Running => "RUNNING",
        TrialState::Complete => "COMPLETE",
        TrialState::Pruned => "PRUNED",
        TrialState::Fail => "FAIL",
        TrialState::Waiting => "WAITING",
    }
}

fn state_of(name: &str) -> Option<TrialState> {
    (0..).map_while(TrialState::from_number).find(|state| state_name(*state) == name)
}

/// A number and what it is called in the tables when it is none.
pub(super) fn kind(value: f64) -> (Option<f64>, &'static str) {
    if value.is_nan() {
        (None, "NAN")
    } else if value.is_infinite() {
        (None, if value > 0.0 { "INF_POS" } else { "INF_NEG" })
    } else {
        (Some(value), "FINITE")
    }
}

fn stored(value: &Value, kind: &str) -> Option<f64> {
    match kind {
        "INF_POS" => Some(f64::INFINITY),
        "INF_NEG" => Some(f64::NEG_INFINITY),
        "NAN" => Some(f64::NAN),
        _ => number(value),
    }
}

fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, SearchError> {
    serde_json::from_str(text).map_err(|e| SearchError::Study(format!("a row of the tables cannot be understood ({e})")))
}

/// Notes whose JSON is read; what is no JSON, as Python's NaN, stays a text.
fn notes(rows: Notes) -> Map<String, Value> {
    let value = |text: Option<String>| {
        let text = text.unwrap_or_default();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    };
    rows.into_iter().flatten().map(|(key, text)| (key, value(text))).collect()
}
