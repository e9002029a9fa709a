//! The editor of a search space: a row a parameter, or the text as a file has it.

use egui::containers::menu::MenuButton;
use egui::{Checkbox, DragValue, Grid, RichText, ScrollArea, TextEdit, Ui};
use serde::Serialize;
use serde_json::Value;

use crate::app::view::train::choice::Choice;
use crate::app::view::train::form::decimal;
use crate::app::{fields, theme, widget};
use crate::search::{self, Distribution, Parameter, Space, StudyRecord};
use crate::train::Config;

/// The editor's own state. The text of the space is the truth; everything here is made from it.
#[derive(Clone, Default)]
pub(super) struct SpaceEditor {
    as_text: bool,
    /// The text that `space` was read from.
    read: String,
    space: Option<Result<Space, String>>,
    /// Why the last change could not be made.
    fault: Option<String>,
    /// The choices that are being written, and of which parameter.
    writing: Option<(String, String)>,
    /// What the trials of a study searched: its name, how many trials there were, the space.
    adopted: Option<(String, usize, Result<Option<Space>, String>)>,
}

impl SpaceEditor {
    /// Shows the editor and changes `text`; `base` gives the values that fields have while they are not searched.
    pub fn show(&mut self, ui: &mut Ui, text: &mut String, base: &Config) {
        if self.space.is_none() || self.read != *text {
            self.read.clone_from(text);
            self.space = Some(Space::parse(text).map_err(|error| error.to_string()));
            self.fault = None;
        }
        let space = self.space.clone();
        ui.horizontal(|ui| {
            if let Some(Ok(space)) = &space {
                add_menu(ui, space, text, base);
            }
            ui.checkbox(&mut self.as_text, "As text").on_hover_text("As the command line's --space takes it from a file: TOML or JSON");
            if ui.button("Usual space").on_hover_text("What matters most for these networks").clicked() {
                *text = Space::default().to_toml();
            }
        });
        match space {
            Some(Ok(space)) if !self.as_text => self.rows(ui, &space, text),
            Some(Err(fault)) => {
                ui.label(RichText::new(fault).color(theme::palette(ui.visuals()).bad).small());
                written(ui, text);
            }
            _ => written(ui, text),
        }
    }

    /// What the trials of a study searched; worked out when there are more of them.
    pub fn of_trials(&mut self, study: &StudyRecord) -> &Result<Option<Space>, String> {
        let count = study.trials.len();
        if self.adopted.as_ref().is_some_and(|(name, known, _)| *name != study.name || *known != count) {
            self.adopted = None;
        }
        let work = || (study.name.clone(), count, Space::of_trials(study).map_err(|error| error.to_string()));
        &self.adopted.get_or_insert_with(work).2
    }

    fn rows(&mut self, ui: &mut Ui, space: &Space, text: &mut String) {
        let mut parameters = space.parameters().to_vec();
        let mut removed = None;
        Grid::new("space").num_columns(3).striped(true).spacing([theme::SECTION_GAP, theme::GAP]).show(ui, |ui| {
            for (at, parameter) in parameters.iter_mut().enumerate() {
                let label = title(&parameter.name);
                ui.label(label).on_hover_text(&parameter.name);
                ui.horizontal(|ui| {
                    self.distribution(ui, &parameter.name, &mut parameter.distribution);
                    if let Some(when) = &parameter.when {
                        ui.label(theme::muted(ui, format!("only with {}", list(&when.values)))).on_hover_text(title(&when.parameter));
                    }
                });
                let bin = theme::icon_button(ui, "✖", &format!("Do not search {}", parameter.name));
                if bin.on_hover_text("Do not search this").clicked() {
                    removed = Some(at);
                }
                ui.end_row();
            }
        });
        if let Some(at) = removed {
            let gone = parameters.remove(at).name;
            parameters.retain(|parameter| parameter.when.as_ref().is_none_or(|when| when.parameter != gone));
        }
        if parameters.is_empty() {
            ui.label(theme::muted(ui, "Something must be searched."));
        } else if parameters != space.parameters() {
            match Space::new(parameters) {
                Ok(space) => *text = space.to_toml(),
                Err(error) => self.fault = Some(error.to_string()),
            }
        }
        if let Some(fault) = &self.fault {
            ui.label(RichText::new(format!("Not changed: {fault}")).color(theme::palette(ui.visuals()).bad).small());
        }
    }

