//! How far the map and the model can be believed: a verdict, the numbers beside those of maps that know nothing, and the curves.

use egui::{CollapsingHeader, Color32, Grid, RichText, Ui, vec2};

use crate::app::state::State;
use crate::app::theme;
use crate::app::trust::{Check, Trust};
use crate::app::widget::unit_plot::{self, UnitPlot};
use crate::explain::{Faithfulness, Measured, PERCENT, Sanity};

/// The size of a plot, points.
const PLOT: egui::Vec2 = egui::Vec2::new(210.0, 170.0);

/// Shows what is known.
pub fn show(ui: &mut Ui, state: &State) {
    let palette = theme::palette(ui.visuals());
    match &state.inspect.trust {
        Trust::Measured(measured) => faithfulness(ui, measured),
        Trust::Failed(message) => {
            ui.label(RichText::new(format!("The map was not measured. {message}")).color(palette.warn));
        }
        Trust::Measuring => {
            ui.label(theme::muted(ui, "How faithful the map is, is being measured.").small());
        }
        Trust::Unknown => {}
    }
    match &state.inspect.check {
        Check::Checked(sanity) => check(ui, sanity),
        Check::Failed(message) => {
            ui.label(RichText::new(format!("The model was not checked. {message}")).color(palette.warn));
        }
        Check::Checking => {
            ui.label(theme::muted(ui, "The model is being checked with random weights.").small());
        }
        Check::Unknown => {}
    }
}

/// The verdict in its colour.
fn verdict(ui: &mut Ui, good: bool, text: String) {
    let palette = theme::palette(ui.visuals());
    ui.label(RichText::new(text).small().color(if good { palette.good } else { palette.warn }));
}

fn faithfulness(ui: &mut Ui, measured: &Faithfulness) {
    verdict(ui, measured.convinces(), format!("Faithfulness: {}", measured.verdict()));
    CollapsingHeader::new("Faithfulness in numbers").id_salt("faithfulness").show(ui, |ui| {
        numbers(ui, measured);
        ui.horizontal_wrapped(|ui| {
            let road = |m: &Measured| series(&m.road.most, |i| PERCENT[i] as f64 / 100.0);
            plot(ui, measured, "ROAD", "share taken away, strongest first", road);
            let even = |values: &[f32]| series(values, |i| i as f64 / (values.len().max(2) - 1) as f64);
            plot(ui, measured, "Deletion", "share taken away", |m| even(&m.curves.deletion));
            plot(ui, measured, "Insertion", "share shown", |m| even(&m.curves.insertion));
        });
    });
}

/// One row a map, one column a measure.
fn numbers(ui: &mut Ui, measured: &Faithfulness) {
    let columns = [
        ("ROAD", "Half of what the class loses more when the map's strongest pixels go than when its weakest go; large is good"),
        ("Deletion", "Mean probability while the strongest pixels go first; small is good"),
        ("Insertion", "Mean probability while the strongest pixels come first; large is good"),
    ];
    Grid::new("faithfulness numbers").num_columns(4).spacing([16.0, 2.0]).show(ui, |ui| {
        ui.label("");
        for (title, about) in columns {
            ui.label(theme::muted(ui, title)).on_hover_text(about);
        }
        ui.end_row();
        for ((name, map), colour) in measured.maps().into_iter().zip(colours(ui)) {
            ui.label(RichText::new(name).color(colour));
            for number in [map.road.score(), map.curves.deleted(), map.curves.inserted()] {
                ui.label(format!("{number:.3}"));
            }
            ui.end_row();
        }
    });
}

/// The colours of this map, the random one, and the edges.
fn colours(ui: &Ui) -> [Color32; 3] {
    let palette = theme::palette(ui.visuals());
    [palette.accent, palette.muted, palette.valid]
}

fn series(values: &[f32], x: impl Fn(usize) -> f64) -> Vec<[f64; 2]> {
    values.iter().enumerate().map(|(i, &p)| [x(i), f64::from(p)]).collect()
}

/// The probability of the class along one measure, for the three maps.
fn plot(ui: &mut Ui, measured: &Faithfulness, title: &str, x: &str, of: impl Fn(&Measured) -> Vec<[f64; 2]>) {
    // this map's line is the last, on top
    let lines: Vec<_> =
        measured.maps().into_iter().zip(colours(ui)).rev().map(|((_, map), colour)| (of(map), colour, theme::LINE)).collect();
    let mean = |map: &Measured| {
        let points = of(map);
        points.iter().map(|point| point[1]).sum::<f64>() / points.len().max(1) as f64
    };
    let means = measured.maps().map(|(name, map)| format!("{name} {:.2}", mean(map))).join(", ");
    let summary = format!("{title}: mean probability {means}");
    let size = vec2(PLOT.x.min(ui.available_width()), PLOT.y);
    unit_plot::show(
        ui,
        &UnitPlot { title, labels: (x, "probability"), bars: &[], lines: &lines, diagonal: false, summary: &summary, size },
    );
}

fn check(ui: &mut Ui, sanity: &Sanity) {
    verdict(ui, sanity.passes(), format!("Model check: {}", sanity.summary()));
    CollapsingHeader::new("Model check in numbers").id_salt("model check").show(ui, |ui| {
        let last = (sanity.stages.len().max(2) - 1) as f64;
        let line = |of: &dyn Fn(&crate::explain::Stage) -> f64| -> Vec<[f64; 2]> {
            sanity.stages.iter().enumerate().map(|(i, stage)| [i as f64 / last, of(stage).abs().min(1.0)]).collect()
        };
        let [rank, structure, _] = colours(ui);
        let lines = [(line(&|stage| stage.ssim), structure, theme::LINE), (line(&|stage| stage.spearman), rank, theme::LINE)];
        let summary = format!("Rank correlation with random weights: {}", stages(sanity, |stage| stage.spearman));
        let (title, labels) = ("Likeness to the model's own maps", ("last layer random … all random", "without sign"));
        let size = vec2(PLOT.x.min(ui.available_width()), PLOT.y);
        unit_plot::show(ui, &UnitPlot { title, labels, bars: &[], lines: &lines, diagonal: false, summary: &summary, size });
        ui.label(RichText::new(summary).small().color(rank));
        let similarity = format!("Structural similarity: {}", stages(sanity, |stage| stage.ssim));
        ui.label(RichText::new(similarity).small().color(structure));
    });
}

/// A number of each stage, with its layer.
fn stages(sanity: &Sanity, of: impl Fn(&crate::explain::Stage) -> f64) -> String {
    sanity.stages.iter().map(|stage| format!("{} {:.2}", stage.layer, of(stage))).collect::<Vec<_>>().join(", ")
}
