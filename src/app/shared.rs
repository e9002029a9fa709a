//! Databases that machines share, whose studies the Search panel shows beside those of the journals.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::searched::{JournalRead, Journals};
use crate::search::{self, Address, DatabaseRead, DatabaseReader, HEARTBEAT, Storage, StudyRecord, Trial};

/// The databases whose studies are shown.
#[derive(Default)]
pub struct Opened {
    /// What was read of each last.
    pub read: Journals,
    /// Why some cannot be read now.
    pub away: BTreeMap<Storage, String>,
    /// Who reads them, each with a connection that stays open.
    readers: BTreeMap<Storage, Reader>,
    /// Whether they are being read.
    pub reading: bool,
    /// The one that was opened just now: its first study is shown once it is read.
    pub wanted: Option<Storage>,
}

/// Shared with the thread that reads, one at a time.
type Reader = Arc<Mutex<DatabaseReader>>;

impl Opened {
    /// Opens the studies at an address; their runs are looked for in `folder`. Nothing is read yet.
    ///
    /// # Errors
    /// If it is no address.
    pub fn open(&mut self, address: &str, folder: &Path) -> Result<Storage, String> {
        let address = Address::parse(address)?;
        let reader = Arc::new(Mutex::new(DatabaseReader::new(&address)));
        let storage = Storage::Database { address, folder: folder.into() };
        // the address may have a password now, or name another study
        self.close(&storage);
        self.readers.insert(storage.clone(), reader);
        Ok(storage)
    }

    /// Shows the studies of a storage no more.
    pub fn close(&mut self, storage: &Storage) {
        self.readers.remove(storage);
        self.read.remove(storage);
        self.away.remove(storage);
        // nobody waits for it any more
        self.wanted = self.wanted.take().filter(|wanted| wanted != storage);
    }

    /// The databases that are open.
    pub fn storages(&self) -> impl Iterator<Item = &Storage> {
        self.readers.keys()
    }

    /// The work of reading all of them, for another thread; `None` if there are none.
    pub fn work(&self) -> Option<impl FnOnce() -> Journals + Send + 'static> {
        let readers = self.readers.clone();
        (!readers.is_empty()).then_some(move || readers.into_iter().map(|(storage, reader)| read_one(storage, &reader)).collect())
    }

    /// Takes what was read in; true if anything is new. The studies of a database that is away stay as they were.
    pub fn take(&mut self, mut read: Journals) -> bool {
        // one may have been closed meanwhile
        read.retain(|storage, _| self.readers.contains_key(storage));
        let mut is_new = false;
        for (storage, read) in read {
            let known = self.read.get(&storage);
            match &read.studies {
                Err(problem) if known.is_some_and(|known| known.studies.is_ok()) => {
                    is_new |= self.away.get(&storage) != Some(problem);
                    self.away.insert(storage, problem.clone());
                    continue;
                }
                _ => is_new |= self.away.remove(&storage).is_some(),
            }
            if !known.is_some_and(|known| known.is_same(&read)) {
                is_new = true;
                self.read.insert(storage, read);
            }
        }
        is_new
    }
}

fn read_one(storage: Storage, reader: &Mutex<DatabaseReader>) -> (Storage, JournalRead) {
    let read = read(storage.home(), reader);
    (storage, read)
}

fn read(home: &Path, reader: &Mutex<DatabaseReader>) -> JournalRead {
    // a reader that was broken off reads everything anew
    let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
    match reader.read(2 * HEARTBEAT) {
        Ok(DatabaseRead { changes, studies, damaged }) => {
            let left = studies.iter().map(|(study, left)| (study.name.clone(), left.clone())).collect();
            let is_here = |trial: &&Trial| search::run_of(trial).is_some_and(|run| home.join(run).is_dir());
            let in_study = |study: &StudyRecord| study.trials.iter().filter(is_here).map(|trial| trial.number).collect();
            let here = studies.iter().map(|(study, _)| (study.name.clone(), in_study(study))).collect();
            let studies = studies.into_iter().map(|(study, _)| Arc::new(study)).collect();
            JournalRead { stamp: (changes, None), studies: Ok(studies), left, here, damaged }
        }
        Err(error) => {
            let (left, here) = (BTreeMap::new(), BTreeMap::new());
            JournalRead { stamp: (0, None), studies: Err(error.to_string()), left, here, damaged: Vec::new() }
        }
    }
}
