//! The registered models on a server: versions get the numbers that the server gives, and say ours in a tag.

use serde_json::{Value, json};

use super::{ID, Server};
use crate::track::mlflow::MirrorError;
use crate::track::mlflow::record::RUNS;
use crate::track::mlflow::rest::http::HttpError;
use crate::track::mlflow::store::{Model, Version};

/// The tag with our number of a version.
const NUMBER: &str = "tuning_fork.version";
/// The longest description that MLflow takes.
const LONGEST: usize = 5_000;
/// The model file's name.
const FILE: &str = "best.safetensors";

impl Server {
    /// Makes the models there what they are here. Gives those that could not be written, in words.
    pub(super) fn models(&mut self, models: &[Model]) -> Result<Vec<String>, MirrorError> {
        let mut notes = Vec::new();
        let gone: Vec<String> = self.known.models.keys().filter(|name| !models.iter().any(|model| model.name == **name)).cloned().collect();
        for name in gone {
            ignore_missing(self.http.delete("registered-models/delete", &json!({ "name": name })))?;
            self.known.models.remove(&name);
            self.keep()?;
        }
        for model in models {
            match self.model(model) {
                Ok(more) => notes.extend(more),
                Err(HttpError::Mirror(error)) => return Err(error),
                Err(HttpError::Missing(words) | HttpError::Invalid(words) | HttpError::TooLarge(words)) => {
                    notes.push(format!("the model {}: {words}", model.name));
                }
                Err(HttpError::Exists) => notes.push(format!("the model {} is there already", model.name)),
            }
            self.keep()?;
        }
        Ok(notes)
    }

    fn model(&mut self, model: &Model) -> Result<Vec<String>, HttpError> {
        let name = &model.name;
        let there = self.registered(model)?;
        let Some(there) = there else {
            return Ok(vec![format!(
                "the model {name} is left out: {} has one of that name that is not from {}",
                self.http.address(),
                self.whole
            )]);
        };
        let mut notes = Vec::new();
        let mut numbers = self.known.models.get(name).cloned().unwrap_or_default();
        numbers.extend(self.numbered(name)?);
        for (number, theirs) in numbers.clone() {
            if !model.versions.iter().any(|version| version.number == number) {
                ignore_missing(self.http.delete("model-versions/delete", &json!({ "name": name, "version": theirs })))?;
                numbers.remove(&number);
            }
        }
        for version in &model.versions {
            if numbers.contains_key(&version.number) {
                continue;
            }
            match self.add(name, version) {
                Ok(Some(theirs)) => drop(numbers.insert(version.number, theirs)),
                Err(HttpError::TooLarge(words)) => notes.push(format!("{name}@{} is left out: {words}", version.number)),
                Err(error) => return Err(error),
                Ok(None) => notes.push(format!("{name}@{} is left out: the server has not the run that trained it", version.number)),
            }
        }
        for alias in there["aliases"].as_array().into_iter().flatten().filter_map(|alias| alias["alias"].as_str()) {
            if !model.aliases.contains_key(alias) {
                ignore_missing(self.http.delete("registered-models/alias", &json!({ "name": name, "alias": alias })))?;
            }
        }
        for (alias, number) in &model.aliases {
            if let Some(theirs) = numbers.get(number) {
                self.http.post("registered-models/alias", &json!({ "name": name, "alias": alias, "version": theirs }))?;
            }
        }
        self.known.models.insert(name.clone(), numbers);
        Ok(notes)
    }

    /// The model as the server has it, made if it is not there; `None` if it is somebody else's.
    fn registered(&self, model: &Model) -> Result<Option<Value>, HttpError> {
        let tag = json!({ "key": RUNS, "value": self.whole });
        let new = json!({ "name": model.name, "tags": [tag], "description": "" });
        match self.http.post("registered-models/create", &new) {
            Ok(_) | Err(HttpError::Exists) => {}
            Err(error) => return Err(error),
        }
        let there = self.http.get("registered-models/get", &[("name", &model.name)])?.get("registered_model").cloned().unwrap_or_default();
        let ours = there["tags"].as_array().is_some_and(|tags| tags.contains(&tag));
        Ok(ours.then_some(there))
    }

    /// The versions that say our numbers.
    fn numbered(&self, name: &str) -> Result<Vec<(u32, String)>, HttpError> {
        let filter = format!("name='{name}'");
        let found = self.http.get("model-versions/search", &[("filter", &filter), ("max_results", "1000")])?;
        let versions = found["model_versions"].as_array().into_iter().flatten();
        let numbered = versions.filter_map(|version| {
            let tags = version["tags"].as_array()?.iter();
            let number = tags.filter(|tag| tag["key"] == NUMBER).find_map(|tag| tag["value"].as_str()?.parse().ok())?;
            Some((number, version["version"].as_str()?.to_owned()))
        });
        Ok(numbered.collect())
    }

    /// Stores the model file with the run that trained it, and makes a version of it; its number there. `None` if the server has not
    /// that run, or no place for files.
    fn add(&self, name: &str, version: &Version) -> Result<Option<String>, HttpError> {
        let Some(run) = version.run.as_ref().and_then(|run| self.known.runs.get(run)) else { return Ok(None) };
        let folder = format!("model-{name}-{}", version.number);
        let Ok(bytes) = std::fs::read(std::path::Path::new(&version.source).join(FILE)) else { return Ok(None) };
        if !self.put(run, &format!("{folder}/{FILE}"), bytes)? {
            return Ok(None);
        }
        let description: String = version.description.chars().take(LONGEST).collect();
        let tags = [(NUMBER, version.number.to_string()), (ID, version.sha256.clone())];
        let made = self.http.post(
            "model-versions/create",
            &json!({
                "name": name, "source": format!("{}/{folder}", run.artifacts), "run_id": run.id, "description": description,
                "tags": tags.map(|(key, value)| json!({ "key": key, "value": value })),
            }),
        )?;
        Ok(made["model_version"]["version"].as_str().map(str::to_owned))
    }
}

/// What is to be removed may be gone already.
fn ignore_missing(result: Result<Value, HttpError>) -> Result<(), HttpError> {
    match result {
        Ok(_) | Err(HttpError::Missing(_)) => Ok(()),
        Err(error) => Err(error),
    }
}
