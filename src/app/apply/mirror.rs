//! The mirror in MLflow is switched on and off, and what it tells is taken in.

use crate::app::TuningForkApp;
use crate::app::mirror::{Mirror, Mirroring};
use crate::app::state::NoticeKind;
use crate::track::mlflow::{Target, Told};

impl TuningForkApp {
    /// Mirrors the runs where `target` says, or nowhere any more.
    pub(in crate::app) fn mirror(&mut self, target: Option<Target>) {
        // the one before ends
        self.mirroring = None;
        self.state.experiments.mirror = Mirror::default();
        let Some(target) = target else { return };
        match Mirroring::start(self.runs_folder.clone(), target.clone(), self.context.clone()) {
            Ok(mirroring) => {
                self.mirroring = Some(mirroring);
                self.state.experiments.mirror = Mirror { target: Some(target), ..Mirror::default() };
            }
            Err(error) => {
                let words = format!("The system has no thread for the mirror ({error}); close other programs and try again.");
                self.notify(NoticeKind::Failure, words);
            }
        }
    }

    /// Takes in what the mirror told since the last frame.
    pub(in crate::app) fn receive_mirror(&mut self) {
        let told = self.mirroring.as_ref().map(Mirroring::told).unwrap_or_default();
        for told in told {
            if let Told::Off(words) = &told {
                self.notify(NoticeKind::Failure, format!("The runs are not mirrored in MLflow any more: {words}. Training goes on."));
                self.mirroring = None;
            }
            self.state.experiments.mirror.take(told);
        }
    }
}
