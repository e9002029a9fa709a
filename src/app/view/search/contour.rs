//! The objective over two parameters: between the trials a mean that weighs the near ones most.

use egui::{Color32, ColorImage, TextureHandle, TextureOptions, Ui};

use super::Shown;
use super::axis::{self, Axis};
use super::plot::{self, Dot, Scatter};
use super::slice::Names;
use crate::app::theme;

/// Cells a side.
const CELLS: usize = 48;

/// The page's own state.
#[derive(Clone, Default)]
pub(super) struct Contour {
    names: [String; 2],
    all: Names,
    made_for: Option<(u64, [String; 2])>,
    made: Option<Made>,
}

/// What is drawn, made again only when the study or the parameters change.
#[derive(Clone)]
struct Made {
    axes: [Axis; 2],
    dots: Vec<Dot>,
    summary: String,
    texture: TextureHandle,
    corners: [[f64; 2]; 2],
}

impl Contour {
    /// Shows the page; gives the trial under the pointer.
    pub fn show(&mut self, ui: &mut Ui, shown: Shown<'_>) -> Option<(egui::Response, usize)> {
        ui.horizontal(|ui| {
            let Self { all, names: [right, up], .. } = self;
            let known = all.all(shown);
            if up.is_empty() || !known.contains(up) {
                *up = known.get(1).cloned().unwrap_or_default();
            }
            all.parameter(ui, "To the right", right, shown);
            all.parameter(ui, "Upwards", up, shown);
            ui.label(theme::muted(ui, "Bright is good. Between the trials: their mean, the near ones weighing most."));
        });
        if self.made_for.as_ref().is_none_or(|(version, names)| *version != shown.version || *names != self.names) {
            self.made = make(ui, shown, &self.names);
            self.made_for = Some((shown.version, self.names.clone()));
        }
        let Some(made) = &self.made else {
            theme::empty(ui, "Too few trials", "Three trials with different values of two parameters make a map of what is good.");
            return None;
        };
        let scatter = Scatter {
            id: "search contour",
            axes: [&made.axes[0], &made.axes[1]],
            lines: &[],
            dots: &made.dots,
            behind: Some((made.texture.id(), made.corners)),
            focus: shown.focus,
            summary: &made.summary,
        };
        let (response, trial) = plot::show(ui, &scatter);
        trial.map(|trial| (response, trial))
    }
}

fn make(ui: &Ui, shown: Shown<'_>, names: &[String; 2]) -> Option<Made> {
    let study = shown.study;
    let axes = [Axis::of(study, &names[0])?, Axis::of(study, &names[1])?];
    let valued = study.trials.iter().filter_map(|trial| Some((trial, axis::value(trial)?)));
    let good = axis::goodness(study, &valued.clone().map(|(_, value)| value).collect::<Vec<_>>());
    let trials: Vec<(usize, [f64; 2], f64)> =
        valued.filter_map(|(trial, value)| Some((trial.number, [axes[0].place(trial)?, axes[1].place(trial)?], good(value)))).collect();
    if trials.len() < 3 || names[0] == names[1] {
        return None;
    }
    let end = |of: fn(f64, f64) -> f64, start: f64, axis: usize| trials.iter().map(|(_, at, _)| at[axis]).fold(start, of);
    let low = [0, 1].map(|axis| end(f64::min, f64::INFINITY, axis));
    let high = [0, 1].map(|axis| end(f64::max, f64::NEG_INFINITY, axis));
    let size = [0, 1].map(|axis| high[axis] - low[axis]);
    if size.iter().any(|size| *size <= 0.0) {
        return None;
    }
    let unit: Vec<([f64; 2], f64)> =
        trials.iter().map(|(_, at, good)| ([0, 1].map(|axis| (at[axis] - low[axis]) / size[axis]), *good)).collect();
    let cell = |i: usize| (i as f64 + 0.5) / CELLS as f64;
    let pixels: Vec<Color32> = (0..CELLS * CELLS)
        // the picture's first row is the highest
        .map(|i| theme::heat(between(&unit, [cell(i % CELLS), 1.0 - cell(i / CELLS)])).gamma_multiply(0.55))
        .collect();
    let image = ColorImage::new([CELLS, CELLS], pixels);
    let texture = ui.ctx().load_texture("search contour", image, TextureOptions::LINEAR);
    // of few colours, so that there are few things to draw
    let dot = |&(trial, at, good): &(usize, [f64; 2], f64)| Dot { at, colour: theme::heat((good * 15.0).round() / 15.0), trial };
    let dots: Vec<Dot> = trials.iter().map(dot).collect();
    let summary = format!("{} trials by {} and {}", dots.len(), names[0], names[1]);
    Some(Made { axes, dots, summary, texture, corners: [low, high] })
}

/// The mean of values at places of the unit square, weighed by the inverse square of their distance (Shepard 1968).
fn between(values: &[([f64; 2], f64)], at: [f64; 2]) -> f64 {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (place, value) in values {
        // a thousandth of the side keeps a trial from outweighing all others for ever
        let weight = 1.0 / ((place[0] - at[0]).powi(2) + (place[1] - at[1]).powi(2) + 1e-6);
        sum += weight * value;
        weights += weight;
    }
    sum / weights
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn the_mean_is_that_of_a_trial_where_it_lies_and_halfway_between_two() {
        let values = [([0.0, 0.0], 1.0), ([1.0, 1.0], 0.0)];
        assert!(between(&values, [0.0, 0.0]) > 0.999_99 && between(&values, [1.0, 1.0]) < 1e-5);
        assert!((between(&values, [0.5, 0.5]) - 0.5).abs() < 1e-12);
    }
}
