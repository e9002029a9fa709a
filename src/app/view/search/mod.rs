//! The Search panel: what to try, the trials in a table, and below it what they tell.

mod address;
mod axis;
mod choices;
mod contour;
mod epochs;
mod form;
mod history;
mod importance;
mod parallel;
mod plot;
mod slice;
mod space;
mod status;
mod table;
mod trial;

use egui::{CollapsingHeader, Panel, ScrollArea, Ui};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::page;
use crate::app::searched::{Change, Form, Place, Searched};
use crate::app::state::State;
use crate::app::theme;
use crate::search::{StudyRecord, Trial};

/// Seconds after which the journals are looked at again while the panel is in sight: searches of other processes go on in them.
const REFRESH: f64 = 2.0;
/// From this width on the form stands beside the trials.
const WIDE: f32 = 760.0;

/// What is shown below the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Page {
    #[default]
    History,
    Epochs,
    Importance,
    Slice,
    Contour,
    Parallel,
    Trial,
}

const PAGES: [(Page, page::Page); 7] = [
    (Page::History, page::Page::History),
    (Page::Epochs, page::Page::Epochs),
    (Page::Importance, page::Page::Importances),
    (Page::Slice, page::Page::Slice),
    (Page::Contour, page::Page::Contour),
    (Page::Parallel, page::Page::ParallelTrials),
    (Page::Trial, page::Page::Trial),
];

/// The study that is shown, with what the pages need of it.
#[derive(Clone, Copy)]
struct Shown<'a> {
    place: &'a Place,
    study: &'a StudyRecord,
    /// Counts up whenever it changes.
    version: u64,
    focus: Option<usize>,
}

impl Shown<'_> {
    /// What its objective is called.
    fn objective(&self) -> String {
        let names = self.study.system_attrs.get("study:metric_names").and_then(|names| names.get(0)).and_then(|name| name.as_str());
        names.unwrap_or("objective").to_owned()
    }
}

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchView {
    form: Form,
    address: address::AddressField,
    /// Epochs for which a trial is trained longer.
    longer: usize,
    page: Page,
    table: table::Table,
    history: history::History,
    #[serde(skip)]
    space: space::SpaceEditor,
    #[serde(skip)]
    epochs: epochs::Epochs,
    #[serde(skip)]
    importance: importance::Importance,
    #[serde(skip)]
    slice: slice::Slice,
    #[serde(skip)]
    contour: contour::Contour,
    #[serde(skip)]
    parallel: parallel::Parallel,
    /// When the journals were read last, in seconds of the window.
    #[serde(skip)]
    read: Option<f64>,
    /// The trial that was chosen in the last frame.
    #[serde(skip)]
    was_focused: Option<usize>,
}

impl Default for SearchView {
    fn default() -> Self {
        Self {
            form: Form::default(),
            address: address::AddressField::default(),
            longer: 100,
            page: Page::default(),
            table: table::Table::default(),
            history: history::History::default(),
            space: space::SpaceEditor::default(),
            epochs: epochs::Epochs::default(),
            importance: importance::Importance::default(),
            slice: slice::Slice::default(),
            contour: contour::Contour::default(),
            parallel: parallel::Parallel::default(),
            read: None,
            was_focused: None,
        }
    }
}

impl SearchView {
    /// Turns to a page, if it is one of this panel's.
    pub fn turn(&mut self, to: page::Page) {
        self.page = PAGES.iter().find(|(_, named)| *named == to).map_or(self.page, |(page, _)| *page);
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let search = &state.search;
        self.refresh(ui, search, actions);
        // first of all: a search that goes on can be stopped whatever else fails
        status::show(ui, state, &self.form, &mut self.address, actions);
        match &search.journals {
            None => return theme::empty(ui, "Reading the searches", "They come in a moment."),
            Some(Err(message)) => {
                let words = format!("{message}. Look whether you may read the folder; it is tried again every two seconds.");
                return theme::empty(ui, "The searches cannot be read", &words);
            }
            Some(Ok(_)) => {}
        }
        for (storage, problem) in search.damaged() {
            let words = format!("{storage} is left out: {problem}");
            ui.label(egui::RichText::new(words).color(theme::palette(ui.visuals()).warn));
        }
        let (Some(place), Some(study)) = (&search.shown, search.study()) else {
            ui.separator();
            ScrollArea::vertical().id_salt("new study").auto_shrink(false).show(ui, |ui| {
                form::new_study(ui, &mut self.form, &mut self.space, &state.config);
            });
            return;
        };
        let shown = Shown { place, study, version: search.changes, focus: search.focus };
        if ui.available_width() >= WIDE {
            Panel::left("how it goes on").resizable(true).default_size(270.0).min_size(200.0).show(ui, |ui| {
                ScrollArea::vertical()
                    .id_salt("how it goes on")
                    .auto_shrink(false)
                    .show(ui, |ui| form::old_study(ui, &mut self.form, &mut self.space, &state.config, study));
            });
        } else {
            CollapsingHeader::new("How it goes on")
                .show(ui, |ui| form::old_study(ui, &mut self.form, &mut self.space, &state.config, study));
        }
        self.results(ui, state, shown, actions);
    }

