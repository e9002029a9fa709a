//! A list of galaxies that something on the panel points at, as cards, with all probabilities of the selected one.

use egui::{Image, Ui, vec2};

use super::export::{self, Offer};
use super::shown::Shown;
use crate::app::action::Action;
use crate::app::reviewed::Key;
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::view::{map_button, words};
use crate::app::widget::galaxy_cards::{self, Card, Cards};
use crate::app::widget::probability_bars;
use crate::metrics::Predictions;
use crate::review::table;

/// From this height on, pixels, the selected galaxy is shown with all its probabilities.
const WITH_DETAIL: f32 = 470.0;

/// What a list is of; the list is made anew only when this changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// A cell of the matrix: true class, predicted class.
    Cell(Key, usize, usize),
    /// Probable label errors.
    Errors(Key),
    /// Confident mistakes.
    Mistakes(Key),
    /// What was forgotten over so many epochs.
    Forgotten(Key, usize),
    /// What the second has right and the first wrong.
    Fixed(Key, Key),
    /// What the first has right and the second wrong.
    Broken(Key, Key),
    /// What both have wrong.
    BothWrong(Key, Key),
    /// What came into a cell of the second's matrix or left it: true class, predicted class.
    Moved(Key, Key, usize, usize),
}

/// The list.
#[derive(Clone, Default)]
pub(super) struct Galaxies {
    which: Option<Which>,
    title: String,
    /// Places in the predictions, each with a remark.
    rows: Vec<(usize, String)>,
    /// The same as indices into the data set.
    indices: Vec<usize>,
    selected: usize,
    /// Whether the large picture was opened from here.
    viewing: bool,
    take_focus: bool,
}

impl Galaxies {
    /// Makes the list, if it is not there yet.
    pub fn set(&mut self, which: Which, title: &str, images: &[u32], rows: impl FnOnce() -> Vec<(usize, String)>) {
        if self.which == Some(which) {
            return;
        }
        title.clone_into(&mut self.title);
        self.rows = rows();
        self.rows.retain(|(place, _)| *place < images.len());
        self.indices = self.rows.iter().map(|(place, _)| images[*place] as usize).collect();
        (self.which, self.selected) = (Some(which), 0);
    }

    /// The list takes the keyboard at the next frame.
    pub fn focus(&mut self) {
        self.take_focus = true;
    }

    /// The galaxies around one that was opened large from here.
    pub fn places_around(&self, index: usize) -> Option<&[usize]> {
        (self.viewing && self.indices.contains(&index)).then_some(&self.indices)
    }

    /// The list as a table.
    pub fn export(&self, shown: &Shown<'_>) -> Option<Offer> {
        let predictions = shown.state.review.predictions.get(shown.key)?.ok()?;
        let (rows, images, names, part) = (self.rows.clone(), shown.images().to_vec(), shown.names.clone(), shown.key.part);
        let set = shown.data.map(|data| std::sync::Arc::clone(&data.set));
        let make = move || table::galaxies(&predictions, &images, part, &rows, &names, set.as_deref());
        // each list has its own file, so that none takes another's place
        let name = format!("galaxies_{}", export::file_name(&self.title));
        (!self.rows.is_empty()).then(|| export::table("Galaxies", &name, make))
    }

