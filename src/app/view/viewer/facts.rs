//! What is known of a picture, beside it: label and tags to change, what the model says, the catalogue, its place on the sky.

use egui::{ComboBox, Grid, RichText, TextEdit, Ui};

use super::{FACTS_WIDTH, sky};
use crate::app::action::Action;
use crate::app::explored::Change;
use crate::app::state::{Data, Opened, State};
use crate::app::theme;
use crate::app::view::explore::part_name;
use crate::app::widget::{self, probability_bars};

/// The most probabilities that are shown.
const BARS: usize = 5;

/// Shows the column.
pub fn show(ui: &mut Ui, state: &State, data: &Data, opened: &Opened, tag: &mut String, actions: &mut Vec<Action>) {
    let index = opened.index;
    ui.set_width(FACTS_WIDTH);
    ui.heading(&data.set.classes[state.explore.label(data, index) as usize]);
    ui.label(theme::muted(ui, format!("Image {index} of {}", data.set.name)));
    ui.add_space(theme::GAP);
    marks(ui, state, data, index, tag, actions);
    ui.add_space(theme::GAP);
    Grid::new("facts").num_columns(2).spacing([18.0, 5.0]).show(ui, |ui| {
        for (name, value) in rows(data, opened) {
            ui.label(theme::muted(ui, name));
            ui.add(egui::Label::new(&value).truncate()).on_hover_text(&value);
            ui.end_row();
        }
    });
    position(ui, data, index);
    answer(ui, state, data, index);
}

/// The label and the tags.
fn marks(ui: &mut Ui, state: &State, data: &Data, index: usize, tag: &mut String, actions: &mut Vec<Action>) {
    let explore = &state.explore;
    let Some(marked) = &explore.marked else {
        ui.label(theme::muted(ui, "Your labels and tags are being read."));
        return;
    };
    let classes = &data.set.classes;
    let (label, original) = (explore.label(data, index), data.set.labels[index]);
    ui.horizontal(|ui| {
        ui.label(theme::muted(ui, "Label"));
        let combo = ComboBox::from_id_salt("relabel").width(170.0).truncate().selected_text(&classes[label as usize]);
        let response = combo.show_ui(ui, |ui| {
            for (class, name) in (0..).zip(classes) {
                let key = if class < 10 { format!("{class}  {name}") } else { format!("    {name}") };
                if ui.selectable_label(class == label, key).clicked() {
                    actions.push(Action::Explore(Change::Relabel(index, class)));
                }
            }
        });
        widget::name(ui, &response.response, egui::Role::ComboBox, "Your label");
        if ui
            .add_enabled(marked.marks.can_undo(), egui::Button::new("Undo mark"))
            .on_hover_text("Take the last label or tag back (U)")
            .clicked()
        {
            actions.push(Action::Explore(Change::Undo));
        }
    });
    if label != original {
        let palette = theme::palette(ui.visuals());
        ui.label(RichText::new(format!("The data set says {}", classes[original as usize])).color(palette.warn));
    }
    ui.horizontal_wrapped(|ui| {
        for tag in marked.marks.tags(index) {
            let button = ui.button(format!("{tag} ✖"));
            widget::name(ui, &button, egui::Role::Button, &format!("Take tag {tag} away"));
            if button.clicked() {
                actions.push(Action::Explore(Change::Tag(index, tag.to_owned())));
            }
        }
        let response = ui.add(TextEdit::singleline(tag).hint_text("tag").desired_width(90.0));
        widget::name(ui, &response, egui::Role::TextInput, "Tag");
        if ui.button("Tag").on_hover_text("Give or take this tag (T)").clicked() {
            actions.push(Action::Explore(Change::Tag(index, tag.clone())));
        }
    });
    if let Some(place) = &marked.place {
        let path = place.display().to_string();
        ui.add(egui::Label::new(theme::muted(ui, "Kept beside the data, never in it").small())).on_hover_text(path);
    }
}

fn rows(data: &Data, opened: &Opened) -> Vec<(&'static str, String)> {
    let index = opened.index;
    let mut rows: Vec<_> = data.set.file_name(index).map(|name| ("File", name)).into_iter().collect();
    rows.push(("Part", part_name(data.parts[index]).to_owned()));
    if let Some(Ok(picture)) = &opened.picture {
        rows.push(("Size", format!("{} x {} px", picture.image.width(), picture.image.height())));
    }
    let catalogue = &data.set.catalogue;
    let mut known = |name, column: &[f64], write: &dyn Fn(f64) -> String| {
        if let Some(&value) = column.get(index).filter(|value| value.is_finite()) {
            rows.push((name, write(value)));
        }
    };
    known("Right ascension", &catalogue.ra, &|v| format!("{v:.5}°"));
    known("Declination", &catalogue.dec, &|v| format!("{v:+.5}°"));
    known("Redshift", &catalogue.redshift, &|v| format!("{v:.4}"));
    known("Pixel scale", &catalogue.pxscale, &|v| format!("{v:.3} arcsec/px"));
    rows
}

/// Copying the position, and other services about it.
fn position(ui: &mut Ui, data: &Data, index: usize) {
    let catalogue = &data.set.catalogue;
    let known = |column: &[f64]| column.get(index).copied().filter(|v| v.is_finite());
    if let (Some(ra), Some(dec)) = (known(&catalogue.ra), known(&catalogue.dec)) {
        let text = sky::position(ra, dec);
        if ui.button("Copy position").on_hover_text(format!("{text} (degrees, J2000)")).clicked() {
            ui.ctx().copy_text(text);
        }
        if data.key.synthetic.is_some() {
            ui.label(theme::muted(ui, "A drawn galaxy: nothing is at its position on the sky.").small());
        } else {
            ui.horizontal(|ui| {
                ui.label(theme::muted(ui, "See it in"));
                for (name, address) in sky::links(ra, dec) {
                    ui.hyperlink_to(name, &address).on_hover_text(address);
                }
            });
        }
    }
    if known(&catalogue.redshift).is_some() && known(&catalogue.pxscale).is_some() {
        ui.label(theme::muted(ui, sky::ScaleBar::cosmology()).small());
    }
}

/// What the model says, if it went through this picture.
fn answer(ui: &mut Ui, state: &State, data: &Data, index: usize) {
    let explore = &state.explore;
    let Some((predictions, row)) = explore.predictions.as_ref().and_then(|p| Some((p, p.row(index)?))) else { return };
    ui.add_space(theme::GAP);
    let palette = theme::palette(ui.visuals());
    let right = predictions.class(index) == Some(explore.label(data, index));
    let (word, colour) = if right { ("right", palette.good) } else { ("not its label", palette.warn) };
    ui.horizontal(|ui| {
        ui.label(theme::muted(ui, "The model says"));
        ui.label(RichText::new(word).color(colour));
    });
    let mut named: Vec<(String, f32)> = data.set.classes.iter().cloned().zip(row.iter().copied()).collect();
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    named.truncate(BARS);
    probability_bars::show(ui, &named);
}
