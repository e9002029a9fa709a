//! The Explore panel: the pictures of the data set as a grid, filtered and ordered, how the classes are balanced, what
//! stands in the data more than once, and a map of what the model saw.

mod balance;
mod bar;
mod export;
mod integrity;
mod map;
mod points;
mod written;

use egui::{Event, Key, Modifiers, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::explored::Change;
use crate::app::page::Page;
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::widget::image_grid::{self, ImageGrid};
use crate::data::Part;

/// What the panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Tab {
    #[default]
    Pictures,
    Balance,
    Integrity,
    Map,
}

const TABS: [(Tab, Page); 4] =
    [(Tab::Pictures, Page::Pictures), (Tab::Balance, Page::Balance), (Tab::Integrity, Page::Duplicates), (Tab::Map, Page::Map)];

/// Narrower than this, points, the number of pictures stands below the tabs.
const BESIDE_TABS: f32 = 520.0;

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct ExploreView {
    tab: Tab,
    /// Side of a thumbnail on the screen.
    thumbnail: f32,
    /// The tag that the T key gives.
    tag: String,
    /// The place that the arrow keys move.
    #[serde(skip)]
    selected: usize,
    /// Whether a picture was open large in the last frame.
    #[serde(skip)]
    was_open: bool,
    /// The list of another panel that was shown in the last frame.
    #[serde(skip)]
    was_listed: Option<u64>,
    #[serde(skip)]
    export: export::Sheet,
    #[serde(skip)]
    map: map::MapView,
}

impl Default for ExploreView {
    fn default() -> Self {
        Self {
            tab: Tab::default(),
            thumbnail: theme::THUMBNAIL,
            tag: "check".into(),
            selected: 0,
            was_open: false,
            was_listed: None,
            export: export::Sheet::default(),
            map: map::MapView::default(),
        }
    }
}

/// The parts with their names.
pub const PARTS: [(Part, &str); 3] = [(Part::Train, "train"), (Part::Valid, "validation"), (Part::Test, "test")];

/// The name of the part that an image belongs to.
#[must_use]
pub fn part_name(part: Option<Part>) -> &'static str {
    PARTS.iter().find(|(p, _)| Some(*p) == part).map_or("in no part", |(_, name)| name)
}

impl ExploreView {
    /// Turns to a page, if it is one of this panel's.
    pub fn turn(&mut self, page: Page) {
        self.tab = TABS.iter().find(|(_, of)| *of == page).map_or(self.tab, |(tab, _)| *tab);
    }

    /// The tag that the T key gives.
    pub fn tag(&mut self) -> &mut String {
        &mut self.tag
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        let Some(data) = &state.data else {
            match &state.loading {
                Some(what) => theme::empty(ui, &format!("Opening {what}"), "The pictures come in a moment."),
                None => {
                    theme::empty(ui, "No data set", "Choose the synthetic galaxies or a folder on the Train panel, or drop a folder here.");
                }
            }
            return;
        };
        self.tabs(ui, state, data, actions);
        match self.tab {
            Tab::Pictures => self.pictures(ui, state, data, thumbnails, actions),
            Tab::Balance => {
                written::balance(ui, data, actions);
                ScrollArea::vertical().id_salt("balance").auto_shrink(false).show(ui, |ui| balance::show(ui, data));
            }
            Tab::Integrity => {
                if integrity::show(ui, &state.explore, data, actions) {
                    self.tab = Tab::Pictures;
                }
            }
            Tab::Map => {
                if self.map.show(ui, state, data, thumbnails, actions) {
                    self.tab = Tab::Pictures;
                }
            }
        }
        self.export.show(ui.ctx(), state, actions);
    }

