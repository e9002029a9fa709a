//! The Confusion panel: which class was called which, at any epoch of any run, and everything that follows from the
//! probabilities: scores, calibration, curves, comparisons, suspect labels, and the galaxies behind every number.

mod calibration;
mod classes;
mod compare;
mod curves;
mod export;
mod galaxies;
mod matrix;
mod runs;
mod shown;
mod suspects;

use std::path::{Path, PathBuf};

use egui::{Slider, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::page::{Page, Press};
use crate::app::reviewed::{Change, SESSION};
use crate::app::state::State;
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::view::{offer, words};
use crate::app::widget;
use crate::data::Part;
use galaxies::Galaxies;
use shown::Shown;

/// Above this height, pixels, there is room for lines between things.
const ROOMY: f32 = 330.0;
/// Narrower than this, points, the epoch stands below the parts.
const EPOCHS_BESIDE: f32 = 400.0;
/// In less height than this, points, the matrix is scrolled.
const LEAST: f32 = 220.0;
/// The most runs that are opened again after a restart, the latest ones.
const RESTORED: usize = 8;
/// Seconds that an epoch stays while the epochs are played through.
const PLAY: f64 = 0.45;

/// A page of the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Tab {
    #[default]
    Matrix,
    Classes,
    Calibration,
    Curves,
    Compare,
    Suspects,
}

const TABS: [(Tab, Page, &str); 6] = [
    (Tab::Matrix, Page::Matrix, "Which class was called which, and the galaxies of each cell"),
    (Tab::Classes, Page::Classes, "Purity, completeness and F1 of each class with 95 % intervals"),
    (Tab::Calibration, Page::Calibration, "Whether probabilities mean what they say"),
    (Tab::Curves, Page::Curves, "Each class against all others at every threshold"),
    (Tab::Compare, Page::Compare, "Two runs or two epochs: what was fixed and what was broken"),
    (Tab::Suspects, Page::Suspects, "Probable label errors, confident mistakes, forgotten galaxies"),
];

const PARTS: [(Part, &str, &str); 3] = [
    (Part::Valid, "Validation", "The images that chose the best epoch"),
    (Part::Test, "Test", "The images that nothing was chosen by; the best model, or that of any kept epoch, is evaluated on them"),
    (Part::Train, "Training", "The images that the network learned from; the best model, or that of any kept epoch, is evaluated on them"),
];

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfusionView {
    tab: Tab,
    matrix: matrix::MatrixView,
    /// The folders of the opened runs and of the session's own, to open them again after a restart.
    folders: Vec<PathBuf>,
    /// Whether that was done, and which are still to be opened.
    #[serde(skip)]
    restored: Option<Vec<PathBuf>>,
    /// The run that is shown.
    #[serde(skip)]
    run: u64,
    /// The part of the data.
    #[serde(skip)]
    part: Part,
    /// The epoch (counted from 1); `None` follows the latest.
    #[serde(skip)]
    chosen: Option<usize>,
    /// The session's run that `chosen` belongs to.
    #[serde(skip)]
    generation: u64,
    /// When the next epoch is due, while they are played through.
    #[serde(skip)]
    playing: Option<f64>,
    /// Whether playing (or no longer) was asked for by name.
    #[serde(skip)]
    asked_to_play: bool,
    #[serde(skip)]
    galaxies: Galaxies,
    #[serde(skip)]
    curves: curves::CurvesTab,
    #[serde(skip)]
    compare: compare::CompareTab,
    #[serde(skip)]
    suspects: suspects::SuspectsTab,
    #[serde(skip)]
    menu: runs::RunMenu,
}

impl ConfusionView {
    /// Turns to a page, if it is one of this panel's.
    pub fn turn(&mut self, page: Page) {
        self.tab = TABS.iter().find(|(_, of, _)| *of == page).map_or(self.tab, |(tab, ..)| *tab);
    }

    /// Presses a button of the matrix.
    pub fn press(&mut self, press: Press) {
        self.asked_to_play |= press == Press::Play;
        self.matrix.press(press);
    }

