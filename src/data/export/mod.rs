//! Images as a table for other programs: CSV, or `VOTable` for TOPCAT, Aladin and astropy. One row an image; every column
//! that is known: labels, the user's marks, catalogue columns, and all probabilities where there are predictions.

mod fields;
mod votable;

use std::io::{self, Write};
use std::path::Path;

use fields::{Field, Value};

use super::query::Facts;
use crate::files::replace;

/// The form of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Values apart by commas, names of the columns in the first line, nothing where a value is not known.
    Csv,
    /// `VOTable` 1.4 with its values as text (IVOA recommendation of 2019).
    VoTable,
}

impl Format {
    /// The form that a file's extension asks for: `.csv`, or `.vot`, `.votable` or `.xml`.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Self::Csv),
            "vot" | "votable" | "xml" => Some(Self::VoTable),
            _ => None,
        }
    }
}

/// Writes the images `which`, in this order, to a file, which appears whole or not at all.
///
/// # Errors
/// If it cannot be written.
pub fn export(path: &Path, format: Format, facts: &Facts, which: &[usize]) -> io::Result<()> {
    replace(path, |file| write(file, format, facts, which))
}

/// [`export`] to any writer.
///
/// # Errors
/// If it cannot be written.
pub fn write(to: &mut dyn Write, format: Format, facts: &Facts, which: &[usize]) -> io::Result<()> {
    let fields = fields::fields(facts);
    match format {
        Format::Csv => write_csv(to, &fields, which),
        Format::VoTable => votable::write(to, &fields, facts, which),
    }
}

fn write_csv(to: &mut dyn Write, fields: &[Field], which: &[usize]) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(fields.iter().map(|field| field.name.as_str()))?;
    for &index in which {
        table.write_record(fields.iter().map(|field| field.value(index).to_string()))?;
    }
    table.flush()
}

impl std::fmt::Display for Value {
    /// As it stands in a table; nothing if it is not known. Numbers have as many digits as it takes to read the same number.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(Some(value)) => value.fmt(f),
            Self::Single(Some(value)) if value.is_finite() => value.fmt(f),
            Self::Double(value) if value.is_finite() => value.fmt(f),
            Self::Text(value) => f.write_str(value),
            _ => Ok(()),
        }
    }
}
