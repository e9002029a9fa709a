//! The second model beside the first: which one, both answers as bars, both undecided or not.

use egui::{RichText, Ui};

use crate::app::action::Action;
use crate::app::inspect::InspectAction;
use crate::app::reviewed::Change;
use crate::app::rival::{RivalAction, other_classes};
use crate::app::state::State;
use crate::app::theme;
use crate::app::widget::probability_bars;
use crate::explain::best;

/// Which model is the second; shows run folders that were found where runs are kept.
pub fn choice(ui: &mut Ui, state: &State, was_open: &mut bool, actions: &mut Vec<Action>) {
    let rival = &state.inspect.rival;
    let mut ask = |action| actions.push(Action::Inspect(InspectAction::Rival(action)));
    let menu = ui.menu_button("Compare with…", |ui| {
        for folder in &state.review.found {
            let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
            if ui.button(format!("Run {name}")).on_hover_text(folder.display().to_string()).clicked() {
                ask(RivalAction::Take(folder.clone()));
                ui.close();
            }
        }
        if ui.button("Model file…").clicked() {
            ask(RivalAction::Browse);
            ui.close();
        }
    });
    menu.response.on_hover_text("Ask a second model about the same picture");
    if rival.loading {
        ui.add(egui::Spinner::new().size(14.0));
    }
    if rival.classifier.is_some() && ui.button("One model").on_hover_text("Put the second model away").clicked() {
        ask(RivalAction::Drop);
    }
    let open = menu.inner.is_some();
    if open && !*was_open {
        actions.push(Action::Review(Change::List));
    }
    *was_open = open;
}

/// Both answers in the place of the first one's bars; false if there is no second model, or none of its answer: then those are to be shown.
pub fn show(ui: &mut Ui, state: &State) -> bool {
    let rival = &state.inspect.rival;
    let (Some(second), Some(explainer)) = (&rival.classifier, &state.inspect.explainer) else { return false };
    let palette = theme::palette(ui.visuals());
    let answer = match &rival.answer {
        None => {
            ui.add(egui::Spinner::new().size(14.0));
            return false;
        }
        Some(Err(message)) => {
            ui.label(RichText::new(format!("{}: {message}", rival.name)).color(palette.warn));
            return false;
        }
        Some(Ok(answer)) => answer,
    };
    let (ours, theirs) = (&explainer.classifier().spec().classes, &second.spec().classes);
    let (mine, other) = (explainer.probabilities(), answer.probabilities());
    let verdict = |classes: &[String], probabilities: &[f32]| best(probabilities).map_or_else(String::new, |class| classes[class].clone());
    let verdicts = [verdict(ours, mine), verdict(theirs, other)];
    let [first, others] = &verdicts;
    let agreement =
        if first == others { format!("Both say {first}") } else { format!("This model says {first}, {} says {others}", rival.name) };
    ui.label(RichText::new(agreement).color(if first == others { palette.good } else { palette.warn }));
    ui.label(theme::muted(ui, format!("entropy {:.2} and {:.2} bits", entropy(mine), entropy(other))));
    if let Some(difference) = other_classes(ours, theirs) {
        let words = format!("The two models know other classes ({difference}), so {}'s answer stands by itself.", rival.name);
        ui.label(RichText::new(words).color(palette.warn));
        for (name, classes, probabilities) in [("this model", ours, mine), (rival.name.as_str(), theirs, other)] {
            let mut bars: Vec<(String, f32)> = classes.iter().cloned().zip(probabilities.iter().copied()).collect();
            bars.sort_by(|a, b| b.1.total_cmp(&a.1));
            ui.label(theme::muted(ui, name));
            probability_bars::show(ui, &bars);
        }
    } else {
        let row = |class: usize| (ours[class].as_str(), [mine[class], other[class]]);
        let rows: Vec<(&str, [f32; 2])> = explainer.ranking().into_iter().map(row).collect();
        probability_bars::show_pairs(ui, ["this model", &rival.name], &rows);
    }
    true
}

/// Bits.
fn entropy(probabilities: &[f32]) -> f32 {
    probabilities.iter().filter(|p| **p > 0.0).map(|p| -p * p.log2()).sum::<f32>().max(0.0)
}
