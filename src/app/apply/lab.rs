//! Actions on the augmentation lab, the user's presets, and the way back.

use std::sync::Arc;

use egui::{ColorImage, TextureHandle, TextureOptions};

use crate::app::lab::sheet::{self, Sheet, SheetKey};
use crate::app::lab::sweep::{self, ClassSurvey, Swept};
use crate::app::lab::{LabAction, Shown, Specimen};
use crate::app::layout::Pane;
use crate::app::presets::{Called, PresetAction, UserPreset, called, check_name};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::undo::Before;
use crate::app::{Action, TuningForkApp};
use crate::augment::Sweep;
use crate::imaging::Image;
use crate::train::Config;

impl TuningForkApp {
    pub(super) fn lab(&mut self, action: LabAction) {
        match action {
            LabAction::Galaxy(index) => self.state.lab.index = index,
            LabAction::Open(index) => {
                self.state.lab.index = index;
                self.apply(Action::Fill(Some(Pane::Augment)));
            }
            LabAction::Sheet(key) => self.make_sheet(*key),
            LabAction::Sweep(kind) => self.sweep(kind),
            LabAction::Survey(class) => self.survey(class),
            LabAction::Save(name, make) => {
                let path = self.runs_folder.join("exports").join(name);
                self.apply(Action::Review(crate::app::reviewed::Change::Save(path, make)));
            }
            LabAction::ForgetSurvey => {
                self.tasks.cancel(Kind::Survey);
                let microscope = &mut self.state.lab.microscope;
                (microscope.survey, microscope.surveyed, microscope.surveying) = (Vec::new(), None, None);
            }
        }
    }

    fn make_sheet(&mut self, key: SheetKey) {
        let Some(data) = self.state.data.as_ref().filter(|data| data.generation == key.data && key.index < data.set.len()) else { return };
        let (set, train) = (Arc::clone(&data.set), data.split.train.clone());
        let making = key.clone();
        if self.start_task(Kind::Sheet, move || Answer::Sheet(sheet::make(&set, train, key).map(Box::new))) {
            self.state.lab.making = Some(making);
        }
    }

    pub(super) fn take_sheet(&mut self, result: Result<Box<Sheet>, String>) {
        let Some(key) = self.state.lab.making.take() else { return };
        match result {
            Ok(sheet) => {
                let old = self.state.lab.sheet.take();
                let (draws, stages, seen) = old.map(|old| (old.draws, old.stages, old.seen)).unwrap_or_default();
                let shown = Shown {
                    draws: self.upload(draws, sheet.draws.iter().map(|drawn| &drawn.image)),
                    stages: self.upload(stages, sheet.stages.iter().map(|stage| &stage.image)),
                    seen: self.upload(seen, sheet.seen.images.iter()),
                    sheet: *sheet,
                };
                self.state.lab.sheet = Some(shown);
                self.state.lab.failed = None;
            }
            Err(message) => self.state.lab.failed = Some((key, message)),
        }
    }

