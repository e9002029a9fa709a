//! The Classify panel beyond the picture: what is asked about it, the map of where the model looked, what was looked at before.
//! State as plain data; the slow work on it is in [`inspect_work`](super::inspect_work).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use egui::TextureHandle;

use super::explored::Progress;
use super::familiar::FoundFamiliar;
pub use super::inspect_work::{Answered, Drawn, Subject, answer};
use super::map_batch::Written;
pub use super::map_export::Export;
use super::rival::{Rival, RivalAction, RivalAnswered};
use super::state::Picture;
use super::tiles::{DrawnSheet, Sheet, Side};
use super::trust::{Check, Memory, Trust};
use crate::explain::{Classifier, Explainer, Explanation, Faithfulness, Method, Nearness, Request, Sanity, Style};
use crate::imaging::{Bands, Fit, Frame, Image, Rendering};

/// The most pictures of the past that are kept.
pub const PAST: usize = 24;

/// What is asked about the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// How the picture becomes a square.
    pub fit: Fit,
    /// A part of the picture that was marked; it goes before `fit`.
    pub marked: Option<Frame>,
    /// Whether the answer is the mean over the eight flips and turns.
    pub average: bool,
    /// How FITS numbers become a picture.
    pub rendering: Rendering,
    /// Whether the map is shown.
    pub map: bool,
    /// How the map is made; `None` is the network's best.
    pub method: Option<Method>,
    /// The layer; `None` is the method's best.
    pub layer: Option<String>,
    /// The class; `None` is the most probable.
    pub class: Option<usize>,
    /// The class that it is compared with.
    pub against: Option<usize>,
    /// Whether evidence against the class is kept.
    pub signed: bool,
    /// How the map is drawn.
    pub style: Style,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            fit: Fit::default(),
            marked: None,
            average: false,
            rendering: Rendering::default(),
            map: true,
            method: None,
            layer: None,
            class: None,
            against: None,
            signed: false,
            style: Style::default(),
        }
    }
}

impl Question {
    /// The part of a picture that the network is to see.
    #[must_use]
    pub fn frame(&self, image: &Image) -> Frame {
        self.marked.unwrap_or_else(|| self.fit.frame(image.width(), image.height()))
    }

    /// What is asked of `explainer`.
    #[must_use]
    pub fn request(&self, explainer: &Explainer) -> Request {
        Request {
            method: self.method.unwrap_or_else(|| explainer.best_method()),
            layer: self.layer.clone(),
            class: self.class,
            against: self.against,
            signed: self.signed,
        }
    }

    /// Forgets what does not fit `explainer`: classes and layers of another model.
    pub fn fit_to(&mut self, explainer: &Explainer) {
        let classes = explainer.logits().len();
        self.class = self.class.filter(|class| *class < classes);
        self.against = self.against.filter(|class| *class < classes);
        let layers = explainer.layers();
        self.method = self.method.filter(|method| method.best_layer(layers).is_some());
        // a method that was not chosen is the model's own, and that may refuse the layer
        let method = self.method.unwrap_or_else(|| explainer.best_method());
        let fits = |name: &String| layers.iter().any(|layer| layer.name == *name && method.refuses(layer).is_none());
        self.layer = self.layer.take().filter(fits);
    }
}

/// What is known about the picture.
#[derive(Default)]
pub struct Inspect {
    /// What is asked.
    pub question: Question,
    /// The numbers of a FITS picture.
    pub bands: Option<Arc<Bands>>,
    /// The picture inside the network, once it was run.
    pub explainer: Option<Arc<Explainer>>,
    /// The part of the picture that the network saw.
    pub frame: Option<Frame>,
    /// What the network saw.
    pub seen: Option<TextureHandle>,
    /// How near the picture is to the training pictures, and that in a sentence.
    pub nearness: Option<(Nearness, String)>,
    /// The map.
    pub map: MapState,
    /// How far the map can be believed.
    pub trust: Trust,
    /// Whether maps of the model show what it learned.
    pub check: Check,
    /// What was measured before.
    pub memory: Arc<Memory>,
    /// Tells the measurement that is under way that nobody waits for it any more.
    pub unwanted: Arc<AtomicBool>,
    /// Tells the same to the check of the model.
    pub unwanted_check: Arc<AtomicBool>,
    /// Small maps side by side.
    pub sheet: Sheet,
    /// Whether the last kept epoch of the run answers instead of the best one.
    pub latest: bool,
    /// Whether a map is being drawn, and whether something changed meanwhile.
    pub drawing: bool,
    /// Whether the map must be drawn again after the present one.
    pub outdated: bool,
    /// Whether a file is being written.
    pub saving: bool,
    /// A second model.
    pub rival: Rival,
    /// How far the maps of many pictures are, while they are written.
    pub batch: Option<Arc<Progress>>,
    /// What was looked at before, the latest first.
    pub past: Vec<Past>,
}

