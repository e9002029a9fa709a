//! The rows of runs.

use rusqlite::{Connection, Error, OptionalExtension, Transaction, params};

use super::POSITION;
use crate::track::mlflow::record::{Data, RUNS, Record, USER_TAG, hex};
use crate::track::mlflow::store::Batch;
use crate::track::mlflow::told::Metric;

/// Writes a batch. Whatever of it is there already stays as it is, or becomes what it says.
pub(super) fn write(change: &Transaction<'_>, experiment: i64, uri: &str, batch: &Batch<'_>) -> Result<(), Error> {
    let record = batch.record;
    if batch.changed {
        run(change, experiment, uri, record)?;
        for (key, value) in &record.params {
            change
                .prepare("INSERT OR REPLACE INTO params (key, value, run_uuid) VALUES (?1, ?2, ?3)")?
                .execute(params![key, value, record.id])?;
        }
        tags(change, record)?;
        if let Some(data) = &record.data {
            input(change, experiment, &record.id, data)?;
        }
    }
    write_metrics(change, &record.id, batch.metrics)?;
    latest(change, &record.id, batch.metrics)?;
    let position = serde_json::to_string(batch.position).unwrap_or_default();
    tag(change, &record.id, POSITION, &position)
}

fn run(change: &Transaction<'_>, experiment: i64, uri: &str, record: &Record) -> Result<(), Error> {
    let user = std::env::var("USER").or_else(|_| std::env::var("USERNAME")).unwrap_or_default();
    let columns = "run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, end_time, source_version, \
                   lifecycle_stage, artifact_uri, experiment_id";
    let insert =
        format!("INSERT OR IGNORE INTO runs ({columns}) VALUES (?1, ?2, 'LOCAL', 'tuning-fork', '', ?3, ?4, ?5, ?6, '', 'active', ?7, ?8)");
    let Record { id, name, status, start, end, .. } = record;
    change.prepare(&insert)?.execute(params![id, name, user, status, start, end, uri, experiment])?;
    change
        .prepare(
            "UPDATE runs SET name = ?2, status = ?3, start_time = ?4, end_time = ?5, lifecycle_stage = 'active', deleted_time = NULL,
             experiment_id = ?6, artifact_uri = ?7 WHERE run_uuid = ?1",
        )?
        .execute(params![id, name, status, start, end, experiment, uri])?;
    Ok(())
}

