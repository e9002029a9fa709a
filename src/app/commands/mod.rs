//! Everything that a user can ask for without pointing at something, as a list: what the command palette offers. Each command
//! says whether it can be carried out now, and why not.

mod panels;
#[cfg(test)]
mod tests;

pub use panels::place_of;

use std::borrow::Cow;

use super::action::Action;
use super::import::ImportAction;
use super::inspect::InspectAction;
use super::keys::Does;
use super::lab::LabAction;
use super::layout::Pane;
use super::page::{Page, Press};
use super::presets::PresetAction;
use super::rival::RivalAction;
use super::saved::Appearance;
use super::state::{State, is_synthetic};
use super::theme;
use crate::augment::Augmentation;
use crate::train::{Command as RunCommand, Config, Outcome, Status};

/// A command.
pub struct Command {
    /// What it does, in words.
    pub words: Cow<'static, str>,
    /// Its keys, or nothing.
    pub keys: Cow<'static, str>,
    /// What it asks for, or why it cannot be asked for now.
    pub action: Result<Action, String>,
}

/// What the list is made from.
#[derive(Clone, Copy)]
pub struct Now<'a> {
    /// The window.
    pub state: &'a State,
    /// Theme and text size.
    pub appearance: Appearance,
    /// The built-in augmentation presets with their names.
    pub presets: &'a [(&'static str, Augmentation)],
}

/// All commands, in the order in which an empty search shows them.
#[must_use]
pub fn all(now: Now<'_>) -> Vec<Command> {
    let mut list = List(Vec::with_capacity(64));
    run(&mut list, now.state);
    layout(&mut list, now.state);
    data(&mut list, now.state);
    model(&mut list, now.state);
    augmentation(&mut list, now);
    panels::explore(&mut list, now.state);
    panels::labels(&mut list, now.state);
    panels::confusion(&mut list, now.state);
    panels::experiments(&mut list, now.state);
    panels::search(&mut list, now.state);
    window(&mut list, now);
    list.0
}

/// The commands for the picture of this number.
#[must_use]
pub fn of_picture(state: &State, index: usize) -> Vec<Command> {
    let mut list = List(Vec::new());
    let there = state.data.as_ref().filter(|data| index < data.set.len());
    let missing = || match &state.data {
        None => "Open a data set first.".to_owned(),
        Some(data) => format!("The data set has the images 0 to {}.", data.set.len().saturating_sub(1)),
    };
    let mut add = |words: String, action: Action| list.add(words, "", there.map(|_| action).ok_or_else(missing));
    add(format!("Open image {index} large"), Action::OpenPicture(index));
    add(format!("Augment image {index}"), Action::Lab(LabAction::Open(index)));
    add(format!("Classify image {index}"), Action::ClassifyImage(index));
    if there.is_some() {
        panels::of_picture(&mut list, state, index);
    }
    list.0
}

struct List(Vec<Command>);

impl List {
    fn add(&mut self, words: impl Into<Cow<'static, str>>, keys: impl Into<Cow<'static, str>>, action: Result<Action, String>) {
        self.0.push(Command { words: words.into(), keys: keys.into(), action });
    }
}

fn run(list: &mut List, state: &State) {
    let running = state.run.as_ref().filter(|run| !run.is_over());
    let none = || Err("No run is going on.".to_owned());
    match running {
        None => list.add("Start training", Does::Run.keys(), state.start_blocked().map_or(Ok(Action::Start), Err)),
        Some(run) if run.session.status == Status::Paused => list.add("Resume the run", Does::Run.keys(), Ok(Action::Resume)),
        Some(_) => list.add("Pause the run", Does::Run.keys(), Ok(Action::Pause)),
    }
    let stopping = running.is_some_and(|run| run.asked == Some(RunCommand::Stop));
    let stop = if stopping { Err("The run is stopping already.".to_owned()) } else { running.map(|_| Action::Stop).map_or_else(none, Ok) };
    list.add("Stop the run and keep what it learned", "", stop);
    if let Some(over) = state.run.as_ref().filter(|run| run.has_rest()) {
        let blocked = state.search_blocked();
        list.add("Go on with this run", "", blocked.map_or_else(|| Ok(Action::GoOn(over.folder.clone(), None)), Err));
    }
    let failed = state
        .run
        .as_ref()
        .is_some_and(|run| !run.dismissed && matches!(run.session.status, Status::Ended(Outcome::Failed | Outcome::Panicked)));
    if failed {
        list.add("Close the message of the failed run", "", Ok(Action::DismissRun));
    }
    let default = Config { data: state.config.data.clone(), ..Config::default() };
    let changed = default != state.config;
    let reset = if changed { Ok(Action::Configure(Box::new(default))) } else { Err("The form is at its defaults.".to_owned()) };
    list.add("Reset the form to the defaults", "", reset);
}

