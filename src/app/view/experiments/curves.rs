//! The curves of the runs that are set side by side, over each other.

use egui::{Ui, WidgetInfo};
use egui_plot::{HoverPosition, Line, Plot, PlotPoint, PlotPoints};
use serde::{Deserialize, Serialize};

use crate::app::experiments::Experiments;
use crate::app::view::curves::smoothed;
use crate::app::widget::curve_plot::marks;
use crate::app::{theme, widget};
use crate::track::{EpochValues, RunFacts};

/// What is drawn upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Quantity {
    #[default]
    MacroF1,
    Accuracy,
    ValidLoss,
    TrainLoss,
    LearningRate,
}

/// What is drawn to the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Along {
    #[default]
    Epoch,
    Step,
    Time,
}

const QUANTITIES: [(Quantity, &str); 5] = [
    (Quantity::MacroF1, "Validation macro-F1"),
    (Quantity::Accuracy, "Validation accuracy"),
    (Quantity::ValidLoss, "Validation loss"),
    (Quantity::TrainLoss, "Training loss"),
    (Quantity::LearningRate, "Learning rate"),
];

const ALONG: [(Along, &str); 3] = [(Along::Epoch, "Epoch"), (Along::Step, "Step"), (Along::Time, "Minutes")];

/// The page's own state.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Curves {
    quantity: Quantity,
    along: Along,
    log: bool,
    /// Whether the axis to the right is logarithmic.
    log_along: bool,
    /// How much of the past a point keeps, 0 to 0.95.
    smoothing: f64,
}

impl Curves {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, experiments: &Experiments) {
        let runs: Vec<(&RunFacts, &[EpochValues])> = experiments
            .compared()
            .map(|run| (run, experiments.curves.get(&run.folder).map_or(&[][..], |curve| curve.as_slice())))
            .collect();
        if runs.is_empty() {
            theme::empty(ui, "No runs marked", "Mark runs at the left of the table: their curves are drawn over each other here.");
            return;
        }
        self.controls(ui);
        self.plot(ui, &runs);
    }

    fn controls(&mut self, ui: &mut Ui) {
        ui.horizontal_wrapped(|ui| {
            choice(ui, "Upwards", &mut self.quantity, &QUANTITIES);
            ui.checkbox(&mut self.log, "Logarithmic");
            choice(ui, "Along", &mut self.along, &ALONG);
            ui.checkbox(&mut self.log_along, "Logarithmic along");
            ui.spacing_mut().slider_width = 80.0;
            let response = ui.add(egui::Slider::new(&mut self.smoothing, 0.0..=0.95).fixed_decimals(2));
            let label = ui.label(theme::muted(ui, "Smoothing of marked runs"));
            response.labelled_by(label.id).on_hover_text("How much of the past each point keeps; the raw line stays, faint");
        });
    }

    fn points(&self, run: &RunFacts, curve: &[EpochValues]) -> Vec<PlotPoint> {
        let x = |values: &EpochValues| match self.along {
            Along::Epoch => values.epoch as f64,
            Along::Step => (values.epoch * run.steps_per_epoch.max(1)) as f64,
            Along::Time => values.seconds / 60.0,
        };
        let y = |values: &EpochValues| match self.quantity {
            Quantity::MacroF1 => values.valid_macro_f1,
            Quantity::Accuracy => values.valid_accuracy,
            Quantity::ValidLoss => values.valid_loss,
            Quantity::TrainLoss => values.train_loss,
            Quantity::LearningRate => values.learning_rate,
        };
        let point = |values: &EpochValues| {
            let y = if self.log { y(values).log10() } else { y(values) };
            let x = if self.log_along { x(values).log10() } else { x(values) };
            (x.is_finite() && y.is_finite()).then(|| PlotPoint::new(x, y))
        };
        curve.iter().filter_map(point).collect()
    }

    fn plot(&self, ui: &mut Ui, runs: &[(&RunFacts, &[EpochValues])]) {
        let palette = theme::palette(ui.visuals());
        let (log, log_along) = (self.log, self.log_along);
        let value = move |y: f64| number(if log { 10_f64.powf(y) } else { y });
        let place = move |x: f64| number(if log_along { 10_f64.powf(x) } else { x });
        let along = ALONG.iter().find(|(along, _)| *along == self.along).map_or("", |(_, name)| name);
        let size = ui.available_size();
        let drawn: Vec<Vec<PlotPoint>> = runs.iter().map(|(run, curve)| self.points(run, curve)).collect();
        let smooth: Vec<Vec<PlotPoint>> = drawn.iter().map(|raw| smoothed(raw, self.smoothing)).collect();
        let plot = Plot::new("experiment curves")
            .height((size.y - 6.0).max(60.0))
            .allow_scroll(false)
            .allow_drag(false)
            .allow_boxed_zoom(false)
            .allow_zoom(false)
            .show_background(false)
            .set_margin_fraction(egui::vec2(0.01, 0.08))
            .x_grid_spacer(|input| marks(&input, size.x / 90.0, self.along != Along::Time && !log_along))
            .y_grid_spacer(|input| marks(&input, size.y / 36.0, false))
            .grid_color(palette.line)
            .y_axis_min_width(44.0)
            .x_axis_formatter(move |mark, _| place(mark.value))
            .y_axis_formatter(move |mark, _| value(mark.value))
            .x_axis_label(along)
            .legend(egui_plot::Legend::default().position(egui_plot::Corner::RightBottom))
            .label_formatter(move |at| match at {
                HoverPosition::NearDataPoint { plot_name, position, .. } if !plot_name.is_empty() => {
                    Some(format!("{plot_name}\n{along} {}: {}", place(position.x), value(position.y)))
                }
                _ => None,
            });
        let response = plot.show(ui, |p| {
            for (at, (run, _)) in runs.iter().enumerate() {
                let theme::Look { colour, again } = theme::look(&palette, at);
                let style = if again { egui_plot::LineStyle::dashed_loose() } else { egui_plot::LineStyle::Solid };
                if self.smoothing > 0.0 {
                    let faint = Line::new("", PlotPoints::Borrowed(&drawn[at])).color(colour.gamma_multiply(0.3));
                    p.line(faint.width(1.0).allow_hover(false));
                }
                p.line(Line::new(run.name(), PlotPoints::Borrowed(&smooth[at])).color(colour).style(style).width(theme::LINE));
            }
        });
        let names: Vec<&str> = runs.iter().map(|(run, _)| run.name()).collect();
        let quantity = QUANTITIES.iter().find(|(quantity, _)| *quantity == self.quantity).map_or("", |(_, name)| name);
        let words = format!("{quantity} by {along} of {}", names.join(", "));
        response.response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, &words));
    }
}

/// A choice among a few, with its name beside it.
fn choice<T: Copy + PartialEq>(ui: &mut Ui, label: &str, value: &mut T, all: &[(T, &str)]) {
    let text = all.iter().find(|(one, _)| one == value).map_or("", |(_, name)| name);
    let response = egui::ComboBox::from_id_salt(label).selected_text(text).show_ui(ui, |ui| {
        for (one, name) in all {
            ui.selectable_value(value, *one, *name);
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, label);
}

/// Four digits are enough on an axis.
fn number(value: f64) -> String {
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e5) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
