//! The settings of the lab: the preset, and every step of the augmentation with its switch and range. They are those of the Train
//! panel's form, so what is seen here is what training takes.

use egui::collapsing_header::CollapsingState;
use egui::{RichText, Ui, WidgetInfo};

use super::presets::{self, Names};
use crate::app::action::Action;
use crate::app::state::State;
use crate::app::view::train::form::Form;
use crate::app::{theme, widget};
use crate::augment::{Augmentation, Rotation, Section};
use crate::train::Config;

/// Shows the settings.
pub fn show(ui: &mut Ui, state: &State, names: &mut Names, switched: &mut Switched, actions: &mut Vec<Action>) {
    let mut config = state.config.clone();
    presets::choice(ui, &mut config.augmentation, &state.presets, "lab preset");
    in_use(ui, state);
    presets::keep(ui, state, names, actions);
    ui.separator();
    let form = Form::of(&config);
    steps(ui, &form, switched, &mut config);
    if config != state.config {
        actions.push(Action::Configure(Box::new(config)));
    }
}

/// Says what training takes.
fn in_use(ui: &mut Ui, state: &State) {
    let name = presets::title(&state.config.augmentation, &state.presets);
    ui.label(RichText::new(format!("Start trains with this: {name}")).strong());
    if let Some(run) = state.run.as_ref().filter(|run| !run.is_over() && run.config.augmentation != state.config.augmentation) {
        let now = presets::title(&run.config.augmentation, &state.presets);
        ui.label(theme::muted(ui, format!("The run that is going on keeps what it was started with: {now}")));
    }
}

/// What switched sections were set to, to be switched on again.
#[derive(Clone, Debug, Default)]
pub struct Switched([Option<Augmentation>; Section::ALL.len()]);

/// A section's title.
fn title(section: Section) -> &'static str {
    match section {
        Section::Crop => "Crop",
        Section::Colour => "Colour",
        Section::Blur => "Blur",
        Section::Geometry => "Geometry",
        Section::Finish => "Noise and erasing",
        Section::Mixing => "Mixing within a batch",
    }
}

fn steps(ui: &mut Ui, form: &Form, switched: &mut Switched, config: &mut Config) {
    for (section, kept) in Section::ALL.into_iter().zip(&mut switched.0) {
        let title = title(section);
        let id = ui.make_persistent_id(("section", title));
        let state = CollapsingState::load_with_default_open(ui.ctx(), id, true);
        let header = state.show_header(ui, |ui| {
            ui.strong(title);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                switch(ui, section, title, kept, &mut config.augmentation);
            });
        });
        let (toggle, ..) = header.body_unindented(|ui| {
            fields(ui, form, section, &mut config.augmentation);
            ui.add_space(theme::GAP);
        });
        widget::name(ui, &toggle, egui::Role::Button, &format!("Show or hide {title}"));
    }
}

/// Switches a section off, and on again as it was.
fn switch(ui: &mut Ui, section: Section, title: &str, kept: &mut Option<Augmentation>, augmentation: &mut Augmentation) {
    let mut on = section.is_on(augmentation);
    let response = ui.checkbox(&mut on, "");
    let enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::selected(egui::Role::CheckBox, enabled, on, format!("{title} on")));
    if response.on_hover_text(if on { "Switch this off" } else { "Switch this on" }).changed() {
        if on {
            section.copy(&kept.unwrap_or_else(|| section.usual()), augmentation);
        } else {
            *kept = Some(*augmentation);
            section.switch_off(augmentation);
        }
    }
}

fn fields(ui: &mut Ui, form: &Form, section: Section, a: &mut Augmentation) {
    let d = &form.default.augmentation;
    match section {
        Section::Crop => {
            form.share(ui, "crop_height", &mut a.crop_height, d.crop_height, 0.1..=1.0);
            form.share(ui, "crop_width", &mut a.crop_width, d.crop_width, 0.1..=1.0);
        }
        Section::Colour => {
            form.share(ui, "brightness", &mut a.brightness, d.brightness, 0.0..=1.0);
            form.share(ui, "contrast", &mut a.contrast, d.contrast, 0.0..=1.0);
            form.share(ui, "saturation", &mut a.saturation, d.saturation, 0.0..=1.0);
            form.share(ui, "hue", &mut a.hue, d.hue, 0.0..=0.5);
            form.share(ui, "dimming", &mut a.dimming, d.dimming, 0.0..=0.99);
        }
        Section::Blur => {
            form.share(ui, "blur", &mut a.blur, d.blur, 0.0..=5.0);
            // between off and the least that means anything, a slider goes to the nearer one
            if a.blur > 0.0 && a.blur < 0.1 {
                a.blur = if a.blur < 0.05 { 0.0 } else { 0.1 };
            }
            if a.blur > 0.0 {
                form.count(ui, "blur_kernel", &mut a.blur_kernel, d.blur_kernel, " px");
            }
        }
        Section::Geometry => {
            form.switch(ui, "flip", &mut a.flip, d.flip, "left to right");
            form.choice(ui, "rotation", &mut a.rotation, d.rotation);
            if a.rotation == Rotation::Any {
                form.share(ui, "max_angle", &mut a.max_angle, d.max_angle, 1.0..=360.0);
            }
            form.share(ui, "zoom", &mut a.zoom, d.zoom, 0.0..=1.0);
            form.share(ui, "shift", &mut a.shift, d.shift, 0.0..=0.5);
            form.choice(ui, "border", &mut a.border, d.border);
        }
        Section::Finish => {
            form.share(ui, "noise", &mut a.noise, d.noise, 0.0..=0.2);
            form.share(ui, "erase", &mut a.erase, d.erase, 0.0..=1.0);
        }
        Section::Mixing => {
            form.share(ui, "mixup", &mut a.mixup, d.mixup, 0.0..=2.0);
            form.share(ui, "cutmix", &mut a.cutmix, d.cutmix, 0.0..=2.0);
        }
    }
}