    fn distribution(&mut self, ui: &mut Ui, name: &str, distribution: &mut Distribution) {
        match distribution {
            Distribution::Float { low, high, log, .. } => {
                let speed = |v: f64| (v.abs() * 0.01).max(1e-6);
                let number = |ui: &mut Ui, value: &mut f64, end: &str| {
                    let speed = speed(*value);
                    let field = DragValue::new(value).speed(speed).custom_formatter(|v, _| decimal(v));
                    let response = ui.add(field.update_while_editing(false));
                    widget::name(ui, &response, egui::Role::SpinButton, &format!("{end} {name}"));
                };
                number(ui, low, "Least");
                ui.label("to");
                number(ui, high, "Greatest");
                *high = high.max(*low);
                *log &= *low > 0.0;
                let check = ui.add_enabled(*low > 0.0, Checkbox::new(log, "log"));
                check.on_hover_text("Uniform in the logarithm: for values whose size is unknown");
            }
            Distribution::Int { low, high, log, .. } => {
                let number = |ui: &mut Ui, value: &mut i64, end: &str| {
                    let response = ui.add(DragValue::new(value).speed(0.2).update_while_editing(false));
                    widget::name(ui, &response, egui::Role::SpinButton, &format!("{end} {name}"));
                };
                number(ui, low, "Least");
                ui.label("to");
                number(ui, high, "Greatest");
                *high = (*high).max(*low);
                *log &= *low > 0;
            }
            Distribution::Categorical { choices } => self.choices(ui, name, choices),
        }
    }

    fn choices(&mut self, ui: &mut Ui, name: &str, choices: &mut Vec<Value>) {
        let mut text = match &self.writing {
            Some((writing, text)) if writing == name => text.clone(),
            _ => list(choices),
        };
        let response = ui.add(TextEdit::singleline(&mut text).desired_width(190.0));
        widget::name(ui, &response, egui::Role::TextInput, &format!("Choices of {name}"));
        if response.lost_focus() {
            self.writing = None;
            let mut written: Vec<Value> = Vec::new();
            for value in text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(value) {
                if !written.contains(&value) {
                    written.push(value);
                }
            }
            if !written.is_empty() {
                *choices = written;
            }
        } else if response.has_focus() {
            self.writing = Some((name.to_owned(), text));
        }
    }
}

/// The text as it stands.
fn written(ui: &mut Ui, text: &mut String) {
    let response = ui.add(TextEdit::multiline(text).code_editor().desired_rows(10).desired_width(f32::INFINITY));
    widget::name(ui, &response, egui::Role::MultilineTextInput, "Search space");
}

/// The fields that can be added.
fn add_menu(ui: &mut Ui, space: &Space, text: &mut String, base: &Config) {
    MenuButton::new("Add…").ui(ui, |ui| {
        ScrollArea::vertical().max_height(320.0).show(ui, |ui| {
            for name in search::fields().into_iter().filter(|name| space.get(name).is_none()) {
                if ui.button(title(&name)).on_hover_text(fields::about(&name).why).clicked() {
                    let distribution = usual(&name, base);
                    let mut parameters = space.parameters().to_vec();
                    parameters.push(Parameter { name, distribution, when: None });
                    // the usual range of a field is a good one
                    if let Ok(space) = Space::new(parameters) {
                        *text = space.to_toml();
                    }
                    ui.close();
                }
            }
        });
    });
}

/// What a field is called on the form; the whole augmentation is its preset.
fn title(name: &str) -> &str {
    let about = fields::about(name);
    match name {
        _ if about.key == name => about.label,
        "augmentation" => "Augmentation",
        _ => name,
    }
}

/// What a field is searched over at first: around the value that it has.
fn usual(name: &str, base: &Config) -> Distribution {
    let config = serde_json::to_value(base).unwrap_or_default();
    let value = config.get(name).or_else(|| config["augmentation"].get(name)).cloned().unwrap_or_default();
    match value {
        Value::Number(n) if n.is_f64() => {
            let value = n.as_f64().unwrap_or(0.0);
            let (low, high) = if value > 0.0 { (value / 3.0, value * 3.0) } else { (0.0, 0.5) };
            Distribution::Float { low, high, log: value > 0.0, step: None }
        }
        // steps of what vector units take at once, so that no width is slower than a greater one
        Value::Number(_) if name == "width" => Distribution::Int { low: 16, high: 64, log: false, step: 16 },
        Value::Number(n) => {
            let value = n.as_i64().unwrap_or(1);
            Distribution::Int { low: (value / 2).max(1), high: (value * 2).max(2), log: false, step: 1 }
        }
        Value::Bool(_) => Distribution::Categorical { choices: vec![Value::Bool(false), Value::Bool(true)] },
        value => Distribution::Categorical { choices: known(name).unwrap_or_else(|| vec![value]) },
    }
}

/// All values of a field that takes one out of a few.
fn known(name: &str) -> Option<Vec<Value>> {
    use crate::{augment, imaging, nn, train};
    Some(match name {
        "model" => all::<nn::Architecture>(),
        "loss" => all::<train::LossKind>(),
        "optimizer" => all::<train::OptimizerKind>(),
        "schedule" => all::<train::ScheduleKind>(),
        "fit" => all::<imaging::Fit>(),
        "rotation" => all::<augment::Rotation>(),
        "border" => all::<augment::Border>(),
        "augmentation" => all::<augment::Preset>(),
        _ => return None,
    })
}

fn all<T: Choice + Serialize>() -> Vec<Value> {
    T::ALL.iter().filter_map(|(value, ..)| serde_json::to_value(value).ok()).collect()
}

/// "16, 32, 64".
fn list(values: &[Value]) -> String {
    let one = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// A value as it is written: a number, true or false, else a word.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
