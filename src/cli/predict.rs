//! `tuning-fork predict`: the classes of pictures by a saved model, as a table, a CSV file or JSON lines.
//!
//! Pictures are decoded a batch at a time, so any number of them fits into memory.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde_json::{Map, Value, json};

use super::output;
use crate::explain::{AnswerTable, Classifier, Content, Explainer, Request, Scene, Style, TableFormat};
use crate::imaging::{self, Fit, Image};

/// What `predict` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Pictures (PNG, JPEG, TIFF, WebP), or folders that are searched for them with their subfolders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// A run folder: its best epoch is the model
    #[arg(long, value_name = "RUN_DIR", required_unless_present = "model", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// A model file
    #[arg(long, value_name = "FILE.safetensors")]
    model: Option<PathBuf>,
    /// Write a CSV file (path, class, probability and the probability of every class) instead of the table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "top"])]
    csv: Option<PathBuf>,
    /// Write a `VOTable` with the same columns, for TOPCAT and the like, instead of the table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "top", "csv"])]
    votable: Option<PathBuf>,
    /// Draw into this folder where the model looked at each picture
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Show the K most probable classes of each picture
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Print one JSON object a picture instead of the table
    #[arg(long)]
    json: bool,
}

/// Classifies the pictures. Those that cannot be read are told on standard error and left out.
///
/// # Errors
/// If the model cannot be used, the output not written, or not one picture could be classified.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let model = arguments.run.as_ref().or(arguments.model.as_ref()).context("name a model with --run or --model")?;
    let classifier = Arc::new(Classifier::load(model)?);
    let mut maps = arguments.maps.as_deref().map(|folder| Maps::open(folder, &classifier)).transpose()?;
    let mut failures = Failures::default();
    let pictures = imaging::find_pictures(&arguments.paths, |path, reason| failures.report(path, reason));
    if pictures.is_empty() && failures.count == 0 {
        bail!("there are no pictures in these folders; name files or folders with PNG, JPEG, TIFF or WebP pictures");
    }
    let mut sink = Sink::open(arguments, &classifier, &pictures)?;
    let mut classified = 0;
    for batch in pictures.chunks(classifier.batch()) {
        let (paths, images) = decode(&classifier, batch, &mut failures);
        for (path, probabilities) in paths.iter().zip(classifier.classify(&images)?) {
            sink.write(path, &probabilities)?;
            if let Some(maps) = &mut maps {
                maps.draw(path)?;
            }
            classified += 1;
        }
    }
    if classified == 0 {
        bail!("none of the {} pictures could be read; the reasons are above", failures.count);
    }
    sink.close()?;
    if failures.count > 0 {
        output::note(format!("{classified} pictures classified, {} skipped", failures.count));
    }
    Ok(())
}

/// What could not be read; told at once, and counted.
#[derive(Default)]
struct Failures {
    count: usize,
}

impl Failures {
    fn report(&mut self, path: &Path, reason: &str) {
        self.count += 1;
        output::note(format!("skipped {}: {reason}", path.display()));
    }
}

/// Decodes and scales a batch on all threads; what cannot be read is reported and left out.
fn decode<'a>(classifier: &Classifier, batch: &'a [PathBuf], failures: &mut Failures) -> (Vec<&'a Path>, Vec<Image>) {
    let open = |path: &PathBuf| -> Result<Image, String> { Ok(classifier.prepare(&imaging::open(path).map_err(|e| e.to_string())?)) };
    let decoded: Vec<Result<Image, String>> = batch.par_iter().map(open).collect();
    let (mut paths, mut images) = (Vec::new(), Vec::new());
    for (path, image) in batch.iter().zip(decoded) {
        match image {
            Ok(image) => {
                paths.push(path.as_path());
                images.push(image);
            }
            Err(reason) => failures.report(path, &reason),
        }
    }
    (paths, images)
}

/// The most probable classes first; of two equal ones the earlier.
fn ranking(probabilities: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    order
}

/// Where the answers go.
struct Sink<'a> {
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
    File {
        table: AnswerTable<'a, BufWriter<File>>,
        partial: Partial,
        path: PathBuf,
    },
}

impl<'a> Sink<'a> {
    fn open(arguments: &Arguments, classifier: &'a Classifier, pictures: &[PathBuf]) -> anyhow::Result<Self> {
        let classes = &classifier.spec().classes;
        let top = usize::from(arguments.top).min(classes.len());
        let files = [(TableFormat::Csv, &arguments.csv), (TableFormat::VoTable, &arguments.votable)];
        let form = if let Some((format, path)) = files.into_iter().find_map(|(format, path)| Some((format, path.as_ref()?))) {
            table(path, format, classes, &classifier.title())?
        } else if arguments.json {
            Form::Json
        } else {
            let width = pictures.iter().map(|p| p.display().to_string().chars().count()).max().unwrap_or(0).clamp(7, 100);
            Form::Table { width, headed: false }
        };
        Ok(Self { classes, top, form })
    }

