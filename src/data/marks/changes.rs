//! The user's marks as a table for others to work with.

use std::io::Write;

use super::Marks;
use crate::data::Dataset;

/// Writes a CSV table of every marked image: its number, the data set's label and the user's (number and name), its tags
/// (apart by semicolons), and its position where known.
///
/// # Errors
/// If it cannot be written.
pub fn write_changes(marks: &Marks, dataset: &Dataset, to: impl Write) -> std::io::Result<()> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(["image", "original", "original_class", "label", "label_class", "tags", "ra", "dec"])?;
    let name = |label: u32| dataset.classes.get(label as usize).map_or("", String::as_str);
    let known = |column: &[f64], index: usize| column.get(index).filter(|v| v.is_finite()).map(f64::to_string).unwrap_or_default();
    for (index, mark) in marks.iter().filter(|(index, _)| *index < dataset.len()) {
        let original = dataset.labels[index];
        let label = mark.label.unwrap_or(original);
        let tags: Vec<&str> = mark.tags.iter().map(String::as_str).collect();
        table.write_record([
            &index.to_string(),
            &original.to_string(),
            name(original),
            &label.to_string(),
            name(label),
            &tags.join("; "),
            &known(&dataset.catalogue.ra, index),
            &known(&dataset.catalogue.dec, index),
        ])?;
    }
    table.flush()
}
