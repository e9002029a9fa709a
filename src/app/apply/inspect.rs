//! Actions on what is asked about the picture: settings, the map, files, the past, the clipboard.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::app::inspect::{Answered, Drawn, Export, InspectAction, InspectAnswer, MapState, PAST, Past, Pasted, Question, Shown, Subject};
use crate::app::state::{NoticeKind, Picture, Verdict};
use crate::app::tasks::{Answer, Kind};
use crate::app::{TuningForkApp, work};
use crate::explain::{Request, Style};
use crate::imaging::Rendering;

impl TuningForkApp {
    pub(super) fn inspect(&mut self, action: InspectAction) {
        match action {
            InspectAction::Ask(question) => self.ask(*question),
            InspectAction::Again(number) => self.look_again(number),
            InspectAction::Paste => {
                self.start_task(Kind::Paste, || Answer::Inspect(InspectAnswer::Pasted(work::paste())));
            }
            InspectAction::FindFamiliarity => self.ask_familiarity(true),
            InspectAction::StopFamiliarity => self.stop_familiarity(),
            InspectAction::OpenModelsData => self.open_models_data(),
            InspectAction::Rival(action) => self.change_rival(action),
            InspectAction::Export => self.save_subject(Subject::export),
            InspectAction::Measure => self.measure(Duration::ZERO),
            InspectAction::Check => self.check_model(),
            InspectAction::Sheet(wanted) => self.want_sheet(wanted),
            InspectAction::Latest(latest) => self.follow_latest(latest),
            InspectAction::Maps(indices) => self.ask_maps(indices),
            InspectAction::MapsTo(indices, folder) => self.write_maps(&indices, folder),
            InspectAction::StopMaps => self.stop_maps(),
            InspectAction::Save(export) => {
                let name = export.file_name(self.state.subject.as_ref().map_or("map", |subject| &subject.name));
                self.browse(move |dialog| {
                    let path = dialog.set_title("Save the map").set_file_name(name).save_file();
                    Answer::Inspect(InspectAnswer::SaveChosen(export, path))
                });
            }
            InspectAction::SaveTo(export, path) => self.save_map(export, path),
        }
    }

    pub(super) fn take_inspected(&mut self, answer: InspectAnswer) {
        match answer {
            InspectAnswer::Drawn(result) => self.take_drawn(result),
            InspectAnswer::Measured(result) => self.take_measured(result),
            InspectAnswer::Checked(result) => self.take_checked(result),
            InspectAnswer::Tiles(result) => self.take_tiles(result),
            InspectAnswer::MapsChosen(indices, folder) => {
                if let Some(folder) = folder {
                    self.write_maps(&indices, folder);
                }
            }
            InspectAnswer::Familiar(found) => self.take_familiar(found),
            InspectAnswer::Nearness(explainer, said) => self.take_nearness(&explainer, said),
            InspectAnswer::RivalChosen(path) => self.take_rival_chosen(path),
            InspectAnswer::RivalModel(path, result) => self.take_rival_model(&path, result),
            InspectAnswer::Rival(result) => self.take_rival(result),
            InspectAnswer::MapsWritten(result) => self.take_written(result),
            InspectAnswer::SaveChosen(export, path) => {
                if let Some(path) = path {
                    self.save_map(export, path);
                }
            }
            InspectAnswer::Saved(result) => {
                self.state.inspect.saving = false;
                match result {
                    Ok(path) => self.notify(NoticeKind::Info, format!("Saved: {}", path.display())),
                    Err(message) => self.notify(NoticeKind::Failure, format!("The map was not saved. {message}")),
                }
            }
            InspectAnswer::Pasted(Ok(Pasted::Paths(paths))) => self.apply(crate::app::Action::Drop(paths)),
            InspectAnswer::Pasted(Ok(Pasted::Picture(image))) => {
                self.new_subject("pasted picture".into());
                self.take_subject(Ok((*image, None)));
            }
            InspectAnswer::Pasted(Err(message)) => self.notify(NoticeKind::Failure, message),
        }
    }

    /// Takes changed settings, and does again only what they change.
    fn ask(&mut self, question: Question) {
        let old = std::mem::replace(&mut self.state.inspect.question, question);
        let new = &self.state.inspect.question;
        if new.rendering != old.rendering && self.state.inspect.bands.is_some() {
            self.render_again();
        } else if (new.fit, new.marked, new.average) != (old.fit, old.marked, old.average) {
            self.ask_verdict();
        } else if *new != old {
            self.ask_map();
            self.ask_rival();
        }
    }

    /// Makes the picture again from the numbers of its FITS file.
    fn render_again(&mut self) {
        let Some(bands) = self.state.inspect.bands.clone() else { return };
        let rendering = self.state.inspect.question.rendering;
        self.start_task(Kind::Subject, move || Answer::Subject(Ok((bands.render(&rendering), Some(bands)))));
    }

    /// Forgets the map of another picture.
    pub(super) fn forget_map(&mut self) {
        self.tasks.cancel(Kind::Activation);
        self.forget_rival_answer();
        self.forget_trust();
        self.forget_sheet();
        let inspect = &mut self.state.inspect;
        (inspect.explainer, inspect.frame, inspect.seen, inspect.bands, inspect.nearness) = (None, None, None, None, None);
        (inspect.map, inspect.drawing, inspect.outdated) = (MapState::None, false, false);
        inspect.question.marked = None;
        // which plane is which is true of one picture only
        inspect.question.rendering.order = Rendering::AS_GIVEN;
    }

