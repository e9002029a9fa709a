//! What is true: the state of the window as plain data. Panels borrow it; only `apply` changes it.

use std::path::PathBuf;
use std::sync::Arc;

use egui::TextureHandle;

use super::experiments::Experiments;
use super::explored::Explored;
use super::familiar::Familiar;
use super::fields;
use super::import::Importing;
use super::inspect::Inspect;
use super::lab::Lab;
use super::layout::Pane;
use super::machine::Machine;
use super::pile::Pile;
use super::presets::UserPreset;
use super::reviewed::Reviewed;
use super::searched::Searched;
use super::undo::Undo;
use crate::data::{Dataset, Part, Split};
use crate::explain::Classifier;
use crate::imaging::Image;
use crate::train::{Command, Config, Outcome, Session, Status};

/// The state of the window.
#[derive(Default)]
pub struct State {
    /// The form: the configuration of the next run.
    pub config: Config,
    /// The data set that is open, if any.
    pub data: Option<Data>,
    /// What is being opened, in words, while it is.
    pub loading: Option<String>,
    /// A data folder that is being made of an HDF5 file.
    pub importing: Option<Importing>,
    /// The run of this session, if any.
    pub run: Option<Run>,
    /// Whether a run is being set up.
    pub starting: bool,
    /// The model that classifies.
    pub model: Model,
    /// The picture that is being classified.
    pub subject: Option<Subject>,
    /// What is asked and known about it.
    pub inspect: Inspect,
    /// Many pictures that are classified.
    pub pile: Pile,
    /// The picture of the data set that is open large.
    pub opened: Option<Opened>,
    /// What the Explore panel works with.
    pub explore: Explored,
    /// The augmentation lab.
    pub lab: Lab,
    /// The user's own augmentation presets.
    pub presets: Vec<UserPreset>,
    /// What can be taken back.
    pub undo: Undo,
    /// The runs that the Confusion panel looks back on.
    pub review: Reviewed,
    /// The runs that the Experiments panel lists.
    pub experiments: Experiments,
    /// The searches of hyper-parameters.
    pub search: Searched,
    /// What went wrong, or well, and is still to be read.
    pub notices: Vec<Notice>,
    /// The panel that fills the window, if one does.
    pub full: Option<Pane>,
    /// Whether the command palette is open.
    pub palette: bool,
    /// The step of the tour that is shown, if one is.
    pub tour: Option<usize>,
    /// Whether the sheet of keyboard shortcuts is open.
    pub help: bool,
    /// This computer.
    pub machine: Machine,
}

/// A data set with what the window needs to know of it at every frame.
pub struct Data {
    /// The data set.
    pub set: Arc<Dataset>,
    /// What of the configuration it was made from.
    pub key: DataKey,
    /// The split that a run will use.
    pub split: Split,
    /// For each image, the part it belongs to.
    pub parts: Vec<Option<Part>>,
    /// For each class, images in train, validation and test.
    pub balance: Vec<[usize; 3]>,
    /// Counts up with each data set that is opened, so that caches can tell them apart.
    pub generation: u64,
}

/// Everything in a configuration that decides which images there are and how they are split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKey {
    /// "synthetic", or a folder.
    pub data: String,
    /// Number, size and seed of the synthetic images; `None` for a folder.
    pub synthetic: Option<(usize, usize, u64)>,
    /// The seed of the split.
    pub split_seed: u64,
}

impl DataKey {
    /// The key of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let synthetic = is_synthetic(&config.data).then_some((config.synthetic_images, config.size, config.seed));
        Self { data: config.data.clone(), synthetic, split_seed: config.split_seed }
    }
}

/// Whether `data` names the embedded synthetic galaxies.
#[must_use]
pub fn is_synthetic(data: &str) -> bool {
    data == crate::data::SYNTHETIC
}

/// A run that was started in this window.
pub struct Run {
    /// What its events told so far.
    pub session: Session,
    /// Its configuration.
    pub config: Config,
    /// Where it is kept.
    pub folder: PathBuf,
    /// What was asked of it and has not happened yet.
    pub asked: Option<Command>,
    /// Whether its failure was read and put away.
    pub dismissed: bool,
    /// Counts up with each run.
    pub generation: u64,
}