    fn tabs(&mut self, ui: &mut Ui, state: &State, data: &Data, actions: &mut Vec<Action>) {
        // a list that another panel asks for is shown at once
        if self.was_listed != state.explore.shown.as_ref().map(|shown| shown.number) {
            self.was_listed = state.explore.shown.as_ref().map(|shown| shown.number);
            if self.was_listed.is_some() {
                (self.tab, self.selected) = (Tab::Pictures, 0);
            }
        }
        let beside = ui.available_width() >= BESIDE_TABS;
        let mut more = |ui: &mut Ui| {
            bar::count(ui, &state.explore, data);
            bar::classify(ui, state, data, actions);
        };
        ui.horizontal(|ui| {
            for (tab, page) in TABS {
                ui.selectable_value(&mut self.tab, tab, page.title());
            }
            if self.tab == Tab::Pictures && beside {
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), &mut more);
            }
        });
        if self.tab == Tab::Pictures && !beside {
            ui.horizontal(&mut more);
        }
    }

    fn pictures(&mut self, ui: &mut Ui, state: &State, data: &Data, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        if let Some(shown) = &state.explore.shown {
            bar::chip(ui, shown, actions);
        }
        bar::filter(ui, &state.explore, actions);
        bar::controls(ui, state, data, &mut self.thumbnail, &mut self.export.open, actions);
        let places = &state.explore.selection.places;
        if places.is_empty() {
            let (heading, advice) = if state.explore.selection.working {
                ("Choosing pictures", "They come in a moment.")
            } else {
                ("No picture passes the filter", "Take words out of it, or clear it with the ✖ beside it.")
            };
            theme::empty(ui, heading, advice);
            return;
        }
        self.follow_viewer(state);
        let closed = self.was_open && state.opened.is_none();
        self.was_open = state.opened.is_some();
        self.grid(ui, state, data, thumbnails, closed, actions);
    }

    /// The selection goes along with the picture that is open large.
    fn follow_viewer(&mut self, state: &State) {
        let places = &state.explore.selection.places;
        let Some(opened) = state.opened.as_ref().filter(|opened| places.get(self.selected) != Some(&opened.index)) else { return };
        if let Some(place) = places.iter().position(|&index| index == opened.index) {
            self.selected = place;
        }
    }

    fn grid(&mut self, ui: &mut Ui, state: &State, data: &Data, thumbnails: &Thumbnails, take_focus: bool, actions: &mut Vec<Action>) {
        let places = &state.explore.selection.places;
        let palette = theme::palette(ui.visuals());
        self.selected = self.selected.min(places.len() - 1);
        let marked = |index: usize| {
            let marks = &state.explore.marked.as_ref()?.marks;
            if marks.label(index).is_some() {
                return Some(palette.warn);
            }
            marks.tags(index).next().map(|_| palette.accent)
        };
        let grid = ImageGrid {
            count: places.len(),
            side: self.thumbnail,
            texture: &|place| thumbnails.get(places[place]),
            label: &|place| caption(state, data, places[place]),
            mark: &|place| marked(places[place]),
            take_focus,
        };
        let response = image_grid::show(ui, &grid, &mut self.selected);
        if let Some(place) = response.opened {
            actions.push(Action::OpenPicture(places[place]));
        }
        if response.focused && state.opened.is_none() {
            mark_keys(ui.ctx(), places[self.selected], &self.tag, actions);
        }
        actions.push(Action::WantThumbnails(places[response.visible].to_vec()));
    }
}

/// The keys that mark a picture: 0 to 9 give it a label, T a tag, U or Ctrl+Z takes the last of these back.
pub fn mark_keys(context: &egui::Context, index: usize, tag: &str, actions: &mut Vec<Action>) {
    const DIGITS: [Key; 10] =
        [Key::Num0, Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];
    context.input(|input| {
        for event in &input.events {
            // with the modifiers of the key itself: in a slow frame they may have been let go again
            let Event::Key { key, pressed: true, modifiers, .. } = event else { continue };
            let label = (0..).zip(DIGITS).find(|(_, digit)| digit == key).map(|(label, _)| label);
            let change = match (key, label) {
                // the window's own undo is of the form and the panels, and leaves this key alone here
                (Key::Z, _) if modifiers.matches_exact(Modifiers::COMMAND) => Change::Undo,
                _ if modifiers.any() => continue,
                (_, Some(label)) => Change::Relabel(index, label),
                (Key::T, _) => Change::Tag(index, tag.to_owned()),
                (Key::U, _) => Change::Undo,
                _ => continue,
            };
            actions.push(Action::Explore(change));
        }
    });
}

/// An image in a line.
#[must_use]
pub fn caption(state: &State, data: &Data, index: usize) -> String {
    let explore = &state.explore;
    let class = |label: u32| data.set.classes.get(label as usize).map_or("?", String::as_str);
    let (label, original) = (explore.label(data, index), data.set.labels[index]);
    let mut text = format!("image {index}: {}, {}", class(label), part_name(data.parts[index]));
    if label != original {
        text.push_str(", was ");
        text.push_str(class(original));
    }
    if let Some(marked) = &explore.marked {
        for tag in marked.marks.tags(index) {
            text.push_str(", tagged ");
            text.push_str(tag);
        }
    }
    if let Some(predictions) = &explore.predictions
        && let (Some(answer), Some(confidence)) = (predictions.class(index), predictions.confidence(index))
    {
        return format!("{text}, called {} ({:.0} %)", class(answer), 100.0 * confidence);
    }
    text
}
