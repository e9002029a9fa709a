//! The index of the runs in a folder: `index.sqlite` beside them. It only remembers what the folders say; a folder that
//! changed is read again, and an index that is lost or damaged is made again.
//!
//! Table `runs`: `folder` (its path below the runs), `stamp` (sizes and times of its files), `facts` ([`RunFacts`] as JSON, so
//! `SELECT facts ->> '$.best.valid_macro_f1' FROM runs` works in any `SQLite`), `curve` (its [`EpochValues`] as JSON).

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OptionalExtension, params};

use super::{EpochValues, RunFacts, RunState, TrackError, about};
use crate::train::RunFolder;

/// The file beside the runs.
pub(super) const FILE: &str = "index.sqlite";
/// Counts up whenever what is remembered changes its shape; an index of another version is made again.
const VERSION: i64 = 3;

/// The index of the runs in a folder.
#[derive(Debug)]
pub struct Index {
    connection: Connection,
    folder: PathBuf,
    /// Why nothing is remembered on disk, if so.
    warning: Option<String>,
    /// The epochs of runs that could not be remembered.
    curves: HashMap<String, Vec<EpochValues>>,
}

/// The runs of a folder.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The runs, the latest first.
    pub runs: Vec<RunFacts>,
    /// Run folders that cannot be read, each with what is wrong and what to do.
    pub damaged: Vec<(String, String)>,
    /// Why the index is not kept on disk, if so; the list is right all the same.
    pub warning: Option<String>,
}

impl Index {
    /// The index of the runs in `folder`. Where the file cannot be used it is made again; where that cannot be, for example on a
    /// read-only disk, the index lives in memory, and the listing says so.
    ///
    /// # Errors
    /// If `SQLite` has not even memory for it.
    pub fn open(folder: &Path) -> Result<Self, TrackError> {
        let path = folder.join(FILE);
        let (connection, warning) = match on_disk(folder, &path) {
            Ok(connection) => (connection, None),
            Err(why) => {
                let connection = Connection::open_in_memory()?;
                prepare(&connection)?;
                let path = path.display();
                (connection, Some(format!("{path} cannot be used ({why}), so the runs are read anew each time the program starts.")))
            }
        };
        Ok(Self { connection, folder: folder.to_owned(), warning, curves: HashMap::new() })
    }

    /// Reads what changed in the folder since, and lists the runs.
    ///
    /// What cannot be remembered, for example on a full disk, is read from the folders again the next time; the listing says so.
    ///
    /// # Errors
    /// If the index cannot be read any more.
    pub fn list(&mut self) -> Result<Listing, TrackError> {
        let mut found = Vec::new();
        find(&self.folder, "", 0, &mut found);
        let mut listing = Listing { warning: self.warning.clone(), ..Listing::default() };
        let mut known = self.remembered()?;
        let mut fresh = Vec::new();
        for (name, path) in &found {
            let stamp = stamp(path);
            match known.remove(name) {
                Some((old, facts)) if old == stamp => listing.runs.push(facts),
                _ => match RunFacts::read(path, name) {
                    Ok((facts, curve)) => {
                        fresh.push((name, stamp, facts.clone(), curve));
                        listing.runs.push(facts);
                    }
                    Err(error) => listing.damaged.push((name.clone(), error.to_string())),
                },
            }
        }
        let there: HashSet<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        let gone: Vec<&String> = known.keys().filter(|name| !there.contains(name.as_str())).collect();
        self.curves.clear();
        if let Err(error) = self.remember(&fresh, &gone) {
            let path = self.folder.join(FILE);
            listing.warning = Some(format!("{} cannot be written ({error}), so these runs are read anew each time.", path.display()));
            self.curves = fresh.into_iter().map(|(name, _, _, curve)| (name.clone(), curve)).collect();
        }
        for facts in &mut listing.runs {
            facts.state = self.state_now(facts);
        }
        listing.damaged.sort();
        listing.runs.sort_by(|a, b| b.started.cmp(&a.started).then_with(|| a.folder.cmp(&b.folder)));
        Ok(listing)
    }

