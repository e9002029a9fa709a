//! The file of a journal: one compact JSON object a line, only ever added to, under its lock.
//!
//! A last line without its end is that of a process that was killed while it wrote. Readers wait for its end; the next writer cuts it
//! off, for under the lock nobody else can still be writing it.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::lock::JournalLock;
use super::{Closing, SearchError};

/// A journal that is read from time to time.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    /// Bytes that were read as whole lines.
    read: u64,
    /// Lines that were read.
    lines: usize,
}

impl Journal {
    pub fn new(path: &Path) -> Self {
        Self { path: path.into(), read: 0, lines: 0 }
    }

    /// Makes the file, and its folder, if it is not there.
    pub fn create(&self) -> Result<(), SearchError> {
        let io = |e| SearchError::io(&self.path, e);
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(io)?;
        }
        OpenOptions::new().append(true).create(true).open(&self.path).map(drop).map_err(io)
    }

    /// Gives the lines that were added since the last time to `take`, which says what is wrong with one.
    pub fn read_new(&mut self, mut take: impl FnMut(Value) -> Result<(), String>) -> Result<(), SearchError> {
        let bytes = self.new_bytes()?;
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
        for line in bytes[..whole].split_inclusive(|&b| b == b'\n') {
            let done = parse(line).and_then(&mut take);
            done.map_err(|message| SearchError::Journal { path: self.path.clone(), line: self.lines + 1, message })?;
            self.lines += 1;
            self.read += line.len() as u64;
        }
        Ok(())
    }

    fn new_bytes(&self) -> Result<Vec<u8>, SearchError> {
        let io = |e| SearchError::io(&self.path, e);
        let mut file = match File::open(&self.path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened.map_err(io)?,
        };
        let length = file.metadata().map_err(io)?.len();
        if length < self.read {
            let message = "the journal became shorter while it was in use; start again, it is read from its beginning".to_owned();
            return Err(SearchError::Journal { path: self.path.clone(), line: self.lines, message });
        }
        file.seek(SeekFrom::Start(self.read)).map_err(io)?;
        let mut bytes = Vec::with_capacity((length - self.read) as usize);
        file.take(length - self.read).read_to_end(&mut bytes).map_err(io)?;
        Ok(bytes)
    }

    /// Takes the lock of the journal.
    pub fn lock(&self, closing: &Closing) -> Result<JournalLock, SearchError> {
        JournalLock::acquire(&self.path, closing)
    }

    /// Adds lines and flushes them to the disk. A torn last line is cut off first.
    pub fn append(&self, _lock: &JournalLock, records: &[Value]) -> Result<(), SearchError> {
        let io = |e| SearchError::io(&self.path, e);
        let mut text = String::new();
        for record in records {
            text += &record.to_string();
            text.push('\n');
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let whole = end_of_last_line(&mut file, length).map_err(io)?;
        if whole < length {
            tracing::warn!("{}: the last line was torn by a process that was killed; it is cut off", self.path.display());
            file.set_len(whole).map_err(io)?;
        }
        let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // half a line on a full disk would tear the journal for readers that are stricter
            let _ = file.set_len(whole);
        }
        written.map_err(io)
    }
}

/// How many bytes of a file are whole lines.
fn end_of_last_line(file: &mut File, length: u64) -> std::io::Result<u64> {
    const BLOCK: u64 = 4096;
    let mut end = length;
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        let mut block = vec![0; (end - start) as usize];
        file.read_exact(&mut block)?;
        if let Some(at) = block.iter().rposition(|&b| b == b'\n') {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The object on a line. Python writes NaN, Infinity and -Infinity, which JSON does not have: they become texts.
fn parse(line: &[u8]) -> Result<Value, String> {
    let read = |text: &[u8]| serde_json::from_slice::<Value>(text);
    let value = read(line).or_else(|error| match named_numbers_as_texts(line) {
        Some(text) => read(&text),
        None => Err(error),
    });
    value.map_err(|e| format!("this is no JSON object ({e}); take the line out, with every program stopped"))
}

/// The line with quotes about NaN and Infinity outside of texts; `None` if there are none.
fn named_numbers_as_texts(line: &[u8]) -> Option<Vec<u8>> {
    const NAMES: [&[u8]; 3] = [b"-Infinity", b"Infinity", b"NaN"];
    let (mut out, mut in_text, mut found, mut i) = (Vec::with_capacity(line.len() + 16), false, false, 0);
    while i < line.len() {
        let name = NAMES.into_iter().find(|name| !in_text && line[i..].starts_with(name));
        if let Some(name) = name {
            out.push(b'"');
            out.extend_from_slice(name);
            out.push(b'"');
            found = true;
            i += name.len();
            continue;
        }
        if in_text && line[i] == b'\\' {
            out.extend_from_slice(&line[i..line.len().min(i + 2)]);
            i += 2;
            continue;
        }
        in_text ^= line[i] == b'"';
        out.push(line[i]);
        i += 1;
    }
    found.then_some(out)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(journal: &mut Journal) -> Vec<Value> {
        let mut lines = Vec::new();
        journal
            .read_new(|line| {
                lines.push(line);
                Ok(())
            })
            .expect("a readable journal");
        lines
    }

    #[test]
    fn a_torn_last_line_waits_and_is_cut_off_by_the_next_writer() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/study.log");
        let mut journal = Journal::new(&path);
        assert_eq!(lines(&mut journal), Vec::<Value>::new());
        journal.create().expect("a journal");
        let add = |records: &[Value]| journal.append(&journal.lock(&Closing::default()).expect("the lock"), records).expect("room");
        add(&[json!({ "a": 1 }), json!({ "a": 2 })]);
        let mut reader = Journal::new(&path);
        assert_eq!(lines(&mut reader).len(), 2);
        let mut file = OpenOptions::new().append(true).open(&path).expect("the file");
        file.write_all(&[&br#"{"a":3,"long":""#[..], &b"x".repeat(9_000)].concat()).expect("room");
        assert_eq!(lines(&mut reader), Vec::<Value>::new());
        add(&[json!({ "a": 4 })]);
        assert_eq!(lines(&mut reader), [json!({ "a": 4 })]);
        assert_eq!(lines(&mut Journal::new(&path)), [json!({ "a": 1 }), json!({ "a": 2 }), json!({ "a": 4 })]);
    }

    #[test]
    fn what_python_writes_is_read_and_a_broken_line_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("study.log");
        fs::write(&path, "{\"v\":NaN,\"w\":-Infinity,\"t\":\"NaN \\\" Infinity\"}\n{\"v\":1}\n{\"v\":\n").expect("a file");
        let mut seen = Vec::new();
        let error = Journal::new(&path).read_new(|line| {
            seen.push(line);
            Ok(())
        });
        assert_eq!(seen, [json!({ "v": "NaN", "w": "-Infinity", "t": "NaN \" Infinity" }), json!({ "v": 1 })]);
        assert!(error.expect_err("a broken line").to_string().contains("line 3"));
    }

    #[test]
    fn a_journal_that_shrank_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("study.log");
        fs::write(&path, "{}\n{}\n").expect("a file");
        let mut journal = Journal::new(&path);
        assert_eq!(lines(&mut journal).len(), 2);
        fs::write(&path, "{}\n").expect("a file");
        assert!(journal.read_new(|_| Ok(())).expect_err("a shorter file").to_string().contains("shorter"));
    }
}