fn layout(list: &mut List, state: &State) {
    for pane in Pane::ALL {
        list.add(Does::Show(pane).words(), Does::Show(pane).keys(), Ok(Action::Show(pane)));
    }
    for page in Page::ALL {
        list.add(format!("Turn to {} in {}", page.title(), page.pane().title()), "", Ok(Action::Turn(page)));
    }
    for press in Press::ALL {
        list.add(press.words(), "", Ok(Action::Press(press)));
    }
    for pane in Pane::ALL {
        list.add(Does::Fill(pane).words(), Does::Fill(pane).keys(), Ok(Action::Fill(Some(pane))));
    }
    let back = if state.full.is_some() { Ok(Action::Fill(None)) } else { Err("All panels are shown.".to_owned()) };
    list.add("Back to all panels", Does::Back.keys(), back);
    list.add("Move the panels back to where they were at first", "", Ok(Action::ResetLayout));
}

fn data(list: &mut List, state: &State) {
    list.add("Open a data folder…", Does::OpenData.keys(), Ok(Action::BrowseData));
    let synthetic = if is_synthetic(&state.config.data) { Err("They are open.".to_owned()) } else { Ok(Action::UseSynthetic) };
    list.add("Use the synthetic galaxies", "", synthetic);
    let free = |action: ImportAction| match &state.importing {
        None => Ok(Action::Import(action)),
        Some(importing) => Err(format!("{} is still being made.", importing.wanted.folder.display())),
    };
    list.add("Import a Galaxy10 file (.h5)…", "", free(ImportAction::Browse));
    list.add("Download Galaxy10 DECaLS (2.7 GB)…", "", free(ImportAction::BrowseDownload));
    if state.importing.is_some() {
        list.add("End the import or download", "", Ok(Action::Import(ImportAction::Stop)));
    }
    if state.opened.is_some() {
        list.add("Close the large picture", "Escape", Ok(Action::ClosePicture));
    }
}

fn model(list: &mut List, state: &State) {
    list.add("Choose a model…", "", Ok(Action::BrowseModel));
    let follow = match (&state.run, &state.model.chosen) {
        (None, _) => Err("There is no run to follow yet.".to_owned()),
        (Some(_), None) => Err("The model is that of the run already.".to_owned()),
        (Some(_), Some(_)) => Ok(Action::FollowRun),
    };
    list.add("Use the best model of the run", "", follow);
    list.add("Classify a picture…", "", Ok(Action::BrowsePicture));
    list.add("Classify what is on the clipboard", "", Ok(Action::Inspect(InspectAction::Paste)));
    list.add("Compare with a second model…", "", Ok(Action::Inspect(InspectAction::Rival(RivalAction::Browse))));
    let export = state.inspect.explainer.as_ref().map(|_| Action::Inspect(InspectAction::Export));
    list.add("Export the map", "", export.ok_or_else(|| "Classify a picture first.".to_owned()));
}

fn augmentation(list: &mut List, now: Now<'_>) {
    let state = now.state;
    list.add("Open the augmentation lab", "", Ok(Action::Lab(LabAction::Open(state.lab.index))));
    let take = |augmentation: Augmentation| {
        if augmentation == state.config.augmentation {
            Err("Training takes it already.".to_owned())
        } else {
            Ok(Action::Configure(Box::new(Config { augmentation, ..state.config.clone() })))
        }
    };
    for (name, augmentation) in now.presets {
        list.add(format!("Augment with the preset {name}"), "", take(*augmentation));
    }
    for (place, preset) in state.presets.iter().enumerate() {
        list.add(format!("Augment with your preset “{}”", preset.name), "", take(preset.augmentation));
        list.add(format!("Delete your preset “{}”", preset.name), "", Ok(Action::Presets(PresetAction::Delete(place))));
    }
}

fn window(list: &mut List, now: Now<'_>) {
    match now.state.undo.last() {
        Some(step) => list.add(format!("Undo: {}", step.words), Does::Undo.keys(), Ok(Action::Undo)),
        None => list.add("Undo", Does::Undo.keys(), Err("There is nothing to take back.".to_owned())),
    }
    let dark = now.appearance.dark;
    let other = if dark { "Light theme" } else { "Dark theme" };
    list.add(other, "", Ok(Action::Appearance(Appearance { dark: !dark, ..now.appearance })));
    for scale in theme::SCALES {
        if (scale - now.appearance.scale).abs() > 1e-3 {
            let action = Action::Appearance(Appearance { scale, ..now.appearance });
            list.add(format!("Text size {:.0} %", 100.0 * scale), "Ctrl+Plus, Ctrl+Minus", Ok(action));
        }
    }
    let notices = &now.state.notices;
    if let Some(last) = notices.last() {
        list.add("Close the last notice", "", Ok(Action::Dismiss(last.id)));
    }
    list.add("Show the keyboard shortcuts", Does::Help.keys(), Ok(Action::Help(true)));
    list.add("Take the tour", "", Ok(Action::Tour(Some(0))));
}
