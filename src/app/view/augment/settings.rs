//! The settings of the lab: the preset, and every step of the augmentation with its switch and range. They are those of the Train
//! panel's form, so what is seen here is what training takes.

use egui::{RichText, Ui};

use super::presets::{self, Names};
use crate::app::action::Action;
use crate::app::state::State;
use crate::app::theme;
use crate::app::view::train::form::{Form, group};
use crate::augment::Rotation;
use crate::train::Config;

/// Shows the settings.
pub fn show(ui: &mut Ui, state: &State, names: &mut Names, actions: &mut Vec<Action>) {
    let mut config = state.config.clone();
    presets::choice(ui, &mut config.augmentation, &state.presets, "lab preset");
    in_use(ui, state);
    presets::keep(ui, state, names, actions);
    ui.separator();
    let form = Form::of(&config);
    steps(ui, &form, &mut config);
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

fn steps(ui: &mut Ui, form: &Form, config: &mut Config) {
    let (d, a) = (&form.default.augmentation, &mut config.augmentation);
    group(ui, "Crop", true, |ui| {
        form.share(ui, "crop_height", &mut a.crop_height, d.crop_height, 0.1..=1.0);
        form.share(ui, "crop_width", &mut a.crop_width, d.crop_width, 0.1..=1.0);
    });
    group(ui, "Colour", true, |ui| {
        form.share(ui, "brightness", &mut a.brightness, d.brightness, 0.0..=1.0);
        form.share(ui, "contrast", &mut a.contrast, d.contrast, 0.0..=1.0);
        form.share(ui, "saturation", &mut a.saturation, d.saturation, 0.0..=1.0);
        form.share(ui, "hue", &mut a.hue, d.hue, 0.0..=0.5);
        form.share(ui, "dimming", &mut a.dimming, d.dimming, 0.0..=0.99);
    });
    group(ui, "Blur", true, |ui| {
        form.share(ui, "blur", &mut a.blur, d.blur, 0.0..=5.0);
        // the least that means anything; below it the slider is at its off end
        if a.blur > 0.0 && a.blur < 0.1 {
            a.blur = if a.blur < 0.05 { 0.0 } else { 0.1 };
        }
        if a.blur > 0.0 {
            form.count(ui, "blur_kernel", &mut a.blur_kernel, d.blur_kernel, " px");
        }
    });
    group(ui, "Geometry", true, |ui| {
        form.switch(ui, "flip", &mut a.flip, d.flip, "left to right");
        form.choice(ui, "rotation", &mut a.rotation, d.rotation);
        if a.rotation == Rotation::Any {
            form.share(ui, "max_angle", &mut a.max_angle, d.max_angle, 1.0..=360.0);
        }
        form.share(ui, "zoom", &mut a.zoom, d.zoom, 0.0..=1.0);
        form.share(ui, "shift", &mut a.shift, d.shift, 0.0..=0.5);
        form.choice(ui, "border", &mut a.border, d.border);
    });
    group(ui, "Noise and erasing", true, |ui| {
        form.share(ui, "noise", &mut a.noise, d.noise, 0.0..=0.2);
        form.share(ui, "erase", &mut a.erase, d.erase, 0.0..=1.0);
    });
    group(ui, "Mixing within a batch", true, |ui| {
        form.share(ui, "mixup", &mut a.mixup, d.mixup, 0.0..=2.0);
        form.share(ui, "cutmix", &mut a.cutmix, d.cutmix, 0.0..=2.0);
    });
}