    /// Puts pictures on the graphics card, in the place of `old` ones.
    fn upload<'a>(&self, old: Vec<TextureHandle>, images: impl Iterator<Item = &'a Image>) -> Vec<TextureHandle> {
        let mut old = old.into_iter();
        let put = |image: &Image| {
            let pixels = ColorImage::from_rgb([image.width(), image.height()], image.pixels());
            match old.next() {
                Some(mut texture) => {
                    texture.set(pixels, TextureOptions::NEAREST);
                    texture
                }
                None => self.context.load_texture("lab", pixels, TextureOptions::NEAREST),
            }
        };
        images.map(put).collect()
    }

    /// What the microscope would look at now.
    fn specimen(&self, index: Option<usize>) -> Option<Specimen> {
        let data = self.state.data.as_ref()?;
        Some(Specimen { classifier: self.state.model.classifier.clone()?, data: data.generation, index })
    }

    fn sweep(&mut self, kind: Sweep) {
        let Some(data) = &self.state.data else { return };
        let index = self.state.lab.index.min(data.set.len().saturating_sub(1));
        let set = Arc::clone(&data.set);
        let Some(specimen) = self.specimen(Some(index)) else { return };
        let microscope = &mut self.state.lab.microscope;
        if microscope.specimen.as_ref() != Some(&specimen) {
            microscope.specimen = Some(specimen.clone());
            microscope.sweeps = Default::default();
        }
        let started = self.start_task(Kind::Sweep, move || {
            let image = set.images.image(index).map_err(|error| error.to_string());
            Answer::Sweep(kind, Box::new(image.and_then(|image| sweep::sweep(&specimen.classifier, &image, kind))))
        });
        self.state.lab.microscope.sweeping = started.then_some(kind);
    }

    pub(super) fn take_sweep(&mut self, kind: Sweep, result: Result<Swept, String>) {
        let result = result.map(|swept| {
            let pixels = ColorImage::from_rgb([swept.atlas.width(), swept.atlas.height()], swept.atlas.pixels());
            let texture = self.context.load_texture("sweep", pixels, TextureOptions::NEAREST);
            (swept, texture)
        });
        let microscope = &mut self.state.lab.microscope;
        microscope.sweeping = None;
        if let Some(place) = Sweep::ALL.iter().position(|sweep| *sweep == kind) {
            microscope.sweeps[place] = Some(result);
        }
    }

    fn survey(&mut self, class: u32) {
        let Some(data) = self.state.data.as_ref().filter(|data| (class as usize) < data.set.classes.len()) else { return };
        let (set, parts) = (Arc::clone(&data.set), data.parts.clone());
        let Some(specimen) = self.specimen(None) else { return };
        let microscope = &mut self.state.lab.microscope;
        if microscope.surveyed.as_ref() != Some(&specimen) {
            microscope.surveyed = Some(specimen.clone());
            microscope.survey = (0..set.classes.len()).map(|_| None).collect();
        }
        let work = move || Answer::Survey(class, sweep::survey(&set, &parts, &specimen.classifier, class));
        let started = self.start_task(Kind::Survey, work);
        self.state.lab.microscope.surveying = started.then_some(class);
    }

    pub(super) fn take_survey(&mut self, class: u32, result: Result<ClassSurvey, String>) {
        let microscope = &mut self.state.lab.microscope;
        microscope.surveying = None;
        if let Some(place) = microscope.survey.get_mut(class as usize) {
            *place = Some(result);
        }
    }

    pub(super) fn change_presets(&mut self, action: PresetAction) {
        let built_in = crate::app::view::built_in_presets();
        let before = self.state.presets.clone();
        let words = match action {
            PresetAction::Save(name) => check_name(&name, &built_in, &before, None).map(|name| self.save_preset(&name)),
            PresetAction::Rename(place, name) => check_name(&name, &built_in, &before, Some(place)).map(|name| {
                let preset = self.state.presets.get_mut(place)?;
                let words = format!("rename the preset “{}” to “{name}”", preset.name);
                preset.name = name;
                Some(words)
            }),
            PresetAction::Delete(place) if place < before.len() => {
                let preset = self.state.presets.remove(place);
                Ok(Some(format!("delete the preset “{}”", preset.name)))
            }
            PresetAction::Delete(_) => Ok(None),
        };
        match words {
            Ok(Some(words)) => self.state.undo.push(words, Before::Presets(before)),
            Ok(None) => {}
            Err(message) => self.notify(NoticeKind::Failure, message),
        }
    }

    fn save_preset(&mut self, name: &str) -> Option<String> {
        let augmentation = self.state.config.augmentation;
        if let Called::Own(_, same) = called(&augmentation, &self.state.presets)
            && same.to_lowercase() == name.to_lowercase()
        {
            return None;
        }
        let old = self.state.presets.iter_mut().find(|preset| preset.name.to_lowercase() == name.to_lowercase());
        let words = if let Some(old) = old {
            old.augmentation = augmentation;
            format!("replace the preset “{name}”")
        } else {
            self.state.presets.push(UserPreset { name: name.to_owned(), augmentation });
            format!("save the preset “{name}”")
        };
        Some(words)
    }

    /// Takes the last step back.
    pub(super) fn undo(&mut self) {
        let Some(step) = self.state.undo.pop() else { return };
        match step.before {
            Before::Form(config) => self.state.config = Config { data: self.state.config.data.clone(), ..*config },
            Before::Presets(presets) => self.state.presets = presets,
            Before::Layout(layout) => self.layout = *layout,
            Before::Runs(trashed) => return self.apply(Action::Experiments(crate::app::experiments::Change::Restore(trashed))),
        }
        self.notify(NoticeKind::Info, format!("Undone: {}.", step.words));
    }

    /// Goes to a step of the tour, or ends it.
    pub(super) fn tour(&mut self, step: Option<usize>) {
        self.state.tour = step;
        if let Some(pane) = step.and_then(crate::app::view::tour_pane) {
            self.state.full = None;
            self.apply(Action::Show(pane));
        }
    }

    pub(super) fn reset_layout(&mut self) {
        let before = std::mem::replace(&mut self.layout, crate::app::layout::default_layout());
        self.state.undo.push("move the panels back", Before::Layout(Box::new(before)));
        self.state.full = None;
    }
}