impl Run {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.session.status, Status::Ended(_))
    }

    /// Whether it ended before its end, with something learned, so that it can go on.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        match self.session.status {
            Status::Ended(Outcome::Stopped) => self.session.started.is_some(),
            Status::Ended(Outcome::Failed | Outcome::Panicked) => !self.session.epochs.is_empty(),
            _ => false,
        }
    }
}

/// The model that classifies pictures.
#[derive(Default)]
pub struct Model {
    /// The model, once there is one.
    pub classifier: Option<Arc<Classifier>>,
    /// Where it comes from, in words for the user.
    pub description: String,
    /// The file or run folder that the user chose; `None` follows the best epoch of the run.
    pub chosen: Option<PathBuf>,
    /// The model of the last session, while it is read again and while it answers: a new run takes its place.
    pub restored: Option<PathBuf>,
    /// Whether one is being read.
    pub loading: bool,
    /// What it finds familiar.
    pub familiar: Familiar,
}

impl Model {
    /// Whether the best epoch of the present run is what answers, or should as soon as there is one.
    #[must_use]
    pub fn follows_run(&self) -> bool {
        self.chosen.is_none() || self.restored.is_some()
    }
}

/// The picture on the Classify panel.
pub struct Subject {
    /// What it is called.
    pub name: String,
    /// The picture, once it is decoded.
    pub picture: Option<Picture>,
    /// The verdict on it.
    pub verdict: Verdict,
}

/// A decoded picture that is on the graphics card too.
#[derive(Clone)]
pub struct Picture {
    /// Its pixels.
    pub image: Arc<Image>,
    /// Its texture (scaled down if the picture is very large).
    pub texture: TextureHandle,
}

/// What the model says of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Verdict {
    /// There is no model yet, or no picture.
    #[default]
    Waiting,
    /// It is being worked out.
    Working,
    /// Class names with their probabilities, the most probable first.
    Ready(Vec<(String, f32)>),
    /// It could not be worked out; the message says what to do.
    Failed(String),
}

/// A picture of the data set, opened large.
pub struct Opened {
    /// Which image.
    pub index: usize,
    /// The picture, once it is read, or why it cannot be.
    pub picture: Option<Result<Picture, String>>,
}

/// A message to the user that stays until it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Tells notices apart.
    pub id: u64,
    /// What it is about.
    pub kind: NoticeKind,
    /// What happened and what to do.
    pub text: String,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something went well; it goes away by itself.
    Info,
    /// Something failed; it stays until it is closed.
    Failure,
}

impl State {
    /// Whether a run is going on (or holding).
    #[must_use]
    pub fn is_training(&self) -> bool {
        self.run.as_ref().is_some_and(|run| !run.is_over())
    }

    /// Why a search cannot be started now, in words for the user, whatever it searches; `None` if it can.
    #[must_use]
    pub fn search_blocked(&self) -> Option<String> {
        if self.search.starting {
            Some("The search is being set up.".into())
        } else if let Some(going) = &self.search.going {
            Some(format!("The search “{}” is going on; stop it first.", going.place.study))
        } else if self.starting || self.is_training() {
            Some("A run is going on; stop it on the Train panel first, or wait until it ends.".into())
        } else {
            None
        }
    }

    /// Why a run cannot be started now, in words for the user; `None` if it can.
    #[must_use]
    pub fn start_blocked(&self) -> Option<String> {
        if self.starting {
            return Some("The run is being set up.".into());
        }
        if self.search.starting || self.search.going.is_some() {
            return Some("A search is going on; stop it on the Search panel first.".into());
        }
        let errors = self.config.errors();
        if !errors.is_empty() {
            let list: Vec<String> = errors.iter().map(|e| format!("{}: {}", fields::about(e.field).label, e.message)).collect();
            return Some(format!("Correct this first:\n{}", list.join("\n")));
        }
        if let Some(what) = &self.loading {
            return Some(format!("{what} is still being opened."));
        }
        match &self.data {
            None => Some("Open a data set first.".into()),
            Some(data) if data.key != DataKey::of(&self.config) => Some("The data set is about to be made again.".into()),
            Some(_) => None,
        }
    }
}
