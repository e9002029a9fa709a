//! What to search and for how long.

use egui::{Checkbox, DragValue, Grid, RichText, TextEdit, Ui};

use super::axis;
use super::space::SpaceEditor;
use crate::app::searched::Form;
use crate::app::theme;
use crate::app::view::train::choice::{self, Choice};
use crate::search::{Kept, StudyRecord};
use crate::train::Config;

/// From this width on, what is searched stands beside the rest.
const WIDE: f32 = 720.0;

/// Shows the form of a new study; `base` is the form of the Train panel.
pub(super) fn new_study(ui: &mut Ui, form: &mut Form, space: &mut SpaceEditor, base: &Config) {
    ui.label(theme::muted(
        ui,
        "Every trial trains with the values of the Train panel, but for those that are searched. All trials are kept, and the study \
         can be stopped and gone on with at any time.",
    ));
    ui.add_space(theme::GAP);
    if ui.available_width() >= WIDE {
        ui.columns_const(|[left, right]| {
            study(left, form);
            searched(right, form, space, base);
        });
    } else {
        study(ui, form);
        ui.add_space(theme::GAP);
        searched(ui, form, space, base);
    }
}

fn study(ui: &mut Ui, form: &mut Form) {
    Grid::new("new study").num_columns(2).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| {
        let label = ui.label("Name");
        ui.add(TextEdit::singleline(&mut form.study).desired_width(170.0)).labelled_by(label.id);
        ui.end_row();
        trained(ui, form);
        course(ui, form);
    });
}

/// What all trials of a study are trained for.
fn trained(ui: &mut Ui, form: &mut Form) {
    pick(ui, "Objective", "search objective", &mut form.objective);
    let label = ui.label("Most epochs");
    let field = DragValue::new(&mut form.epochs).range(1..=100_000).speed(0.2);
    ui.add(field).labelled_by(label.id).on_hover_text("Epochs of a trial that is not stopped early");
    ui.end_row();
}

fn searched(ui: &mut Ui, form: &mut Form, space: &mut SpaceEditor, base: &Config) {
    ui.label(RichText::new("What is searched").strong());
    space.show(ui, &mut form.space, base);
}

/// Shows how a study goes on, and what it searches; `space` and `base` are as for a new study.
pub(super) fn old_study(ui: &mut Ui, form: &mut Form, space: &mut SpaceEditor, base: &Config, study: &StudyRecord) {
    Grid::new("old study").num_columns(2).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| course(ui, form));
    ui.add_space(theme::GAP);
    match Kept::of(study) {
        Ok(Some(kept)) => {
            ui.label(RichText::new("What it searches").strong());
            Grid::new("its space").num_columns(2).striped(true).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| {
                for parameter in kept.space.parameters() {
                    ui.label(theme::muted(ui, parameter.name.clone()));
                    ui.add(egui::Label::new(axis::range(parameter)).wrap());
                    ui.end_row();
                }
            });
            ui.add_space(theme::GAP);
            let words = format!("{}, {} epochs at most, data {}", kept.objective.name(), kept.base.epochs, kept.base.data);
            ui.label(theme::muted(ui, words));
        }
        Ok(None) => {
            foreign(ui, form, space, study);
            searched(ui, form, space, base);
        }
        Err(error) => {
            ui.label(RichText::new(error.to_string()).color(theme::palette(ui.visuals()).warn));
        }
    }
}

/// What a study that another program began does not say.
fn foreign(ui: &mut Ui, form: &mut Form, space: &mut SpaceEditor, study: &StudyRecord) {
    ui.label(theme::muted(
        ui,
        "Another program began this study. It goes on with trials of the values of the Train panel, but for those that are searched.",
    ));
    Grid::new("foreign study").num_columns(2).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| trained(ui, form));
    match space.of_trials(study) {
        Ok(Some(theirs)) => {
            let button = ui.button("Search what its trials did");
            if button.on_hover_text("The parameters of its trials that are fields of the Train panel, over the same ranges").clicked() {
                form.space = theirs.to_toml();
            }
        }
        Ok(None) => {
            ui.label(theme::muted(ui, "Its trials have no parameter that is a field of the Train panel, so nothing is learned from them."));
        }
        Err(why) => {
            ui.label(RichText::new(why).color(theme::palette(ui.visuals()).warn));
        }
    }
}

/// What may be different each time a study goes on.
fn course(ui: &mut Ui, form: &mut Form) {
    limit(ui, "Trials in all", &mut form.trials, 30, 1..=1_000_000, 0.3, "");
    limit(ui, "Hours", &mut form.hours, 1.0, 0.01..=10_000.0, 0.05, " h");
    pick(ui, "Values by", "search sampler", &mut form.sampler);
    pick(ui, "Stop early by", "search pruner", &mut form.pruner);
    let label = ui.label("Least epochs");
    let field = DragValue::new(&mut form.least_epochs).range(1..=100_000).speed(0.2);
    ui.add(field).labelled_by(label.id).on_hover_text("No trial is stopped early before this epoch");
    ui.end_row();
    pick(ui, "Killed trials", "search restart", &mut form.on_restart);
}

/// A limit that may be switched off.
fn limit<T: egui::emath::Numeric + Send + Sync>(
    ui: &mut Ui,
    label: &str,
    value: &mut Option<T>,
    usual: T,
    range: std::ops::RangeInclusive<T>,
    speed: f64,
    unit: &str,
) {
    let words = ui.label(label);
    ui.horizontal(|ui| {
        let mut on = value.is_some();
        // a limit that is switched off keeps its number
        let id = ui.scope_id().with(label);
        let mut number = value.or_else(|| ui.data(|data| data.get_temp(id))).unwrap_or(usual);
        let check = ui.add(Checkbox::without_text(&mut on));
        crate::app::widget::name(ui, &check, egui::Role::CheckBox, &format!("Limit {}", label.to_lowercase()));
        let field = DragValue::new(&mut number).range(range).speed(speed).suffix(unit.to_owned());
        ui.add_enabled(on, field).labelled_by(words.id);
        ui.data_mut(|data| data.insert_temp(id, number));
        *value = on.then_some(number);
    });
    ui.end_row();
}

/// A value out of a few.
fn pick<T: Choice>(ui: &mut Ui, label: &str, salt: &str, value: &mut T) {
    let words = ui.label(label);
    choice::show(ui, salt, value).labelled_by(words.id);
    ui.end_row();
}