    /// Shows the list in all the space there is. `after` is shown behind the title.
    pub fn show(&mut self, ui: &mut Ui, shown: &Shown<'_>, predictions: &Predictions, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            let count = words::thousands(self.rows.len());
            ui.strong(format!("{} ({count})", self.title));
            let explore = ui.add_enabled(shown.data.is_some() && !self.rows.is_empty(), egui::Button::new("Open in Explore"));
            if explore.on_hover_text("Show exactly these galaxies in Explore").clicked() {
                let title = format!("{}, {}", self.title, shown.run_name());
                actions.push(Action::ShowInExplore { title, indices: self.indices.clone() });
            }
            if shown.data.is_some() {
                map_button::show(ui, shown.state, &self.indices, actions);
            }
        });
        if shown.data.is_none() {
            shown.offer_data(ui, actions);
        }
        if self.rows.is_empty() {
            ui.label(theme::muted(ui, "None."));
            return;
        }
        self.selected = self.selected.min(self.rows.len() - 1);
        if ui.available_height() > WITH_DETAIL {
            self.detail(ui, shown, predictions, thumbnails, actions);
        }
        let take_focus = std::mem::take(&mut self.take_focus);
        let cards = Cards { count: self.rows.len(), card: &|at| self.card(at, shown, predictions, thumbnails), take_focus };
        let mut selected = self.selected;
        let response = galaxy_cards::show(ui, &cards, &mut selected);
        self.selected = selected;
        if shown.data.is_some() {
            if let Some(place) = response.opened {
                self.viewing = true;
                actions.push(Action::OpenPicture(self.indices[place]));
            }
            let mut wanted = self.indices[response.visible].to_vec();
            wanted.push(self.indices[self.selected]);
            actions.push(Action::WantThumbnails(wanted));
        }
        if let Some(opened) = shown.state.opened.as_ref().filter(|_| self.viewing) {
            // the selection goes along with the large picture
            if let Some(place) = self.indices.iter().position(|&index| index == opened.index) {
                self.selected = place;
            }
        }
    }

    fn card(&self, at: usize, shown: &Shown<'_>, predictions: &Predictions, thumbnails: &Thumbnails) -> Card {
        let ((place, remark), index) = (&self.rows[at], self.indices[at]);
        let name = |class: u32| shown.names.get(class as usize).cloned().unwrap_or_default();
        let (called, label) = (name(predictions.predicted()[*place]), name(predictions.truth()[*place]));
        let (confidence, own) = (predictions.confidence(*place), predictions.self_confidence(*place));
        let mut lines = vec![(called.clone(), confidence)];
        if !predictions.is_right(*place) {
            lines.push((label.clone(), own));
        }
        let about = if remark.is_empty() { format!("image {index}") } else { format!("image {index}  ·  {remark}") };
        let comma = if remark.is_empty() { String::new() } else { format!(", {remark}") };
        Card {
            texture: shown.data.and_then(|_| thumbnails.get(index)),
            lines,
            remark: about,
            words: format!(
                "galaxy {index}: called {called} with {:.1} %, labelled {label} with {:.1} %{comma}",
                100.0 * confidence,
                100.0 * own
            ),
        }
    }

    /// The selected galaxy with all its probabilities, and what can be done with it.
    fn detail(&mut self, ui: &mut Ui, shown: &Shown<'_>, predictions: &Predictions, thumbnails: &Thumbnails, actions: &mut Vec<Action>) {
        let ((place, _), index) = (&self.rows[self.selected], self.indices[self.selected]);
        let row = predictions.row(*place);
        let mut bars: Vec<(String, f32)> = shown.names.iter().cloned().zip(row.iter().copied()).collect();
        bars.sort_by(|a, b| b.1.total_cmp(&a.1));
        bars.truncate(5);
        ui.horizontal_top(|ui| {
            let side = 112.0;
            match shown.data.and_then(|_| thumbnails.get(index)) {
                Some(texture) => {
                    let sized = egui::load::SizedTexture::new(texture, vec2(side, side));
                    ui.add(Image::new(sized).corner_radius(4).alt_text(format!("selected galaxy {index}")));
                }
                None => {
                    ui.allocate_space(vec2(side, side));
                }
            }
            ui.vertical(|ui| {
                ui.set_max_width(ui.available_width().min(460.0));
                probability_bars::show(ui, &bars);
            });
        });
        ui.horizontal(|ui| {
            let last = self.rows.len() - 1;
            if ui.add_enabled(self.selected > 0, egui::Button::new("Previous")).on_hover_text("P").clicked() {
                self.selected -= 1;
                self.take_focus = true;
            }
            if ui.add_enabled(self.selected < last, egui::Button::new("Next")).on_hover_text("N").clicked() {
                self.selected += 1;
                self.take_focus = true;
            }
            ui.label(theme::muted(ui, format!("{} of {}", self.selected + 1, last + 1)));
            if ui.add_enabled(shown.data.is_some(), egui::Button::new("Large")).on_hover_text("Open the picture large (Enter)").clicked() {
                self.viewing = true;
                actions.push(Action::OpenPicture(index));
            }
        });
        ui.add_space(theme::GAP);
    }
}
