//! The mirror as an `SQLite` file that `mlflow ui --backend-store-uri sqlite:///...` opens.
//!
//! A new file gets the schema of MLflow 2.22, stamped as such: MLflow of that version opens it, later ones bring it up to date.
//! A file that is there already is taken if its tables have the columns that we write ([`shape`]). Every statement may be done
//! twice, and each batch is one transaction together with the position in the run's events, so a mirror that was killed goes on
//! where it was. Files of a run are written below `mlartifacts` beside the database.

mod models;
mod runs;
mod shape;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};

use super::record::{RUNS, whole};
use super::store::{Batch, MirrorError, Model, Store};
use super::told::Position;
use crate::files;

/// The tables of a new file.
const SCHEMA: &str = include_str!("schema.sql");
/// What MLflow 2.22 calls that schema.
const STAMP: &str = "0584bdc529eb";
/// The tag that holds a run's [`Position`].
const POSITION: &str = "tuning_fork.position";
/// The folder of artifacts beside the file.
const ARTIFACTS: &str = "mlartifacts";
/// How long another program may hold the file.
const PATIENCE: Duration = Duration::from_secs(5);

/// The database.
pub struct Database {
    connection: Connection,
    path: PathBuf,
    experiment: i64,
    /// Where the experiment's artifacts are, as MLflow has it.
    location: String,
    /// The folder of runs that is mirrored.
    runs: String,
}

impl Database {
    /// Opens the file or makes it, and the experiment in it. `runs` names the folder that is mirrored.
    pub fn open(path: &Path, experiment: &str, runs: &str) -> Result<Self, MirrorError> {
        let fail = |error| failed(path, &error);
        if path.parent().is_some_and(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
            return Err(MirrorError::Refused(format!("the folder of {} is not there; make it, or take another place", path.display())));
        }
        let mut connection = Connection::open(path).map_err(fail)?;
        connection.busy_timeout(PATIENCE).map_err(fail)?;
        prepare(&mut connection).map_err(fail)?;
        shape::check(&connection, &path.display().to_string())?;
        let (experiment, location) = self::experiment(&mut connection, path, experiment)?;
        Ok(Self { connection, path: path.to_owned(), experiment, location, runs: runs.to_owned() })
    }

    fn write_artifacts(&self, batch: &Batch<'_>) -> std::io::Result<()> {
        let Some(folder) = local(&self.uri(&batch.record.id)) else { return Ok(()) };
        for (name, bytes) in batch.artifacts {
            let place = folder.join(name);
            if std::fs::read(&place).ok().as_ref() != Some(bytes) {
                files::write_whole(&place, bytes)?;
            }
        }
        Ok(())
    }

    fn uri(&self, id: &str) -> String {
        format!("{}/{id}/artifacts", self.location.trim_end_matches('/'))
    }
}

