//! What can be asked of the registry of models, and the slow work behind it. Errors are in words for the user.

use std::path::{Path, PathBuf};

use crate::track::{CHAMPION, ModelReference, ModelVersion, Promotion, Registry, Rule};

/// The name that is offered for a first model.
pub const FIRST_NAME: &str = "galaxy-classifier";

/// A change of the registry, or of what is shown of it.
pub enum Change {
    /// Keeps the best model of a run (its folder, below the one where runs are kept) under a name.
    Register {
        /// The run's folder, or its whole path.
        run: PathBuf,
        /// The model's name.
        name: String,
        /// What to say about it.
        note: String,
    },
    /// Gives a version an alias.
    Promote {
        /// The model and the number.
        version: (String, u32),
        /// The alias.
        alias: String,
        /// Whether it must be better.
        rule: Rule,
    },
    /// Moves a version to the trash.
    Delete(String, u32),
    /// Classifies with a version.
    Use(ModelReference),
    /// Shows the card of a version.
    ReadCard(String, u32),
    /// Shows none any more.
    CloseCard,
    /// Asks where the card that is shown shall be written.
    BrowseCard,
    /// Writes it.
    SaveCard(PathBuf),
}

/// A model card that is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The version, as `galaxy-classifier@3`.
    pub version: String,
    /// Its text (Markdown).
    pub text: String,
}

/// Reads the card of a version.
pub fn card(runs: &Path, name: &str, version: u32) -> Result<Card, String> {
    let text = Registry::of(runs).card(name, version).map_err(|error| error.to_string())?;
    Ok(Card { version: format!("{name}@{version}"), text })
}

/// Keeps the best model of a run; what is told of it.
pub fn register(runs: &Path, run: &Path, name: &str, note: &str) -> Result<String, String> {
    let registered = Registry::of(runs).register(&runs.join(run), name, note, None).map_err(|error| error.to_string())?;
    let version = registered.version;
    Ok(format!("{} is registered as {version}. {}", version.run, told(&version, CHAMPION, registered.champion)))
}

/// Gives a version an alias; what is told of it.
pub fn promote(runs: &Path, (name, version): &(String, u32), alias: &str, rule: Rule) -> Result<String, String> {
    let registry = Registry::of(runs);
    let found = registry.find(&ModelReference::version(name, *version)).map_err(|error| error.to_string())?;
    let promotion = registry.promote(name, *version, alias, rule).map_err(|error| error.to_string())?;
    Ok(told(&found, alias, promotion))
}

fn told(version: &ModelVersion, alias: &str, promotion: Promotion) -> String {
    match promotion {
        Promotion::Kept(why) => format!("{why}."),
        Promotion::Done { before: Some(before) } if before != version.version => {
            format!("{version} is {alias} now, before it was {}@{before}.", version.model)
        }
        Promotion::Done { .. } => format!("{version} is {alias}."),
    }
}
