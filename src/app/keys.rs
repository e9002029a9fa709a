//! The keys: one list that the window reads, that the sheet of shortcuts shows and that the command palette names. The keys of single
//! panels stand in it too; the panels read those themselves, and a test compares them with the list.

use egui::{Context, Key, KeyboardShortcut, ModifierNames, Modifiers};

use super::action::Action;
use super::layout::Pane;
use super::state::State;
use crate::train::Status;

/// What a key of the whole window does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Starts a run, holds it, lets it go on.
    Run,
    /// Lets a panel fill the window.
    Fill(Pane),
    /// Brings a panel to the front.
    Show(Pane),
    /// Asks for a data folder.
    OpenData,
    /// Opens or closes the command palette.
    Palette,
    /// Opens or closes the sheet of shortcuts.
    Help,
    /// Takes the last step back.
    Undo,
    /// Ends the tour, or brings all panels back.
    Back,
}

/// A key of the whole window.
#[derive(Clone, Copy, Debug)]
pub struct Global {
    /// The key with what is held down.
    pub keys: KeyboardShortcut,
    /// What it does.
    pub does: Does,
    /// Whether it works also while a field has the focus or something lies above the panels.
    pub always: bool,
}

const CTRL: Modifiers = Modifiers::COMMAND;
const DIGITS: [Key; 8] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8];

/// The keys of the whole window, in the order in which they are read.
#[must_use]
pub fn globals() -> Vec<Global> {
    let key = |modifiers, key, does, always| Global { keys: KeyboardShortcut::new(modifiers, key), does, always };
    let mut all = vec![
        key(Modifiers::NONE, Key::Space, Does::Run, false),
        key(CTRL, Key::Z, Does::Undo, false),
        key(CTRL, Key::K, Does::Palette, true),
        key(CTRL, Key::O, Does::OpenData, true),
        key(Modifiers::NONE, Key::Escape, Does::Back, false),
        key(Modifiers::NONE, Key::F1, Does::Help, true),
        key(Modifiers::NONE, Key::Questionmark, Does::Help, false),
    ];
    // egui takes Ctrl+Shift+1 for Ctrl+1 too, so the longer one is read first
    all.extend(Pane::ALL.into_iter().zip(DIGITS).map(|(pane, digit)| key(CTRL | Modifiers::SHIFT, digit, Does::Fill(pane), true)));
    all.extend(Pane::ALL.into_iter().zip(DIGITS).map(|(pane, digit)| key(CTRL, digit, Does::Show(pane), true)));
    all
}

impl Does {
    /// What it does, in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Run => "Start, pause or resume the run".into(),
            Self::Fill(pane) => format!("Let {} fill the window", pane.title()),
            Self::Show(pane) => format!("Show {}", pane.title()),
            Self::OpenData => "Open a data folder".into(),
            Self::Palette => "Find any command by its name".into(),
            Self::Help => "This sheet".into(),
            Self::Undo => "Undo".into(),
            Self::Back => "End the tour, close the newest message, or leave an enlarged panel".into(),
        }
    }

    /// Its keys: "F1 or ?".
    #[must_use]
    pub fn keys(self) -> String {
        let keys = globals().into_iter().filter(|global| global.does == self).map(|global| text(global.keys));
        keys.collect::<Vec<_>>().join(" or ")
    }

    /// What it asks for now; `None` if there is nothing to do.
    #[must_use]
    pub fn action(self, state: &State) -> Option<Action> {
        Some(match self {
            Self::Run => match state.run.as_ref().filter(|run| !run.is_over()) {
                None => Action::Start,
                Some(run) if run.session.status == Status::Paused => Action::Resume,
                Some(_) => Action::Pause,
            },
            Self::Fill(pane) => Action::Fill(Some(pane)),
            Self::Show(pane) => Action::Show(pane),
            Self::OpenData => Action::BrowseData,
            Self::Palette => Action::Palette(!state.palette),
            Self::Help => Action::Help(!state.help),
            Self::Undo => Action::Undo,
            Self::Back if state.tour.is_some() => Action::Tour(None),
            Self::Back if !state.notices.is_empty() => Action::Dismiss(state.notices.last()?.id),
            Self::Back if state.full.is_some() => Action::Fill(None),
            Self::Back => return None,
        })
    }
}

