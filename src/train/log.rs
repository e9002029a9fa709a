//! `events.jsonl`: one line an event, written before anybody is told, so that no listener knows more than the disk.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{Event, RunError};

/// The open log of a run. While it cannot be written (a full disk), lines are kept and tried again with the next event.
pub(super) struct EventLog {
    path: PathBuf,
    file: File,
    /// Bytes of the file that are whole lines.
    length: u64,
    unwritten: Vec<u8>,
}

impl EventLog {
    /// Opens the log to add to it; the torn last line of a killed process is cut off.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let open = || {
            let mut file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path)?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            let length = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end as u64 + 1);
            file.set_len(length)?;
            Ok((file, length))
        };
        let (file, length) = open().map_err(|e| RunError::io(path, e))?;
        Ok(Self { path: path.into(), file, length, unwritten: Vec::new() })
    }

    /// Adds an event. On an error it is kept for the next time.
    pub fn write(&mut self, event: &Event) -> Result<(), RunError> {
        let line = serde_json::to_vec(event).map_err(|e| RunError::invalid(&self.path, e.to_string()))?;
        self.unwritten.extend(line);
        self.unwritten.push(b'\n');
        let mut append = || {
            self.file.seek(SeekFrom::Start(self.length))?;
            self.file.write_all(&self.unwritten)?;
            self.file.flush()
        };
        match append() {
            Ok(()) => {
                self.length += self.unwritten.len() as u64;
                self.unwritten.clear();
                Ok(())
            }
            Err(e) => {
                // half a line must not stay; if it cannot be cut off either, the next write covers it
                let _ = self.file.set_len(self.length);
                Err(RunError::io(&self.path, e))
            }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::train::Paused;

    impl EventLog {
        /// A log on a disk without room.
        pub fn on_a_full_disk() -> Self {
            let file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
            Self { path: "events.jsonl".into(), file, length: 0, unwritten: Vec::new() }
        }
    }

    #[test]
    fn what_a_full_disk_refused_is_written_once_there_is_room() {
        let event = |step| Event::Paused(Paused { epoch: 1, step });
        let mut log = EventLog::on_a_full_disk();
        let error = log.write(&event(1)).expect_err("no room").to_string();
        assert!(error.starts_with("events.jsonl: No space left"), "{error}");
        log.file = tempfile::tempfile().expect("a file with room");
        log.write(&event(2)).expect("room");
        log.write(&event(3)).expect("room");
        let mut text = String::new();
        log.file.rewind().and_then(|()| log.file.read_to_string(&mut text)).expect("reads");
        let events: Vec<Event> = text.lines().map(|line| serde_json::from_str(line).expect("an event")).collect();
        assert_eq!(events, [event(1), event(2), event(3)]);
    }
}
