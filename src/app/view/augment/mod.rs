//! The Augment panel: the lab, in which one galaxy goes through the augmentation that training takes, and the microscope, which
//! asks the model about the changed galaxy.

mod answers;
mod bench;
mod export;
mod microscope;
pub mod presets;
mod seen;
mod settings;
mod sheet;
mod survey;

use egui::{ScrollArea, Ui, UiBuilder, vec2};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::lab::LabAction;
use crate::app::lab::sheet::SheetKey;
use crate::app::page::{Page, Press};
use crate::app::state::{Data, State};
use crate::app::theme;

/// Width of the settings beside the sheet.
const SETTINGS: f32 = 326.0;
/// Narrower panels show the settings above the sheet.
const NARROW: f32 = 620.0;

/// What the panel shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Tab {
    /// Draws of one galaxy.
    #[default]
    Lab,
    /// The model's answers for the changed galaxy.
    Microscope,
}

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct AugmentView {
    tab: Tab,
    /// Whether another galaxy is shown with the same draws.
    locked: bool,
    /// The seed of the draws; `None` is that of the next run.
    seed: Option<u64>,
    /// The draw that is taken apart.
    #[serde(skip)]
    chosen: usize,
    #[serde(skip)]
    names: presets::Names,
    #[serde(skip)]
    switched: settings::Switched,
    microscope: microscope::MicroscopeView,
}

impl Default for AugmentView {
    fn default() -> Self {
        Self {
            tab: Tab::Lab,
            locked: true,
            seed: None,
            chosen: 0,
            names: presets::Names::default(),
            switched: settings::Switched::default(),
            microscope: microscope::MicroscopeView::default(),
        }
    }
}

impl AugmentView {
    /// Turns to a page, if it is one of this panel's.
    pub fn turn(&mut self, page: Page) {
        self.tab = match page {
            Page::Draws => Tab::Lab,
            Page::Invariance => Tab::Microscope,
            _ => self.tab,
        };
    }

    /// Presses a button of the draws.
    pub fn press(&mut self, press: Press, state: &State) {
        if press == Press::DrawAgain {
            self.seed = Some(bench::next_seed(self.seed.unwrap_or(state.config.seed)));
        }
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let Some(data) = state.data.as_ref().filter(|data| !data.set.is_empty()) else {
            match &state.loading {
                Some(what) => theme::empty(ui, &format!("Opening {what}"), "The lab opens with it."),
                None => {
                    theme::empty(ui, "No data set", "Choose the synthetic galaxies or a folder on the Train panel, or drop a folder here.");
                }
            }
            return;
        };
        let index = state.lab.index.min(data.set.len() - 1);
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.tab, Tab::Lab, Page::Draws.title()).on_hover_text("What training sees of a galaxy");
            let microscope = ui.selectable_value(&mut self.tab, Tab::Microscope, Page::Invariance.title());
            microscope.on_hover_text("How the model's answer moves when the galaxy is turned, blurred, dimmed or moved");
            ui.add_space(theme::SECTION_GAP);
            if let Some(next) = bench::galaxy(ui, state, data, index) {
                self.take_galaxy(next, state, actions);
            }
            if self.tab == Tab::Lab {
                bench::seed(ui, state, &mut self.seed, &mut self.locked);
            }
        });
        ui.separator();
        match self.tab {
            Tab::Lab => self.lab(ui, state, data, index, actions),
            Tab::Microscope => self.microscope.show(ui, state, data, index, actions),
        }
    }

    /// Another galaxy; with new draws, unless the seed is locked.
    fn take_galaxy(&mut self, index: usize, state: &State, actions: &mut Vec<Action>) {
        if !self.locked {
            self.seed = Some(bench::next_seed(self.seed.unwrap_or(state.config.seed)));
        }
        actions.push(Action::Lab(LabAction::Galaxy(index)));
    }

    fn lab(&mut self, ui: &mut Ui, state: &State, data: &Data, index: usize, actions: &mut Vec<Action>) {
        self.ask_for_sheet(state, data, index, actions);
        if ui.available_width() < NARROW {
            ScrollArea::vertical().id_salt("lab").auto_shrink(false).show(ui, |ui| {
                self.pictures(ui, state, data, index, actions);
                ui.separator();
                settings::show(ui, state, &mut self.names, &mut self.switched, actions);
            });
            return;
        }
        let space = ui.available_rect_before_wrap();
        let (left, right) = space.split_left_right_at_x(space.left() + SETTINGS);
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            ScrollArea::vertical().id_salt("lab settings").auto_shrink(false).show(ui, |ui| {
                ui.set_width(ui.available_width() - theme::GAP);
                settings::show(ui, state, &mut self.names, &mut self.switched, actions);
            });
        });
        ui.scope_builder(UiBuilder::new().max_rect(right.with_min_x(right.left() + theme::SECTION_GAP)), |ui| {
            ScrollArea::vertical().id_salt("lab pictures").auto_shrink(false).show(ui, |ui| {
                self.pictures(ui, state, data, index, actions);
            });
        });
        ui.allocate_space(vec2(0.0, 0.0));
    }

    fn pictures(&mut self, ui: &mut Ui, state: &State, data: &Data, index: usize, actions: &mut Vec<Action>) {
        let key = self.key(state, data, index);
        if let Some((failed, message)) = state.lab.failed.as_ref().filter(|(failed, _)| *failed == key) {
            let palette = theme::palette(ui.visuals());
            theme::failure_frame(&palette).show(ui, |ui| {
                ui.label(format!("Image {} cannot be shown: {message}. Choose another one above.", failed.index));
            });
            return;
        }
        let Some(shown) = &state.lab.sheet else {
            if state.config.augmentation.errors().is_empty() {
                theme::empty(ui, "Drawing", "The sheet comes in a moment.");
            } else {
                theme::empty(ui, "No draws", "Correct the settings that are marked.");
            }
            return;
        };
        let moved = sheet::show(ui, state, data, shown, &mut self.chosen);
        if let Some(step) = moved {
            let next = index.saturating_add_signed(step).min(data.set.len() - 1);
            self.take_galaxy(next, state, actions);
        }
        ui.horizontal(|ui| export::sheet(ui, &shown.sheet, actions));
        sheet::strip(ui, shown);
        seen::show(ui, shown);
    }

    fn key(&self, state: &State, data: &Data, index: usize) -> SheetKey {
        let config = &state.config;
        SheetKey {
            data: data.generation,
            index,
            augmentation: config.augmentation,
            fit: state.config.fit,
            size: config.size,
            batch: config.batch,
            seed: self.seed.unwrap_or(config.seed),
            chosen: self.chosen,
        }
    }

    /// Asks for the sheet of what is set, unless it is there or one is being made: so there is one at work, however fast a slider moves.
    fn ask_for_sheet(&self, state: &State, data: &Data, index: usize, actions: &mut Vec<Action>) {
        let key = self.key(state, data, index);
        let usable = key.augmentation.errors().is_empty() && (1..=1024).contains(&key.size);
        let there = state.lab.sheet.as_ref().is_some_and(|shown| shown.sheet.key == key);
        let failed = state.lab.failed.as_ref().is_some_and(|(failed, _)| *failed == key);
        if usable && !there && !failed && state.lab.making.is_none() {
            actions.push(Action::Lab(LabAction::Sheet(Box::new(key))));
        }
    }
}
