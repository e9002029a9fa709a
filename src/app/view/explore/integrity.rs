//! Pictures and positions that stand in the data set more than once; a click shows them in the grid.

use egui::{RichText, ScrollArea, Ui};

use super::written;
use crate::app::action::Action;
use crate::app::explored::{Change, Explored, Integrities};
use crate::app::state::Data;
use crate::app::theme;
use crate::app::view::words;
use crate::data::integrity::{Integrity, Pairs};
use crate::review::Table;

/// One line of the list.
struct Row {
    title: String,
    images: Vec<usize>,
    leaks: bool,
    labels_differ: bool,
}

/// Shows the list; true if something of it is to be shown in the grid.
pub fn show(ui: &mut Ui, explored: &Explored, data: &Data, actions: &mut Vec<Action>) -> bool {
    match &explored.integrity {
        Integrities::Unknown => {
            theme::empty(
                ui,
                "Not looked for yet",
                "Finds pictures that stand in the data set more than once, also turned or mirrored, and positions that are the same.",
            );
            ui.vertical_centered(|ui| {
                ui.add_space(theme::GAP);
                if theme::main_button(ui, "Look for duplicates", true).clicked() {
                    actions.push(Action::Explore(Change::CheckIntegrity));
                }
            });
            false
        }
        Integrities::Working(progress) => {
            theme::empty(ui, "Looking at every picture", "Each is read once and compared with all others.");
            ui.vertical_centered(|ui| {
                ui.add(egui::ProgressBar::new(progress.share()).desired_width(240.0).show_percentage());
                if ui.button("Stop").clicked() {
                    actions.push(Action::Explore(Change::StopIntegrity));
                }
            });
            ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
            false
        }
        Integrities::Known(found) => list(ui, found, data, actions),
    }
}

fn list(ui: &mut Ui, found: &Integrity, data: &Data, actions: &mut Vec<Action>) -> bool {
    let palette = theme::palette(ui.visuals());
    ui.horizontal_wrapped(|ui| {
        let (text, colour) = match found.leaks() {
            0 => ("Nothing stands in two parts of the split.".to_owned(), palette.good),
            n => (
                format!("{} of these stand in two parts of the split: test results will look better than they are.", words::thousands(n)),
                palette.warn,
            ),
        };
        ui.label(RichText::new(text).color(colour));
        if ui.button("Look again").clicked() {
            actions.push(Action::Explore(Change::CheckIntegrity));
        }
        if found.findings() > 0 {
            written::table(ui, "Duplicates", "duplicates", || table(found, data), actions);
        }
    });
    if !found.unreadable.is_empty() {
        let text = format!("{} pictures cannot be read; the first: {}", found.unreadable.len(), found.unreadable[0]);
        ui.label(RichText::new(text).color(palette.warn));
    }
    let groups = &found.duplicates.groups;
    let kinds =
        [("The same to the last pixel", groups.len()), ("Look alike", found.near.pairs.len()), ("Same position", found.sky.pairs.len())];
    let total = found.findings();
    if total == 0 {
        theme::empty(ui, "No duplicates", "Every picture and every position stands in the data set once.");
        return false;
    }
    ui.label(theme::muted(ui, kinds.map(|(kind, n)| format!("{kind}: {}", words::thousands(n))).join("  ·  ")));
    let mut chosen = false;
    let height = ui.spacing().interact_size.y;
    ScrollArea::vertical().id_salt("duplicates").auto_shrink(false).show_rows(ui, height, total, |ui, range| {
        for at in range {
            let row = row(at, found, data);
            let mut text = row.title.clone();
            for (yes, words) in [(row.leaks, "two parts"), (row.labels_differ, "two labels")] {
                if yes {
                    text.push_str("  ·  ");
                    text.push_str(words);
                }
            }
            let colour = if row.leaks || row.labels_differ { palette.warn } else { palette.text };
            let button = egui::Button::new(RichText::new(text).color(colour)).frame(false).truncate();
            if ui.add(button).on_hover_text("Show them in the grid").clicked() {
                actions.push(Action::ShowInExplore { title: row.title, indices: row.images });
                chosen = true;
            }
        }
    });
    chosen
}

/// All three lists as one table; pictures that belong together stand in one cell.
fn table(found: &Integrity, data: &Data) -> Table {
    let yes = |yes| if yes { "yes" } else { "no" }.to_owned();
    let rows = (0..found.findings()).map(|at| {
        let row = row(at, found, data);
        let images: Vec<String> = row.images.iter().map(usize::to_string).collect();
        vec![row.title, images.join(" "), yes(row.leaks), yes(row.labels_differ)]
    });
    Table { rows: rows.collect(), ..Table::new(&["what", "images", "in two parts", "with two labels"]) }
}

/// Line `at` of all three lists, one after the other.
fn row(at: usize, found: &Integrity, data: &Data) -> Row {
    let groups = &found.duplicates.groups;
    let (title, images) = if let Some(group) = groups.get(at) {
        let names: Vec<String> = group.iter().take(4).map(u32::to_string).collect();
        let more = if group.len() > 4 { format!(" and {} more", group.len() - 4) } else { String::new() };
        (format!("Same pixels: images {}{more}", names.join(", ")), group.iter().map(|&i| i as usize).collect())
    } else {
        let at = at - groups.len();
        let pair = |pairs: &Pairs, at: usize| pairs.pairs[at];
        let (pair, words) = if at < found.near.pairs.len() {
            let pair = pair(&found.near, at);
            (pair, "Look alike".to_owned())
        } else {
            let pair = pair(&found.sky, at - found.near.pairs.len());
            (pair, format!("{:.2} arcsec apart", pair.distance))
        };
        (format!("{words}: images {} and {}", pair.first, pair.second), vec![pair.first as usize, pair.second as usize])
    };
    let differ = |of: &dyn Fn(usize) -> u32| images.iter().any(|&image| of(image) != of(images[0]));
    let part = |image: usize| data.parts[image].map_or(3, |part| part as u32);
    Row { leaks: differ(&part), labels_differ: differ(&|image| data.set.labels[image]), title, images }
}
