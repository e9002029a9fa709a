//! What survives a restart: the form, the layout, what each panel was set to, theme and text size.

use std::path::PathBuf;

use eframe::Storage;
use serde::{Deserialize, Serialize};

use super::layout::{Pane, complete, default_layout};
use super::presets::UserPreset;
use super::view::Views;
use crate::train::Config;

/// What survives a restart.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The form, with the last data set.
    pub config: Config,
    /// Where the panels are.
    pub layout: egui_tiles::Tree<Pane>,
    /// Theme and text size.
    pub appearance: Appearance,
    /// The user's own augmentation presets.
    pub presets: Vec<UserPreset>,
    /// The model that answered last: a file, or a run folder for its best one.
    pub model: Option<PathBuf>,
    /// Where runs are mirrored in MLflow, if they are.
    pub mirror: Option<String>,
    /// Whether the tour of the first start was shown.
    pub toured: bool,
    /// What each panel was set to.
    pub(crate) views: Views,
}

/// Theme and text size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Appearance {
    /// Dark or light.
    pub dark: bool,
    /// Size of everything, 1 is normal.
    pub scale: f32,
}

impl Default for Appearance {
    fn default() -> Self {
        Self { dark: true, scale: 1.0 }
    }
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            config: Config::default(),
            layout: default_layout(),
            appearance: Appearance::default(),
            presets: Vec::new(),
            model: None,
            mirror: None,
            toured: true,
            views: Views::default(),
        }
    }
}

impl Saved {
    /// A fresh window with this form.
    #[must_use]
    pub fn with_config(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// Reads the parts one by one, so that a part that an older or newer program wrote differently falls back to its
    /// default alone.
    #[must_use]
    pub fn load(storage: &dyn Storage) -> Self {
        let default = Self::default();
        Self {
            config: eframe::get_value(storage, "config").unwrap_or(default.config),
            layout: eframe::get_value(storage, "layout").map_or(default.layout, complete),
            appearance: eframe::get_value(storage, "appearance").unwrap_or(default.appearance),
            presets: eframe::get_value(storage, "presets").unwrap_or(default.presets),
            model: eframe::get_value(storage, "model").unwrap_or(default.model),
            mirror: eframe::get_value(storage, "mirror").unwrap_or(default.mirror),
            // a program that kept nothing has never been started
            toured: eframe::get_value(storage, "toured").unwrap_or(false),
            views: eframe::get_value(storage, "views").unwrap_or(default.views),
        }
    }

    /// Writes the parts.
    pub fn store(&self, storage: &mut dyn Storage) {
        eframe::set_value(storage, "config", &self.config);
        eframe::set_value(storage, "layout", &self.layout);
        eframe::set_value(storage, "appearance", &self.appearance);
        eframe::set_value(storage, "model", &self.model);
        eframe::set_value(storage, "mirror", &self.mirror);
        eframe::set_value(storage, "toured", &self.toured);
        eframe::set_value(storage, "presets", &self.presets);
        eframe::set_value(storage, "views", &self.views);
    }
}
