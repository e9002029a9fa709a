//! The lab of the Augment panel: which galaxy is on the bench, the contact sheet of its draws, and how the model's answer moves
//! when the galaxy is changed. State and slow work; the panel itself is `view::augment`.

pub mod sheet;
pub mod sweep;

use std::sync::Arc;

use egui::TextureHandle;

use super::reviewed::Make;
use crate::augment::Sweep;
use crate::explain::Classifier;
use sheet::{Sheet, SheetKey};
use sweep::{ClassSurvey, Swept};

/// What the user asks of the lab, and what the panel needs.
pub enum LabAction {
    /// Puts a picture of the data set on the bench.
    Galaxy(usize),
    /// Shows the lab of this picture.
    Open(usize),
    /// Wants this contact sheet.
    Sheet(Box<SheetKey>),
    /// Wants the model's answers along this change of the galaxy.
    Sweep(Sweep),
    /// Wants the model's answers for turned galaxies of this class (a label of the data set).
    Survey(u32),
    /// Writes a file of this name where exports are kept.
    Save(String, Make),
    /// Forgets the survey, and what is being worked out of it.
    ForgetSurvey,
}

/// The state of the lab.
#[derive(Default)]
pub struct Lab {
    /// The picture on the bench; beyond the last one means the last.
    pub index: usize,
    /// The picture that was opened last in Explore.
    pub explored: Option<usize>,
    /// The contact sheet that was made last.
    pub sheet: Option<Shown>,
    /// The sheet that is being made.
    pub making: Option<SheetKey>,
    /// The sheet that could not be made, and why.
    pub failed: Option<(SheetKey, String)>,
    /// How the answer moves.
    pub microscope: Microscope,
}

/// A contact sheet on the graphics card.
pub struct Shown {
    /// What it is.
    pub sheet: Sheet,
    /// Its draws.
    pub draws: Vec<TextureHandle>,
    /// The stages of the chosen draw.
    pub stages: Vec<TextureHandle>,
    /// What the network sees of it: in colour, then red, green and blue alone.
    pub seen: Vec<TextureHandle>,
}

/// What a measurement was made of: it is worth nothing for another picture or model.
#[derive(Clone)]
pub struct Specimen {
    /// The model.
    pub classifier: Arc<Classifier>,
    /// The data set's generation.
    pub data: u64,
    /// The picture; `None` for the survey of the whole data set.
    pub index: Option<usize>,
}

impl PartialEq for Specimen {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.classifier, &other.classifier) && self.data == other.data && self.index == other.index
    }
}

/// The model's answers along the changes of one picture, and for turned pictures of all classes.
#[derive(Default)]
pub struct Microscope {
    /// What the sweeps are of.
    pub specimen: Option<Specimen>,
    /// One place for each of [`Sweep::ALL`].
    pub sweeps: [Option<Result<(Swept, TextureHandle), String>>; Sweep::ALL.len()],
    /// The sweep that is being worked out.
    pub sweeping: Option<Sweep>,
    /// What the survey is of.
    pub surveyed: Option<Specimen>,
    /// One place for each class of the data set.
    pub survey: Vec<Option<Result<ClassSurvey, String>>>,
    /// The class that is being worked out.
    pub surveying: Option<u32>,
}
