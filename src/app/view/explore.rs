//! The Explore panel: all pictures of the data set as a grid, by class and part, and how the classes are balanced.

use egui::{Align2, Color32, ComboBox, FontId, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};
use serde::{Deserialize, Serialize};

use crate::app::action::Action;
use crate::app::explored::{Change, Explored, Shown};
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::app::thumbnails::Thumbnails;
use crate::app::view::words;
use crate::app::widget;
use crate::app::widget::image_grid::{self, ImageGrid};
use crate::data::Part;

/// The panel's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ExploreView {
    /// Only this class.
    #[serde(skip)]
    class: Option<u32>,
    /// Only this part.
    part: Option<Part>,
    /// Class balance instead of pictures.
    balance: bool,
    /// The place that the arrow keys move.
    #[serde(skip)]
    selected: usize,
    #[serde(skip)]
    filtered: Filtered,
    /// Whether a picture was open large in the last frame.
    #[serde(skip)]
    was_open: bool,
}

/// Data set, class, part, list of another panel.
type FilterKey = (u64, Option<u32>, Option<Part>, Option<u64>);

/// The images that pass the filter, made again only when something changed.
#[derive(Clone, Default)]
struct Filtered {
    key: Option<FilterKey>,
    places: Vec<usize>,
}

/// The parts with their names.
pub const PARTS: [(Part, &str); 3] = [(Part::Train, "train"), (Part::Valid, "validation"), (Part::Test, "test")];

/// The name of the part that an image belongs to.
#[must_use]
pub fn part_name(part: Option<Part>) -> &'static str {
    PARTS.iter().find(|(p, _)| Some(*p) == part).map_or("in no part", |(_, name)| name)
}

impl ExploreView {
    /// The images of the grid, in order.
    #[must_use]
    pub fn places(&self) -> &[usize] {
        &self.filtered.places
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
        if self.class.is_some_and(|class| class as usize >= data.set.classes.len()) {
            self.class = None;
        }
        self.filtered.update(data, &state.explore, self.class, self.part);
        match &state.explore.shown {
            Some(shown) => chip(ui, shown, data, actions),
            None => self.controls(ui, data),
        }
        self.filtered.update(data, &state.explore, self.class, self.part);
        if self.balance && state.explore.shown.is_none() {
            ScrollArea::vertical().id_salt("balance").auto_shrink(false).show(ui, |ui| balance(ui, data));
        } else if self.filtered.places.is_empty() {
            theme::empty(ui, "No picture passes the filter", "Choose another class or part above.");
        } else {
            self.follow_viewer(state);
            let closed = self.was_open && state.opened.is_none();
            self.was_open = state.opened.is_some();
            self.grid(ui, data, thumbnails, closed, actions);
        }
    }

    /// The selection goes along with the picture that is open large.
    fn follow_viewer(&mut self, state: &State) {
        let place = state.opened.as_ref().and_then(|opened| self.filtered.places.iter().position(|&index| index == opened.index));
        if let Some(place) = place {
            self.selected = place;
        }
    }

    fn controls(&mut self, ui: &mut Ui, data: &Data) {
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.balance, false, "Pictures");
            ui.selectable_value(&mut self.balance, true, "Class balance");
            if self.balance {
                return;
            }
            ui.add_space(theme::SECTION_GAP);
            let name = |class: Option<u32>| class.map_or("All classes", |class| &data.set.classes[class as usize]);
            let class = ComboBox::from_id_salt("class filter").width(150.0).truncate().selected_text(name(self.class));
            let response = class.show_ui(ui, |ui| {
                for class in std::iter::once(None).chain((0..data.set.classes.len() as u32).map(Some)) {
                    ui.selectable_value(&mut self.class, class, name(class));
                }
            });
            widget::name(ui, &response.response, egui::Role::ComboBox, "Class filter");
            let title = |part: Option<Part>| part.map_or("All parts", |part| part_name(Some(part)));
            let part = ComboBox::from_id_salt("part filter").width(90.0).selected_text(title(self.part));
            let response = part.show_ui(ui, |ui| {
                for part in std::iter::once(None).chain(PARTS.map(|(part, _)| Some(part))) {
                    ui.selectable_value(&mut self.part, part, title(part));
                }
            });
            widget::name(ui, &response.response, egui::Role::ComboBox, "Part filter");
            ui.label(theme::muted(ui, format!("{} of {}", words::thousands(self.filtered.places.len()), words::thousands(data.set.len()))));
        });
    }

    fn grid(&mut self, ui: &mut Ui, data: &Data, thumbnails: &Thumbnails, take_focus: bool, actions: &mut Vec<Action>) {
        let places = &self.filtered.places;
        self.selected = self.selected.min(places.len() - 1);
        let grid = ImageGrid {
            count: places.len(),
            texture: &|place| thumbnails.get(places[place]),
            label: &|place| caption(data, places[place]),
            take_focus,
        };
        let response = image_grid::show(ui, &grid, &mut self.selected);
        if let Some(place) = response.opened {
            actions.push(Action::OpenPicture(places[place]));
        }
        actions.push(Action::WantThumbnails(places[response.visible].to_vec()));
    }
}

