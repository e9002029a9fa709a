//! What can be taken back: the form, the user's presets, the layout, deleted runs. (Labels and tags of pictures have their own undo, in Explore.)

use egui_tiles::Tree;

use super::layout::Pane;
use super::presets::UserPreset;
use crate::track::Trashed;
use crate::train::Config;

/// The most steps that are kept.
const STEPS: usize = 100;

/// A step that can be taken back.
pub struct Step {
    /// What was done, as in "Undo: delete the preset “Mine”".
    pub words: String,
    /// What was before.
    pub before: Before,
}

/// What a step changed, as it was before.
pub enum Before {
    /// The form.
    Form(Box<Config>),
    /// The user's presets.
    Presets(Vec<UserPreset>),
    /// The layout of the panels.
    Layout(Box<Tree<Pane>>),
    /// Runs that are in the trash.
    Runs(Vec<Trashed>),
}

/// The steps that can be taken back, the last one last.
#[derive(Default)]
pub struct Undo {
    steps: Vec<Step>,
    /// The field of the form that is being changed: its changes are one step.
    open: Option<String>,
}

impl Undo {
    /// Remembers a step.
    pub fn push(&mut self, words: impl Into<String>, before: Before) {
        self.open = None;
        if self.steps.len() == STEPS {
            self.steps.remove(0);
        }
        self.steps.push(Step { words: words.into(), before });
    }

    /// Remembers a change of the form. Changes of one field in a row, as while a slider is dragged, are one step until
    /// [`close`](Self::close).
    pub fn form(&mut self, before: &Config, after: &Config, label: impl Fn(&str) -> String) {
        let fields = changed(before, after);
        let (words, open) = match fields.as_slice() {
            [] => return,
            [field] => (label(field), Some(field.clone())),
            many => (format!("{} values of the form", many.len()), None),
        };
        if open.is_some() && self.open == open {
            return;
        }
        self.push(words, Before::Form(Box::new(before.clone())));
        self.open = open;
    }

    /// The next change of the form is a new step.
    pub fn close(&mut self) {
        self.open = None;
    }

    /// The step that would be taken back.
    #[must_use]
    pub fn last(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Takes the last step out.
    pub fn pop(&mut self) -> Option<Step> {
        self.open = None;
        self.steps.pop()
    }
}

/// The names of the fields in which two forms differ; the data set is none of them, because it is not lost.
fn changed(before: &Config, after: &Config) -> Vec<String> {
    let (Ok(before), Ok(after)) = (serde_json::to_value(before), serde_json::to_value(after)) else { return Vec::new() };
    let mut fields = Vec::new();
    collect(&before, &after, &mut fields);
    fields.retain(|field| field != "data");
    fields
}

fn collect(before: &serde_json::Value, after: &serde_json::Value, fields: &mut Vec<String>) {
    let (Some(before), Some(after)) = (before.as_object(), after.as_object()) else { return };
    for (name, value) in before {
        let other = &after[name];
        if value.is_object() {
            collect(value, other, fields);
        } else if value != other {
            fields.push(name.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::Preset;

    #[test]
    fn a_dragged_field_is_one_step_and_many_fields_are_one() {
        let label = |field: &str| field.to_owned();
        let at = |lr| Config { lr, ..Config::default() };
        let mut undo = Undo::default();
        undo.form(&at(0.1), &at(0.2), label);
        undo.form(&at(0.2), &at(0.3), label);
        undo.close();
        undo.form(&at(0.3), &at(0.4), label);
        undo.form(&at(0.4), &Config { augmentation: Preset::Strong.augmentation(), ..at(0.4) }, label);
        undo.form(&at(0.4), &Config { data: "elsewhere".into(), ..at(0.4) }, label);
        let mut steps = Vec::new();
        while let Some(Step { words, before: Before::Form(config) }) = undo.pop() {
            steps.push((words, config.lr));
        }
        assert!(steps[0].0.ends_with("values of the form"), "{}", steps[0].0);
        assert_eq!(steps[1..], [("lr".to_owned(), 0.3), ("lr".to_owned(), 0.1)]);
    }

    #[test]
    fn the_oldest_steps_are_forgotten() {
        let mut undo = Undo::default();
        for n in 0..=STEPS {
            undo.push(n.to_string(), Before::Presets(Vec::new()));
        }
        let words: Vec<String> = std::iter::from_fn(|| undo.pop()).map(|step| step.words).collect();
        assert_eq!((words.len(), words[0].as_str(), words[STEPS - 1].as_str()), (STEPS, "100", "1"));
    }
}
