//! Curves over the epochs: a faint raw line under a smoothed one, points where there are few, the best epoch marked.

use egui::{Color32, Response, RichText, Ui, WidgetInfo};
use egui_plot::{GridInput, GridMark, HoverPosition, Line, LineStyle, Plot, PlotPoint, PlotPoints, Points, VLine};

use crate::app::theme;

/// One curve.
pub struct Curve<'a> {
    /// Its name, shown where the pointer is.
    pub name: &'a str,
    /// Its colour.
    pub colour: Color32,
    /// The numbers as they are; drawn faint if there is a smoothed line.
    pub raw: &'a [PlotPoint],
    /// The smoothed numbers, or empty.
    pub smooth: &'a [PlotPoint],
    /// Whether each number gets a dot.
    pub dots: bool,
}

/// What to show.
pub struct CurvePlot<'a> {
    /// The title, unique in the window.
    pub title: &'a str,
    /// The curves, the last on top.
    pub curves: &'a [Curve<'a>],
    /// Where the best epoch is marked.
    pub best: Option<f64>,
    /// How a number on the upright axis is written.
    pub format: &'a dyn Fn(f64) -> String,
    /// The whole in words, for those who cannot see it.
    pub summary: &'a str,
    /// Width and height.
    pub size: egui::Vec2,
}

/// Room for the title above a plot.
const TITLE: f32 = 23.0;
/// Room for a number below a plot, so that numbers never touch.
const MARK_WIDTH: f32 = 90.0;
/// Room for a number beside a plot.
const MARK_HEIGHT: f32 = 36.0;

/// Shows the curves.
pub fn show(ui: &mut Ui, plot: &CurvePlot<'_>) -> Response {
    let palette = theme::palette(ui.visuals());
    let enabled = ui.is_enabled();
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 6.0;
        ui.set_width(plot.size.x);
        ui.label(RichText::new(plot.title).size(12.0).color(palette.muted));
        let frame = Plot::new(plot.title)
            .width(plot.size.x)
            .height((plot.size.y - TITLE).max(40.0))
            .allow_scroll(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_zoom(false)
            .include_x(0.0)
            .show_background(false)
            .set_margin_fraction(egui::vec2(0.01, 0.08))
            .x_grid_spacer(|input| marks(&input, plot.size.x / MARK_WIDTH, true))
            .y_grid_spacer(|input| marks(&input, plot.size.y / MARK_HEIGHT, false))
            .grid_spacing(egui::Rangef::new(4.0, 24.0))
            .grid_color(palette.line)
            .y_axis_min_width(38.0)
            .y_axis_formatter(|mark, _| (plot.format)(mark.value))
            .x_axis_formatter(|mark, _| format!("{:.0}", mark.value))
            .label_formatter(|at| match at {
                HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                    Some(format!("{plot_name}\nepoch {:.2}: {}", position.x, (plot.format)(position.y)))
                }
                _ => None,
            });
        // around one number alone the plot would show it on a scale of its own choice, far from the number
        let frame = if let Some(value) = only_value(plot.curves) { frame.include_y(0.0).include_y(2.0 * value) } else { frame };
        let shown = frame.show(ui, |p| {
            for curve in plot.curves {
                draw(p, curve);
            }
            if let Some(best) = plot.best {
                let line = VLine::new("best epoch", best).color(palette.good).style(LineStyle::dashed_dense());
                p.vline(line.width(1.0));
            }
        });
        shown.response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, enabled, plot.summary));
    })
    .response
}

/// The height at which all curves lie, unless it is zero; `None` where they have several, or no number at all.
fn only_value(curves: &[Curve<'_>]) -> Option<f64> {
    let mut values = curves.iter().flat_map(|curve| curve.raw).map(|point| point.y).filter(|y| y.is_finite());
    let first = values.next().filter(|first| *first != 0.0)?;
    values.all(|y| y.total_cmp(&first).is_eq()).then_some(first)
}

fn draw<'a>(p: &mut egui_plot::PlotUi<'a>, curve: &Curve<'a>) {
    if !curve.smooth.is_empty() {
        let faint = curve.colour.gamma_multiply(0.28);
        p.line(Line::new("", PlotPoints::Borrowed(curve.raw)).color(faint).width(1.0).allow_hover(false));
    }
    let line = if curve.smooth.is_empty() { curve.raw } else { curve.smooth };
    p.line(Line::new(curve.name, PlotPoints::Borrowed(line)).color(curve.colour).width(theme::LINE));
    if curve.dots && curve.raw.len() <= 200 {
        p.points(Points::new(curve.name, PlotPoints::Borrowed(curve.raw)).color(curve.colour).radius(2.5));
    }
}

/// At most about `most` marks in sight, at 1, 2 or 5 times a power of ten; `whole` for a count, which has nothing between its numbers.
pub fn marks(input: &GridInput, most: f32, whole: bool) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let step = nice_step((high - low) / f64::from(most.clamp(2.0, 8.0)));
    let step = if whole { step.max(1.0) } else { step };
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|i| GridMark { value: i as f64 * step, step_size: step }).collect()
}

/// The least of 1, 2, 5 times a power of ten that is not below `least`; 1 if that makes no sense.
fn nice_step(least: f64) -> f64 {
    if !least.is_finite() || least <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|n| n * power).find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_few_round_and_inside() {
        let values = |low, high, whole| -> Vec<f64> {
            marks(&GridInput { bounds: (low, high), base_step_size: 1.0 }, 5.0, whole).iter().map(|mark| mark.value).collect()
        };
        assert_eq!(values(-0.3, 7.2, true), [0.0, 2.0, 4.0, 6.0]);
        assert_eq!(values(0.0, 1.3, true), [0.0, 1.0]);
        assert_eq!(values(0.1, 2.6, false), [0.5, 1.0, 1.5, 2.0, 2.5]);
        assert!((nice_step(f64::NAN) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn one_number_alone_is_told_from_several() {
        let curve = |raw| Curve { name: "", colour: Color32::WHITE, raw, smooth: &[], dots: false };
        let at = |y: &[f64]| y.iter().map(|&y| PlotPoint::new(0.0, y)).collect::<Vec<_>>();
        let (flat, sloping, nothing, gap) = (at(&[1e-3, 1e-3]), at(&[1e-3, 2e-3]), at(&[0.0]), at(&[f64::NAN, 1e-3]));
        let none = Vec::new();
        assert_eq!(only_value(&[curve(&flat), curve(&gap)]), Some(1e-3));
        for several in [&sloping, &nothing, &none] {
            assert_eq!(only_value(&[curve(several)]), None);
        }
        assert_eq!(only_value(&[curve(&flat), curve(&sloping)]), None);
    }
}
