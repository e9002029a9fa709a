//! The tables: those of Optuna's RDBStorage, made as Optuna 5.0 makes them, and of no other version.

use std::time::{Duration, Instant};

use tokio_postgres::types::Type;

use super::client::Client;
use super::connect::{Connection, Trouble};
use crate::VERSION;
use crate::search::SearchError;

/// The tables and their types, as Optuna 5.0.0 makes them.
const TABLES: &str = include_str!("schema.sql");
/// The version that Optuna gives these tables; the same since its 3.2.
const HEAD: &str = "v3.2.0.a";
/// The number of the time before that.
const SCHEMA: i32 = 12;
/// Versions that Optuna's own tool can lift to this one.
const OLDER: [&str; 9] = ["v0.9.0.a", "v1.2.0.a", "v1.3.0.a", "v2.4.0.a", "v2.6.0.a", "v3.0.0.a", "v3.0.0.b", "v3.0.0.c", "v3.0.0.d"];
/// So long another program may need to finish the tables that it began.
const PATIENCE: Duration = Duration::from_secs(10);
/// The lock under which processes of ours make the tables: "tunefork" in ASCII.
const MAKING: i64 = 0x7475_6e65_666f_726b;

/// What is in a database.
enum Found {
    /// Tables of this version.
    Ours,
    /// No table of Optuna's.
    Nothing,
    /// Tables without a version: somebody is making them, or an Optuna of before 1.0 did.
    Unfinished,
}

/// Makes the tables if there are none.
///
/// # Errors
/// If they are of another version, or cannot be made.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), SearchError> {
    let place = connection.address().to_string();
    connection.with(|client| {
        let start = Instant::now();
        loop {
            match look(client, &place)? {
                Found::Ours => return Ok(()),
                Found::Unfinished if start.elapsed() > PATIENCE => return Err(unfinished(&place).into()),
                Found::Unfinished => {}
                Found::Nothing => match make(client) {
                    Err(trouble) if !trouble.is_made_already() || start.elapsed() > PATIENCE => return Err(trouble),
                    _ => continue,
                },
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    })
}

/// Whether the tables are there; nothing is changed.
///
/// # Errors
/// If they are of another version.
pub(super) fn is_there(client: &mut Client, place: &str) -> Result<bool, Trouble> {
    match look(client, place)? {
        Found::Ours => Ok(true),
        Found::Nothing => Ok(false),
        Found::Unfinished => Err(unfinished(place).into()),
    }
}

fn look(client: &mut Client, place: &str) -> Result<Found, Trouble> {
    let there = "SELECT to_regclass('studies') IS NOT NULL, to_regclass('alembic_version') IS NOT NULL";
    let row = client.query_typed_one(there, &[])?;
    let (studies, version): (bool, bool) = (row.get(0), row.get(1));
    if !version {
        return Ok(if studies { Found::Unfinished } else { Found::Nothing });
    }
    let version = client.query_typed_opt("SELECT version_num::text FROM alembic_version", &[])?;
    let version: Option<String> = version.map(|row| row.get(0));
    let refused = |message: String| Err(SearchError::Database { place: place.into(), message }.into());
    match version.as_deref() {
        None => Ok(Found::Unfinished),
        // another program has this table too
        Some(HEAD) => Ok(if studies { Found::Ours } else { Found::Unfinished }),
        Some(old) if OLDER.contains(&old) => {
            refused(format!("its tables are of an older Optuna (version {old}); lift them with: optuna storage upgrade --storage {place}"))
        }
        Some(other) => refused(format!(
            "its tables have the version {other}, which this program does not know: a newer Optuna or another program made them; use a newer Tuning Fork, or another database"
        )),
    }
}

fn unfinished(place: &str) -> SearchError {
    let message = "another program began to make Optuna's tables here and did not finish; make an empty database (createdb), or finish it with: optuna storage upgrade";
    SearchError::Database { place: place.into(), message: message.into() }
}

fn make(client: &mut Client) -> Result<(), Trouble> {
    let mut transaction = client.transaction()?;
    transaction.query_typed("SELECT pg_advisory_xact_lock($1)", &[(&MAKING, Type::INT8)])?;
    let row = transaction.query_typed_one("SELECT to_regclass('studies') IS NOT NULL", &[])?;
    if row.get(0) {
        return Ok(());
    }
    transaction.batch_execute(TABLES)?;
    let library = format!("tuning-fork {VERSION}");
    transaction.execute_typed("INSERT INTO version_info VALUES (1, $1, $2)", &[(&SCHEMA, Type::INT4), (&library, Type::VARCHAR)])?;
    transaction.execute_typed("INSERT INTO alembic_version VALUES ($1)", &[(&HEAD, Type::VARCHAR)])?;
    transaction.commit()
}