    fn write(&mut self, path: &Path, probabilities: &[f32]) -> anyhow::Result<()> {
        let order = ranking(probabilities);
        let (class, name) = (&self.classes[order[0]], path.display().to_string());
        match &mut self.form {
            Form::Table { width, headed } => {
                let width = *width;
                if !std::mem::replace(headed, true) {
                    output::line(format!("{:<width$}  class, probability", "picture"))?;
                }
                let answers: Vec<String> =
                    order[..self.top].iter().map(|&c| format!("{}, {:.3}", self.classes[c], probabilities[c])).collect();
                output::line(format!("{name:<width$}  {}", answers.join("; ")))?;
            }
            Form::Json => {
                let all: Map<String, Value> = self.classes.iter().cloned().zip(probabilities.iter().map(|&p| json!(p))).collect();
                let top: Vec<&String> = order[..self.top].iter().map(|&c| &self.classes[c]).collect();
                output::json(&json!({
                    "path": name, "class": class, "probability": probabilities[order[0]], "top": top, "probabilities": all,
                }))?;
            }
            Form::File { table, .. } => table.write(&name, probabilities)?,
        }
        Ok(())
    }

    /// Makes the file appear under its name.
    fn close(self) -> anyhow::Result<()> {
        let Form::File { table, partial, path } = self.form else { return Ok(()) };
        let finish = || -> std::io::Result<()> {
            let mut file = table.finish()?;
            file.flush()?;
            file.get_ref().sync_all()?;
            std::fs::rename(&partial.0, &path)
        };
        finish().with_context(|| format!("{} cannot be written; choose another place or make room", path.display()))?;
        output::note(format!("written: {}", path.display()));
        Ok(())
    }
}

/// A file under its temporary name, beside the one asked for; removed when dropped, unless it was renamed.
struct Partial(PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        // After the rename there is nothing here, and a leftover that cannot be removed is not worth a second message.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A table file under a temporary name, with its heading.
fn table<'a>(path: &Path, format: TableFormat, classes: &'a [String], model: &str) -> anyhow::Result<Form<'a>> {
    let name = path.file_name().with_context(|| format!("{} names no file; add a file name", path.display()))?;
    let partial = Partial(path.with_file_name(format!(".{}.partial-{}", name.to_string_lossy(), std::process::id())));
    let file = File::create(&partial.0)
        .with_context(|| format!("{} cannot be written; choose a folder that exists and may be written", path.display()))?;
    let table = AnswerTable::new(format, BufWriter::new(file), classes, model)?;
    Ok(Form::File { table, partial, path: path.to_owned() })
}

/// A folder of drawings: where the model looked at each picture.
struct Maps<'a> {
    folder: &'a Path,
    classifier: &'a Arc<Classifier>,
    /// The names that were given, so that pictures of the same name in two folders do not overwrite each other.
    taken: HashSet<String>,
}

impl<'a> Maps<'a> {
    fn open(folder: &'a Path, classifier: &'a Arc<Classifier>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made; choose another folder", folder.display()))?;
        Ok(Self { folder, classifier, taken: HashSet::new() })
    }

    /// Draws the map of the most probable class, as `explain` does. The picture is decoded again, whole: only one at a time is
    /// in memory.
    fn draw(&mut self, path: &Path) -> anyhow::Result<()> {
        let picture = imaging::open(path).with_context(|| path.display().to_string())?;
        let frame = Fit::Stretch.frame(picture.width(), picture.height());
        let explainer = Explainer::new(Arc::clone(self.classifier), &picture, false)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let scene = Scene { name: &name, picture: &picture, frame, explainer: &explainer };
        let bytes = scene.png(&Request::new(explainer.best_method()), &Style::default(), Content::Figure)?;
        let to = self.folder.join(self.free_name(path));
        imaging::write_file(&to, &bytes).with_context(|| format!("{} cannot be written; choose another place or make room", to.display()))
    }

    /// "galaxy.png", or "galaxy-2.png" if that is taken.
    fn free_name(&mut self, path: &Path) -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let names = std::iter::once(format!("{stem}.png")).chain((2..).map(|number| format!("{stem}-{number}.png")));
        let mut names = names.skip_while(|name| self.taken.contains(name));
        let name = names.next().unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}