fn tags(change: &Transaction<'_>, record: &Record) -> Result<(), Error> {
    // the user's own that were taken away since
    let mut query = change.prepare("SELECT key FROM tags WHERE run_uuid = ?1")?;
    let there = query.query_map([&record.id], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    for key in there.iter().filter(|key| key.starts_with(USER_TAG) && !record.tags.iter().any(|(ours, _)| ours == *key)) {
        change.execute("DELETE FROM tags WHERE run_uuid = ?1 AND key = ?2", params![record.id, key])?;
    }
    record.tags.iter().try_for_each(|(key, value)| tag(change, &record.id, key, value))
}

fn tag(change: &Transaction<'_>, id: &str, key: &str, value: &str) -> Result<(), Error> {
    change.prepare("INSERT OR REPLACE INTO tags (key, value, run_uuid) VALUES (?1, ?2, ?3)")?.execute(params![key, value, id]).map(|_| ())
}

/// The data set, and that the run was trained on it.
fn input(change: &Transaction<'_>, experiment: i64, id: &str, data: &Data) -> Result<(), Error> {
    let Data { name, digest, source, profile } = data;
    let find = "SELECT dataset_uuid FROM datasets WHERE experiment_id = ?1 AND name = ?2 AND digest = ?3";
    let there: Option<String> = change.query_row(find, params![experiment, name, digest], |row| row.get(0)).optional()?;
    let uuid = if let Some(uuid) = there {
        uuid
    } else {
        let uuid = hex(&[&experiment.to_le_bytes(), name.as_bytes(), b"\n", digest.as_bytes()])[..32].to_owned();
        let columns = "dataset_uuid, experiment_id, name, digest, dataset_source_type, dataset_source, dataset_profile";
        let insert = format!("INSERT INTO datasets ({columns}) VALUES (?1, ?2, ?3, ?4, 'local', ?5, ?6)");
        change.execute(&insert, params![uuid, experiment, name, digest, source, profile])?;
        uuid
    };
    let input = hex(&[b"input\n", uuid.as_bytes(), id.as_bytes()])[..32].to_owned();
    let columns = "input_uuid, source_type, source_id, destination_type, destination_id";
    let insert = format!("INSERT OR IGNORE INTO inputs ({columns}) VALUES (?1, 'DATASET', ?2, 'RUN', ?3)");
    change.execute(&insert, params![input, uuid, id])?;
    let insert = "INSERT OR IGNORE INTO input_tags (input_uuid, name, value) VALUES (?1, 'mlflow.data.context', 'training')";
    change.execute(insert, [input]).map(|_| ())
}

/// A number as MLflow keeps it: the largest ones stand for infinite ones, and a flag for one that is none.
fn kept(value: f64) -> (f64, bool) {
    if value.is_nan() { (0.0, true) } else { (value.clamp(f64::MIN, f64::MAX), false) }
}

fn write_metrics(change: &Transaction<'_>, id: &str, metrics: &[Metric]) -> Result<(), Error> {
    let insert = "INSERT OR IGNORE INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = change.prepare(insert)?;
    for metric in metrics {
        let (value, none) = kept(metric.value);
        insert.execute(params![metric.key, value, metric.time, id, metric.step, none])?;
    }
    Ok(())
}

/// The latest number of each name: that of the highest step, then of the latest time.
fn latest(change: &Transaction<'_>, id: &str, metrics: &[Metric]) -> Result<(), Error> {
    let mut last: std::collections::BTreeMap<&str, &Metric> = std::collections::BTreeMap::new();
    for metric in metrics {
        let known = last.entry(metric.key).or_insert(metric);
        if (metric.step, metric.time) >= (known.step, known.time) {
            *known = metric;
        }
    }
    for metric in last.values() {
        let (value, none) = kept(metric.value);
        let row = params![metric.key, value, metric.time, metric.step, none, id];
        change
            .prepare(
                "INSERT OR IGNORE INTO latest_metrics (key, value, timestamp, step, is_nan, run_uuid) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(row)?;
        change
            .prepare(
                "UPDATE latest_metrics SET value = ?2, timestamp = ?3, step = ?4, is_nan = ?5
                 WHERE key = ?1 AND run_uuid = ?6 AND (step, timestamp) <= (?4, ?3)",
            )?
            .execute(row)?;
    }
    Ok(())
}

/// The runs that came from this folder of runs, and whether MLflow shows them.
fn ours(connection: &Connection, runs: &str) -> Result<Vec<(String, bool)>, Error> {
    let query = "SELECT runs.run_uuid, lifecycle_stage = 'active' FROM runs JOIN tags ON tags.run_uuid = runs.run_uuid
                 WHERE tags.key = ?1 AND tags.value = ?2";
    let mut query = connection.prepare(query)?;
    query.query_map([RUNS, runs], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Hides the runs of this folder that are not among `ids`, and shows those that are.
pub(super) fn hide_others(connection: &mut Connection, runs: &str, ids: &[String], now: i64) -> Result<(), Error> {
    let ids: std::collections::BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let change = connection.transaction()?;
    for (id, shown) in ours(&change, runs)? {
        match (ids.contains(id.as_str()), shown) {
            (false, true) => {
                change.execute("UPDATE runs SET lifecycle_stage = 'deleted', deleted_time = ?2 WHERE run_uuid = ?1", params![id, now])?
            }
            (true, false) => change.execute("UPDATE runs SET lifecycle_stage = 'active', deleted_time = NULL WHERE run_uuid = ?1", [id])?,
            _ => 0,
        };
    }
    change.commit()
}

/// Removes every run of this folder.
pub(super) fn clear(connection: &mut Connection, runs: &str) -> Result<(), Error> {
    let change = connection.transaction()?;
    for (id, _) in ours(&change, runs)? {
        change.execute(
            "DELETE FROM input_tags WHERE input_uuid IN (SELECT input_uuid FROM inputs WHERE destination_type = 'RUN' AND destination_id = ?1)",
            [&id],
        )?;
        change.execute("DELETE FROM inputs WHERE destination_type = 'RUN' AND destination_id = ?1", [&id])?;
        for table in ["metrics", "latest_metrics", "params", "tags", "runs"] {
            change.execute(&format!("DELETE FROM {table} WHERE run_uuid = ?1"), [&id])?;
        }
    }
    change.commit()
}
