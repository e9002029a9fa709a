//! Everything that a user can ask for without pointing at something, as a list: what the command palette offers. Each command
//! says whether it can be carried out now, and why not.

use std::borrow::Cow;

use super::action::Action;
use super::lab::LabAction;
use super::layout::Pane;
use super::presets::PresetAction;
use super::reviewed::Change;
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
    panels(&mut list, now.state);
    data(&mut list, now.state);
    model(&mut list, now.state);
    augmentation(&mut list, now);
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
        None => list.add("Start training", "Space", state.start_blocked().map_or(Ok(Action::Start), Err)),
        Some(run) if run.session.status == Status::Paused => list.add("Resume the run", "Space", Ok(Action::Resume)),
        Some(_) => list.add("Pause the run", "Space", Ok(Action::Pause)),
    }
    let stopping = running.is_some_and(|run| run.asked == Some(RunCommand::Stop));
    let stop = if stopping { Err("The run is stopping already.".to_owned()) } else { running.map(|_| Action::Stop).map_or_else(none, Ok) };
    list.add("Stop the run and keep what it learned", "", stop);
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

fn panels(list: &mut List, state: &State) {
    for (n, pane) in Pane::ALL.into_iter().enumerate() {
        list.add(format!("Show {}", pane.title()), format!("Ctrl+{}", n + 1), Ok(Action::Show(pane)));
    }
    for (n, pane) in Pane::ALL.into_iter().enumerate() {
        list.add(format!("Let {} fill the window", pane.title()), format!("Ctrl+Shift+{}", n + 1), Ok(Action::Fill(Some(pane))));
    }
    let back = if state.full.is_some() { Ok(Action::Fill(None)) } else { Err("All panels are shown.".to_owned()) };
    list.add("Back to all panels", "Escape", back);
    list.add("Move the panels back to where they were at first", "", Ok(Action::ResetLayout));
}