    /// The galaxies among which the large picture goes to the next and the previous one, if it was opened from here.
    #[must_use]
    pub fn places_around(&self, index: usize) -> Option<&[usize]> {
        self.galaxies.places_around(index)
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        self.restore(state, actions);
        self.follow(state, actions);
        let Some(shown) = Shown::new(state, self.run, self.part, self.chosen) else {
            self.nothing(ui, state, actions);
            return;
        };
        ui.horizontal(|ui| {
            self.menu.show(ui, state, &mut self.run, actions);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| self.exports(ui, &shown, actions));
        });
        ui.horizontal_wrapped(|ui| {
            // six names fit the panel where it stands at first
            ui.spacing_mut().button_padding.x = 6.0;
            ui.spacing_mut().item_spacing.x = 2.0;
            for (tab, page, about) in TABS {
                ui.selectable_value(&mut self.tab, tab, page.title()).on_hover_text(about);
            }
        });
        self.epoch_line(ui, &shown);
        for problem in shown.record.iter().flat_map(|record| &record.problems) {
            let palette = theme::palette(ui.visuals());
            ui.add(egui::Label::new(egui::RichText::new(problem).color(palette.warn)).truncate()).on_hover_text(problem);
        }
        if ui.available_height() > ROOMY {
            ui.separator();
        }
        // what was chosen above may not be what was read before
        let Some(shown) = Shown::new(state, self.run, self.part, self.chosen) else { return };
        shown.evaluation(ui, actions);
        if shown.part_is_missing(ui, actions) {
            return;
        }
        match self.tab {
            Tab::Matrix => {
                let Self { matrix, galaxies, .. } = self;
                widget::at_least(ui, LEAST, |ui| matrix.show(ui, &shown, galaxies, thumbnails, actions));
            }
            Tab::Classes => classes::show(ui, &shown, actions),
            Tab::Calibration => calibration::show(ui, &shown, actions),
            Tab::Curves => self.curves.show(ui, &shown, actions),
            Tab::Compare => self.compare.show(ui, &shown, &mut self.galaxies, thumbnails, actions),
            Tab::Suspects => self.suspects.show(ui, &shown, &mut self.galaxies, thumbnails, actions),
        }
    }

    /// Opens the runs of the last session again, one after the other.
    fn restore(&mut self, state: &State, actions: &mut Vec<Action>) {
        let left = self.restored.get_or_insert_with(|| self.folders.clone());
        if let Some(next) = left.first().filter(|_| state.review.opening.is_none()).cloned() {
            left.remove(0);
            actions.push(Action::Review(Change::Restore(next)));
        } else if left.is_empty() && state.review.opening.is_none() {
            let opened = state.review.opened.iter().map(|opened| opened.record.folder.path());
            // the run of this session is one of those that were opened before, the next time
            let own = state.run.iter().map(|run| run.folder.as_path());
            let mut now: Vec<&Path> =
                opened.filter(|folder| state.run.as_ref().is_none_or(|run| run.folder != *folder)).chain(own).collect();
            now.drain(..now.len().saturating_sub(RESTORED));
            if !self.folders.iter().eq(&now) {
                self.folders = now.into_iter().map(ToOwned::to_owned).collect();
            }
        }
    }

    /// Goes along with runs that are started, opened and put away.
    fn follow(&mut self, state: &State, actions: &mut Vec<Action>) {
        if let Some(run) = state.review.show {
            (self.run, self.chosen, self.part, self.playing) = (run, None, Part::Valid, None);
            actions.push(Action::Review(Change::Seen));
        }
        if let Some(run) = state.run.as_ref().filter(|run| run.generation != self.generation) {
            self.generation = run.generation;
            (self.run, self.chosen, self.part, self.playing) = (SESSION, None, Part::Valid, None);
        }
        let gone = self.run != SESSION && state.review.record(self.run).is_none();
        if gone || (self.run == SESSION && state.run.is_none()) {
            self.run = if state.run.is_some() { SESSION } else { state.review.opened.last().map_or(SESSION, |opened| opened.id) };
        }
    }

    fn nothing(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        ui.horizontal(|ui| self.menu.show(ui, state, &mut self.run, actions));
        let advice = if state.is_training() && self.run == SESSION {
            "The matrix comes with the first validation, at the end of this epoch."
        } else {
            "Press Start on the Train panel, or open a run that was trained before: after each epoch you see here which class was taken for which."
        };
        theme::empty(ui, "No confusion matrix yet", advice);
    }

    /// Part, epoch, and what came out of it.
    fn epoch_line(&mut self, ui: &mut Ui, shown: &Shown<'_>) {
        let beside = ui.available_width() >= EPOCHS_BESIDE;
        ui.horizontal(|ui| {
            let before = self.part;
            for (part, name, about) in PARTS {
                ui.selectable_value(&mut self.part, part, name).on_hover_text(about);
            }
            if self.part != before {
                (self.chosen, self.playing) = (None, None);
            }
            if beside {
                ui.add_space(theme::GAP);
                self.epochs(ui, shown);
            }
        });
        if !beside {
            ui.horizontal(|ui| self.epochs(ui, shown));
        }
        let part = shown.key.part.title();
        if let Some((accuracy, f1, images)) = shown.figures() {
            let epoch = shown.key.epoch;
            let images = words::thousands(images);
            let text = format!("Epoch {epoch}: accuracy {:.1} %, macro-F1 {f1:.3} on {images} {part} images", 100.0 * accuracy);
            ui.add(egui::Label::new(text).truncate());
        }
    }

    fn epochs(&mut self, ui: &mut Ui, shown: &Shown<'_>) {
        let epochs = &shown.epochs;
        let last = epochs.len() - 1;
        let mut place = epochs.iter().position(|&epoch| epoch == shown.key.epoch).unwrap_or(last);
        let (sign, label) = if self.playing.is_some() { ("⏸", "Stop playing") } else { ("▶", "Play through the epochs") };
        let playable = shown.playable();
        let button = ui.add_enabled_ui(playable.len() > 1, |ui| theme::icon_button(ui, sign, label)).inner.on_hover_text(label);
        let too_few = "Evaluate two epochs or more on these images to play through them";
        let asked = std::mem::take(&mut self.asked_to_play) && playable.len() > 1;
        if button.on_disabled_hover_text(too_few).clicked() || asked {
            self.playing = if self.playing.is_some() { None } else { Some(ui.input(|i| i.time) + PLAY) };
            if self.playing.is_some() && playable.last().is_none_or(|last| shown.key.epoch >= *last) {
                self.chosen = playable.first().copied();
                place = epochs.iter().position(|epoch| Some(*epoch) == self.chosen).unwrap_or(place);
            }
        }
        let label = ui.label(theme::muted(ui, "Epoch"));
        ui.spacing_mut().slider_width = (ui.available_width() - 130.0).clamp(50.0, 180.0);
        let slider =
            Slider::new(&mut place, 0..=last).custom_formatter(|at, _| epochs[(at as usize).min(last)].to_string()).custom_parser(|text| {
                let epoch: usize = text.trim().parse().ok()?;
                epochs.iter().position(|e| *e == epoch).map(|at| at as f64)
            });
        let response = ui.add_enabled(last > 0, slider).labelled_by(label.id);
        if response.changed() {
            // the right end of the validation follows the run; of the other parts it is an epoch like others
            self.chosen = (place < last || self.part != Part::Valid).then(|| epochs[place]);
            self.playing = None;
        }
        let (about, home) = match self.part {
            Part::Valid => ("Any epoch so far; all the way to the right follows the latest", "Latest"),
            Part::Test | Part::Train => ("Any epoch whose model is kept can be evaluated on these images", "Best"),
        };
        response.on_hover_text(about);
        if self.chosen.is_some() && ui.button(home).clicked() {
            (self.chosen, self.playing) = (None, None);
        }
        self.play(ui, shown.playable(), epochs[place]);
    }

    /// Goes to the next epoch when it is due.
    fn play(&mut self, ui: &Ui, playable: &[usize], epoch: usize) {
        let Some(due) = self.playing else { return };
        let now = ui.input(|i| i.time);
        if now >= due {
            let mut after = playable.iter().copied().filter(|next| *next > epoch);
            let (next, more) = (after.next(), after.next().is_some());
            self.chosen = next.filter(|_| more || self.part != Part::Valid);
            self.playing = more.then_some(now + PLAY);
        }
        ui.ctx().request_repaint_after_secs(PLAY as f32 / 3.0);
    }

    fn exports(&self, ui: &mut Ui, shown: &Shown<'_>, actions: &mut Vec<Action>) {
        let offers = || {
            let mut offers = match self.tab {
                Tab::Matrix => self.matrix.exports(shown, &self.galaxies),
                Tab::Classes => classes::exports(shown),
                Tab::Calibration => calibration::exports(shown),
                Tab::Curves => curves::exports(shown),
                Tab::Compare => self.compare.exports(shown, &self.galaxies),
                Tab::Suspects => suspects::exports(shown, &self.galaxies),
            };
            offers.extend(export::report(shown));
            offers
        };
        let into = format!("Into {}", shown.export_folder().display());
        offer::menu(ui, &into, offers, |offer| export::write(offer, shown), actions);
    }
}
