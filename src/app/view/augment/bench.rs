//! The bar of the lab: which galaxy, and which draws.

use egui::{Button, DragValue, Ui};

use crate::app::state::{Data, State};
use crate::app::view::words;
use crate::app::{theme, widget};
use crate::random::{Purpose, Random};

/// Shows which galaxy is on the bench; another one, if the user chose it.
pub fn galaxy(ui: &mut Ui, state: &State, data: &Data, index: usize) -> Option<usize> {
    let last = data.set.len() - 1;
    let mut chosen = None;
    let previous = ui.add_enabled(index > 0, Button::new("◀"));
    widget::name(ui, &previous, egui::Role::Button, "Previous galaxy");
    if previous.on_hover_text("Previous galaxy").clicked() {
        chosen = Some(index - 1);
    }
    let mut typed = index;
    let field = ui.add(DragValue::new(&mut typed).range(0..=last).update_while_editing(false));
    widget::name(ui, &field, egui::Role::SpinButton, "Galaxy");
    field.on_hover_text(format!("The number of the picture, 0 to {}", words::thousands(last)));
    if typed != index {
        chosen = Some(typed);
    }
    let next = ui.add_enabled(index < last, Button::new("▶"));
    widget::name(ui, &next, egui::Role::Button, "Next galaxy");
    if next.on_hover_text("Next galaxy").clicked() {
        chosen = Some(index + 1);
    }
    if ui.button("Another one").on_hover_text("Any galaxy of the data set").clicked() {
        chosen = Some(another(index, data.set.len()));
    }
    if let Some(explored) = state.lab.explored.filter(|explored| *explored <= last && *explored != index)
        && ui.button("From Explore").on_hover_text(format!("The picture opened last in Explore: image {explored}")).clicked()
    {
        chosen = Some(explored);
    }
    let class = &data.set.classes[data.set.labels[index] as usize];
    ui.label(theme::muted(ui, format!("labelled {class}")));
    chosen
}

/// Shows the seed of the draws and lets it be changed. `None` is the next run's.
pub fn seed(ui: &mut Ui, state: &State, seed: &mut Option<u64>, locked: &mut bool) {
    let run = state.config.seed;
    ui.add_space(theme::SECTION_GAP);
    let label = ui.label("Seed");
    let mut value = seed.unwrap_or(run);
    let field = ui.add(DragValue::new(&mut value).speed(0.2).update_while_editing(false)).labelled_by(label.id);
    field.on_hover_text("The same seed gives the same draws");
    if value != seed.unwrap_or(run) {
        *seed = (value != run).then_some(value);
    }
    ui.checkbox(locked, "Lock").on_hover_text("Keep these draws for every galaxy; unlocked, each galaxy gets new ones");
    if ui.button("Draw again").on_hover_text("Twelve other draws").clicked() {
        *seed = Some(next_seed(value));
    }
    let own = seed.is_some_and(|seed| seed != run);
    if own && ui.button("Seed of the run").on_hover_text("Back to the draws that the next run will make").clicked() {
        *seed = None;
    }
}

/// A seed for other draws.
#[must_use]
pub fn next_seed(seed: u64) -> u64 {
    // short enough to be read and typed
    Random::new(seed, Purpose::Preview, &[]).bits() % 1_000_000
}

/// Another picture of `count`, the same after the same one.
fn another(index: usize, count: usize) -> usize {
    let step = 1 + Random::new(0, Purpose::Preview, &[index as u64]).below((count - 1).max(1));
    (index + step) % count
}

#[cfg(test)]
mod tests {
    use super::another;

    #[test]
    fn another_one_is_another_one() {
        assert_eq!(another(0, 1), 0);
        for count in [2, 3, 1000] {
            assert!((0..count).all(|index| another(index, count) != index && another(index, count) < count), "{count}");
        }
    }
}
