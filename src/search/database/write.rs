//! What a transaction writes into the tables, so that Optuna's own storage reads it as its own.

use serde_json::{Map, Value, json};
use tokio_postgres::types::{ToSql, Type};

use super::client::{Client, Transaction};
use super::connect::Trouble;
use super::read::{kind, state_name};
use crate::search::changes::Change;
use crate::search::{Objective, Params, SearchError, TrialState};

/// Whether a transaction may end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything stands.
    Written,
    /// Another process took a trial that waited: decide anew.
    TooLate,
}

/// The clock of the server, in UTC: machines need not agree about the time.
const NOW: &str = "clock_timestamp() AT TIME ZONE 'UTC'";
/// Trials that ended stay as they are.
const OPEN: &str = "state IN ('RUNNING', 'WAITING')";

/// Makes a study if there is none of its name; returns its id.
pub(super) fn create_study(
    transaction: &mut Transaction<'_>,
    name: &str,
    objective: Objective,
    notes: &Map<String, Value>,
) -> Result<i32, Trouble> {
    let find = "SELECT study_id FROM studies WHERE study_name = $1";
    let name_is: [(&(dyn ToSql + Sync), Type); 1] = [(&name, Type::VARCHAR)];
    if let Some(row) = transaction.query_typed_opt(find, &name_is)? {
        return Ok(row.get(0));
    }
    let row = transaction.query_typed_one("INSERT INTO studies (study_name) VALUES ($1) RETURNING study_id", &name_is)?;
    let id: i32 = row.get(0);
    let direction = if objective.direction() == crate::search::Direction::Maximize { "MAXIMIZE" } else { "MINIMIZE" };
    transaction.execute_typed(
        "INSERT INTO study_directions (direction, study_id, objective) VALUES ($1::text::studydirection, $2, 0)",
        &[(&direction, Type::TEXT), (&id, Type::INT4)],
    )?;
    let names = Map::from_iter([("study:metric_names".to_owned(), json!([objective.name()]))]);
    put_notes(transaction, Owner::StudySystem, id, &names)?;
    put_notes(transaction, Owner::StudyUser, id, notes)?;
    Ok(id)
}

/// Writes a change of the study `study`.
pub(super) fn write(transaction: &mut Transaction<'_>, study: i32, change: &Change) -> Result<Outcome, Trouble> {
    let one = |key: &String, value: &Value| Map::from_iter([(key.clone(), value.clone())]);
    match change {
        Change::StudyUserAttr { key, value } => put_notes(transaction, Owner::StudyUser, study, &one(key, value))?,
        Change::Create { params, user_attrs, system_attrs } => {
            let id = create_trial(transaction, study)?;
            put_params(transaction, id, params)?;
            put_notes(transaction, Owner::TrialSystem, id, system_attrs)?;
            put_notes(transaction, Owner::TrialUser, id, user_attrs)?;
            beat(transaction, id)?;
        }
        Change::Take { id } => {
            let id = *id as i32;
            let take = format!("UPDATE trials SET state = 'RUNNING', datetime_start = {NOW} WHERE trial_id = $1 AND state = 'WAITING'");
            if transaction.execute_typed(&take, &[(&id, Type::INT4)])? == 0 {
                return Ok(Outcome::TooLate);
            }
            beat(transaction, id)?;
        }
        Change::Beat { id } => beat(transaction, *id as i32)?,
        Change::Params { id, params } => put_params(transaction, *id as i32, params)?,
        Change::Intermediate { id, step, value } => intermediate(transaction, *id as i32, *step, *value)?,
        Change::UserAttr { id, key, value } => put_notes(transaction, Owner::TrialUser, *id as i32, &one(key, value))?,
        Change::SystemAttr { id, key, value } => put_notes(transaction, Owner::TrialSystem, *id as i32, &one(key, value))?,
        Change::End { id, state, value } => end(transaction, *id as i32, *state, *value)?,
    }
    Ok(Outcome::Written)
}

/// Keeps other processes from these trials until the end of the transaction.
pub(super) fn lock(transaction: &mut Transaction<'_>, trials: &[i32]) -> Result<(), Trouble> {
    let lock = "SELECT FROM trials WHERE trial_id = ANY($1) ORDER BY trial_id FOR UPDATE";
    transaction.query_typed(lock, &[(&trials, Type::INT4_ARRAY)])?;
    Ok(())
}

/// A sign of life of the process that trains a trial, as Optuna's heartbeat: in the time zone of the session, as there.
pub(super) fn beat(client: &mut Client, trial: i32) -> Result<(), Trouble> {
    let beat = "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ($1, localtimestamp)
        ON CONFLICT (trial_id) DO UPDATE SET heartbeat = excluded.heartbeat";
    client.execute_typed(beat, &[(&trial, Type::INT4)])?;
    Ok(())
}

