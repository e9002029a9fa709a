//! `tuning-fork runs`: the runs of a folder in a table, what is said of them, the trash, a run as one file.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::output;
use crate::files;
use crate::track::{self, About, Column, Filter, Index, RunFacts, Trash, Value};

/// What `runs` can do.
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List runs with their best values, the latest first
    List(List),
    /// Give a run a name, notes and tags
    Describe(Describe),
    /// Write a run as one file: configuration, best model, probabilities, curves, split
    Export(Export),
    /// Unpack such a file into a new run folder
    Import(Import),
    /// Move runs to the trash
    Delete(Delete),
    /// List what is in the trash, move a run back out of it, or empty it
    Trash(TrashArguments),
}

/// Where runs are kept.
#[derive(Args, Debug)]
pub struct Place {
    /// The folder where runs are kept
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
}

/// What `runs list` takes.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// Only these runs: words in name, notes, tags or data set, and column:value, column>value, ..., each turned round by a '-' before
    /// it: 'f1>0.8 model:compact tag:final -state:failed'
    #[arg(long, value_name = "FILTER", default_value = "", allow_hyphen_values = true)]
    filter: String,
    /// Order by this column, with a '-' before it from the largest down
    #[arg(long, value_name = "COLUMN", default_value = "-started", allow_hyphen_values = true)]
    sort: String,
    /// Columns, with commas between them; values of the configuration by their names in config.json
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    columns: Vec<Column>,
    /// Write CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
    /// Write one JSON object a line with all that is known of a run
    #[arg(long)]
    json: bool,
}

/// What `runs describe` takes.
#[derive(Args, Debug)]
pub struct Describe {
    /// The run folder
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// Its name; an empty one goes back to the folder's
    #[arg(long)]
    name: Option<String>,
    /// Notes (Markdown)
    #[arg(long)]
    notes: Option<String>,
    /// A tag to add
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// A tag to take away
    #[arg(long, value_name = "TAG")]
    untag: Vec<String>,
}

/// What `runs export` takes.
#[derive(Args, Debug)]
pub struct Export {
    /// The run folder
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// The file to write; a file of that name is replaced
    #[arg(long, value_name = "FILE.zip")]
    out: PathBuf,
}

