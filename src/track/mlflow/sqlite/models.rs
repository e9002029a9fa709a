//! The rows of registered models.

use rusqlite::{Connection, Error, OptionalExtension, Transaction, params};

use crate::track::mlflow::record::RUNS;
use crate::track::mlflow::store::{Model, Version};

/// The longest description that MLflow takes.
const LONGEST: usize = 5_000;

/// Makes the models of this folder of runs what they are here. Gives those that could not be written, in words.
pub(super) fn write(connection: &mut Connection, runs: &str, models: &[Model]) -> Result<Vec<String>, Error> {
    let change = connection.transaction()?;
    let mut notes = Vec::new();
    for name in ours(&change, runs)? {
        if !models.iter().any(|model| model.name == name) {
            remove(&change, &name)?;
        }
    }
    for model in models {
        let name = &model.name;
        let there: Option<String> =
            change.query_row("SELECT name FROM registered_models WHERE name = ?1", [name], |row| row.get(0)).optional()?;
        if there.is_none() {
            let insert = "INSERT INTO registered_models (name, creation_time, last_updated_time, description) VALUES (?1, ?2, ?2, '')";
            change.execute(insert, params![name, model.time])?;
            change.execute("INSERT INTO registered_model_tags (key, value, name) VALUES (?1, ?2, ?3)", params![RUNS, runs, name])?;
        } else if !ours(&change, runs)?.contains(name) {
            notes.push(format!("the model {name} is left out: MLflow has one of that name that is not from {runs}"));
            continue;
        }
        versions(&change, model)?;
        aliases(&change, model)?;
    }
    change.commit()?;
    Ok(notes)
}

/// The models that came from this folder of runs.
fn ours(change: &Transaction<'_>, runs: &str) -> Result<Vec<String>, Error> {
    let mut query = change.prepare("SELECT name FROM registered_model_tags WHERE key = ?1 AND value = ?2")?;
    query.query_map([RUNS, runs], |row| row.get(0))?.collect()
}

fn remove(change: &Transaction<'_>, name: &str) -> Result<(), Error> {
    for table in ["registered_model_aliases", "model_version_tags", "model_versions", "registered_model_tags", "registered_models"] {
        change.execute(&format!("DELETE FROM {table} WHERE name = ?1"), [name])?;
    }
    Ok(())
}

fn versions(change: &Transaction<'_>, model: &Model) -> Result<(), Error> {
    let name = &model.name;
    let mut query = change.prepare("SELECT version FROM model_versions WHERE name = ?1")?;
    let there: Vec<u32> = query.query_map([name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for gone in there.iter().filter(|number| !model.versions.iter().any(|version| version.number == **number)) {
        for table in ["registered_model_aliases", "model_version_tags", "model_versions"] {
            change.execute(&format!("DELETE FROM {table} WHERE name = ?1 AND version = ?2"), params![name, gone])?;
        }
    }
    for version in &model.versions {
        let Version { number, run, time, source, description, sha256 } = version;
        let columns = "name, version, creation_time, last_updated_time, current_stage, source, run_id, status, storage_location";
        let insert = format!("INSERT OR IGNORE INTO model_versions ({columns}) VALUES (?1, ?2, ?3, ?3, 'None', ?4, ?5, 'READY', ?4)");
        change.execute(&insert, params![name, number, time, source, run])?;
        let description: String = description.chars().take(LONGEST).collect();
        let update = "UPDATE model_versions SET source = ?3, storage_location = ?3, run_id = ?4, description = ?5
                      WHERE name = ?1 AND version = ?2";
        change.execute(update, params![name, number, source, run, description])?;
        let tag = "INSERT OR REPLACE INTO model_version_tags (key, value, name, version) VALUES ('tuning_fork.sha256', ?1, ?2, ?3)";
        change.execute(tag, params![sha256, name, number])?;
    }
    let last = model.versions.iter().map(|version| version.time).max().unwrap_or(model.time);
    change.execute("UPDATE registered_models SET last_updated_time = ?2 WHERE name = ?1", params![name, last]).map(|_| ())
}

fn aliases(change: &Transaction<'_>, model: &Model) -> Result<(), Error> {
    change.execute("DELETE FROM registered_model_aliases WHERE name = ?1", [&model.name])?;
    for (alias, version) in &model.aliases {
        let insert = "INSERT INTO registered_model_aliases (alias, version, name) VALUES (?1, ?2, ?3)";
        change.execute(insert, params![alias, version, model.name])?;
    }
    Ok(())
}
