//! The survey: how much the answers for galaxies of each class move when these are turned.

use egui::{Grid, Ui};

use crate::app::action::Action;
use crate::app::lab::{LabAction, Specimen};
use crate::app::state::{Data, State};
use crate::app::theme;

/// Shows the survey and the button that starts it; `running` is whether the next class is to be asked for.
pub fn show(ui: &mut Ui, state: &State, data: &Data, running: &mut bool, actions: &mut Vec<Action>) {
    let Some(classifier) = &state.model.classifier else { return };
    let microscope = &state.lab.microscope;
    let specimen = Specimen { classifier: classifier.clone(), data: data.generation, index: None };
    let fresh = microscope.surveyed.as_ref() == Some(&specimen);
    let next = if fresh { microscope.survey.iter().position(Option::is_none) } else { Some(0) };
    ui.add_space(theme::SECTION_GAP);
    ui.horizontal_wrapped(|ui| {
        ui.strong("Turning galaxies of each class");
        if *running {
            ui.spinner();
            if ui.button("Stop the survey").clicked() {
                *running = false;
                actions.push(Action::Lab(LabAction::ForgetSurvey));
            }
        } else {
            let text = if fresh { "Survey again" } else { "Survey the classes" };
            if ui
                .button(text)
                .on_hover_text("Turns eight galaxies of each class by 15° steps; those that were not trained on come first")
                .clicked()
            {
                *running = true;
                actions.push(Action::Lab(LabAction::ForgetSurvey));
            }
        }
    });
    match next {
        Some(class) if *running && microscope.surveying.is_none() => {
            actions.push(Action::Lab(LabAction::Survey(class as u32)));
        }
        None => *running = false,
        Some(_) => {}
    }
    if !fresh {
        ui.label(theme::muted(ui, "Survey the classes to see which of them the model knows in every position."));
        return;
    }
    Grid::new("survey").num_columns(5).spacing([16.0, 3.0]).striped(true).show(ui, |ui| {
        for head in ["Class", "Spread", "Range of its own probability", "Answer kept", "Galaxies"] {
            ui.label(theme::muted(ui, head));
        }
        ui.end_row();
        for (name, row) in data.set.classes.iter().zip(&microscope.survey) {
            ui.label(name);
            match row {
                Some(Ok(row)) => {
                    ui.label(format!("{:.3}", row.spread));
                    ui.label(row.own_range.map_or_else(|| "not in this model".into(), |range| format!("{:.1} %", 100.0 * range)));
                    ui.label(format!("{:.0} %", 100.0 * row.kept));
                    ui.label(row.galaxies.to_string());
                }
                Some(Err(message)) => {
                    ui.label(message);
                }
                None => {
                    ui.label(theme::muted(ui, "to come"));
                }
            }
            ui.end_row();
        }
    });
}
