//! Studies in a PostgreSQL database, in the tables of Optuna's RDBStorage: Optuna's Python, its dashboard and this program share them.
//!
//! A transaction that chooses a trial locks the row of the study, as Optuna's does, so that every trial has its own number; a trial
//! that waits goes to whoever changes its state first.

mod address;
mod client;
mod connect;
mod read;
mod schema;
mod write;

use std::time::Duration;

use tokio_postgres::types::Type;

pub use address::Address;

use self::connect::{Connection, Trouble};
use self::read::Known;
use self::write::Outcome;
use super::changes::Changes;
use super::storage::{Decide, Keeper, Opening, Scope};
use super::{Closing, SearchError, StudyRecord};

/// Transactions that were in another's way are tried again so often.
const TRIES: u32 = 8;

/// A study in a database, open for more trials.
#[derive(Debug)]
pub(super) struct DatabaseStudy {
    connection: Connection,
    known: Known,
    grace: Duration,
}

impl DatabaseStudy {
    /// Opens a study; makes the tables and the study if they are not there.
    pub fn open(address: &Address, opening: Opening<'_>) -> Result<Self, SearchError> {
        let Opening { study, objective, notes, grace, closing, .. } = opening;
        let mut connection = Connection::new(address, closing);
        schema::prepare(&mut connection)?;
        let id = connection.with(|client| {
            retried(|| {
                let mut transaction = client.transaction()?;
                let id = write::create_study(&mut transaction, study, objective, notes)?;
                transaction.commit()?;
                Ok(Some(id))
            })
        })?;
        let mut known = Known::new(id);
        connection.with(|client| known.refresh(client))?;
        Ok(Self { connection, known, grace })
    }
}

impl Keeper for DatabaseStudy {
    fn record(&self) -> Option<&StudyRecord> {
        self.known.record()
    }

    fn update(&mut self, scope: Scope, decide: &mut Decide<'_>) -> Result<(), SearchError> {
        let Self { connection, known, grace } = self;
        let done = connection.with_back(|client, back| {
            retried(|| {
                let mut transaction = client.transaction()?;
                match scope {
                    Scope::Study => {
                        transaction.query_typed_opt("SELECT FROM studies WHERE study_id = $1 FOR UPDATE", &[(&known.id(), Type::INT4)])?;
                    }
                    Scope::Trial(id) => write::lock(&mut transaction, &[id as i32])?,
                }
                known.refresh(&mut transaction)?;
                let left = if scope == Scope::Study { known.left_locked(&mut transaction, *grace, back)? } else { Vec::new() };
                let record = known.record().ok_or_else(SearchError::deleted)?;
                let mut changes = Changes::default();
                decide(record, &left, &mut changes);
                for change in changes.list() {
                    if write::write(&mut transaction, known.id(), change)? == Outcome::TooLate {
                        return Ok(None);
                    }
                }
                // what is read back here may still be undone
                known.refresh(&mut transaction)?;
                let id = known.id();
                let read = std::mem::replace(known, Known::new(id));
                transaction.commit()?;
                *known = read;
                Ok(Some(()))
            })
        });
        if done.is_err() {
            known.forget();
        }
        done
    }

    fn beat(&mut self, trial: usize) -> Result<(), SearchError> {
        self.connection.with(|client| write::beat(client, trial as i32))
    }
}

/// Does something again while another transaction is in its way (or it says so by `None`), a little later each time.
fn retried<T>(mut work: impl FnMut() -> Result<Option<T>, Trouble>) -> Result<T, Trouble> {
    let mut tries = 0;
    loop {
        tries += 1;
        match work() {
            Ok(Some(done)) => return Ok(done),
            Err(trouble) if !trouble.is_collision() || tries >= TRIES => return Err(trouble),
            Ok(None) if tries >= TRIES * TRIES => {
                return Err(SearchError::Study("other processes always take the waiting trials first".into()).into());
            }
            _ => std::thread::sleep(Duration::from_millis(u64::from(20 * tries.min(50) + std::process::id() % 20))),
        }
    }
}

/// Studies of a database that are looked at again and again.
#[derive(Debug)]
pub struct DatabaseReader {
    connection: Connection,
    studies: Vec<Known>,
    /// Counts up whenever something changed.
    changes: u64,
}

/// A study and the numbers of the trials that a process left unfinished that is gone.
pub type StudyRead = (StudyRecord, Vec<usize>);

/// What a look at a database found.
#[derive(Debug)]
pub struct DatabaseRead {
    /// Another number than last time if something changed.
    pub changes: u64,
    /// The studies, the oldest first.
    pub studies: Vec<StudyRead>,
    /// The studies that hold what they should not, each with what is wrong.
    pub damaged: Vec<String>,
}

impl DatabaseReader {
    /// A reader of the studies at an address: the one that it names, or all. Nothing is read yet.
    #[must_use]
    pub fn new(address: &Address) -> Self {
        Self { connection: Connection::new(address, &Closing::default()), studies: Vec::new(), changes: 0 }
    }

    /// Looks at the studies. A process that has been silent for `grace`, or as long as it says itself, counts as gone. Nothing is ever
    /// written.
    ///
    /// # Errors
    /// If the database cannot be reached, or has other tables.
    pub fn read(&mut self, grace: Duration) -> Result<DatabaseRead, SearchError> {
        let Self { connection, studies, changes } = self;
        let address = connection.address().clone();
        let (studies, damaged) = connection.with_back(|client, back| {
            if !schema::is_there(client, &address.to_string())? {
                return Ok((Vec::new(), Vec::new()));
            }
            let mut there = read::studies(client)?;
            there.retain(|(_, name)| address.study().is_none_or(|study| study == name));
            if there.iter().map(|(id, _)| *id).ne(studies.iter().map(Known::id)) {
                *studies = there.iter().map(|(id, _)| Known::new(*id)).collect();
                *changes += 1;
            }
            let (mut read, mut damaged) = (Vec::with_capacity(studies.len()), Vec::new());
            for (known, (_, name)) in studies.iter_mut().zip(&there) {
                let mut transaction = client.transaction()?;
                let looked = known.refresh(&mut transaction).and_then(|new| Ok((new, known.left(&mut transaction, grace, back)?)));
                let ended = transaction.rollback();
                match looked {
                    Ok((new, left)) => {
                        *changes += u64::from(new);
                        read.extend(known.record().map(|record| (record.clone(), left)));
                    }
                    // the others can be read all the same
                    Err(Trouble::Told(error)) => damaged.push(format!("the study {name:?} is left out: {error}")),
                    Err(trouble) => return Err(trouble),
                }
                ended?;
            }
            Ok((read, damaged))
        })?;
        Ok(DatabaseRead { changes: self.changes, studies, damaged })
    }
}
