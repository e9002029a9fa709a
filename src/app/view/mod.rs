//! The panels: one struct each with the panel's own UI state. A view borrows the state and returns actions; it changes
//! nothing else, locks nothing and owns no channel.

mod augment;
mod classify;
mod confusion;
mod curves;
mod experiments;
mod explore;
mod help;
mod map_button;
mod notices;
mod offer;
mod palette;
mod search;
mod top_bar;
mod tour;
mod train;
mod viewer;
mod words;

use serde::{Deserialize, Serialize};

use super::action::Action;
use super::layout::Pane;
use super::page::{Page, Press};
use super::saved::Appearance;
use super::state::State;
use super::thumbnails::Thumbnails;

/// The names of the augmentation presets that cannot be taken.
#[must_use]
pub fn built_in_presets() -> Vec<&'static str> {
    crate::augment::Preset::ALL.into_iter().map(train::choice::Choice::name).collect()
}

/// The panels' own UI state; what a user set stays over a restart.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Views {
    train: train::TrainView,
    curves: curves::CurvesView,
    confusion: confusion::ConfusionView,
    explore: explore::ExploreView,
    #[serde(skip)]
    viewer: viewer::ViewerView,
    classify: classify::ClassifyView,
    augment: augment::AugmentView,
    experiments: experiments::ExperimentsView,
    search: search::SearchView,
    #[serde(skip)]
    palette: palette::PaletteView,
}

/// What the overlays need besides the state.
#[derive(Clone, Copy)]
pub struct Above<'a> {
    /// Theme and text size.
    pub appearance: Appearance,
    /// Where the panels are.
    pub layout: &'a egui_tiles::Tree<Pane>,
}

/// The panel that a step of the tour points at.
#[must_use]
pub fn tour_pane(step: usize) -> Option<Pane> {
    tour::pane(step)
}

impl Views {
    /// Shows one panel.
    pub fn show(&mut self, ui: &mut egui::Ui, pane: Pane, state: &State, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        match pane {
            Pane::Train => self.train.show(ui, state, actions),
            Pane::Curves => self.curves.show(ui, state, actions),
            Pane::Confusion => self.confusion.show(ui, state, thumbnails, actions),
            Pane::Explore => self.explore.show(ui, state, thumbnails, actions),
            Pane::Classify => self.classify.show(ui, state, actions),
            Pane::Augment => self.augment.show(ui, state, actions),
            Pane::Experiments => self.experiments.show(ui, state, actions),
            Pane::Search => self.search.show(ui, state, actions),
        }
    }

    /// Turns to a page of a panel.
    pub fn turn(&mut self, page: Page) {
        self.explore.turn(page);
        self.confusion.turn(page);
        self.augment.turn(page);
        self.experiments.turn(page);
        self.search.turn(page);
    }

    /// Presses a button of a page.
    pub fn press(&mut self, press: Press, state: &State) {
        self.confusion.press(press);
        self.augment.press(press, state);
    }

    /// Shows the bar above the panels.
    pub fn top_bar(ui: &mut egui::Ui, state: &State, appearance: &mut Appearance, actions: &mut Vec<Action>) {
        top_bar::show(ui, state, appearance, actions);
    }

    /// Shows what lies above the panels: the large picture, the shortcuts, the command palette, the tour, the notices, the hint while
    /// files hover.
    pub fn overlays(&mut self, ui: &mut egui::Ui, state: &State, above: Above<'_>, actions: &mut Vec<Action>) {
        if let Some(step) = state.tour {
            let tile = tour::pane(step).and_then(|pane| above.layout.tiles.find_pane(&pane));
            let rect = tile.filter(|_| state.full.is_none()).and_then(|tile| above.layout.tiles.rect(tile));
            tour::show(ui.ctx(), step, rect, actions);
        }
        let among = state.opened.as_ref().and_then(|opened| self.confusion.places_around(opened.index));
        self.viewer.show(ui.ctx(), state, among, self.explore.tag(), actions);
        if state.help {
            help::show(ui.ctx(), actions);
        }
        self.palette.show(ui.ctx(), state, above.appearance, actions);
        notices::show(ui.ctx(), &state.notices, actions);
        notices::drop_hint(ui.ctx());
    }
}
