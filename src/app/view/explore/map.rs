//! The map of what the model saw: every picture a point, alike ones near each other. A lasso shows its pictures in the grid, a
//! click opens one.

use std::sync::Arc;

use egui::epaint::Mesh;
use egui::{ComboBox, PointerButton, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, Ui, Vec2, vec2};

use super::{PARTS, bar, caption, points, written};
use crate::app::action::Action;
use crate::app::explored::{Change, MapPoint, Projection};
use crate::app::state::{Data, State};
use crate::app::theme::{self, Look};
use crate::app::thumbnails::Thumbnails;
use crate::app::view::words;
use crate::app::widget;
use crate::data::query::Facts;
use crate::review::plot;

/// A click or a pointer reaches a point from so far away.
const REACH: f32 = 8.0;
/// The fewest corners of a lasso that encloses anything.
const CORNERS: usize = 3;

/// What the colour of a point says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Colour {
    #[default]
    Class,
    Answer,
    Part,
}

/// The map's own state.
#[derive(Clone)]
pub struct MapView {
    colour: Colour,
    /// Only this label (or answer, or part) in colour.
    only: Option<usize>,
    /// The middle of what is seen, in units of the whole map, and how much larger than the whole it is.
    middle: Vec2,
    zoom: f32,
    lasso: Vec<Pos2>,
    drawn: Option<(Key, Arc<Mesh>)>,
}

impl Default for MapView {
    fn default() -> Self {
        Self { colour: Colour::Class, only: None, middle: Vec2::ZERO, zoom: 1.0, lasso: Vec::new(), drawn: None }
    }
}

/// Everything that the drawing depends on.
#[derive(Clone, PartialEq)]
struct Key {
    made: u64,
    changes: u64,
    answers: usize,
    rect: Rect,
    middle: Vec2,
    zoom: f32,
    colour: Colour,
    only: Option<usize>,
    dark: bool,
}

/// From the map to the screen.
struct Frame {
    rect: Rect,
    /// The middle of the map, and its half side.
    centre: (f64, f64),
    half: f64,
    middle: Vec2,
    scale: f32,
}

impl Frame {
    fn of(points: &[MapPoint], rect: Rect, view: &MapView) -> Self {
        let bounds = |of: &dyn Fn(&MapPoint) -> f64| {
            points.iter().map(of).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (x, y) = (bounds(&|p| p.x), bounds(&|p| p.y));
        let half = ((x.1 - x.0).max(y.1 - y.0) / 2.0).max(f64::MIN_POSITIVE);
        let scale = rect.width().min(rect.height()) * 0.48 * view.zoom;
        Self { rect, centre: (f64::midpoint(x.0, x.1), f64::midpoint(y.0, y.1)), half, middle: view.middle, scale }
    }

    fn place(&self, point: &MapPoint) -> Pos2 {
        let unit = vec2(((point.x - self.centre.0) / self.half) as f32, ((self.centre.1 - point.y) / self.half) as f32);
        self.rect.center() + (unit - self.middle) * self.scale
    }
}

impl MapView {
    /// Shows the map; true if pictures of it are to be shown in the grid.
    pub fn show(&mut self, ui: &mut Ui, state: &State, data: &Data, thumbnails: &Thumbnails, actions: &mut Vec<Action>) -> bool {
        let explored = &state.explore;
        if explored.read.is_none() {
            theme::empty(
                ui,
                "No map yet",
                "Let a model go through the pictures: what it saw in them is drawn as a map, alike pictures near each other.",
            );
            ui.vertical_centered(|ui| bar::classify(ui, state, data, actions));
            return false;
        }
        self.controls(ui, state, data, actions);
        if explored.map.points.is_empty() {
            if explored.map.working.is_none() {
                theme::empty(ui, "The pictures are classified", "Choose PCA (at once) or t-SNE (minutes for many pictures) above.");
            }
            return false;
        }
        ui.label(theme::muted(ui, format!("{}  ·  {} pictures", explored.map.description, words::thousands(explored.map.points.len()))));
        self.legend(ui, data);
        self.field(ui, state, data, thumbnails, actions)
    }