/// What `runs import` takes.
#[derive(Args, Debug)]
pub struct Import {
    /// The file
    #[arg(value_name = "FILE.zip")]
    capsule: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// What `runs delete` takes.
#[derive(Args, Debug)]
pub struct Delete {
    /// Names of runs, as `runs list` shows their folders
    #[arg(value_name = "RUN", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    place: Place,
}

/// What `runs trash` takes.
#[derive(Args, Debug)]
pub struct TrashArguments {
    #[command(flatten)]
    place: Place,
    /// Move this run back to where it was
    #[arg(long, value_name = "RUN", conflicts_with = "empty")]
    restore: Option<String>,
    /// Remove for good what is in it
    #[arg(long)]
    empty: bool,
}

/// Carries it out.
///
/// # Errors
/// If an argument makes no sense or a folder cannot be read or written; each message says what to do.
pub fn run(command: &RunsCommand) -> anyhow::Result<()> {
    match command {
        RunsCommand::List(arguments) => list(arguments),
        RunsCommand::Describe(arguments) => describe(arguments),
        RunsCommand::Export(Export { run, out }) => {
            track::export(run, out)?;
            Ok(output::line(format!("wrote {}", out.display()))?)
        }
        RunsCommand::Import(Import { capsule, place }) => {
            let folder = track::import(capsule, &place.runs)?;
            Ok(output::line(format!("unpacked into {}", folder.display()))?)
        }
        RunsCommand::Delete(Delete { names, place }) => {
            for name in names {
                let trashed = Trash::of(&place.runs).put(name)?;
                output::line(format!(
                    "{name} is in the trash ({}); take it back with: tuning-fork runs trash --restore {name}",
                    files::bytes(trashed.bytes)
                ))?;
            }
            Ok(())
        }
        RunsCommand::Trash(arguments) => trash(arguments),
    }
}

fn list(arguments: &List) -> anyhow::Result<()> {
    let List { place, filter, sort, columns, csv, json } = arguments;
    if !place.runs.is_dir() {
        bail!("{} is no folder; name the one where runs are kept with --runs", place.runs.display());
    }
    let filter = Filter::parse(filter).map_err(|error| anyhow::anyhow!("the filter cannot be used: {error}"))?;
    let (descending, by) = sort.strip_prefix('-').map_or((false, sort.as_str()), |by| (true, by));
    let by: Column = by.parse().map_err(anyhow::Error::msg).context("--sort")?;
    let listing = Index::open(&place.runs)?.list()?;
    for (folder, problem) in &listing.damaged {
        output::note(format!("warning: {folder} is left out: {problem}"));
    }
    if let Some(warning) = &listing.warning {
        output::note(format!("warning: {warning}"));
    }
    let chosen: Vec<&RunFacts> = track::select(&listing.runs, &filter, &by, descending).into_iter().map(|at| &listing.runs[at]).collect();
    let columns = if columns.is_empty() { Column::usual() } else { columns.clone() };
    if *json {
        return Ok(chosen.into_iter().try_for_each(output::json)?);
    }
    if *csv {
        return Ok(output::text(&track::csv(chosen, &columns))?);
    }
    table(&chosen, &columns)?;
    output::note(format!("{} of {} runs in {}", chosen.len(), listing.runs.len(), place.runs.display()));
    Ok(())
}

/// Columns as wide as their widest cell; numbers to the right.
fn table(runs: &[&RunFacts], columns: &[Column]) -> anyhow::Result<()> {
    let cells: Vec<Vec<String>> = runs.iter().map(|run| columns.iter().map(|column| column.text(run)).collect()).collect();
    let width = |column: usize| {
        let widest = cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        widest.max(columns[column].title().chars().count())
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let right = |column: &Column| runs.iter().any(|run| matches!(column.value(run), Value::Number(_)));
    let line = |row: &[String]| {
        let cell = |(at, text): (usize, &String)| {
            let width = widths[at];
            if right(&columns[at]) { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let titles: Vec<String> = columns.iter().map(|column| column.title().to_owned()).collect();
    output::line(line(&titles))?;
    cells.iter().try_for_each(|row| output::line(line(row)))?;
    Ok(())
}

fn describe(arguments: &Describe) -> anyhow::Result<()> {
    let Describe { run, name, notes, tag, untag } = arguments;
    crate::train::RunFolder::open(run)?;
    let mut about = About::read(run)?;
    if let Some(name) = name {
        about.name.clone_from(name);
    }
    if let Some(notes) = notes {
        about.notes.clone_from(notes);
    }
    about.tags.retain(|tag| !untag.contains(tag));
    for tag in tag {
        if !about.tags.contains(tag) {
            about.tags.push(tag.clone());
        }
    }
    about.write(run)?;
    let tags = if about.tags.is_empty() { "none".to_owned() } else { about.tags.join(", ") };
    let name = if about.name.is_empty() { run.display().to_string() } else { about.name };
    Ok(output::line(format!("{name}; tags: {tags}"))?)
}

fn trash(arguments: &TrashArguments) -> anyhow::Result<()> {
    let TrashArguments { place, restore, empty } = arguments;
    let trash = Trash::of(&place.runs);
    if *empty {
        let freed = trash.empty()?;
        return Ok(output::line(format!("the trash is empty; {} are free", files::bytes(freed)))?);
    }
    let inside = trash.list()?;
    if let Some(name) = restore {
        let Some(trashed) = inside.iter().find(|trashed| trashed.name == *name) else {
            let names: Vec<&str> = inside.iter().map(|trashed| trashed.name.as_str()).collect();
            bail!("there is no {name} in the trash of {}; there are: {}", place.runs.display(), names.join(", "));
        };
        let back = trash.restore(trashed)?;
        return Ok(output::line(format!("{} is back", Path::new(&place.runs).join(back).display()))?);
    }
    for trashed in &inside {
        output::line(format!("{:>9}  {}", files::bytes(trashed.bytes), trashed.name))?;
    }
    output::note(format!("{} runs in the trash", inside.len()));
    Ok(())
}
