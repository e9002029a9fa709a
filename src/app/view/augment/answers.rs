//! A model's answers along a change of a picture: the plot, the table, and the words for both.

use egui::{TextureHandle, Ui, WidgetInfo, vec2};
use egui_plot::{GridMark, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints, VLine};

use crate::app::lab::sweep::Swept;
use crate::app::theme;
use crate::augment::Sweep;

/// The most classes that are drawn and listed: those that are most probable somewhere.
const SHOWN: usize = 40;
/// Height of the plot.
const PLOT: f32 = 250.0;

/// The curves of a sweep, made once.
#[derive(Clone, Default)]
pub struct Lines {
    /// The texture of the sweep that they belong to.
    of: Option<egui::TextureId>,
    /// Classes, the one that is most probable somewhere first.
    order: Vec<usize>,
    /// Their curves.
    curves: Vec<Vec<PlotPoint>>,
    /// How many other classes there are, and the most that any of them gets.
    rest: Option<(usize, f64)>,
}

impl Lines {
    /// Makes the curves of a sweep, unless they are there.
    pub fn update(&mut self, swept: &Swept, texture: &TextureHandle) {
        if self.of == Some(texture.id()) {
            return;
        }
        let classes = swept.invariance.classes.len();
        let points = |class: usize| {
            let values = swept.positions.iter().zip(&swept.probabilities);
            values.map(|(x, row)| PlotPoint::new(*x, f64::from(row[class]))).collect()
        };
        self.of = Some(texture.id());
        self.order = (0..classes).collect();
        let highest = |class: usize| swept.invariance.classes[class].high;
        self.order.sort_by(|a, b| highest(*b).total_cmp(&highest(*a)));
        self.rest = self.order.get(SHOWN).map(|class| (classes - SHOWN, highest(*class)));
        self.order.truncate(SHOWN);
        self.curves = self.order.iter().map(|class| points(*class)).collect();
    }

    /// Each class's range along the way, with the colour of its line.
    pub fn table(&self, ui: &mut Ui, swept: &Swept, classes: &[String]) {
        let palette = theme::palette(ui.visuals());
        ui.add_space(theme::SECTION_GAP);
        ui.strong("How far each class moves");
        egui::Grid::new("class spreads").num_columns(5).spacing([16.0, 3.0]).striped(true).show(ui, |ui| {
            ui.label("");
            for head in ["Lowest", "Highest", "Range", "Std. deviation"] {
                ui.label(theme::muted(ui, head));
            }
            ui.end_row();
            for class in &self.order {
                let spread = &swept.invariance.classes[*class];
                ui.horizontal(|ui| {
                    theme::mark(ui, theme::look(&palette, *class));
                    ui.label(&classes[*class]);
                });
                for value in [spread.low, spread.high, spread.range(), spread.deviation] {
                    ui.label(format!("{:.1} %", 100.0 * value));
                }
                ui.end_row();
            }
        });
        if let Some((count, most)) = self.rest {
            ui.label(theme::muted(ui, format!("{count} other classes stay at or below {:.1} %", 100.0 * most)));
        }
    }

    /// The probabilities along the way; the place that was clicked comes back.
    pub fn plot(&self, ui: &mut Ui, swept: &Swept, classes: &[String], place: usize) -> Option<usize> {
        let palette = theme::palette(ui.visuals());
        let (name, unit) = about(swept.sweep);
        let here = swept.positions[place];
        let (end, circle) = (swept.sweep.end(), swept.sweep.is_circle());
        let response = Plot::new(("sweep", name))
            .height(PLOT)
            .width(ui.available_width())
            .allow_scroll(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_zoom(false)
            .show_background(false)
            .include_y(0.0)
            .include_y(1.0)
            .set_margin_fraction(vec2(0.01, 0.03))
            .grid_color(palette.line)
            .x_axis_label(unit)
            .y_axis_label("probability")
            .x_grid_spacer(move |_| marks(end, if circle { 8 } else { 6 }))
            .y_grid_spacer(|_| marks(1.0, 4))
            .grid_spacing(egui::Rangef::new(4.0, 24.0))
            .x_axis_formatter(|mark, _| position(swept.sweep, mark.value))
            .y_axis_formatter(|mark, _| format!("{:.0} %", 100.0 * mark.value))
            .label_formatter(|at| match at {
                HoverPosition::NearDataPoint { plot_name, position: at, .. } if !plot_name.is_empty() => {
                    Some(format!("{plot_name}\n{}: {:.1} %", position(swept.sweep, at.x), 100.0 * at.y))
                }
                _ => None,
            })
            .show(ui, |p| {
                for (class, curve) in self.order.iter().zip(&self.curves).rev() {
                    let look = theme::look(&palette, *class);
                    let points = PlotPoints::Borrowed(curve);
                    let style = if look.again { LineStyle::dashed_loose() } else { LineStyle::Solid };
                    p.line(Line::new(classes[*class].as_str(), points).color(look.colour).style(style).width(theme::LINE));
                }
                p.vline(VLine::new("", here).color(palette.text).width(1.0));
                if let Some(flip) = &swept.flip {
                    p.vline(VLine::new("the answer flips", flip.at).color(palette.bad).style(LineStyle::dashed_dense()).width(1.0));
                }
            });
        let words = format!("Probabilities along {}: {}", name.to_lowercase(), verdict(swept, classes));
        response.response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
        let pointer = response.response.interact_pointer_pos().filter(|_| response.response.is_pointer_button_down_on())?;
        let x = response.transform.value_from_position(pointer).x;
        let distance = |place: &usize| (swept.positions[*place] - x).abs();
        (0..swept.positions.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    }
}

/// What the user is told of a change.
#[must_use]
pub fn about(sweep: Sweep) -> (&'static str, &'static str) {
    match sweep {
        Sweep::Turn => ("Turn", "degrees"),
        Sweep::MirroredTurn => ("Mirror and turn", "degrees"),
        Sweep::Blur => ("Blur", "sigma in pixels"),
        Sweep::Noise => ("Noise", "standard deviation, white is 1"),
        Sweep::Dimming => ("Dimming", "share of the light taken away"),
        Sweep::Shift => ("Shift", "share of the side, to the right"),
    }
}

/// A position with its unit.
#[must_use]
pub fn position(sweep: Sweep, at: f64) -> String {
    match sweep {
        Sweep::Turn | Sweep::MirroredTurn => format!("{at:.0}°"),
        Sweep::Blur => format!("{at:.2} px"),
        Sweep::Noise => format!("{at:.3}"),
        Sweep::Dimming | Sweep::Shift => format!("{:.0} %", 100.0 * at),
    }
}

/// Marks from 0 to `end` in `parts` equal parts.
fn marks(end: f64, parts: u32) -> Vec<GridMark> {
    let step = end / f64::from(parts);
    (0..=parts).map(|n| GridMark { value: step * f64::from(n), step_size: step }).collect()
}

/// What became of the answer, in a sentence.
#[must_use]
pub fn verdict(swept: &Swept, classes: &[String]) -> String {
    let first = &classes[crate::metrics::top(&swept.probabilities[0])];
    match &swept.flip {
        Some(flip) => format!("{first} becomes {} at {}", classes[flip.class], position(swept.sweep, flip.at)),
        None if swept.sweep.is_circle() => format!("{first} at every angle"),
        None => format!("{first} up to {}", position(swept.sweep, swept.sweep.end())),
    }
}
