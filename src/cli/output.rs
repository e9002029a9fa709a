//! Standard output as a fallible stream: a reader that goes away (`| head`) is an ordinary end, never a panic.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// Writes `text` and a line break to standard output.
pub fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Writes `text` as it stands to standard output.
pub fn text(text: &str) -> io::Result<()> {
    io::stdout().lock().write_all(text.as_bytes())
}

/// Writes `value` as one line of JSON to standard output, at once.
pub fn json(value: &impl Serialize) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let text = serde_json::to_string(value).map_err(io::Error::from)?;
    writeln!(stdout, "{text}")?;
    stdout.flush()
}

/// Writes `text` and a line break to standard error. If nobody reads it, there is nobody to tell.
pub fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether `error` is, at its root, a reader of our output that went away.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe))
}
