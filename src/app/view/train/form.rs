//! The fields of a run's configuration, in groups. The first groups are open at first; most users need no more.

use egui::{CollapsingHeader, DragValue, Response, RichText, Slider, Ui};

use super::choice::{self, Choice};
use super::field::{self, Field};
use crate::app::action::Action;
use crate::app::lab::LabAction;
use crate::app::state::State;
use crate::app::view::augment;
use crate::app::{fields, theme};
use crate::train::{Config, ConfigError, LossKind, OptimizerKind, ScheduleKind};

/// Shows the form and changes `config`.
pub fn show(ui: &mut Ui, state: &State, config: &mut Config, actions: &mut Vec<Action>) {
    let form = Form::of(config);
    group(ui, "Network", true, |ui| form.network(ui, config));
    group(ui, "Steps", true, |ui| form.steps(ui, config));
    group(ui, "Loss", true, |ui| form.loss(ui, config));
    group(ui, "Against learning by heart", false, |ui| form.regularisation(ui, config));
    group(ui, "Augmentation", true, |ui| Form::preset(ui, state, config, actions));
    group(ui, "Machine and seeds", false, |ui| form.machine(ui, config));
    ui.add_space(theme::GAP);
    let changed = Config { data: config.data.clone(), ..form.default.clone() } != *config;
    if ui.add_enabled(changed, egui::Button::new("Reset all to defaults")).clicked() {
        *config = Config { data: config.data.clone(), ..form.default };
    }
}

fn group(ui: &mut Ui, title: &str, open: bool, contents: impl FnOnce(&mut Ui)) {
    CollapsingHeader::new(RichText::new(title).strong()).default_open(open).show_unindented(ui, |ui| {
        contents(ui);
        ui.add_space(theme::GAP);
    });
}

/// What the fields need besides their values.
pub struct Form {
    errors: Vec<ConfigError>,
    /// What the fields are by default.
    pub default: Config,
}

