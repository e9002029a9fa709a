//! The tour of a first start: a few steps that point at the panels. It never gets in the way: the panels can be used meanwhile.

use egui::{Area, Context, Id, LayerId, Order, Pos2, Rect, RichText, Stroke, StrokeKind, pos2, vec2};

use crate::app::action::Action;
use crate::app::layout::Pane;
use crate::app::theme;

/// Width of the card.
const WIDTH: f32 = 330.0;
/// Room that is taken for the card's height before it is known.
const HEIGHT: f32 = 190.0;

/// A step: the panel it points at, its title, what it says.
struct Step {
    pane: Option<Pane>,
    title: &'static str,
    text: &'static str,
}

const STEPS: &[Step] = &[
    Step {
        pane: None,
        title: "Welcome to Tuning Fork",
        text: "Galaxies are drawn for you, so everything works at once, without a download. This tour points at the panels; it takes a minute and never comes back.",
    },
    Step {
        pane: Some(Pane::Explore),
        title: "Look at the galaxies",
        text: "All pictures of the data set, by class and part. Click one to see it large. To see your own, drop a folder anywhere on the window.",
    },
    Step {
        pane: Some(Pane::Augment),
        title: "See what training sees",
        text: "Here a galaxy is turned, dimmed and blurred as in training, step by step. With a model, the same panel shows how its answer moves.",
    },
    Step {
        pane: Some(Pane::Train),
        title: "Train a network",
        text: "Press Start: the values below are good ones. You can pause, go on and stop at any time; nothing that was learned is lost.",
    },
    Step {
        pane: Some(Pane::Confusion),
        title: "Find out what it confuses",
        text: "After each epoch you see here which class was taken for which, and the curves beside it grow.",
    },
    Step {
        pane: Some(Pane::Classify),
        title: "Ask it",
        text: "Drop a picture, a FITS file or a folder of them on the window and see what the model says. Ctrl+K finds every command by name, F1 shows the keys. Have fun.",
    },
];

/// What the tour needs of the panels before `step` is shown: the panel that it points at.
#[must_use]
pub fn pane(step: usize) -> Option<Pane> {
    STEPS.get(step).and_then(|step| step.pane)
}

/// Shows a step; `rect` is where its panel is.
pub fn show(context: &Context, step: usize, rect: Option<Rect>, actions: &mut Vec<Action>) {
    let Some(shown) = STEPS.get(step) else { return };
    let palette = theme::palette(&context.global_style().visuals);
    let screen = context.content_rect();
    let painter = context.layer_painter(LayerId::new(Order::Middle, Id::unique("tour shade")));
    // with its tab
    let spot = rect.map(|rect| rect.with_min_y(rect.top() - theme::TAB_HEIGHT).expand(3.0).intersect(screen));
    for part in around(screen, spot) {
        painter.rect_filled(part, 0.0, palette.shade);
    }
    if let Some(spot) = spot {
        painter.rect_stroke(spot, 6.0, Stroke::new(2.5, palette.accent), StrokeKind::Inside);
    }
    let area = Area::new(Id::unique("tour")).order(Order::Foreground).fixed_pos(place(screen, spot)).constrain_to(screen.shrink(8.0));
    area.show(context, |ui| {
        theme::sheet_frame(&palette).show(ui, |ui| {
            ui.set_width(WIDTH);
            ui.heading(shown.title);
            ui.add_space(theme::GAP);
            ui.label(shown.text);
            ui.add_space(theme::SECTION_GAP);
            ui.horizontal(|ui| {
                let last = step + 1 == STEPS.len();
                if theme::main_button(ui, if last { "Done" } else { "Next" }, true).clicked() {
                    actions.push(Action::Tour((!last).then_some(step + 1)));
                }
                if step > 0 && ui.button("Back").clicked() {
                    actions.push(Action::Tour(Some(step - 1)));
                }
                if !last && ui.button("Skip the tour").clicked() {
                    actions.push(Action::Tour(None));
                }
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                    ui.label(RichText::new(format!("{} of {}", step + 1, STEPS.len())).color(palette.muted));
                });
            });
        });
    });
}

/// What is around a rectangle, as up to four others; everything without one.
fn around(screen: Rect, spot: Option<Rect>) -> Vec<Rect> {
    let Some(spot) = spot else { return vec![screen] };
    let rows = Rect::from_x_y_ranges(screen.x_range(), spot.y_range());
    vec![screen.with_max_y(spot.top()), screen.with_min_y(spot.bottom()), rows.with_max_x(spot.left()), rows.with_min_x(spot.right())]
}

/// Where the card's corner goes: beside the panel, or in the middle.
fn place(screen: Rect, spot: Option<Rect>) -> Pos2 {
    let size = vec2(WIDTH + 40.0, HEIGHT);
    let Some(spot) = spot else { return screen.center() - size / 2.0 };
    let y = spot.center().y - size.y / 2.0;
    if spot.right() + size.x + 12.0 < screen.right() {
        pos2(spot.right() + 12.0, y)
    } else if spot.left() - size.x - 12.0 > screen.left() {
        pos2(spot.left() - size.x - 12.0, y)
    } else if spot.top() - size.y - 12.0 > screen.top() {
        pos2(spot.center().x - size.x / 2.0, spot.top() - size.y - 12.0)
    } else {
        pos2(spot.center().x - size.x / 2.0, spot.bottom() + 12.0)
    }
}
