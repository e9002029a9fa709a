//! What stands above the grid: the filter, what it came to, and the controls that write words into it.

use egui::text::{LayoutJob, TextFormat};
use egui::{ComboBox, FontId, RichText, Slider, TextEdit, Ui};

use super::PARTS;
use crate::app::action::Action;
use crate::app::explored::{Change, Explored, Shown};
use crate::app::reviewed::SESSION;
use crate::app::state::{Data, State};
use crate::app::theme;
use crate::app::view::{map_button, words};
use crate::app::widget;
use crate::data::query::{Query, SortKey};
use crate::review::answered_epochs;

/// An example for every kind of word.
const HELP: &str = "Words apart by blanks; a picture must pass all of them. ! turns a word round.\n\n\
    class:5  class:\"Barred Spiral\"  class:5,6\n\
    split:test  (train, valid, none)\n\
    pred:5  right  wrong\n\
    conf>0.9  margin<0.1  loss>2\n\
    redshift<0.1  ra:150..152  dec:-1..1  pxscale>0.2\n\
    image:0..99  file:587722  original:5\n\
    relabelled  tagged  tag:merger\n\
    sort:redshift  sort:-loss  (- the largest first)";

/// Width of these examples, pixels.
const HELP_WIDTH: f32 = 420.0;

/// How many pictures there are.
pub fn count(ui: &mut Ui, explored: &Explored, data: &Data) {
    let text = format!("{} of {}", words::thousands(explored.selection.places.len()), words::thousands(data.set.len()));
    ui.label(theme::muted(ui, text));
    if let (Some(_), Some(predictions)) = (explored.answers_of, &explored.predictions) {
        let (answered, origin) = (words::thousands(predictions.count()), predictions.origin());
        let about =
            format!("{origin}: the other pictures are in parts that this epoch was not evaluated on, and pass no word about answers");
        ui.label(theme::muted(ui, format!("{answered} have an answer"))).on_hover_text(about);
    }
    if explored.selection.working {
        ui.spinner();
    }
}

/// Says which list is shown instead of all pictures, with a button that puts it away.
pub fn chip(ui: &mut Ui, shown: &Shown, actions: &mut Vec<Action>) {
    let palette = theme::palette(ui.visuals());
    theme::badge_frame(&palette).fill(palette.accent_fill).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add(egui::Label::new(RichText::new(&shown.title).color(palette.on_accent)).truncate());
            let close = ui.add(egui::Button::new(RichText::new("✖").color(palette.on_accent)).frame(false));
            widget::name(ui, &close, egui::Role::Button, "Show all pictures again");
            if close.clicked() {
                actions.push(Action::Explore(Change::CloseShown));
            }
        });
    });
}

/// The field of the filter, with what is wrong with it below.
pub fn filter(ui: &mut Ui, explored: &Explored, actions: &mut Vec<Action>) {
    let mut text = explored.query.clone();
    ui.horizontal(|ui| {
        let buttons = if text.is_empty() { 26.0 } else { 52.0 };
        let error = explored.selection.error.clone();
        let mut layout = |ui: &Ui, buffer: &dyn egui::TextBuffer, _: f32| {
            let job = coloured(ui, buffer.as_str(), error.as_ref().map(|error| error.span.clone()));
            ui.fonts_mut(|fonts| fonts.layout_job(job))
        };
        let field = TextEdit::singleline(&mut text)
            .hint_text("Filter: class:5 split:test wrong conf>0.9")
            .desired_width(ui.available_width() - buttons)
            .layouter(&mut layout);
        let response = ui.add(field);
        widget::name(ui, &response, egui::Role::TextInput, "Filter");
        if !explored.query.is_empty() && theme::icon_button(ui, "✖", "Clear the filter").clicked() {
            text.clear();
        }
        let button = theme::icon_button(ui, "?", "Words of a filter");
        let words = |ui: &mut Ui| {
            ui.set_max_width(HELP_WIDTH);
            ui.label(RichText::new(HELP).monospace());
        };
        if egui::Popup::from_toggle_button_response(&button).width(HELP_WIDTH).show(words).is_none() {
            button.on_hover_ui(words);
        }
    });
    if text != explored.query {
        actions.push(Action::Explore(Change::Filter(text)));
    }
    if let Some(error) = &explored.selection.error {
        let palette = theme::palette(ui.visuals());
        ui.label(RichText::new(&error.message).color(palette.bad));
    }
}

