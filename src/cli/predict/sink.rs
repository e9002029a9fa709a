//! Where the answers of `predict` go: a table on standard output, JSON lines, or files.

use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::Arguments;
use crate::cli::output;
use crate::explain::{AnswerTable, Classifier, Nearness, TableFormat};
use crate::files::NewFile;

/// What the model says of one picture.
pub struct Answer {
    /// The probability of each class.
    pub probabilities: Vec<f32>,
    /// How near it is to the training pictures, where that was asked for.
    pub nearness: Option<Nearness>,
}

/// Where the answers go.
pub struct Sink<'a> {
    classes: &'a [String],
    top: usize,
    form: Form<'a>,
}

enum Form<'a> {
    /// A table on standard output: the width of its first column, and whether its heading is written.
    Table {
        width: usize,
        headed: bool,
    },
    Json,
    Files(Vec<TableFile<'a>>),
}

impl<'a> Sink<'a> {
    /// Opens what the arguments ask for; `names` are what the pictures are called.
    ///
    /// # Errors
    /// If a file cannot be made.
    pub fn open(arguments: &Arguments, classifier: &'a Classifier, names: &[String]) -> anyhow::Result<Self> {
        let classes = &classifier.spec().classes;
        let top = usize::from(arguments.top).min(classes.len());
        let asked = [(TableFormat::Csv, &arguments.csv), (TableFormat::VoTable, &arguments.votable)];
        let files = asked
            .into_iter()
            .filter_map(|(format, path)| Some((format, path.as_ref()?)))
            .map(|(format, path)| TableFile::open(path, format, classifier, arguments.distance))
            .collect::<anyhow::Result<Vec<_>>>()?;
        let form = if !files.is_empty() {
            Form::Files(files)
        } else if arguments.json {
            Form::Json
        } else {
            let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).clamp(7, 100);
            Form::Table { width, headed: false }
        };
        Ok(Self { classes, top, form })
    }

    /// Tells one answer.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&mut self, name: &str, answer: &Answer) -> anyhow::Result<()> {
        let Answer { probabilities, nearness } = answer;
        let order = ranking(probabilities);
        match &mut self.form {
            Form::Table { width, headed } => {
                let width = *width;
                if !std::mem::replace(headed, true) {
                    let more = if nearness.is_some() { "; distance to the training pictures, percentile" } else { "" };
                    output::line(format!("{:<width$}  class, probability{more}", "picture"))?;
                }
                let mut answers: Vec<String> =
                    order[..self.top].iter().map(|&c| format!("{}, {:.3}", self.classes[c], probabilities[c])).collect();
                answers.extend(nearness.map(|near| format!("{:.3}, {:.1} %", near.distance, near.percentile())));
                output::line(format!("{name:<width$}  {}", answers.join("; ")))?;
            }
            Form::Json => {
                let all: Map<String, Value> = self.classes.iter().cloned().zip(probabilities.iter().map(|&p| json!(p))).collect();
                let top: Vec<&String> = order[..self.top].iter().map(|&c| &self.classes[c]).collect();
                let mut object = json!({
                    "path": name, "class": self.classes[order[0]], "probability": probabilities[order[0]], "top": top, "probabilities": all,
                });
                if let Some(near) = nearness {
                    object["distance"] = json!(near.distance);
                    object["percentile"] = json!(near.percentile());
                }
                output::json(&object)?;
            }
            Form::Files(files) => {
                for file in files {
                    file.table.write(name, probabilities, *nearness).with_context(|| file.unwritable())?;
                }
            }
        }
        Ok(())
    }

    /// Makes the files appear under their names.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn close(self) -> anyhow::Result<()> {
        let Form::Files(files) = self.form else { return Ok(()) };
        files.into_iter().try_for_each(TableFile::close)
    }
}

/// The most probable classes first; of two equal ones the earlier.
fn ranking(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// A table that becomes a file when it is whole.
struct TableFile<'a> {
    table: AnswerTable<'a, NewFile>,
    path: PathBuf,
}

impl<'a> TableFile<'a> {
    fn open(path: &Path, format: TableFormat, classifier: &'a Classifier, distance: bool) -> anyhow::Result<Self> {
        let start = || AnswerTable::new(format, NewFile::create(path)?, &classifier.spec().classes, &classifier.title(), distance);
        let table =
            start().with_context(|| format!("{} cannot be written; choose a folder that exists and may be written", path.display()))?;
        Ok(Self { table, path: path.to_owned() })
    }

    fn unwritable(&self) -> String {
        format!("{} cannot be written; choose another place or make room", self.path.display())
    }

    fn close(self) -> anyhow::Result<()> {
        let message = self.unwritable();
        self.table.finish().and_then(NewFile::keep).context(message)?;
        output::note(format!("written: {}", self.path.display()));
        Ok(())
    }
}