/// A key as it is written.
fn text(keys: KeyboardShortcut) -> String {
    if keys.logical_key == Key::Questionmark {
        return "?".into();
    }
    keys.format(&ModifierNames::NAMES, cfg!(target_os = "macos"))
}

/// What the keys ask for that were pressed in this frame. A field or a button with the focus, and what lies above the panels, takes
/// its own keys: then only those that work always are read.
pub fn pressed(context: &Context, state: &State, actions: &mut Vec<Action>) {
    let sheet = context.memory(|m| m.top_modal_layer().is_some());
    // a menu or list that is open closes with Escape
    let menu = egui::Popup::is_any_open(context);
    let above = sheet || menu || state.help || state.palette || state.opened.is_some();
    let free = !above && context.memory(|m| m.focused().is_none());
    for global in globals().into_iter().filter(|global| free || global.always) {
        if let Some(action) = global.does.action(state)
            && context.input_mut(|i| i.consume_shortcut(&global.keys))
        {
            actions.push(action);
        }
    }
}

/// Keys of a part of the window.
#[derive(Clone, Copy, Debug)]
pub struct Local {
    /// Where they work, as it stands in the sheet.
    pub place: &'static str,
    /// The keys.
    pub keys: &'static [Key],
    /// How they are written.
    pub shown: &'static str,
    /// What they do.
    pub words: &'static str,
}

const GRID: &str = "In the pictures of Explore";
const LABELS: &str = "In Explore and the large picture";
const LARGE: &str = "In the large picture";
const MATRIX: &str = "In a confusion matrix";
const CARDS: &str = "In a list of galaxies";
const LAB: &str = "In the contact sheet of Augment";
const PALETTE: &str = "In the command palette";
const ARROWS: &[Key] = &[Key::ArrowLeft, Key::ArrowRight, Key::ArrowUp, Key::ArrowDown];

/// The keys of single panels, and those that egui reads itself.
pub const LOCALS: &[Local] = &[
    local("In all panels", &[Key::Tab], "Tab, Shift+Tab", "To the next or previous control"),
    local("In all panels", &[Key::Plus, Key::Minus, Key::Num0], "Ctrl+Plus, Minus, 0", "Larger, smaller or normal text"),
    local(GRID, ARROWS, "Arrows", "Move"),
    local(GRID, &[Key::PageUp, Key::PageDown, Key::Home, Key::End], "Page, Home, End", "A page on, to the first, to the last"),
    local(GRID, &[Key::Enter], "Enter", "Open the picture large"),
    local(
        LABELS,
        &[Key::Num0, Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9],
        "0 … 9",
        "Give a label",
    ),
    local(LABELS, &[Key::T], "T", "Give the tag"),
    local(LABELS, &[Key::U, Key::Z], "U, Ctrl+Z", "Take the last label or tag back"),
    local(LARGE, &[Key::ArrowLeft, Key::ArrowRight], "Left, Right", "Previous, next"),
    local(LARGE, &[Key::Escape], "Escape", "Close it, as any sheet above the panels"),
    local(MATRIX, ARROWS, "Arrows", "Another cell"),
    local(MATRIX, &[Key::Enter], "Enter", "Show the galaxies of the cell"),
    local(CARDS, &[Key::N, Key::P], "N, P", "Next, previous"),
    local(CARDS, ARROWS, "Arrows", "Move"),
    local(CARDS, &[Key::Home, Key::End], "Home, End", "To the first, to the last"),
    local(CARDS, &[Key::Enter], "Enter", "Open the picture large"),
    local(LAB, &[Key::ArrowLeft, Key::ArrowRight], "Left, Right", "Another galaxy"),
    local(PALETTE, &[Key::ArrowUp, Key::ArrowDown], "Up, Down", "Choose"),
    local(PALETTE, &[Key::Enter], "Enter", "Carry out, as in every field"),
];

