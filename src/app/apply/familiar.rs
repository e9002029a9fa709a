//! Actions on what the model finds familiar, and how near the picture is to it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::TuningForkApp;
use crate::app::explored::Progress;
use crate::app::familiar::{self, Familiar, FoundFamiliar, LOOKED_AT_ONCE};
use crate::app::inspect::InspectAnswer;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::explain::{Explainer, Nearness};

impl TuningForkApp {
    /// Finds out what the model finds familiar. Without being `asked` it looks at few pictures only, and at none while a run needs the
    /// processor.
    pub(super) fn ask_familiarity(&mut self, asked: bool) {
        self.stop_familiarity();
        let Some(classifier) = self.state.model.classifier.clone() else { return };
        let data = self.state.data.as_ref();
        let progress = Progress::of(data.map_or(0, |data| data.split.train.len() + data.split.valid.len()));
        let open = data.map(|data| (Arc::clone(&data.set), data.key.clone()));
        let pixels = match (asked, self.state.is_training()) {
            (true, _) => usize::MAX,
            (false, true) => 0,
            (false, false) => LOOKED_AT_ONCE,
        };
        self.state.model.familiar = Familiar::Working(Arc::clone(&progress));
        self.start_task(Kind::Familiarity, move || {
            Answer::Inspect(InspectAnswer::Familiar(familiar::find(&classifier, open.as_ref(), pixels, &progress)))
        });
    }

    /// The same if it is not known: something that it needs may be there now.
    pub(super) fn ask_familiarity_again(&mut self) {
        if matches!(self.state.model.familiar, Familiar::Absent(..) | Familiar::OtherData(..)) {
            self.ask_familiarity(false);
        }
    }

    /// Opens the data set of the model's run; what the model finds familiar is looked for again once it is there.
    pub(super) fn open_models_data(&mut self) {
        if let Familiar::OtherData(_, config) = &self.state.model.familiar {
            let config = (**config).clone();
            self.open_data_for(config);
        }
    }

    pub(super) fn stop_familiarity(&mut self) {
        if let Familiar::Working(progress) = &self.state.model.familiar {
            progress.stop.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn take_familiar(&mut self, found: FoundFamiliar) {
        self.state.model.familiar = match found {
            FoundFamiliar::Known(known, note) => {
                if let Some(note) = note {
                    self.notify(NoticeKind::Info, note);
                }
                Familiar::Known(known)
            }
            FoundFamiliar::Absent(why, possible) => Familiar::Absent(why, possible),
            FoundFamiliar::OtherData(why, config) => Familiar::OtherData(why, config),
        };
        self.ask_nearness();
        self.ask_distances();
    }

    /// Measures how near the picture is to the training pictures, if that is known.
    pub(super) fn ask_nearness(&mut self) {
        self.tasks.cancel(Kind::Nearness);
        self.state.inspect.nearness = None;
        let (Familiar::Known(known), Some(explainer)) = (&self.state.model.familiar, &self.state.inspect.explainer) else { return };
        let (known, explainer) = (Arc::clone(known), Arc::clone(explainer));
        self.start_task(Kind::Nearness, move || {
            let nearness = known.nearness(explainer.penultimate());
            let said = nearness.map(|nearness| (nearness, known.sentence(nearness)));
            Answer::Inspect(InspectAnswer::Nearness(explainer, said))
        });
    }

    pub(super) fn take_nearness(&mut self, explainer: &Arc<Explainer>, said: Option<(Nearness, String)>) {
        if self.state.inspect.explainer.as_ref().is_some_and(|present| Arc::ptr_eq(present, explainer)) {
            self.state.inspect.nearness = said;
        }
    }
}