fn data(list: &mut List, state: &State) {
    list.add("Open a data folder…", "Ctrl+O", Ok(Action::BrowseData));
    list.add("Open a run to look back on…", "", Ok(Action::Review(Change::Browse)));
    let synthetic = if is_synthetic(&state.config.data) { Err("They are open.".to_owned()) } else { Ok(Action::UseSynthetic) };
    list.add("Use the synthetic galaxies", "", synthetic);
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
        Some(step) => list.add(format!("Undo: {}", step.words), "Ctrl+Z", Ok(Action::Undo)),
        None => list.add("Undo", "Ctrl+Z", Err("There is nothing to take back.".to_owned())),
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
    list.add("Show the keyboard shortcuts", "F1 or ?", Ok(Action::Help(true)));
    list.add("Take the tour", "", Ok(Action::Tour(Some(0))));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::app::presets::UserPreset;
    use crate::app::state::{DataKey, Notice, NoticeKind, Opened, Run};
    use crate::app::undo::Before;
    use crate::app::work;
    use crate::augment::Preset;
    use crate::train::{Ended, Event, Paused, Session};

    /// The name of an action that a user can ask for without pointing at something: such an action needs a command, and its name in
    /// [`OFFERED`]. `None` for what only the window, a task or a run says, and for what comes with a path from a dialog, a field or a drop.
    fn name(action: &Action) -> Option<&'static str> {
        Some(match action {
            Action::Configure(_) => "configure",
            Action::UseSynthetic => "use synthetic",
            Action::BrowseData => "browse data",
            Action::Review(Change::Browse) => "browse run",
            Action::Start => "start",
            Action::Pause => "pause",
            Action::Resume => "resume",
            Action::Stop => "stop",
            Action::DismissRun => "dismiss run",
            Action::OpenPicture(_) => "open picture",
            Action::ClosePicture => "close picture",
            Action::ClassifyImage(_) => "classify image",
            Action::BrowsePicture => "browse picture",
            Action::BrowseModel => "browse model",
            Action::FollowRun => "follow run",
            Action::Show(_) => "show",
            Action::Fill(_) => "fill",
            Action::Help(_) => "help",
            Action::Lab(LabAction::Open(_)) => "lab",
            Action::Presets(PresetAction::Delete(_)) => "delete preset",
            Action::Undo => "undo",
            Action::Appearance(_) => "appearance",
            Action::Tour(_) => "tour",
            Action::ResetLayout => "reset layout",
            Action::Dismiss(_) => "dismiss",
            Action::OpenData(_)
            | Action::LoadModel(_)
            | Action::ClassifyFile(_)
            | Action::Drop(_)
            | Action::Explore(_)
            | Action::ShowInExplore { .. }
            | Action::WantThumbnails(_)
            | Action::Lab(_)
            | Action::Presets(_)
            | Action::Palette(_)
            | Action::Review(_)
            | Action::Answer(_)
            | Action::Event(_) => return None,
        })
    }

    /// Every name that [`name`] gives.
    const OFFERED: &[&str] = &[
        "configure",
        "use synthetic",
        "browse data",
        "browse run",
        "start",
        "pause",
        "resume",
        "stop",
        "dismiss run",
        "open picture",
        "close picture",
        "classify image",
        "browse picture",
        "browse model",
        "follow run",
        "show",
        "fill",
        "help",
        "lab",
        "delete preset",
        "undo",
        "appearance",
        "tour",
        "reset layout",
        "dismiss",
    ];

    fn run(events: Vec<Event>) -> Run {
        let mut session = Session::default();
        for event in events {
            session.apply(event);
        }
        Run { session, config: Config::default(), folder: "run".into(), asked: None, dismissed: false, generation: 1 }
    }

    /// A window with everything: data, a picture, a chosen model, a preset, a notice, a step to take back.
    fn full() -> State {
        let config = Config { synthetic_images: 60, size: 32, ..Config::default() };
        let set = Arc::new(crate::data::load(&config.data, 60, 32, 1).expect("synthetic galaxies"));
        let key = DataKey::of(&config);
        let data = *work::describe(&key, set).expect("a split");
        let mut state = State { config, data: Some(data), ..State::default() };
        state.opened = Some(Opened { index: 0, picture: None });
        state.model.chosen = Some("model".into());
        state.presets.push(UserPreset { name: "Mine".into(), augmentation: Preset::Strong.augmentation() });
        state.notices.push(Notice { id: 1, kind: NoticeKind::Failure, text: "no".into() });
        state.undo.push("a step", Before::Presets(Vec::new()));
        state.full = Some(Pane::Train);
        state
    }

    #[test]
    fn everything_that_a_user_can_ask_for_is_offered() {
        let failed = Ended { outcome: Outcome::Failed, message: "no".into(), best_epoch: None, seconds: 0.0 };
        let runs = [
            None,
            Some(run(Vec::new())),
            Some(run(vec![Event::Paused(Paused { epoch: 1, step: 1 })])),
            Some(run(vec![Event::Ended(failed)])),
        ];
        let mut offered = BTreeSet::new();
        for run in runs {
            let mut state = full();
            if run.as_ref().is_some_and(Run::is_over) {
                state.config.data = "elsewhere".into();
            }
            state.run = run;
            let now = Now { state: &state, appearance: Appearance::default(), presets: &[("Gentle", Preset::Gentle.augmentation())] };
            let commands = all(now).into_iter().chain(of_picture(&state, 3));
            offered.extend(commands.filter_map(|command| name(&command.action.ok()?)));
        }
        assert_eq!(offered, OFFERED.iter().copied().collect());
    }

    #[test]
    fn commands_have_different_names_and_end_with_reasons() {
        let empty = State::default();
        for state in [&full(), &empty] {
            let commands = all(Now { state, appearance: Appearance::default(), presets: &[] });
            let names: BTreeSet<&str> = commands.iter().map(|command| &*command.words).collect();
            assert_eq!(names.len(), commands.len());
            assert!(commands.iter().filter_map(|command| command.action.as_ref().err()).all(|why| why.ends_with('.')));
        }
        assert!(of_picture(&empty, 0).iter().all(|command| command.action.is_err()));
    }
}
