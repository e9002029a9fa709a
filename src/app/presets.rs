//! The user's own augmentation presets: kept by name, over restarts.

use serde::{Deserialize, Serialize};

use crate::augment::{Augmentation, Preset};

/// A preset of the user's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserPreset {
    /// Its name, not empty and unlike all others.
    pub name: String,
    /// Its settings.
    pub augmentation: Augmentation,
}

/// What the user does to the presets.
#[derive(Clone, Debug)]
pub enum PresetAction {
    /// Keeps the form's augmentation by this name; a preset of that name is replaced.
    Save(String),
    /// Gives a preset another name.
    Rename(usize, String),
    /// Forgets a preset.
    Delete(usize),
}

/// What the settings are called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Called<'a> {
    /// A built-in preset.
    BuiltIn(Preset),
    /// One of the user's, by its place.
    Own(usize, &'a str),
    /// None of them.
    Mixture,
}

/// What `augmentation` is called.
#[must_use]
pub fn called<'a>(augmentation: &Augmentation, own: &'a [UserPreset]) -> Called<'a> {
    if let Some(preset) = Preset::of(augmentation) {
        return Called::BuiltIn(preset);
    }
    let place = own.iter().position(|preset| preset.augmentation == *augmentation);
    place.map_or(Called::Mixture, |place| Called::Own(place, &own[place].name))
}

/// The name as it will be kept, or why it cannot be. `built_in` are the names that are taken for good; `except` is the preset that is
/// being renamed.
pub fn check_name(name: &str, built_in: &[&str], own: &[UserPreset], except: Option<usize>) -> Result<String, String> {
    let name = name.trim();
    let same = |other: &str| other.to_lowercase() == name.to_lowercase();
    if name.is_empty() {
        Err("Type a name first.".into())
    } else if name.chars().count() > 40 {
        Err("Choose a name of at most 40 letters.".into())
    } else if built_in.iter().any(|other| same(other)) {
        Err(format!("“{name}” is the name of a built-in preset; choose another."))
    } else if except.is_some_and(|except| own.iter().enumerate().any(|(place, other)| place != except && same(&other.name))) {
        Err(format!("Another preset is called “{name}” already; choose another name."))
    } else {
        Ok(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_trimmed_and_told_apart() {
        let own: Vec<UserPreset> =
            ["One", "Two"].map(|name| UserPreset { name: name.into(), augmentation: Augmentation::default() }).into();
        let built_in = ["Gentle"];
        assert_eq!(check_name("  New ", &built_in, &own, None), Ok("New".into()));
        // saving may replace, renaming may not
        assert_eq!(check_name("one", &built_in, &own, None), Ok("one".into()));
        assert!(check_name("one", &built_in, &own, Some(1)).is_err());
        assert!(check_name("ONE", &built_in, &own, Some(0)).is_ok());
        assert!(check_name("gentle", &built_in, &own, None).is_err());
        assert!(check_name(" ", &built_in, &own, None).is_err());
        assert!(check_name(&"x".repeat(41), &built_in, &own, None).is_err());
    }
}
