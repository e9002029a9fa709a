//! Which model a subcommand uses: a run, a file, or one that is registered.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::track::{ModelReference, Registry};

/// Flags that name a model.
#[derive(Args, Debug)]
pub struct ModelFlags {
    /// A run folder: its best epoch is the model
    #[arg(long, value_name = "RUN_DIR", required_unless_present = "model", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// A model file, or a registered model by version or alias, such as galaxy-classifier@champion
    #[arg(long, value_name = "FILE.safetensors|NAME@ALIAS")]
    model: Option<PathBuf>,
    /// The folder where runs are kept, and registered models in it
    #[arg(long, value_name = "DIR", default_value = "runs")]
    runs: PathBuf,
}

impl ModelFlags {
    /// Where the model is: a run folder (or that of a registered version, which is one too) or a file.
    ///
    /// # Errors
    /// If there is no registered model of this name.
    pub fn path(&self) -> anyhow::Result<PathBuf> {
        if let Some(run) = &self.run {
            return Ok(run.clone());
        }
        named(&self.runs, self.model.as_ref().context("name a model with --run or --model")?)
    }
}

/// Where the model is that `--model` names: a file, or the folder of a registered version.
///
/// # Errors
/// If there is no registered model of this name.
pub fn named(runs: &Path, model: &Path) -> anyhow::Result<PathBuf> {
    match model.to_str() {
        // what is there is meant, whatever it is called
        Some(name) if name.contains('@') && !model.exists() => registered(runs, name),
        _ => Ok(model.to_owned()),
    }
}

/// The folder of a registered version, by its name.
///
/// # Errors
/// If there is none.
pub fn registered(runs: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let registry = Registry::of(runs);
    let version = registry.find(&name.parse::<ModelReference>()?)?;
    Ok(registry.version_folder(&version.model, version.version))
}
