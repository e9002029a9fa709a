//! The Experiments panel: all runs in a table that is filtered, ordered and grouped; below it the curves, values, bars and
//! notes of those that matter.

mod bars;
mod curves;
mod details;
mod mirror;
mod models;
mod parallel;
mod rows;
mod table;
mod values;

use egui::containers::menu::{MenuButton, MenuConfig};
use egui::{Panel, PopupCloseBehavior, ScrollArea, TextEdit, Ui};
use serde::{Deserialize, Serialize};

use rows::{Rows, Wish};

use crate::app::action::Action;
use crate::app::experiments::{self, Change, Experiments};
use crate::app::state::State;
use crate::app::{page, theme, widget};
use crate::files;
use crate::track::Column;

/// The least height of the table, points: its head and three runs.
const TABLE: f32 = 90.0;
/// In less height than this, points, table and what is below it are scrolled.
const LEAST: f32 = 270.0;

/// What is shown below the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Page {
    #[default]
    Curves,
    Values,
    Bars,
    Parallel,
    Run,
    Models,
}

const PAGES: [(Page, &str); 6] = [
    (Page::Curves, "Overlay"),
    (Page::Values, "Side by side"),
    (Page::Bars, "Bars"),
    (Page::Parallel, "Parallel"),
    (Page::Run, "Run"),
    (Page::Models, "Models"),
];

/// The panel's own state.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct ExperimentsView {
    filter: String,
    by: Column,
    descending: bool,
    grouped: bool,
    /// Whether the trials of searches were listed too when the window was closed.
    trials: bool,
    /// Whether they are again.
    #[serde(skip)]
    restored: bool,
    columns: Vec<Column>,
    page: Page,
    curves: curves::Curves,
    values: values::Values,
    #[serde(skip)]
    rows: Rows,
    /// The rows with repeated seeds as one.
    #[serde(skip)]
    groups: Rows,
    #[serde(skip)]
    bars: bars::Bars,
    #[serde(skip)]
    parallel: parallel::Parallel,
    #[serde(skip)]
    details: details::Details,
    #[serde(skip)]
    models: models::ModelsPage,
    /// Where runs shall be mirrored in MLflow, as it is written.
    mlflow: String,
    /// When the runs were listed last, in seconds of the window.
    #[serde(skip)]
    listed: Option<f64>,
    /// The run whose details were shown in the last frame.
    #[serde(skip)]
    was_focused: Option<String>,
}

impl Default for ExperimentsView {
    fn default() -> Self {
        Self {
            filter: String::new(),
            by: Column::Started,
            descending: true,
            grouped: false,
            trials: false,
            restored: false,
            columns: Column::usual(),
            page: Page::default(),
            curves: curves::Curves::default(),
            values: values::Values::default(),
            rows: Rows::default(),
            groups: Rows::default(),
            bars: bars::Bars::default(),
            parallel: parallel::Parallel::default(),
            details: details::Details::default(),
            models: models::ModelsPage::default(),
            mlflow: "sqlite:///mlflow.db".into(),
            listed: None,
            was_focused: None,
        }
    }
}

impl ExperimentsView {
    /// Turns to a page, if it is one of this panel's.
    pub fn turn(&mut self, to: page::Page) {
        self.page = match to {
            page::Page::Overlay => Page::Curves,
            page::Page::Values => Page::Values,
            page::Page::Bars => Page::Bars,
            page::Page::Parallel => Page::Parallel,
            page::Page::Run => Page::Run,
            page::Page::Models => Page::Models,
            _ => self.page,
        };
    }

