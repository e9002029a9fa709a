//! `tuning-fork models`: models that are kept under a name, with versions and aliases.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::choice::Choice;
use super::output;
use super::runs::Place;
use crate::files;
use crate::track::{CHAMPION, Measure, ModelReference, ModelVersion, Models, Promotion, Registry, Rule};

/// What `models` can do.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List registered models with their versions, aliases and scores
    List(List),
    /// Keep a run's best model under a name; it becomes the champion if it is better on the same validation images
    Register(Register),
    /// Give a version an alias, such as champion or production
    Promote(Promote),
    /// Print a version's model card (Markdown): data, scores with intervals, confusion, limits
    Card(Card),
    /// Move a version to the trash of the runs
    Delete(Delete),
}

/// What `models list` takes.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    place: Place,
    /// Write one JSON object a line for each version
    #[arg(long)]
    json: bool,
}

/// What `models register` takes.
#[derive(Args, Debug)]
pub struct Register {
    /// The run folder
    #[arg(value_name = "RUN_DIR")]
    run: PathBuf,
    /// The model's name; a new one, or that of a model which gets another version
    #[arg(long, value_name = "NAME", default_value = "galaxy-classifier")]
    name: String,
    /// What to say about this version
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    /// What makes a version the better one, on the validation images; said with the first version [default: macro-f1]
    #[arg(long, value_name = "MEASURE", value_parser = Choice::<Measure>::new())]
    by: Option<Measure>,
    #[command(flatten)]
    place: Place,
}

/// What `models promote` takes.
#[derive(Args, Debug)]
pub struct Promote {
    /// The version
    #[arg(value_name = "NAME@VERSION")]
    version: ModelReference,
    /// The alias. The champion changes only for a better one on the same validation images; other aliases go where they are sent
    #[arg(long, value_name = "ALIAS", default_value = CHAMPION)]
    alias: String,
    /// Make it the champion whatever the scores say
    #[arg(long)]
    by_hand: bool,
    #[command(flatten)]
    place: Place,
}

/// What `models card` takes.
#[derive(Args, Debug)]
pub struct Card {
    /// The version
    #[arg(value_name = "NAME@VERSION")]
    version: ModelReference,
    /// Write it here instead; a file of that name is replaced
    #[arg(long, value_name = "FILE.md")]
    out: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// What `models delete` takes.
#[derive(Args, Debug)]
pub struct Delete {
    /// The version
    #[arg(value_name = "NAME@VERSION")]
    version: ModelReference,
    /// Also if an alias names it
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    place: Place,
}

/// Carries it out.
///
/// # Errors
/// If there is no such model or run, or the registry cannot be read or written; each message says what to do.
pub fn run(command: &ModelsCommand) -> anyhow::Result<()> {
    match command {
        ModelsCommand::List(arguments) => list(arguments),
        ModelsCommand::Register(Register { run, name, note, by, place }) => {
            let registered = Registry::of(&place.runs).register(run, name, note, *by)?;
            output::line(format!("registered {} as {}", run.display(), registered.version))?;
            tell(&registered.version, CHAMPION, &registered.champion)
        }
        ModelsCommand::Promote(arguments) => promote(arguments),
        ModelsCommand::Card(Card { version, out, place }) => {
            let registry = Registry::of(&place.runs);
            let version = registry.find(version)?;
            let card = registry.card(&version.model, version.version)?;
            let Some(out) = out else { return Ok(output::text(&card)?) };
            files::write_whole(out, card.as_bytes())
                .with_context(|| format!("{} cannot be written; choose another place or make room", out.display()))?;
            Ok(output::line(format!("wrote {}", out.display()))?)
        }
        ModelsCommand::Delete(Delete { version, force, place }) => {
            let registry = Registry::of(&place.runs);
            let version = registry.find(version)?;
            let trashed = registry.delete(&version.model, version.version, *force)?;
            let name = &trashed.name;
            Ok(output::line(format!("{version} is in the trash; take it back with: tuning-fork runs trash --restore {name}"))?)
        }
    }
}

fn promote(arguments: &Promote) -> anyhow::Result<()> {
    let Promote { version, alias, by_hand, place } = arguments;
    let registry = Registry::of(&place.runs);
    let version = registry.find(version)?;
    let rule = if alias == CHAMPION && !by_hand { Rule::IfBetter } else { Rule::ByHand };
    match registry.promote(&version.model, version.version, alias, rule)? {
        Promotion::Kept(why) => bail!("{why}. To promote it all the same, add --by-hand"),
        done @ Promotion::Done { .. } => tell(&version, alias, &done),
    }
}

fn tell(version: &ModelVersion, alias: &str, promotion: &Promotion) -> anyhow::Result<()> {
    let model = &version.model;
    let text = match promotion {
        Promotion::Kept(why) => why.clone(),
        Promotion::Done { before: Some(before) } if *before != version.version => {
            format!("{version} is {model}@{alias} now, before it was {model}@{before}")
        }
        Promotion::Done { .. } => format!("{version} is {model}@{alias}"),
    };
    Ok(output::line(text)?)
}

fn list(arguments: &List) -> anyhow::Result<()> {
    let List { place, json } = arguments;
    if !place.runs.is_dir() {
        let runs = place.runs.display();
        bail!("{runs} is no folder; name the one where runs are kept with --runs");
    }
    let Models { models, damaged } = Registry::of(&place.runs).list()?;
    for why in &damaged {
        output::note(format!("warning: {why}"));
    }
    if !*json && models.is_empty() {
        output::note("no models yet; keep a run's best one with: tuning-fork models register RUN_DIR --name galaxy-classifier");
        return Ok(());
    }
    let mut rows = Vec::new();
    for model in &models {
        for version in &model.versions {
            let aliases: Vec<&str> = model.aliases_of(version.version).collect();
            if *json {
                let mut object = json!(version);
                object["aliases"] = json!(aliases);
                output::json(&object)?;
            }
            rows.push([
                version.to_string(),
                aliases.join(", "),
                format!("{:.4}", version.macro_f1),
                format!("{:.4}", version.accuracy),
                format!("{:.4}", version.loss),
                version.split_digest.chars().take(8).collect(),
                version.run.clone(),
            ]);
        }
    }
    if !*json {
        table(&rows)?;
    }
    Ok(())
}

fn table(rows: &[[String; 7]]) -> anyhow::Result<()> {
    let titles = ["Model", "Aliases", "Macro-F1", "Accuracy", "Loss", "Split", "Run"].map(str::to_owned);
    let width = |column: usize| rows.iter().chain([&titles]).map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    for row in std::iter::once(&titles).chain(rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        output::line(cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}