/// The map of where the model looked.
#[derive(Default)]
pub enum MapState {
    /// None is wanted, or there is nothing to make it from yet.
    #[default]
    None,
    /// It is there.
    Ready(Box<Shown>),
    /// It could not be made; the message says what to do.
    Failed(String),
}

/// A map on the screen.
pub struct Shown {
    /// What was asked for it.
    pub request: Request,
    /// The map.
    pub explanation: Explanation,
    /// How it was to be drawn.
    pub style: Style,
    /// How it is drawn: with the scale worked out.
    pub scaled: Style,
    /// The overlay.
    pub texture: TextureHandle,
    /// What it is, in a few lines.
    pub legend: Vec<String>,
    /// What it was made from.
    pub explainer: Arc<Explainer>,
}

impl Shown {
    /// Whether it was made from `explainer`.
    #[must_use]
    pub fn of(&self, explainer: &Arc<Explainer>) -> bool {
        Arc::ptr_eq(&self.explainer, explainer)
    }
}

/// A picture that was looked at.
pub struct Past {
    /// What it is called.
    pub name: String,
    /// The picture.
    pub picture: Picture,
    /// The numbers of a FITS picture.
    pub bands: Option<Arc<Bands>>,
    /// The most probable class then, and its probability.
    pub answer: Option<(String, f32)>,
}

/// A change on the Classify panel.
pub enum InspectAction {
    /// Takes changed settings.
    Ask(Box<Question>),
    /// Looks at a picture of the past again.
    Again(usize),
    /// Classifies the picture, or the files whose paths, are on the clipboard.
    Paste,
    /// Measures how far the map can be believed.
    Measure,
    /// Lets the model look at its training pictures, to tell whether this one is like them.
    FindFamiliarity,
    /// Ends that.
    StopFamiliarity,
    /// Opens the data set of the model's run.
    OpenModelsData,
    /// A change of the second model.
    Rival(RivalAction),
    /// Saves the figure among the exports of the model's run, without asking.
    Export,
    /// Checks whether maps of the model show what it learned.
    Check,
    /// Shows a sheet of small maps, or none.
    Sheet(Option<Side>),
    /// Answers with the last kept epoch of the run instead of the best one, or not.
    Latest(bool),
    /// Asks for a folder for the maps of these pictures of the data set.
    Maps(Arc<Vec<usize>>),
    /// Writes the maps of these pictures of the data set.
    MapsTo(Arc<Vec<usize>>, PathBuf),
    /// Ends that early.
    StopMaps,
    /// Asks where to save.
    Save(Export),
    /// Saves.
    SaveTo(Export, PathBuf),
}

/// What a task of the Classify panel answers. Errors are in words for the user.
pub enum InspectAnswer {
    /// A drawn map.
    Drawn(Result<Box<Drawn>, String>),
    /// What the model finds familiar.
    Familiar(FoundFamiliar),
    /// How near the picture of this explainer is to that, and that in a sentence.
    Nearness(Arc<Explainer>, Option<(Nearness, String)>),
    /// A second model was chosen (or the dialog was closed).
    RivalChosen(Option<PathBuf>),
    /// It was read.
    RivalModel(PathBuf, Result<Arc<Classifier>, String>),
    /// What it says of the picture.
    Rival(Result<Box<RivalAnswered>, String>),
    /// How far the map can be believed.
    Measured(Result<Option<Arc<Faithfulness>>, String>),
    /// Whether maps of the model show what it learned.
    Checked(Result<Option<Arc<Sanity>>, String>),
    /// A sheet of small maps.
    Tiles(Result<Option<Box<DrawnSheet>>, String>),
    /// A folder for maps was chosen (or the dialog was closed).
    MapsChosen(Arc<Vec<usize>>, Option<PathBuf>),
    /// The maps of many pictures were written.
    MapsWritten(Result<Written, String>),
    /// A place was chosen (or the dialog was closed).
    SaveChosen(Export, Option<PathBuf>),
    /// A file was written.
    Saved(Result<PathBuf, String>),
    /// What was on the clipboard.
    Pasted(Result<Pasted, String>),
}

/// What was on the clipboard.
pub enum Pasted {
    /// A picture.
    Picture(Box<Image>),
    /// The paths of files and folders.
    Paths(Vec<PathBuf>),
}