impl Form {
    /// The form of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { errors: config.errors(), default: Config::default() }
    }

    fn network(&self, ui: &mut Ui, c: &mut Config) {
        let d = &self.default;
        self.choice(ui, "model", &mut c.model, d.model);
        self.count(ui, "width", &mut c.width, d.width, " filters");
        self.count(ui, "size", &mut c.size, d.size, " px");
        self.choice(ui, "fit", &mut c.fit, d.fit);
        self.count(ui, "epochs", &mut c.epochs, d.epochs, "");
        self.count(ui, "batch", &mut c.batch, d.batch, "");
    }

    fn steps(&self, ui: &mut Ui, c: &mut Config) {
        let d = &self.default;
        Field::new("lr", &mut c.lr, d.lr, decimal(d.lr)).show(ui, &self.errors, |ui, value| {
            ui.spacing_mut().slider_width = (ui.available_width() - 104.0).clamp(30.0, 140.0);
            let slider = Slider::new(value, 1e-6..=1.0).logarithmic(true).clamping(egui::SliderClamping::Never);
            ui.add(slider.custom_formatter(|v, _| decimal(v)))
        });
        self.choice(ui, "optimizer", &mut c.optimizer, d.optimizer);
        if c.optimizer == OptimizerKind::Sgd {
            self.real(ui, "momentum", &mut c.momentum, d.momentum, 0.005);
        }
        self.choice(ui, "schedule", &mut c.schedule, d.schedule);
        if c.schedule == ScheduleKind::OneCycle {
            self.switch(ui, "cycle_momentum", &mut c.cycle_momentum, d.cycle_momentum, "0.95 to 0.85");
        }
        self.real(ui, "weight_decay", &mut c.weight_decay, d.weight_decay, 1e-4);
        self.real(ui, "clip", &mut c.clip, d.clip, 0.05);
    }

    fn loss(&self, ui: &mut Ui, c: &mut Config) {
        let d = &self.default;
        self.choice(ui, "loss", &mut c.loss, d.loss);
        if c.loss == LossKind::Focal {
            self.real(ui, "beta", &mut c.beta, d.beta, 1e-3);
            self.real(ui, "gamma", &mut c.gamma, d.gamma, 0.01);
        }
        self.real(ui, "label_smoothing", &mut c.label_smoothing, d.label_smoothing, 1e-3);
    }

    fn regularisation(&self, ui: &mut Ui, c: &mut Config) {
        let d = &self.default;
        self.real(ui, "dropout", &mut c.dropout, d.dropout, 5e-3);
        self.count(ui, "patience", &mut c.patience, d.patience, " epochs");
        self.real(ui, "min_delta", &mut c.min_delta, d.min_delta, 1e-4);
        self.choice(ui, "best_by", &mut c.best_by, d.best_by);
        self.count(ui, "snapshots", &mut c.snapshots, d.snapshots, " epochs");
    }

    /// Which preset the run takes; the details are in the lab.
    fn preset(ui: &mut Ui, state: &State, c: &mut Config, actions: &mut Vec<Action>) {
        augment::presets::choice(ui, &mut c.augmentation, &state.presets, "training preset");
        let wrong = c.augmentation.errors();
        for (field, message) in &wrong {
            field::message(ui, &format!("{}: {message}", fields::about(field).label));
        }
        let open = ui.button("Open the lab").on_hover_text("See and change what augmentation does to each galaxy");
        if open.clicked() {
            actions.push(Action::Lab(LabAction::Open(state.lab.index)));
        }
    }

    /// A slider; numbers beyond it can be typed.
    pub fn share(&self, ui: &mut Ui, key: &'static str, value: &mut f64, default: f64, range: std::ops::RangeInclusive<f64>) {
        Field::new(key, value, default, decimal(default)).show(ui, &self.errors, |ui, value| {
            ui.spacing_mut().slider_width = (ui.available_width() - 104.0).clamp(30.0, 140.0);
            let slider = Slider::new(value, range).clamping(egui::SliderClamping::Never);
            ui.add(slider.custom_formatter(|v, _| decimal(v)))
        });
    }

    fn machine(&self, ui: &mut Ui, c: &mut Config) {
        let d = &self.default;
        self.choice(ui, "device", &mut c.device, d.device);
        self.choice(ui, "precision", &mut c.precision, d.precision);
        self.count(ui, "threads", &mut c.threads, d.threads, "");
        self.seed(ui, "seed", &mut c.seed, d.seed);
        self.seed(ui, "split_seed", &mut c.split_seed, d.split_seed);
    }

    /// A value out of a few.
    pub fn choice<T: Choice>(&self, ui: &mut Ui, key: &'static str, value: &mut T, default: T) {
        Field::new(key, value, default, default.name()).show(ui, &self.errors, |ui, value| choice::show(ui, key, value));
    }

    /// On or off.
    pub fn switch(&self, ui: &mut Ui, key: &'static str, value: &mut bool, default: bool, meaning: &str) {
        let words = if default { "on" } else { "off" };
        Field::new(key, value, default, words).show(ui, &self.errors, |ui, value| ui.checkbox(value, meaning));
    }

    /// A whole number.
    pub fn count(&self, ui: &mut Ui, key: &'static str, value: &mut usize, default: usize, unit: &str) {
        Field::new(key, value, default, format!("{default}{unit}"))
            .show(ui, &self.errors, |ui, value| number(ui, DragValue::new(value).speed(0.2).suffix(unit.to_owned())));
    }

    /// A seed.
    pub fn seed(&self, ui: &mut Ui, key: &'static str, value: &mut u64, default: u64) {
        Field::new(key, value, default, default.to_string())
            .show(ui, &self.errors, |ui, value| number(ui, DragValue::new(value).speed(0.2)));
    }

    /// A number.
    pub fn real(&self, ui: &mut Ui, key: &'static str, value: &mut f64, default: f64, speed: f64) {
        Field::new(key, value, default, decimal(default))
            .show(ui, &self.errors, |ui, value| number(ui, DragValue::new(value).speed(speed).custom_formatter(|v, _| decimal(v))));
    }
}

/// The number of synthetic images; it stands with the data set.
pub fn synthetic_images(ui: &mut Ui, config: &mut Config) {
    let form = Form::of(config);
    form.count(ui, "synthetic_images", &mut config.synthetic_images, form.default.synthetic_images, "");
}

fn number(ui: &mut Ui, field: DragValue<'_>) -> Response {
    // what was typed counts when the field is left, so that no run can start with half a number
    ui.add_sized([theme::NUMBER_WIDTH, ui.spacing().interact_size.y], field.update_while_editing(false))
}

/// A number with as many places as it has, and no more than six signs.
#[must_use]
pub fn decimal(v: f64) -> String {
    if v != 0.0 && v.is_finite() && v.abs() < 1e-3 {
        let text = format!("{v:.2e}");
        return text.replace(".00e", "e").replace("0e", "e");
    }
    let text = format!("{v:.4}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn numbers_are_written_short_and_read_back() {
        for (value, text) in [(3e-3, "0.003"), (5e-4, "5e-4"), (0.0, "0"), (1.0, "1"), (0.931, "0.931"), (1.5e-5, "1.5e-5"), (10.0, "10")] {
            assert_eq!(decimal(value), text);
            assert!((text.parse::<f64>().expect("a number") - value).abs() < 1e-12);
        }
    }
}
