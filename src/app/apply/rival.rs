//! Actions on the second model.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::inspect::InspectAnswer;
use crate::app::rival::{self, Rival, RivalAction, RivalAnswer, RivalAnswered, RivalQuestion};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::app::{TuningForkApp, work};
use crate::explain::Classifier;

impl TuningForkApp {
    pub(super) fn change_rival(&mut self, action: RivalAction) {
        match action {
            RivalAction::Take(path) => {
                let device = self.state.config.device;
                self.state.inspect.rival.loading = self.start_task(Kind::RivalModel, move || {
                    let loaded = work::load_model(&path, false, device);
                    Answer::Inspect(InspectAnswer::RivalModel(path, loaded))
                });
            }
            RivalAction::Browse => self.browse(|dialog| {
                let dialog = dialog.set_title("Choose a second model").add_filter("models", &["safetensors"]);
                Answer::Inspect(InspectAnswer::RivalChosen(dialog.pick_file()))
            }),
            RivalAction::Drop => {
                self.tasks.cancel(Kind::RivalModel);
                self.forget_rival_answer();
                self.state.inspect.rival = Rival::default();
            }
        }
    }

    pub(super) fn take_rival_model(&mut self, path: &std::path::Path, result: Result<Arc<Classifier>, String>) {
        self.state.inspect.rival.loading = false;
        match result {
            Ok(classifier) => {
                self.forget_rival_answer();
                let name = super::model::name_of(path);
                self.state.inspect.rival = Rival { classifier: Some(classifier), name, ..Rival::default() };
                self.ask_rival();
            }
            Err(message) => self.notify(NoticeKind::Failure, format!("The second model was not loaded. {message}")),
        }
    }

    pub(super) fn take_rival_chosen(&mut self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.change_rival(RivalAction::Take(path));
        }
    }

    /// Forgets what the second model said of another picture, or what another second model said.
    pub(super) fn forget_rival_answer(&mut self) {
        self.tasks.cancel(Kind::Rival);
        let rival = &mut self.state.inspect.rival;
        (rival.answer, rival.asking, rival.outdated) = (None, false, false);
    }

    /// Asks the second model what the first is asked; while it is being asked, the next question waits.
    pub(super) fn ask_rival(&mut self) {
        let inspect = &mut self.state.inspect;
        if inspect.rival.asking {
            inspect.rival.outdated = true;
            return;
        }
        inspect.rival.outdated = false;
        let (Some(classifier), Some(explainer)) = (inspect.rival.classifier.clone(), &inspect.explainer) else { return };
        let Some(subject) = &self.state.subject else { return };
        let Some(picture) = &subject.picture else { return };
        let known = inspect.rival.answer.as_ref().and_then(|answer| answer.as_ref().ok()).map(RivalAnswer::known);
        let asked = RivalQuestion {
            name: subject.name.clone(),
            picture: Arc::clone(&picture.image),
            question: inspect.question.clone(),
            first: Arc::clone(explainer.classifier()),
            known,
        };
        self.state.inspect.rival.asking =
            self.start_task(Kind::Rival, move || Answer::Inspect(InspectAnswer::Rival(rival::ask(&classifier, asked).map(Box::new))));
    }

    pub(super) fn take_rival(&mut self, result: Result<Box<RivalAnswered>, String>) {
        let answer = result.map(|answered| {
            let RivalAnswered { subject, drawn } = *answered;
            let shown = drawn.map(|drawn| Box::new(self.shown(drawn)));
            RivalAnswer { explainer: subject.explainer, picture: subject.image, frame: subject.frame, shown }
        });
        let rival = &mut self.state.inspect.rival;
        (rival.answer, rival.asking) = (Some(answer), false);
        if rival.outdated {
            self.ask_rival();
        }
    }
}