impl Store for Database {
    fn positions(&mut self) -> Result<BTreeMap<String, Position>, MirrorError> {
        let read = |connection: &Connection| -> Result<BTreeMap<String, Position>, rusqlite::Error> {
            let query = "SELECT t.run_uuid, t.value FROM tags t JOIN tags r ON r.run_uuid = t.run_uuid
                         JOIN runs ON runs.run_uuid = t.run_uuid WHERE t.key = ?1 AND r.key = ?2 AND r.value = ?3 AND experiment_id = ?4";
            let mut query = connection.prepare(query)?;
            let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
            let rows = query.query_map(params![POSITION, RUNS, self.runs, self.experiment], row)?;
            let mut positions = BTreeMap::new();
            for row in rows {
                let (id, position) = row?;
                // one that cannot be read begins anew, which writes the same again
                positions.insert(id, serde_json::from_str(&position).unwrap_or_default());
            }
            Ok(positions)
        };
        read(&self.connection).map_err(|error| failed(&self.path, &error))
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<Vec<String>, MirrorError> {
        if let Err(error) = self.write_artifacts(batch) {
            let folder = self.path.with_file_name(ARTIFACTS);
            return Err(MirrorError::Away(format!("files of runs cannot be written to {} ({error}); make room", folder.display())));
        }
        let (uri, experiment) = (self.uri(&batch.record.id), self.experiment);
        let write = |connection: &mut Connection| {
            let change = connection.transaction()?;
            runs::write(&change, experiment, &uri, batch)?;
            change.commit()
        };
        write(&mut self.connection).map(|()| Vec::new()).map_err(|error| failed(&self.path, &error))
    }

    fn hide_others(&mut self, ids: &[String]) -> Result<(), MirrorError> {
        let (runs, now) = (self.runs.clone(), now());
        let hide = |connection: &mut Connection| runs::hide_others(connection, &runs, ids, now);
        hide(&mut self.connection).map_err(|error| failed(&self.path, &error))
    }

    fn write_models(&mut self, models: &[Model]) -> Result<Vec<String>, MirrorError> {
        let runs = self.runs.clone();
        models::write(&mut self.connection, &runs, models).map_err(|error| failed(&self.path, &error))
    }

    fn clear(&mut self) -> Result<(), MirrorError> {
        let runs = self.runs.clone();
        let clear = |connection: &mut Connection| {
            runs::clear(connection, &runs)?;
            models::write(connection, &runs, &[]).map(|_| ())
        };
        clear(&mut self.connection).map_err(|error| failed(&self.path, &error))
    }
}

/// The folder of a run's artifacts, if they lie on this machine.
fn local(uri: &str) -> Option<PathBuf> {
    let path = uri.strip_prefix("file://").unwrap_or(uri);
    (path.starts_with('/') || !path.contains(':')).then(|| path.into())
}

/// Gives a new file its tables.
fn prepare(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    // two that make the same file at once wait for each other
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let tables: i64 = change.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))?;
    if tables == 0 {
        change.execute_batch(SCHEMA)?;
        change.execute("INSERT INTO alembic_version (version_num) VALUES (?1)", [STAMP])?;
    }
    change.commit()
}

/// The experiment's number and where its artifacts are; made if it is not there.
fn experiment(connection: &mut Connection, path: &Path, name: &str) -> Result<(i64, String), MirrorError> {
    let root = whole(path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new(".")));
    let make = |connection: &mut Connection| -> Result<(i64, String, String), rusqlite::Error> {
        let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let add = |id: i64, name: &str| {
            let location = format!("{root}/{ARTIFACTS}/{id}");
            let columns = "experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time";
            let insert = format!("INSERT OR IGNORE INTO experiments ({columns}) VALUES (?1, ?2, ?3, 'active', ?4, ?4)");
            change.execute(&insert, params![id, name, location, now()])
        };
        // MLflow wants this one to be there
        add(0, "Default")?;
        let query = "SELECT experiment_id, coalesce(artifact_location, ''), lifecycle_stage FROM experiments WHERE name = ?1";
        let read = || change.query_row(query, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional();
        let found = if let Some(found) = read()? {
            found
        } else {
            let last: i64 = change.query_row("SELECT max(experiment_id) FROM experiments", [], |row| row.get(0))?;
            add(last + 1, name)?;
            read()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?
        };
        change.commit()?;
        Ok(found)
    };
    let (id, location, stage): (i64, String, String) = make(connection).map_err(|error| failed(path, &error))?;
    if stage != "active" {
        let message = format!("the experiment {name} of {} is deleted; restore it in MLflow, or name another one", path.display());
        return Err(MirrorError::Refused(message));
    }
    Ok((id, location))
}

/// What an error of the database means.
fn failed(path: &Path, error: &rusqlite::Error) -> MirrorError {
    let name = path.display();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            MirrorError::Away(format!("{name} is locked by another program; it is tried again, nothing is lost"))
        }
        Some(ErrorCode::DiskFull) => MirrorError::Away(format!("there is no room for {name} ({error}); make room, nothing is lost")),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            MirrorError::Refused(format!("{name} cannot be written ({error}). The mirror is off; make it writable or take another file"))
        }
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            MirrorError::Refused(format!("{name} is no SQLite database, or a damaged one ({error}). The mirror is off; take another file"))
        }
        _ => MirrorError::Refused(format!("{name} refuses what is written ({error}). The mirror is off; take another file")),
    }
}

/// Milliseconds since 1970-01-01 UTC.
fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}