    pub(super) fn take_verdict(&mut self, result: Result<Answered, String>) {
        let Some(subject) = &mut self.state.subject else { return };
        match result {
            Ok(answered) => {
                let top = answered.bars.first().cloned();
                subject.verdict = Verdict::Ready(answered.bars);
                let (name, picture) = (subject.name.clone(), subject.picture.clone());
                self.remember(name, picture, top);
                let seen = self.texture(answered.explainer.prepared());
                let inspect = &mut self.state.inspect;
                inspect.question.fit_to(&answered.explainer);
                (inspect.explainer, inspect.frame, inspect.seen) = (Some(answered.explainer), Some(answered.frame), Some(seen));
                self.ask_map();
                self.ask_nearness();
                self.ask_rival();
            }
            Err(message) => {
                subject.verdict = Verdict::Failed(message);
                // what was known of another part of the picture is no answer to this
                self.forget_rival_answer();
                self.tasks.cancel(Kind::Activation);
                let inspect = &mut self.state.inspect;
                (inspect.explainer, inspect.frame, inspect.map) = (None, None, MapState::None);
                (inspect.drawing, inspect.outdated) = (false, false);
            }
        }
    }

    /// Puts the picture at the head of what was looked at.
    fn remember(&mut self, name: String, picture: Option<Picture>, answer: Option<(String, f32)>) {
        let Some(picture) = picture else { return };
        let inspect = &mut self.state.inspect;
        let bands = inspect.bands.clone();
        // two folders may have pictures of the same name, and a FITS file has one place however it is stretched
        let same_file = |past: &Past| past.bands.as_ref().zip(bands.as_ref()).is_some_and(|(then, now)| Arc::ptr_eq(then, now));
        inspect.past.retain(|past| past.name != name || !(same_file(past) || past.picture.image == picture.image));
        inspect.past.insert(0, Past { name, picture, bands, answer });
        inspect.past.truncate(PAST);
    }

    fn look_again(&mut self, number: usize) {
        let Some(past) = self.state.inspect.past.get(number) else { return };
        let (name, picture, bands) = (past.name.clone(), past.picture.clone(), past.bands.clone());
        self.new_subject(name);
        self.state.inspect.bands = bands;
        if let Some(subject) = &mut self.state.subject {
            subject.picture = Some(picture);
        }
        self.ask_verdict();
    }

    /// The picture in the network, once it was run.
    pub(super) fn inspected(&self) -> Option<Subject> {
        let subject = self.state.subject.as_ref()?;
        let image = Arc::clone(&subject.picture.as_ref()?.image);
        let inspect = &self.state.inspect;
        Some(Subject { name: subject.name.clone(), image, frame: inspect.frame?, explainer: inspect.explainer.clone()? })
    }

    /// Draws the map that is asked for; while one is being drawn, the next waits for it.
    fn ask_map(&mut self) {
        if !self.state.inspect.question.map {
            self.tasks.cancel(Kind::Activation);
            self.state.inspect.drawing = false;
            self.state.inspect.map = MapState::None;
            return;
        }
        if self.state.inspect.drawing {
            self.state.inspect.outdated = true;
            return;
        }
        let Some(subject) = self.inspected() else { return };
        let inspect = &mut self.state.inspect;
        inspect.outdated = false;
        let (request, style) = (inspect.question.request(&subject.explainer), inspect.question.style.clone());
        let known = match &inspect.map {
            MapState::Ready(shown) if shown.of(&subject.explainer) => Some((shown.request.clone(), shown.explanation.clone())),
            _ => None,
        };
        self.state.inspect.drawing = self
            .start_task(Kind::Activation, move || Answer::Inspect(InspectAnswer::Drawn(subject.draw(request, style, known).map(Box::new))));
    }

    fn take_drawn(&mut self, result: Result<Box<Drawn>, String>) {
        self.state.inspect.drawing = false;
        let same = match (&self.state.inspect.map, &result) {
            (MapState::Ready(shown), Ok(drawn)) => shown.of(&drawn.explainer) && shown.request == drawn.request,
            _ => false,
        };
        self.state.inspect.map = match result {
            Ok(drawn) => MapState::Ready(Box::new(self.shown(*drawn))),
            Err(message) => MapState::Failed(message),
        };
        if !same {
            self.new_map();
        }
        self.draw_sheet();
        if self.state.inspect.outdated {
            self.ask_map();
        }
    }

    /// A drawn map on the screen.
    pub(super) fn shown(&self, drawn: Drawn) -> Shown {
        let Drawn { request, explanation, style, scaled, image, legend, explainer } = drawn;
        Shown { request, explanation, style, scaled, texture: self.texture(&image), legend, explainer }
    }

    fn save_map(&mut self, export: Export, path: PathBuf) {
        self.save_subject(move |subject, request, style| subject.save(export, request, style, &path));
    }

    /// Writes a file of the picture that is shown, on a task thread.
    fn save_subject(&mut self, save: impl FnOnce(&Subject, &Request, &Style) -> Result<PathBuf, String> + Send + 'static) {
        let Some(subject) = self.inspected() else {
            self.notify(NoticeKind::Failure, "There is no map to save yet: classify a picture first.".into());
            return;
        };
        let question = &self.state.inspect.question;
        let (request, style) = (question.request(&subject.explainer), question.style.clone());
        self.state.inspect.saving =
            self.start_task(Kind::Save, move || Answer::Inspect(InspectAnswer::Saved(save(&subject, &request, &style))));
    }
}