    /// Shows the panel.
    pub fn show(&mut self, ui: &mut Ui, state: &State, actions: &mut Vec<Action>) {
        let experiments = &state.experiments;
        self.refresh(ui, experiments, actions);
        if !std::mem::replace(&mut self.restored, true) && self.trials {
            actions.push(Action::Experiments(Change::Trials(true)));
        } else {
            self.trials = experiments.trials;
        }
        let listing = match &experiments.listing {
            None => return theme::empty(ui, "Reading the runs", "They come in a moment."),
            Some(Err(message)) => return theme::empty(ui, "The runs cannot be listed", message),
            Some(Ok(listing)) => listing,
        };
        let wish = Wish { filter: self.filter.clone(), by: self.by.clone(), descending: self.descending, grouped: self.grouped };
        self.rows.update(experiments, &wish);
        self.toolbar(ui, experiments, actions);
        if listing.runs.is_empty() {
            let advice = "Press Start on the Train panel, or drop a run that was exported (a .zip file) on the window.";
            theme::empty(ui, "No runs yet", advice);
            return;
        }
        for (folder, problem) in &listing.damaged {
            ui.label(egui::RichText::new(format!("{folder} is left out: {problem}")).color(theme::palette(ui.visuals()).warn));
        }
        if let Some(warning) = &listing.warning {
            ui.label(theme::muted(ui, warning.clone()));
        }
        if experiments.focus != self.was_focused {
            self.was_focused.clone_from(&experiments.focus);
            self.page = if experiments.focus.is_some() { Page::Run } else { self.page };
        }
        widget::at_least(ui, LEAST, |ui| {
            let room = ui.available_height();
            Panel::bottom("below the runs")
                .resizable(true)
                .min_size(140.0)
                .max_size(room - TABLE)
                .default_size((0.5 * room).clamp(200.0, 420.0))
                .show(ui, |ui| self.below(ui, state, &wish, actions));
            self.table(ui, experiments, actions);
        });
    }

    /// Wants the runs listed anew when what is shown is old.
    fn refresh(&mut self, ui: &Ui, experiments: &Experiments, actions: &mut Vec<Action>) {
        let now = ui.input(|i| i.time);
        let pause = experiments::listing_pause(experiments.took);
        if !experiments.reading && self.listed.is_none_or(|listed| now - listed >= pause.as_secs_f64()) {
            self.listed = Some(now);
            actions.push(Action::Experiments(Change::Refresh));
        }
        // a window at rest looks again too
        ui.ctx().request_repaint_after(pause);
    }

    fn toolbar(&mut self, ui: &mut Ui, experiments: &Experiments, actions: &mut Vec<Action>) {
        ui.horizontal_wrapped(|ui| {
            let hint = "f1>0.8 model:compact tag:final -state:failed";
            let field = ui.add(TextEdit::singleline(&mut self.filter).hint_text(hint).desired_width(280.0));
            widget::name(ui, &field, egui::Role::TextInput, "Filter runs");
            field.on_hover_text("Words in name, notes, tags or data set; column:value, column>value …, each turned round by a - before it");
            let shown: usize = self.rows.list.iter().map(|row| row.runs.len()).sum();
            ui.add(egui::Label::new(theme::muted(ui, format!("{shown} of {} runs", experiments.runs().len()))).extend());
            ui.checkbox(&mut self.grouped, "Group seeds")
                .on_hover_text("Runs that differ in their seed alone as one row, with mean and spread");
            let hover =
                "The trials of searches too, named searches/<study>/<trial>; write searches/<study> into the filter to see one study";
            let mut trials = experiments.trials;
            if ui.checkbox(&mut trials, "Trials").on_hover_text(hover).changed() {
                actions.push(Action::Experiments(Change::Trials(trials)));
            }
            self.column_menu(ui);
            mirror::menu(ui, experiments, &mut self.mlflow, actions);
            MenuButton::new("More").ui(ui, |ui| self.more(ui, experiments, actions));
        });
        if let Some(error) = &self.rows.error {
            ui.label(egui::RichText::new(error).color(theme::palette(ui.visuals()).warn));
        }
    }