    fn controls(&mut self, ui: &mut Ui, state: &State, data: &Data, actions: &mut Vec<Action>) {
        let map = &state.explore.map;
        ui.horizontal_wrapped(|ui| {
            for (projection, title, hint) in [
                (Projection::Pca, "PCA", "The two directions in which the pictures differ most"),
                (Projection::Tsne, "t-SNE", "Neighbours stay neighbours; takes minutes for many pictures"),
            ] {
                let made = !map.points.is_empty() && map.projection == projection;
                if ui.selectable_label(made, title).on_hover_text(hint).clicked() {
                    actions.push(Action::Explore(Change::MakeMap(projection)));
                }
            }
            if let Some(progress) = &map.working {
                ui.add(egui::ProgressBar::new(progress.share()).desired_width(110.0));
                if ui.button("Stop").clicked() {
                    actions.push(Action::Explore(Change::StopMap));
                }
                ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
            }
            let title = |colour| match colour {
                Colour::Class => "by class",
                Colour::Answer => "right or wrong",
                Colour::Part => "by part",
            };
            let combo = ComboBox::from_id_salt("map colour").width(110.0).selected_text(title(self.colour));
            let response = combo.show_ui(ui, |ui| {
                for colour in [Colour::Class, Colour::Answer, Colour::Part] {
                    if ui.selectable_value(&mut self.colour, colour, title(colour)).clicked() {
                        self.only = None;
                    }
                }
            });
            widget::name(ui, &response.response, egui::Role::ComboBox, "Colour of the points");
            if (self.zoom, self.middle) != (1.0, Vec2::ZERO) && ui.button("Whole map").clicked() {
                (self.zoom, self.middle) = (1.0, Vec2::ZERO);
            }
            bar::classify(ui, state, data, actions);
            if !map.points.is_empty() {
                let facts = state.explore.facts(data);
                let shown = |point: &MapPoint| self.number(&facts, data, point);
                let kind = |(number, name): (usize, String)| {
                    let Look { colour, again } = look_of(self.colour, number, false);
                    plot::Kind { name, colour: [colour.r(), colour.g(), colour.b()], ring: again }
                };
                let legend: Vec<plot::Kind> = self.names(data).into_iter().enumerate().map(kind).collect();
                written::map(ui, &map.points, shown, &legend, &map.description, actions);
            }
        });
    }

    /// What the colours are called, by number.
    fn names(&self, data: &Data) -> Vec<String> {
        match self.colour {
            Colour::Class => data.set.classes.clone(),
            Colour::Answer => ["right", "wrong"].map(str::to_owned).to_vec(),
            Colour::Part => PARTS.map(|(_, name)| name.to_owned()).to_vec(),
        }
    }

    /// The number of a picture's colour; `None` for those that are left out of the colours.
    fn number(&self, facts: &Facts<'_>, data: &Data, point: &MapPoint) -> Option<usize> {
        let number = match self.colour {
            Colour::Class => Some(facts.label(point.index) as usize),
            Colour::Answer => {
                facts.predictions.and_then(|p| p.class(point.index)).map(|class| usize::from(class != facts.label(point.index)))
            }
            Colour::Part => PARTS.iter().position(|(part, _)| Some(*part) == data.parts[point.index]),
        };
        number.filter(|number| self.only.is_none_or(|only| only == *number))
    }

    /// What the colours mean; a click leaves only one of them.
    fn legend(&mut self, ui: &mut Ui, data: &Data) {
        let names = self.names(data);
        let dark = ui.visuals().dark_mode;
        egui::ScrollArea::horizontal().id_salt("legend").show(ui, |ui| {
            ui.horizontal(|ui| {
                for (key, name) in names.iter().enumerate() {
                    theme::mark(ui, look_of(self.colour, key, dark));
                    let chosen = self.only == Some(key);
                    let text = RichText::new(name).small();
                    if ui.selectable_label(chosen, text).on_hover_text("Only these in colour").clicked() {
                        self.only = (!chosen).then_some(key);
                    }
                }
            });
        });
    }

    fn field(&mut self, ui: &mut Ui, state: &State, data: &Data, thumbnails: &Thumbnails, actions: &mut Vec<Action>) -> bool {
        let (rect, response) = ui.allocate_exact_size(ui.available_size(), Sense::click_and_drag());
        let enabled = ui.is_enabled();
        response.widget_info(|| {
            let label = "Map of the pictures (drag a lasso, wheel zooms, right drag moves, click opens)";
            egui::WidgetInfo::labeled(egui::Role::Image, enabled, label)
        });
        self.navigate(ui, &response, rect);
        let points = &state.explore.map.points;
        let frame = Frame::of(points, rect, self);
        let painter = ui.painter_at(rect);
        painter.add(Shape::Mesh(self.mesh(state, data, &frame, ui.visuals().dark_mode)));
        let pointer = response.hover_pos();
        let near = pointer.and_then(|pointer| {
            let distance = |point: &MapPoint| frame.place(point).distance_sq(pointer);
            points.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).filter(|point| distance(point) < REACH * REACH)
        });
        if let Some(point) = near {
            painter.circle_stroke(frame.place(point), 5.0, Stroke::new(1.5, theme::palette(ui.visuals()).text));
            if response.clicked() {
                actions.push(Action::OpenPicture(point.index));
            }
            actions.push(Action::WantThumbnails(vec![point.index]));
            response.clone().on_hover_ui_at_pointer(|ui| {
                if let Some(texture) = thumbnails.get(point.index) {
                    ui.image((texture, vec2(theme::THUMBNAIL, theme::THUMBNAIL)));
                }
                ui.label(caption(state, data, point.index));
            });
        }
        self.lasso(ui, &response, points, &frame, actions)
    }