/// The text with the word that is wrong in red.
fn coloured(ui: &Ui, text: &str, wrong: Option<std::ops::Range<usize>>) -> LayoutJob {
    let palette = theme::palette(ui.visuals());
    let font = FontId::proportional(13.0);
    let plain = TextFormat::simple(font, palette.text);
    let red = TextFormat { color: palette.bad, underline: egui::Stroke::new(1.0, palette.bad), ..plain.clone() };
    let mut job = LayoutJob::default();
    let wrong = wrong.filter(|span| text.get(span.clone()).is_some()).unwrap_or(text.len()..text.len());
    job.append(&text[..wrong.start], 0.0, plain.clone());
    job.append(&text[wrong.clone()], 0.0, red);
    job.append(&text[wrong.end..], 0.0, plain);
    job
}

/// A button that lets the loaded model go through the pictures, or how far it is.
pub fn classify(ui: &mut Ui, state: &State, data: &Data, actions: &mut Vec<Action>) {
    if let Some(progress) = &state.explore.reading {
        ui.add(egui::ProgressBar::new(progress.share()).desired_width(80.0).text(format!("{:.0} %", 100.0 * progress.share())));
        if ui.button("Stop").on_hover_text("What is classified so far stays").clicked() {
            actions.push(Action::Explore(Change::StopClassifying));
        }
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(200));
        return;
    }
    let known = state.explore.predictions.as_ref().map_or(0, |predictions| predictions.count());
    let same = match (&state.explore.read, &state.model.classifier) {
        (Some(read), Some(model)) => std::sync::Arc::ptr_eq(&read.model, model),
        _ => false,
    };
    if same && state.explore.answers_of.is_none() && known == data.set.len() {
        return;
    }
    let model = state.model.classifier.is_some();
    let response = ui.add_enabled(model, egui::Button::new("Classify pictures"));
    let response = response.on_hover_text(format!(
        "Lets the model ({}) go through all pictures; then they can be filtered and ordered by its answers",
        state.model.description
    ));
    if response.on_disabled_hover_text("Train a model or load one on the Classify panel first").clicked() {
        actions.push(Action::Explore(Change::Classify));
    }
}

