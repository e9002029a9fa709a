//! What registered models and their versions are called: `galaxy-classifier@3`, `galaxy-classifier@champion`.

use std::fmt;
use std::str::FromStr;

use crate::track::TrackError;

/// The most letters of a name or an alias.
const LONGEST: usize = 100;
/// The word for the version with the highest number.
const LATEST: &str = "latest";

/// Which version of a registered model is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The one of this number.
    Version(u32),
    /// The one that this alias names now.
    Alias(String),
    /// The one that was registered last.
    Latest,
}

/// A registered model and which of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelReference {
    /// The model's name.
    pub name: String,
    /// Which version.
    pub at: At,
}

impl ModelReference {
    /// The version of this number.
    #[must_use]
    pub fn version(name: &str, version: u32) -> Self {
        Self { name: name.to_owned(), at: At::Version(version) }
    }
}

impl FromStr for ModelReference {
    type Err = TrackError;

    fn from_str(text: &str) -> Result<Self, TrackError> {
        let advice = || TrackError::Request(format!("{text} names no version of a model; write NAME@champion, NAME@latest or NAME@3"));
        let (name, at) = text.rsplit_once('@').ok_or_else(advice)?;
        check_name(name)?;
        let at = match at {
            LATEST => At::Latest,
            number if number.bytes().all(|byte| byte.is_ascii_digit()) => At::Version(number.parse().map_err(|_| advice())?),
            alias => {
                check_alias(alias)?;
                At::Alias(alias.to_owned())
            }
        };
        Ok(Self { name: name.to_owned(), at })
    }
}

impl fmt::Display for ModelReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            At::Version(version) => write!(f, "{}@{version}", self.name),
            At::Alias(alias) => write!(f, "{}@{alias}", self.name),
            At::Latest => write!(f, "{}@{LATEST}", self.name),
        }
    }
}

/// Whether a word can be the name of a folder anywhere and of a model in `MLflow`.
fn is_plain(word: &str) -> bool {
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !word.is_empty() && word.len() <= LONGEST && word.chars().all(letters) && !word.starts_with('.') && !word.ends_with('.')
}

/// Refuses names that no folder can have.
pub(super) fn check_name(name: &str) -> Result<(), TrackError> {
    if is_plain(name) {
        return Ok(());
    }
    let message = format!("{name:?} cannot be the name of a model; take letters, digits, '-', '_' and '.', such as galaxy-classifier");
    Err(TrackError::Request(message))
}

/// Refuses aliases that could be taken for a version, here or in `MLflow`.
pub(super) fn check_alias(alias: &str) -> Result<(), TrackError> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain(alias) && alias != LATEST && !digits(alias) && !alias.strip_prefix(['v', 'V']).is_some_and(digits) {
        return Ok(());
    }
    let message = format!("{alias:?} cannot be an alias; take a word such as champion or production, and no number and not {LATEST}");
    Err(TrackError::Request(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_as_they_are_written() {
        for text in ["galaxy-classifier@champion", "a@latest", "spiral_1.2@12"] {
            assert_eq!(text.parse::<ModelReference>().expect(text).to_string(), text);
        }
        for (text, part) in [
            ("champion", "NAME@champion"),
            ("a@", "names no version"),
            ("@3", "cannot be the name"),
            ("../up@3", "cannot be the name"),
            (".trash@3", "cannot be the name"),
            ("a b@3", "cannot be the name"),
            ("a@v3", "no number"),
            ("a@99999999999", "names no version"),
            ("a@b c", "cannot be an alias"),
        ] {
            let error = text.parse::<ModelReference>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
