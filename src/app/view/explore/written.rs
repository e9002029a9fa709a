//! What Explore can write besides the pictures' own table: the class balance, the duplicates, the map.

use std::sync::Arc;

use egui::Ui;

use super::PARTS;
use crate::app::action::Action;
use crate::app::explored::MapPoint;
use crate::app::state::Data;
use crate::app::view::offer::{self, Offer, beside_runs, menu};
use crate::review::{Table, plot};

const INTO: &str = "into the folder exports where runs are kept";

/// Offers the class balance.
pub fn balance(ui: &mut Ui, data: &Data, actions: &mut Vec<Action>) {
    let offers = || {
        let (names, counts) = (data.set.classes.clone(), data.balance.clone());
        let rows =
            names.iter().zip(&counts).map(|(name, parts)| std::iter::once(name.clone()).chain(parts.map(|n| n.to_string())).collect());
        let table = Table { rows: rows.collect(), ..Table::new(&["class", "train", "validation", "test"]) };
        let draw = move || plot::balance(&names, &PARTS.map(|(_, part)| part), &counts);
        let mut offers: Vec<Offer> = offer::plot("Class balance", "class_balance", draw).into();
        offers.push(offer::table("Class balance", "class_balance", || table));
        offers
    };
    menu(ui, INTO, offers, beside_runs, actions);
}

/// Offers a table that a page made: its name, and how it is made.
pub fn table(ui: &mut Ui, what: &str, name: &str, make: impl FnOnce() -> Table, actions: &mut Vec<Action>) {
    let offers = || {
        let table = make();
        vec![offer::table(what, name, || table)]
    };
    menu(ui, INTO, offers, beside_runs, actions);
}

/// Offers the map: the places of the pictures, the number of each one's colour, the colours and what they mean.
pub fn map(
    ui: &mut Ui,
    points: &Arc<Vec<MapPoint>>,
    numbers: impl Fn(&MapPoint) -> Option<usize>,
    legend: &[plot::Kind],
    title: &str,
    actions: &mut Vec<Action>,
) {
    let offers = || {
        let marks: Vec<plot::Mark> = points.iter().map(|point| plot::Mark { x: point.x, y: point.y, number: numbers(point) }).collect();
        let (legend, title) = (legend.to_vec(), title.to_owned());
        let points = Arc::clone(points);
        let mut offers: Vec<Offer> = offer::plot("Map", "map", move || plot::scatter(&title, &legend, &marks)).into();
        offers.push(offer::table("Places on the map", "map", move || Table {
            rows: points.iter().map(|p| vec![p.index.to_string(), format!("{:.6}", p.x), format!("{:.6}", p.y)]).collect(),
            ..Table::new(&["image", "x", "y"])
        }));
        offers
    };
    menu(ui, INTO, offers, beside_runs, actions);
}