    /// Wants the journals read anew when what is shown is old.
    fn refresh(&mut self, ui: &Ui, search: &Searched, actions: &mut Vec<Action>) {
        let now = ui.input(|i| i.time);
        if !search.reading && self.read.is_none_or(|read| now - read >= REFRESH) {
            self.read = Some(now);
            actions.push(Action::Search(Change::Refresh));
        }
        // a window at rest looks again too
        ui.ctx().request_repaint_after(std::time::Duration::from_secs_f64(REFRESH));
    }

    fn results(&mut self, ui: &mut Ui, state: &State, shown: Shown<'_>, actions: &mut Vec<Action>) {
        if shown.study.trials.is_empty() {
            theme::empty(ui, "No trial yet", "The first one appears here in a moment, once the search goes on.");
            return;
        }
        if shown.focus != self.was_focused {
            self.was_focused = shown.focus;
            // a click in a plot leaves the plot where it is
            if shown.focus.is_some() && !matches!(self.page, Page::Slice | Page::Contour | Page::Parallel | Page::Epochs) {
                self.page = Page::Trial;
            }
        }
        let below = (0.55 * ui.available_height()).clamp(200.0, 460.0);
        Panel::bottom("below the trials")
            .resizable(true)
            .min_size(140.0)
            .default_size(below)
            .show(ui, |ui| self.below(ui, state, shown, actions));
        let table = &mut self.table;
        // the first column would touch the panel at its left
        egui::Frame::new().inner_margin(egui::Margin { left: 8, ..egui::Margin::ZERO }).show(ui, |ui| {
            ScrollArea::horizontal()
                .id_salt("trial columns")
                .auto_shrink(false)
                .show(ui, |ui| table.show(ui, &state.search, shown.study, actions));
        });
    }

    fn below(&mut self, ui: &mut Ui, state: &State, shown: Shown<'_>, actions: &mut Vec<Action>) {
        // a panel is as high as what is in it, and that changes with the page
        ui.set_min_height(ui.available_height());
        ui.add_space(theme::GAP);
        ui.horizontal_wrapped(|ui| {
            for (page, named) in PAGES {
                ui.selectable_value(&mut self.page, page, named.title());
            }
        });
        let pointed = match self.page {
            Page::History => self.history.show(ui, shown),
            Page::Epochs => self.epochs.show(ui, shown),
            Page::Slice => self.slice.show(ui, shown),
            Page::Contour => self.contour.show(ui, shown),
            Page::Parallel => self.parallel.show(ui, shown),
            Page::Importance => {
                self.importance.show(ui, shown);
                None
            }
            Page::Trial => {
                trial::show(ui, state, shown, &mut self.longer, actions);
                None
            }
        };
        if let Some((response, number)) = pointed {
            if response.clicked() {
                actions.push(Action::Search(Change::Focus(Some(number))));
            }
            if let Some(trial) = shown.study.trials.get(number) {
                response.on_hover_text_at_pointer(words(&shown, trial));
            }
        }
    }
}

/// A trial, as the pointer is told.
fn words(shown: &Shown<'_>, trial: &Trial) -> String {
    let value = axis::value(trial).map_or_else(String::new, |value| format!(", {} {value:.4}", shown.objective()));
    let values = crate::search::words(&trial.params).replace(", ", "\n");
    format!("Trial {}: {}{value}\n{values}", trial.number, table::state_name(trial.state))
}