const fn local(place: &'static str, keys: &'static [Key], shown: &'static str, words: &'static str) -> Local {
    Local { place, keys, shown, words }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn no_key_means_two_things_at_one_place() {
        let mut seen = BTreeSet::new();
        for global in globals() {
            assert!(seen.insert(text(global.keys)), "{} is there twice", text(global.keys));
        }
        let mut seen = BTreeSet::new();
        for local in LOCALS {
            for key in local.keys {
                assert!(seen.insert((local.place, key.name())), "{} is there twice {}", key.name(), local.place);
                let window = globals().into_iter().find(|global| global.keys.modifiers.is_none() && global.keys.logical_key == *key);
                // while something lies above the panels, the window leaves Escape to it
                assert!(window.is_none_or(|global| !global.always && global.does == Does::Back), "{} is the window's", key.name());
            }
        }
        for always in globals().into_iter().filter(|global| global.always && global.keys.modifiers.is_none()) {
            assert_eq!(always.keys.logical_key, Key::F1, "a field needs its letters");
        }
    }

    /// What the window would do if this were pressed.
    fn press(state: &State, keys: KeyboardShortcut) -> Vec<Action> {
        let context = Context::default();
        let event = egui::Event::Key { key: keys.logical_key, physical_key: None, pressed: true, repeat: false, modifiers: keys.modifiers };
        let input = egui::RawInput { events: vec![event], ..egui::RawInput::default() };
        let mut actions = Vec::new();
        // nobody draws this frame
        context.run_ui(input, |ui| pressed(ui.ctx(), state, &mut actions)).textures_delta.clear();
        actions
    }

    #[test]
    fn every_key_of_the_window_asks_for_its_own_thing() {
        let state = State { full: Some(Pane::Curves), ..State::default() };
        for global in globals() {
            let actions = press(&state, global.keys);
            let [action] = actions.as_slice() else { panic!("{} asks for {} things", text(global.keys), actions.len()) };
            let wanted = global.does.action(&state).expect("there is something to go back from");
            assert_eq!(std::mem::discriminant(action), std::mem::discriminant(&wanted), "{}", text(global.keys));
            if let (Action::Show(asked) | Action::Fill(Some(asked)), Does::Show(pane) | Does::Fill(pane)) = (action, global.does) {
                assert_eq!(*asked, pane);
            }
        }
        let covered = State { help: true, ..State::default() };
        for global in globals() {
            assert_eq!(press(&covered, global.keys).len(), usize::from(global.always), "{}", text(global.keys));
        }
    }

    /// The names of the keys that the panels' sources read.
    fn read_by_panels(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("the sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                read_by_panels(&path, names);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a source");
            for place in text.match_indices("Key::").map(|(at, _)| at) {
                let before = text[..place].chars().next_back();
                let name: String = text[place + 5..].chars().take_while(|c| c.is_alphanumeric()).collect();
                if before.is_none_or(|c| !c.is_alphanumeric()) && Key::ALL.iter().any(|key| format!("{key:?}") == name) {
                    names.insert(name);
                }
            }
        }
    }

    #[test]
    fn the_list_has_every_key_that_a_panel_reads() {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/app");
        let mut read = BTreeSet::new();
        read_by_panels(&sources.join("view"), &mut read);
        read_by_panels(&sources.join("widget"), &mut read);
        assert!(read.len() > 20, "{read:?}");
        // egui reads these for every control and every sheet
        read.extend(["Tab", "Plus", "Minus", "Escape"].map(str::to_owned));
        let listed: BTreeSet<String> = LOCALS.iter().flat_map(|local| local.keys).map(|key| format!("{key:?}")).collect();
        assert_eq!(read, listed);
    }
}