/// The number of a trial is that of the trials before it; the lock on its study keeps others from counting meanwhile.
fn create_trial(transaction: &mut Transaction<'_>, study: i32) -> Result<i32, Trouble> {
    let create = format!("INSERT INTO trials (study_id, state, datetime_start) VALUES ($1, 'RUNNING', {NOW}) RETURNING trial_id");
    let id: i32 = transaction.query_typed_one(&create, &[(&study, Type::INT4)])?.get(0);
    let count = "UPDATE trials SET number = (SELECT count(*) FROM trials b WHERE b.study_id = $1 AND b.trial_id < $2) WHERE trial_id = $2";
    transaction.execute_typed(count, &[(&study, Type::INT4), (&id, Type::INT4)])?;
    Ok(id)
}

fn put_params(transaction: &mut Transaction<'_>, trial: i32, params: &Params) -> Result<(), Trouble> {
    if params.is_empty() {
        return Ok(());
    }
    let row =
        |(name, param): (&String, &crate::search::Param)| json!({ "n": name, "v": param.internal, "d": param.distribution.to_json() });
    let rows = Value::Array(params.iter().map(row).collect()).to_string();
    let insert = "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json)
        SELECT $1, n, v, d FROM json_to_recordset($2::text::json) AS r(n text, v float8, d text)
        ON CONFLICT (trial_id, param_name) DO NOTHING";
    transaction.execute_typed(insert, &[(&trial, Type::INT4), (&rows, Type::TEXT)])?;
    Ok(())
}

/// Whose notes.
#[derive(Clone, Copy, Debug)]
enum Owner {
    StudyUser,
    StudySystem,
    TrialUser,
    TrialSystem,
}

fn put_notes(transaction: &mut Transaction<'_>, owner: Owner, id: i32, notes: &Map<String, Value>) -> Result<(), Trouble> {
    if notes.is_empty() {
        return Ok(());
    }
    let (table, column, only) = match owner {
        Owner::StudyUser => ("study_user_attributes", "study_id", String::new()),
        Owner::StudySystem => ("study_system_attributes", "study_id", String::new()),
        Owner::TrialUser => {
            ("trial_user_attributes", "trial_id", format!("WHERE EXISTS (SELECT FROM trials WHERE trial_id = $1 AND {OPEN})"))
        }
        Owner::TrialSystem => {
            ("trial_system_attributes", "trial_id", format!("WHERE EXISTS (SELECT FROM trials WHERE trial_id = $1 AND {OPEN})"))
        }
    };
    if let Some(key) = notes.keys().find(|key| key.chars().count() > 512) {
        return Err(SearchError::Study(format!("the name of a note is too long for a database: {key}")).into());
    }
    let row = |(key, value): (&String, &Value)| json!({ "k": key, "v": value.to_string() });
    let rows = Value::Array(notes.iter().map(row).collect()).to_string();
    let put = format!(
        "INSERT INTO {table} ({column}, key, value_json) SELECT $1, k, v FROM json_to_recordset($2::text::json) AS r(k text, v text) {only}
        ON CONFLICT ({column}, key) DO UPDATE SET value_json = excluded.value_json"
    );
    transaction.execute_typed(&put, &[(&id, Type::INT4), (&rows, Type::TEXT)])?;
    Ok(())
}

fn intermediate(transaction: &mut Transaction<'_>, trial: i32, step: i64, value: f64) -> Result<(), Trouble> {
    let (number, kind) = kind(value);
    let put = format!(
        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type)
        SELECT $1, $2, $3, $4::text::trialintermediatevaluetype WHERE EXISTS (SELECT FROM trials WHERE trial_id = $1 AND {OPEN})
        ON CONFLICT (trial_id, step) DO UPDATE
        SET intermediate_value = excluded.intermediate_value, intermediate_value_type = excluded.intermediate_value_type"
    );
    let step = step as i32;
    transaction.execute_typed(&put, &[(&trial, Type::INT4), (&step, Type::INT4), (&number, Type::FLOAT8), (&kind, Type::TEXT)])?;
    Ok(())
}

fn end(transaction: &mut Transaction<'_>, trial: i32, state: TrialState, value: Option<f64>) -> Result<(), Trouble> {
    let end = format!("UPDATE trials SET state = $2::text::trialstate, datetime_complete = {NOW} WHERE trial_id = $1 AND {OPEN}");
    // who is first is right
    let ended = transaction.execute_typed(&end, &[(&trial, Type::INT4), (&state_name(state), Type::TEXT)])?;
    if let (1, Some(value)) = (ended, value) {
        let (number, kind) = kind(value);
        let put = "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ($1, 0, $2, $3::text::trialvaluetype)
            ON CONFLICT (trial_id, objective) DO UPDATE SET value = excluded.value, value_type = excluded.value_type";
        transaction.execute_typed(put, &[(&trial, Type::INT4), (&number, Type::FLOAT8), (&kind, Type::TEXT)])?;
    }
    Ok(())
}