/// Says which list is shown instead of the filter, with a button that puts it away.
fn chip(ui: &mut Ui, shown: &Shown, data: &Data, actions: &mut Vec<Action>) {
    ui.horizontal_wrapped(|ui| {
        theme::badge_frame(&theme::palette(ui.visuals())).show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.label(&shown.title);
                if theme::icon_button(ui, "✖", "Show all pictures again").clicked() {
                    actions.push(Action::Explore(Change::CloseShown));
                }
            });
        });
        ui.label(theme::muted(ui, format!("{} of {}", words::thousands(shown.indices.len()), words::thousands(data.set.len()))));
    });
}

/// An image in a line.
#[must_use]
pub fn caption(data: &Data, index: usize) -> String {
    format!("image {index}: {}, {}", data.set.classes[data.set.labels[index] as usize], part_name(data.parts[index]))
}

impl Filtered {
    fn update(&mut self, data: &Data, explored: &Explored, class: Option<u32>, part: Option<Part>) {
        let key = Some((data.generation, class, part, explored.shown.as_ref().map(|_| explored.lists)));
        if self.key != key {
            self.key = key;
            if let Some(shown) = &explored.shown {
                self.places.clone_from(&shown.indices);
                return;
            }
            let passes =
                |&i: &usize| class.is_none_or(|class| data.set.labels[i] == class) && part.is_none_or(|part| data.parts[i] == Some(part));
            self.places = (0..data.set.len()).filter(passes).collect();
        }
    }
}

/// Each class with its images in the three parts, as stacked bars with numbers.
fn balance(ui: &mut Ui, data: &Data) {
    let palette = theme::palette(ui.visuals());
    let colours = [palette.train, palette.valid, palette.test];
    ui.horizontal(|ui| {
        for ((_, name), colour) in PARTS.iter().zip(colours) {
            let (rect, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
            ui.painter().rect_filled(rect, 2.0, colour);
            ui.label(theme::muted(ui, *name));
        }
    });
    let font = FontId::proportional(12.0);
    let widest = |ui: &Ui, name: &String| ui.painter().layout_no_wrap(name.clone(), font.clone(), Color32::PLACEHOLDER).size().x;
    let names = data.set.classes.iter().map(|name| widest(ui, name)).fold(0.0, f32::max).min(ui.available_width() * 0.35);
    let most = data.balance.iter().map(|parts| parts.iter().sum::<usize>()).max().unwrap_or(1).max(1);
    ui.spacing_mut().item_spacing.y = 4.0;
    for (name, parts) in data.set.classes.iter().zip(&data.balance) {
        let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), theme::BAR), Sense::hover());
        let [train, valid, test] = *parts;
        let words = format!("{name}: {train} train, {valid} validation, {test} test");
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &words));
        let mut job = egui::text::LayoutJob::simple_singleline(name.clone(), font.clone(), palette.text);
        job.wrap = egui::text::TextWrapping::truncate_at_width(names);
        let galley = ui.painter().layout_job(job);
        ui.painter().galley(pos2(rect.left(), rect.center().y - galley.size().y / 2.0), galley, palette.text);
        let rail = Rect::from_min_max(rect.min + vec2(names + 8.0, 2.0), rect.max - vec2(140.0, 2.0));
        let mut left = rail.left();
        for (&n, colour) in parts.iter().zip(colours) {
            let width = rail.width() * n as f32 / most as f32;
            ui.painter().rect_filled(Rect::from_min_size(pos2(left, rail.top()), vec2(width, rail.height())), 0.0, colour);
            left += width;
        }
        let numbers = format!("{} / {} / {}", words::thousands(train), words::thousands(valid), words::thousands(test));
        ui.painter().text(rect.right_center(), Align2::RIGHT_CENTER, numbers, font.clone(), palette.muted);
        response.on_hover_text(words);
    }
}
