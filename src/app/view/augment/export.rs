//! What the Augment panel writes to files: plots as PNG and SVG, tables as CSV, the contact sheet as PNG.

use egui::Ui;

use super::answers::{about, verdict};
use crate::app::action::Action;
use crate::app::lab::sheet::{BARS, Sheet};
use crate::app::lab::sweep::Swept;
use crate::app::lab::{LabAction, Microscope};
use crate::app::reviewed::Make;
use crate::app::state::Data;
use crate::app::{review_work as work, theme};
use crate::augment::{ColourStep, Sweep};
use crate::imaging::{self, Image};
use crate::review::Table;
use crate::review::plot::{self, Histogram, SweepPlot, sweep};

/// Draws in a row of the sheet that is written.
const COLUMNS: usize = 4;
/// Space between them, pixels.
const SPACE: usize = 2;

/// A file that can be written: what the menu says, the file's name, and how its bytes are made, worked out when it is chosen.
struct Offer<'a>(&'static str, String, Box<dyn FnOnce() -> Make + 'a>);

fn menu<'a>(ui: &mut Ui, offers: impl FnOnce() -> Vec<Offer<'a>>, actions: &mut Vec<Action>) {
    let response = ui.menu_button("Export", |ui| {
        ui.label(theme::muted(ui, "into the folder exports where runs are kept"));
        for Offer(label, name, make) in offers() {
            if ui.button(label).clicked() {
                actions.push(Action::Lab(LabAction::Save(name, make())));
                ui.close();
            }
        }
    });
    response.response.on_hover_text("Write plots and tables to files");
}

/// Offers the contact sheet.
pub fn sheet(ui: &mut Ui, sheet: &Sheet, actions: &mut Vec<Action>) {
    let make = || -> Make {
        let images: Vec<Image> = sheet.draws.iter().map(|drawn| drawn.image.clone()).collect();
        Box::new(move || imaging::to_png(&mosaic(&images)).map_err(|error| error.to_string()))
    };
    let stem = format!("image_{}_seed_{}", sheet.key.index, sheet.key.seed);
    let chosen = format!("{stem}_draw_{}", sheet.key.chosen + 1);
    let offers = || {
        let png = || -> Make {
            let plot = histogram(sheet);
            Box::new(move || work::png(&plot))
        };
        let vectors = || -> Make {
            let plot = histogram(sheet);
            Box::new(move || Ok(plot.into_bytes()))
        };
        vec![
            Offer("Contact sheet as PNG", format!("sheet_{stem}.png"), Box::new(make)),
            Offer("Draws as CSV", format!("sheet_{stem}.csv"), Box::new(|| csv(draws(sheet)))),
            Offer("Histogram as PNG", format!("histogram_{chosen}.png"), Box::new(png)),
            Offer("Histogram as SVG", format!("histogram_{chosen}.svg"), Box::new(vectors)),
            Offer("Histogram as CSV", format!("histogram_{chosen}.csv"), Box::new(|| csv(numbers(sheet)))),
        ]
    };
    menu(ui, offers, actions);
}

/// What was drawn for each picture of the sheet.
fn draws(sheet: &Sheet) -> Table {
    let header = [
        "draw",
        "brightness",
        "contrast",
        "saturation",
        "hue (turns)",
        "dimming",
        "blur (px)",
        "mirrored",
        "turned (degrees)",
        "zoom",
        "right",
        "down",
        "noise",
        "erased",
        "mixed with image",
        "own share",
    ];
    let mut table = Table::new(&header);
    for (n, drawn) in sheet.draws.iter().enumerate() {
        let draw = &drawn.draw;
        let step = |of: fn(&ColourStep) -> Option<f64>, none: f64| draw.colour.iter().find_map(of).unwrap_or(none);
        let factors = [
            step(|step| if let ColourStep::Brightness(factor) = step { Some(*factor) } else { None }, 1.0),
            step(|step| if let ColourStep::Contrast(factor) = step { Some(*factor) } else { None }, 1.0),
            step(|step| if let ColourStep::Saturation(factor) = step { Some(*factor) } else { None }, 1.0),
            step(|step| if let ColourStep::Hue(turn) = step { Some(*turn) } else { None }, 0.0),
            draw.dimming,
            draw.blur,
        ];
        let place = [draw.angle + 90.0 * draw.quarter_turns as f64, draw.zoom, draw.shift[0], draw.shift[1], draw.noise];
        let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
        let mixed = drawn.mixed.map_or_else(Default::default, |partner| (partner.index.to_string(), format!("{:.6}", partner.own)));
        let number = |value: f64| format!("{value:.6}");
        let row = std::iter::once((n + 1).to_string()).chain(factors.map(number)).chain([yes(draw.flip)]);
        table.rows.push(row.chain(place.map(number)).chain([yes(draw.erase.is_some()), mixed.0, mixed.1]).collect());
    }
    table
}

fn histogram(sheet: &Sheet) -> String {
    let (key, [low, high]) = (&sheet.key, sheet.seen.range.map(f64::from));
    let title = format!("What the network sees of image {}, draw {} with seed {}", key.index, key.chosen + 1, key.seed);
    let counts = sheet.seen.histogram.each_ref().map(<[u32; BARS]>::as_slice);
    plot::histogram(&Histogram { title: &title, unit: "number after normalisation", range: (low, high), counts })
}

/// The bars of the histogram.
fn numbers(sheet: &Sheet) -> Table {
    let (seen, mut table) = (&sheet.seen, Table::new(&["from", "to", "red", "green", "blue"]));
    let [low, high] = seen.range.map(f64::from);
    let edge = |bar: usize| format!("{:.6}", low + (high - low) * bar as f64 / BARS as f64);
    let row = |bar: usize| [edge(bar), edge(bar + 1)].into_iter().chain(seen.histogram.map(|counts| counts[bar].to_string())).collect();
    table.rows = (0..BARS).map(row).collect();
    table
}

