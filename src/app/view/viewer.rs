//! A picture of the data set, large, with what is known of it.

use egui::{Context, Grid, Id, Image, Key, Modal, Ui, vec2};

use super::explore::part_name;
use crate::app::action::Action;
use crate::app::lab::LabAction;
use crate::app::state::{Data, Opened, State};
use crate::app::theme;

/// Shows the picture that is open; `places` is the order in which Left and Right go.
pub fn show(context: &Context, state: &State, places: &[usize], actions: &mut Vec<Action>) {
    let (Some(opened), Some(data)) = (&state.opened, &state.data) else { return };
    let place = places.iter().position(|&index| index == opened.index);
    let neighbour = |step: isize| place.and_then(|place| place.checked_add_signed(step)).and_then(|place| places.get(place)).copied();
    let (previous, next) = (neighbour(-1), neighbour(1));
    let frame = theme::sheet_frame(&theme::palette(&context.global_style().visuals));
    let modal = Modal::new(Id::unique("picture")).frame(frame).show(context, |ui| {
        let side = (context.content_rect().height() - 190.0).clamp(160.0, 560.0);
        ui.horizontal(|ui| {
            picture(ui, opened, side);
            ui.add_space(theme::SECTION_GAP);
            ui.vertical(|ui| facts(ui, data, opened));
        });
        ui.add_space(theme::SECTION_GAP);
        ui.horizontal(|ui| {
            for (target, label) in [(previous, "Previous"), (next, "Next")] {
                if ui.add_enabled(target.is_some(), egui::Button::new(label)).clicked()
                    && let Some(index) = target
                {
                    actions.push(Action::OpenPicture(index));
                }
            }
            if ui.button("Classify").on_hover_text("Ask the model what this is").clicked() {
                actions.push(Action::ClassifyImage(opened.index));
                actions.push(Action::ClosePicture);
            }
            if ui.button("To the lab").on_hover_text("See what augmentation makes of it").clicked() {
                actions.push(Action::ClosePicture);
                actions.push(Action::Lab(LabAction::Open(opened.index)));
            }
            if ui.button("Close").clicked() {
                actions.push(Action::ClosePicture);
            }
        });
    });
    for (key, target) in [(Key::ArrowLeft, previous), (Key::ArrowRight, next)] {
        if let Some(index) = target.filter(|_| context.input(|i| i.key_pressed(key))) {
            actions.push(Action::OpenPicture(index));
        }
    }
    if modal.should_close() {
        actions.push(Action::ClosePicture);
    }
}

fn picture(ui: &mut Ui, opened: &Opened, side: f32) {
    let size = vec2(side, side);
    match &opened.picture {
        Some(Ok(picture)) => {
            let alt = format!("image {} large", opened.index);
            ui.allocate_ui_with_layout(size, egui::Layout::centered_and_justified(egui::Direction::TopDown), |ui| {
                ui.add(Image::new(&picture.texture).fit_to_exact_size(size).maintain_aspect_ratio(true).alt_text(alt));
            });
        }
        Some(Err(message)) => {
            let palette = theme::palette(ui.visuals());
            ui.allocate_ui(size, |ui| ui.label(egui::RichText::new(message).color(palette.bad)));
        }
        None => {
            ui.allocate_ui_with_layout(size, egui::Layout::centered_and_justified(egui::Direction::TopDown), Ui::spinner);
        }
    }
}

fn facts(ui: &mut Ui, data: &Data, opened: &Opened) {
    let index = opened.index;
    ui.set_min_width(210.0);
    ui.heading(&data.set.classes[data.set.labels[index] as usize]);
    ui.label(theme::muted(ui, format!("Image {index} of {}", data.set.name)));
    ui.add_space(theme::GAP);
    let mut rows = vec![("Part", part_name(data.parts[index]).to_owned())];
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
    Grid::new("facts").num_columns(2).spacing([18.0, 5.0]).show(ui, |ui| {
        for (name, value) in rows {
            ui.label(theme::muted(ui, name));
            ui.label(value);
            ui.end_row();
        }
    });
}