    fn column_menu(&mut self, ui: &mut Ui) {
        let config = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        MenuButton::new("Columns").config(config).ui(ui, |ui| {
            if ui.button("The usual ones").clicked() {
                self.columns = Column::usual();
            }
            ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
                for column in Column::all() {
                    let mut shown = self.columns.contains(&column);
                    // without names nobody knows what is what
                    let response = ui.add_enabled(column != Column::Name, egui::Checkbox::new(&mut shown, column.title()));
                    if response.clicked() {
                        self.columns.retain(|other| *other != column);
                        if shown {
                            self.columns.push(column);
                        }
                    }
                }
            });
        });
    }

    fn more(&self, ui: &mut Ui, experiments: &Experiments, actions: &mut Vec<Action>) {
        let mut ask = |ui: &mut Ui, words: &str, enabled: bool, change: &dyn Fn() -> Change| {
            if ui.add_enabled(enabled, egui::Button::new(words)).clicked() {
                actions.push(Action::Experiments(change()));
                ui.close();
            }
        };
        let shown: Vec<String> = self.rows.list.iter().flat_map(|row| row.of(experiments.runs())).map(|run| run.folder.clone()).collect();
        ask(ui, "Import a run…", true, &|| Change::BrowseImport);
        ask(ui, "Mark the first twelve", !shown.is_empty(), &|| Change::CompareOnly(shown.clone()));
        ask(ui, "Mark none", !experiments.compared.is_empty(), &|| Change::CompareOnly(Vec::new()));
        let marked = experiments.compared.clone();
        ask(ui, &format!("Delete the {} marked runs", marked.len()), !marked.is_empty(), &|| Change::Delete(marked.clone()));
        ask(ui, "Save the table (runs.csv)", !shown.is_empty(), &|| {
            let runs: Vec<_> = self.rows.list.iter().flat_map(|row| row.of(experiments.runs())).collect();
            let place = files::free_place(std::path::Path::new("."), "runs", "csv");
            Change::SaveTable(place, crate::track::csv(runs, &self.columns))
        });
        let trash = experiments.trash.clone().unwrap_or_default();
        let bytes = files::bytes(trash.iter().map(|trashed| trashed.bytes).sum());
        ui.separator();
        ui.label(theme::muted(ui, format!("Trash: {} runs, {bytes}", trash.len())));
        ask(ui, "Bring all back", !trash.is_empty(), &|| Change::Restore(trash.clone()));
        ask(ui, "Empty the trash for good", !trash.is_empty(), &|| Change::EmptyTrash);
    }

    fn table(&mut self, ui: &mut Ui, experiments: &Experiments, actions: &mut Vec<Action>) {
        if self.rows.list.is_empty() {
            theme::empty(ui, "No run passes the filter", "Take words out of it.");
            return;
        }
        let table = table::Table { experiments, rows: &self.rows.list, columns: &self.columns, order: (&self.by, self.descending) };
        let clicked = ScrollArea::horizontal().id_salt("columns").auto_shrink(false).show(ui, |ui| table::show(ui, &table, actions)).inner;
        if let Some(column) = clicked {
            // numbers are wanted from the largest down first, but for losses
            self.descending =
                if column == self.by { !self.descending } else { column.largest_is_best() != Some(false) && column != Column::Name };
            self.by = column;
        }
    }

    fn below(&mut self, ui: &mut Ui, state: &State, wish: &Wish, actions: &mut Vec<Action>) {
        let experiments = &state.experiments;
        // a panel is as high as what is in it, and that changes with the page
        ui.set_min_height(ui.available_height());
        ui.add_space(theme::GAP);
        ui.horizontal_wrapped(|ui| {
            for (page, title) in PAGES {
                ui.selectable_value(&mut self.page, page, title);
            }
        });
        match self.page {
            Page::Curves => self.curves.show(ui, experiments),
            Page::Values => self.values.show(ui, experiments),
            Page::Bars => {
                self.groups.update(experiments, &Wish { grouped: true, ..wish.clone() });
                self.bars.show(ui, experiments.runs(), &self.groups);
            }
            Page::Parallel => self.parallel.show(ui, experiments, &self.rows, actions),
            Page::Run => {
                let blocked = state.search_blocked();
                self.details.show(ui, experiments, blocked.as_deref(), &mut self.models, actions);
            }
            Page::Models => self.models.show(ui, experiments, actions),
        }
    }
}