    /// The epochs of a run as they were when it was listed last; none if it is not in the index.
    ///
    /// # Errors
    /// If the index cannot be read.
    pub fn curve(&self, folder: &str) -> Result<Vec<EpochValues>, TrackError> {
        if let Some(curve) = self.curves.get(folder) {
            return Ok(curve.clone());
        }
        let query = "SELECT curve FROM runs WHERE folder = ?1";
        let text: Option<String> = self.connection.query_row(query, [folder], |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Where the runs are.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A run that says it runs, but that no process holds, was interrupted.
    fn state_now(&self, facts: &RunFacts) -> RunState {
        let folder = RunFolder::open(self.folder.join(&facts.folder));
        if facts.state.is_live() && !folder.is_ok_and(|folder| folder.is_busy()) { RunState::Interrupted } else { facts.state }
    }

    fn remembered(&self) -> Result<HashMap<String, (String, RunFacts)>, TrackError> {
        let mut query = self.connection.prepare("SELECT folder, stamp, facts FROM runs")?;
        let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?)))?;
        let mut known = HashMap::new();
        for row in rows {
            let (folder, stamp, facts) = row?;
            // a row that another program wrote differently is read from the folder again
            if let Ok(facts) = serde_json::from_str(&facts) {
                known.insert(folder, (stamp, facts));
            }
        }
        Ok(known)
    }

    fn remember(&mut self, fresh: &[(&String, String, RunFacts, Vec<EpochValues>)], gone: &[&String]) -> Result<(), rusqlite::Error> {
        if fresh.is_empty() && gone.is_empty() {
            return Ok(());
        }
        let text = |value: serde_json::Result<String>| value.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()));
        let change = self.connection.transaction()?;
        for (name, stamp, facts, curve) in fresh {
            let (facts, curve) = (text(serde_json::to_string(facts))?, text(serde_json::to_string(curve))?);
            change.execute(
                "INSERT OR REPLACE INTO runs (folder, stamp, facts, curve) VALUES (?1, ?2, ?3, ?4)",
                params![name, stamp, facts, curve],
            )?;
        }
        for name in gone {
            change.execute("DELETE FROM runs WHERE folder = ?1", [name])?;
        }
        change.commit()
    }
}

/// Opens the file; one that is damaged or of another version is made again.
fn on_disk(folder: &Path, path: &Path) -> Result<Connection, rusqlite::Error> {
    // where there are no runs yet there is nothing to remember, and no folder is made for it
    if !folder.is_dir() {
        let connection = Connection::open_in_memory()?;
        prepare(&connection)?;
        return Ok(connection);
    }
    let open = || {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        Ok(connection)
    };
    open().or_else(|error: rusqlite::Error| {
        let damaged = matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt));
        if damaged && fs::remove_file(path).is_ok() { open() } else { Err(error) }
    })
}

fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(Duration::from_secs(5))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version != VERSION {
        connection.execute_batch(&format!(
            "BEGIN IMMEDIATE; DROP TABLE IF EXISTS runs;
             CREATE TABLE runs (folder TEXT PRIMARY KEY, stamp TEXT NOT NULL, facts TEXT NOT NULL, curve TEXT NOT NULL);
             PRAGMA user_version = {VERSION}; COMMIT;"
        ))?;
    }
    Ok(())
}

/// The run folders in `folder`, and those in folders in it (the trials of a search).
fn find(folder: &Path, above: &str, depth: usize, found: &mut Vec<(String, PathBuf)>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if file_name.starts_with('.') || !path.is_dir() {
            continue;
        }
        let name = if above.is_empty() { file_name } else { format!("{above}/{file_name}") };
        if RunFolder::open(&path).is_ok() {
            found.push((name, path));
        } else if depth == 0 {
            find(&path, &name, 1, found);
        }
    }
}

/// Sizes and times of the files that the facts are read from: the same stamp means the same facts.
fn stamp(path: &Path) -> String {
    let file = |name: &str| {
        let Ok(metadata) = fs::metadata(path.join(name)) else { return "-".to_owned() };
        let time = metadata.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
        format!("{}@{}", metadata.len(), time.unwrap_or_default().as_nanos())
    };
    ["config.json", "events.jsonl", "split.json", about::FILE].map(file).join(" ")
}