/// The pictures in rows, with white between them.
fn mosaic(images: &[Image]) -> Image {
    let side = images.first().map_or(1, Image::width);
    let rows = images.len().div_ceil(COLUMNS).max(1);
    let extent = |count: usize| count * (side + SPACE) - SPACE;
    let width = extent(COLUMNS);
    let mut pixels = vec![255; 3 * width * extent(rows)];
    for (n, image) in images.iter().enumerate() {
        let (left, top) = (n % COLUMNS * (side + SPACE), n / COLUMNS * (side + SPACE));
        for (y, row) in image.pixels().chunks_exact(3 * side).enumerate() {
            let start = 3 * ((top + y) * width + left);
            pixels[start..start + row.len()].copy_from_slice(row);
        }
    }
    Image::new(width, extent(rows), pixels).expect("whole rows of pictures")
}

/// Offers the plot and the tables of the microscope.
pub fn microscope(ui: &mut Ui, microscope: &Microscope, swept: &Swept, classes: &[String], data: &Data, actions: &mut Vec<Action>) {
    let index = microscope.specimen.as_ref().and_then(|specimen| specimen.index).unwrap_or_default();
    let offers = || {
        let stem = format!("image_{index}_{}", about(swept.sweep).0.to_lowercase().replace(' ', "_"));
        let plot = move || svg(swept, classes, index);
        let png = move || -> Make {
            let plot = plot();
            Box::new(move || work::png(&plot))
        };
        let vectors = move || -> Make {
            let plot = plot();
            Box::new(move || Ok(plot.into_bytes()))
        };
        let mut offers = vec![
            Offer("Plot as PNG", format!("{stem}.png"), Box::new(png)),
            Offer("Plot as SVG", format!("{stem}.svg"), Box::new(vectors)),
            Offer("Probabilities as CSV", format!("{stem}.csv"), Box::new(|| csv(answers(swept, classes)))),
            Offer("How far each class moves as CSV", format!("{stem}_classes.csv"), Box::new(|| csv(moves(swept, classes)))),
        ];
        let name = format!("image_{index}_withstands.csv");
        offers.push(Offer("What this galaxy withstands as CSV", name, Box::new(|| csv(withstood(microscope, classes)))));
        if microscope.survey.iter().any(Option::is_some) {
            let names = &data.set.classes;
            offers.push(Offer("Survey of the classes as CSV", "survey.csv".into(), Box::new(|| csv(survey(microscope, names)))));
        }
        offers
    };
    menu(ui, offers, actions);
}

fn csv(table: Table) -> Make {
    Box::new(move || table.to_csv().map_err(|error| error.to_string()))
}

fn svg(swept: &Swept, classes: &[String], index: usize) -> String {
    let (name, unit) = about(swept.sweep);
    let column = |class: usize| swept.probabilities.iter().map(|row| f64::from(row[class])).collect();
    let title = format!("{name}, image {index}: {}", verdict(swept, classes));
    sweep(&SweepPlot {
        title: &title,
        unit,
        positions: &swept.positions,
        classes: classes.iter().enumerate().map(|(class, name)| (name.clone(), column(class))).collect(),
        flip: swept.flip.as_ref().map(|flip| flip.at),
    })
}

/// Positions x classes.
fn answers(swept: &Swept, classes: &[String]) -> Table {
    let mut table = Table::new(&[about(swept.sweep).1]);
    table.header.extend(classes.iter().cloned());
    let row = |(at, row): (&f64, &Vec<f32>)| std::iter::once(at.to_string()).chain(row.iter().map(f32::to_string)).collect();
    table.rows = swept.positions.iter().zip(&swept.probabilities).map(row).collect();
    table
}

fn moves(swept: &Swept, classes: &[String]) -> Table {
    let mut table = Table::new(&["class", "lowest", "highest", "range", "standard deviation"]);
    for (name, spread) in classes.iter().zip(&swept.invariance.classes) {
        let numbers = [spread.low, spread.high, spread.range(), spread.deviation].map(|value| format!("{value:.6}"));
        table.rows.push(std::iter::once(name.clone()).chain(numbers).collect());
    }
    table
}

fn withstood(microscope: &Microscope, classes: &[String]) -> Table {
    let mut table = Table::new(&["change", "unit", "answer at first", "flips at", "becomes", "spread", "answer kept"]);
    for (kind, result) in Sweep::ALL.into_iter().zip(&microscope.sweeps) {
        let Some(Ok((swept, _))) = result else { continue };
        let (name, unit) = about(kind);
        let first = classes[crate::metrics::top(&swept.probabilities[0])].clone();
        let (at, becomes) =
            swept.flip.as_ref().map_or_else(Default::default, |flip| (format!("{:.6}", flip.at), classes[flip.class].clone()));
        let [spread, kept] = [swept.invariance.spread, swept.invariance.kept].map(|value| format!("{value:.6}"));
        table.rows.push(vec![name.into(), unit.into(), first, at, becomes, spread, kept]);
    }
    table
}

fn survey(microscope: &Microscope, names: &[String]) -> Table {
    let mut table = Table::new(&["class", "galaxies", "spread", "range of its own probability", "answer kept"]);
    for (name, row) in names.iter().zip(&microscope.survey) {
        let Some(Ok(row)) = row else { continue };
        let own = row.own_range.map(|range| format!("{range:.6}")).unwrap_or_default();
        table.rows.push(vec![name.clone(), row.galaxies.to_string(), format!("{:.6}", row.spread), own, format!("{:.6}", row.kept)]);
    }
    table
}
