//! Every change of the state, as one enum. Panels return these; `apply` carries them out.

use std::path::PathBuf;

use super::experiments;
use super::explored;
use super::import::ImportAction;
use super::inspect::InspectAction;
use super::lab::LabAction;
use super::layout::Pane;
use super::page::{Page, Press};
use super::pile::PileAction;
use super::presets::PresetAction;
use super::reviewed;
use super::saved::Appearance;
use super::searched;
use super::tasks::Answer;
use crate::train::{Config, DeviceChoice, Event};

/// A change of the state: what the user asks for, what a task answers, what a run tells. What a user can ask for without pointing at
/// something has a command in `commands`, where a test keeps the list.
pub enum Action {
    /// Takes a changed form.
    Configure(Box<Config>),
    /// Opens a data folder.
    OpenData(PathBuf),
    /// Goes back to the synthetic galaxies.
    UseSynthetic,
    /// Asks for a data folder with the system's dialog.
    BrowseData,
    /// Makes a data folder of Galaxy10's HDF5 file.
    Import(ImportAction),
    /// A change of what the Confusion panel works with.
    Review(reviewed::Change),
    /// Starts a run with the form as it is.
    Start,
    /// Goes on with a run that was kept in a folder before its end, from its last checkpoint; on another device than before, if one is
    /// named.
    GoOn(PathBuf, Option<DeviceChoice>),
    /// Holds the run after the current batch.
    Pause,
    /// Lets the run go on.
    Resume,
    /// Ends the run after the current batch, keeping what was learned.
    Stop,
    /// Puts the banner of a failed run away.
    DismissRun,
    /// Opens a picture of the data set large.
    OpenPicture(usize),
    /// Closes it.
    ClosePicture,
    /// Shows exactly these pictures of the data set in the Explore panel, in this order, under a title that says why.
    ShowInExplore {
        /// Why they are shown, in few words: "Round called Spiral, epoch 7".
        title: String,
        /// The pictures, as indices into the data set that is open.
        indices: Vec<usize>,
    },
    /// A change of what the Explore panel works with.
    Explore(explored::Change),
    /// A change of what the Experiments panel works with.
    Experiments(experiments::Change),
    /// A change of what the Search panel works with.
    Search(searched::Change),
    /// Wants thumbnails of these pictures of the data set: they are in sight.
    WantThumbnails(Vec<usize>),
    /// Classifies a picture of the data set.
    ClassifyImage(usize),
    /// Classifies a picture file.
    ClassifyFile(PathBuf),
    /// Asks for a picture with the system's dialog.
    BrowsePicture,
    /// Loads a model file or the best model of a run folder.
    LoadModel(PathBuf),
    /// Asks for a model file with the system's dialog.
    BrowseModel,
    /// Follows the best epoch of the present run again.
    FollowRun,
    /// Changes what is asked about the picture that is classified.
    Inspect(InspectAction),
    /// Works with many pictures at once.
    Pile(PileAction),
    /// Takes files or folders that were dropped on the window.
    Drop(Vec<PathBuf>),
    /// Brings a panel to the front.
    Show(Pane),
    /// Lets a panel fill the window, or none.
    Fill(Option<Pane>),
    /// Turns to a page of a panel and brings that to the front.
    Turn(Page),
    /// Presses a button of a page.
    Press(Press),
    /// Opens or closes the sheet of shortcuts.
    Help(bool),
    /// Works in the augmentation lab.
    Lab(LabAction),
    /// Changes the user's augmentation presets.
    Presets(PresetAction),
    /// Takes the last step back.
    Undo,
    /// Changes theme and text size.
    Appearance(Appearance),
    /// Opens or closes the command palette.
    Palette(bool),
    /// Goes to a step of the tour, or ends it.
    Tour(Option<usize>),
    /// Moves the panels back to where they stood at first.
    ResetLayout,
    /// Puts a notice away.
    Dismiss(u64),
    /// The answer of a task.
    Answer(Answer),
    /// An event of the run.
    Event(Box<Event>),
}