    /// The wheel zooms about the pointer, the right button moves.
    fn navigate(&mut self, ui: &Ui, response: &Response, rect: Rect) {
        let scale = rect.width().min(rect.height()) * 0.48 * self.zoom;
        if response.dragged_by(PointerButton::Secondary) || response.dragged_by(PointerButton::Middle) {
            self.middle -= response.drag_delta() / scale;
        }
        if let Some(pointer) = response.hover_pos() {
            let wheel = ui.input(egui::InputState::smooth_scroll_delta).y;
            let zoom = (self.zoom * (wheel / 200.0).exp()).clamp(1.0, 200.0);
            let from_centre = pointer - rect.center();
            self.middle += from_centre / scale * (1.0 - self.zoom / zoom);
            self.zoom = zoom;
        }
        self.middle = self.middle.clamp(Vec2::splat(-1.0), Vec2::splat(1.0));
    }

    /// Draws the lasso while it is dragged; when it is let go, shows what is inside.
    fn lasso(&mut self, ui: &Ui, response: &Response, points: &[MapPoint], frame: &Frame, actions: &mut Vec<Action>) -> bool {
        if response.dragged_by(PointerButton::Primary)
            && let Some(pointer) = response.interact_pointer_pos()
        {
            if response.drag_started() {
                // it begins where the button went down, not where that became a drag
                self.lasso = ui.input(|input| input.pointer.press_origin()).into_iter().collect();
            }
            if self.lasso.last().is_none_or(|last| last.distance(pointer) > 3.0) {
                self.lasso.push(pointer);
            }
        }
        if !self.lasso.is_empty() {
            let palette = theme::palette(ui.visuals());
            ui.painter().add(Shape::closed_line(self.lasso.clone(), Stroke::new(1.5, palette.accent)));
        }
        if !response.drag_stopped() {
            return false;
        }
        let lasso = std::mem::take(&mut self.lasso);
        if lasso.len() < CORNERS {
            return false;
        }
        let indices: Vec<usize> = points.iter().filter(|point| inside(&lasso, frame.place(point))).map(|point| point.index).collect();
        if indices.is_empty() {
            return false;
        }
        actions.push(Action::ShowInExplore { title: "Lasso on the map".into(), indices });
        true
    }

    fn mesh(&mut self, state: &State, data: &Data, frame: &Frame, dark: bool) -> Arc<Mesh> {
        let explored = &state.explore;
        let key = Key {
            made: explored.map.made,
            changes: explored.marked.as_ref().map_or(0, |marked| marked.changes),
            answers: explored.predictions.as_ref().map_or(0, |predictions| predictions.count()),
            rect: frame.rect,
            middle: self.middle,
            zoom: self.zoom,
            colour: self.colour,
            only: self.only,
            dark,
        };
        if let Some((drawn, mesh)) = &self.drawn
            && *drawn == key
        {
            return Arc::clone(mesh);
        }
        let mut mesh = Mesh::default();
        let facts = explored.facts(data);
        let faded = Look { colour: theme::faded(dark), again: false };
        // what is left out of the colours lies below
        let (mut above, mut below) = (Vec::new(), Vec::new());
        for point in explored.map.points.iter() {
            match self.number(&facts, data, point) {
                Some(number) => above.push((point, look_of(self.colour, number, dark))),
                None => below.push((point, faded)),
            }
        }
        for (point, look) in below.into_iter().chain(above) {
            let at = frame.place(point);
            if frame.rect.expand(points::DISC).contains(at) {
                points::add(&mut mesh, at, look, explored.map.points.len());
            }
        }
        let mesh = Arc::new(mesh);
        self.drawn = Some((key, Arc::clone(&mesh)));
        mesh
    }
}

fn look_of(colour: Colour, number: usize, dark: bool) -> Look {
    let palette = theme::palette(&if dark { egui::Visuals::dark() } else { egui::Visuals::light() });
    let plain = |colour| Look { colour, again: false };
    match colour {
        Colour::Class => theme::look(&palette, number),
        Colour::Answer => plain([palette.train, palette.valid][number.min(1)]),
        Colour::Part => plain([palette.train, palette.valid, palette.test][number.min(2)]),
    }
}

/// Whether a place lies inside a closed line (even-odd rule).
fn inside(line: &[Pos2], at: Pos2) -> bool {
    let mut inside = false;
    let mut before = line.len() - 1;
    for (i, a) in line.iter().enumerate() {
        let b = line[before];
        if (a.y > at.y) != (b.y > at.y) && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x {
            inside = !inside;
        }
        before = i;
    }
    inside
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn a_lasso_encloses_what_is_inside_of_it() {
        let line = [pos2(0.0, 0.0), pos2(10.0, 0.0), pos2(10.0, 10.0), pos2(5.0, 2.0), pos2(0.0, 10.0)];
        for (at, expected) in [(pos2(1.0, 1.0), true), (pos2(5.0, 5.0), false), (pos2(9.0, 5.0), true), (pos2(11.0, 5.0), false)] {
            assert_eq!(inside(&line, at), expected, "{at:?}");
        }
    }
}