/// Whose answers the words about answers mean: the model that went through the pictures, or a run of this data set at an epoch.
pub fn answers(ui: &mut Ui, state: &State, data: &Data, actions: &mut Vec<Action>) {
    let review = &state.review;
    let all = std::iter::once(SESSION).chain(review.opened.iter().map(|opened| opened.id));
    let runs: Vec<(u64, Vec<usize>)> = all
        .filter(|run| review.is_data_of(*run, data))
        .filter_map(|run| Some((run, answered_epochs(review.record(run)?))))
        .filter(|(_, epochs)| !epochs.is_empty())
        .collect();
    let chosen = state.explore.answers_of;
    if runs.is_empty() && chosen.is_none() {
        return;
    }
    let name = |run: u64| review.record(run).map_or("a run that was put away", |record| record.name.as_str());
    let mut wanted = chosen;
    let text = chosen.map_or("The model", |(run, _)| name(run));
    let combo = ComboBox::from_id_salt("answers of").width(110.0).truncate().selected_text(text);
    let response = combo.show_ui(ui, |ui| {
        if ui.selectable_label(chosen.is_none(), "The model").clicked() {
            wanted = None;
        }
        for (run, epochs) in &runs {
            if ui.selectable_label(chosen.is_some_and(|(of, _)| of == *run), name(*run)).clicked() {
                let best = review.record(*run).and_then(|record| record.best_epoch()).filter(|best| epochs.contains(best));
                wanted = best.or(epochs.last().copied()).map(|epoch| (*run, epoch));
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Answers of");
    response.response.on_hover_text("Whose answers pred, right, wrong, conf, margin and loss mean");
    if let Some((run, epoch)) = chosen {
        let epochs = runs.iter().find(|(of, _)| *of == run).map_or(&[][..], |(_, epochs)| epochs);
        let combo = ComboBox::from_id_salt("epoch of the answers").width(70.0).selected_text(format!("epoch {epoch}"));
        let response = combo.show_ui(ui, |ui| {
            for &other in epochs {
                if ui.selectable_label(other == epoch, format!("epoch {other}")).clicked() {
                    wanted = Some((run, other));
                }
            }
        });
        widget::name(ui, &response.response, egui::Role::ComboBox, "Epoch of the answers");
    }
    if wanted != chosen {
        actions.push(Action::Explore(Change::Answers(wanted)));
    }
}

/// Class, part and order as choices; they write words into the filter. Then the size of the pictures, and more.
pub fn controls(ui: &mut Ui, state: &State, data: &Data, side: &mut f32, export: &mut bool, actions: &mut Vec<Action>) {
    // a filter that is being written is not to be changed from here
    let explored = &state.explore;
    let query = Query::parse(&explored.query).ok();
    ui.horizontal_wrapped(|ui| {
        ui.add_enabled_ui(query.is_some(), |ui| {
            let query = query.unwrap_or_default();
            let mut write = |key: &str, value: Option<&str>| actions.push(Action::Explore(Change::Filter(query.with(key, value))));
            class(ui, data, &query, &mut write);
            part(ui, &query, &mut write);
            order(ui, &query, &mut write);
        });
        answers(ui, state, data, actions);
        let label = ui.label(theme::muted(ui, "Size"));
        ui.spacing_mut().slider_width = 60.0;
        ui.add(Slider::new(side, theme::THUMBNAIL_RANGE).show_value(false)).labelled_by(label.id).on_hover_text("Size of the pictures");
        if ui.button("Export…").on_hover_text("Write these pictures or your labels as a table").clicked() {
            *export = true;
        }
        map_button::show(ui, state, &explored.selection.places, actions);
    });
}

fn class(ui: &mut Ui, data: &Data, query: &Query, write: &mut dyn FnMut(&str, Option<&str>)) {
    let chosen = query.value("class");
    let classes = &data.set.classes;
    let place = chosen.as_ref().and_then(|value| {
        classes
            .iter()
            .position(|name| name.eq_ignore_ascii_case(value))
            .or_else(|| value.parse().ok().filter(|&n: &usize| n < classes.len()))
    });
    let text = match (&chosen, place) {
        (None, _) => "All classes",
        (Some(_), Some(place)) => &classes[place],
        (Some(value), None) => value,
    };
    let combo = ComboBox::from_id_salt("class filter").width(110.0).truncate().selected_text(text);
    let response = combo.show_ui(ui, |ui| {
        if ui.selectable_label(chosen.is_none(), "All classes").clicked() {
            write("class", None);
        }
        for (label, name) in classes.iter().enumerate() {
            if ui.selectable_label(place == Some(label), name).clicked() {
                // a name with quotes in it cannot be written; its number can
                let number = label.to_string();
                write("class", Some(if name.contains('"') { &number } else { name }));
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Class filter");
}

fn part(ui: &mut Ui, query: &Query, write: &mut dyn FnMut(&str, Option<&str>)) {
    let chosen = query.value("split");
    let place = PARTS.iter().position(|(part, _)| Some(part.name()) == chosen.as_deref());
    let text = place.map_or(chosen.as_deref().unwrap_or("All parts"), |place| PARTS[place].1);
    let combo = ComboBox::from_id_salt("part filter").width(80.0).truncate().selected_text(text);
    let response = combo.show_ui(ui, |ui| {
        if ui.selectable_label(chosen.is_none(), "All parts").clicked() {
            write("split", None);
        }
        for (part, name) in PARTS {
            if ui.selectable_label(chosen.as_deref() == Some(part.name()), name).clicked() {
                write("split", Some(part.name()));
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Part filter");
}

fn order(ui: &mut Ui, query: &Query, write: &mut dyn FnMut(&str, Option<&str>)) {
    let sort = query.sort();
    let title = |key: SortKey| match key.name() {
        "image" => "by number",
        "class" => "by class",
        "pred" => "by answer",
        "split" => "by part",
        "conf" => "by confidence",
        "margin" => "by margin",
        "loss" => "by loss",
        "redshift" => "by redshift",
        "ra" => "by RA",
        "dec" => "by Dec",
        _ => "by pixel scale",
    };
    let combo = ComboBox::from_id_salt("order").width(100.0).selected_text(title(sort.map_or(SortKey::ALL[0], |sort| sort.key)));
    let response = combo.show_ui(ui, |ui| {
        for key in SortKey::ALL {
            if ui.selectable_label(sort.is_some_and(|sort| sort.key == key), title(key)).clicked() {
                write("sort", Some(key.name()));
            }
        }
    });
    widget::name(ui, &response.response, egui::Role::ComboBox, "Order");
    let descending = sort.is_some_and(|sort| sort.descending);
    let (sign, label) = if descending { ("⬇", "Largest first") } else { ("⬆", "Smallest first") };
    if theme::icon_button(ui, sign, label).on_hover_text("The other way round").clicked() {
        let name = sort.map_or("image", |sort| sort.key.name());
        write("sort", Some(&if descending { name.to_owned() } else { format!("-{name}") }));
    }
}
