//! A task that broke off by a fault of the program: what it was to do has failed, and nothing goes on waiting for it.

use crate::app::TuningForkApp;
use crate::app::familiar::FoundFamiliar;
use crate::app::inspect::InspectAnswer;
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};

impl TuningForkApp {
    /// Takes the failure as if the work itself had told it, and asks for a report.
    pub(super) fn take_panicked(&mut self, kind: Kind, words: &str) {
        let message = format!("The program has a fault there ({words}); please report it. Everything else goes on");
        let told = self.state.notices.len();
        self.fail(kind, &message);
        if self.state.notices.len() == told {
            self.notify(NoticeKind::Failure, format!("{message}."));
        }
    }

    fn fail(&mut self, kind: Kind, message: &str) {
        let why = || message.to_owned();
        match kind {
            Kind::Run => self.take_run(Err(why())),
            Kind::Model => self.take_model(None, Err(why())),
            Kind::Subject => self.take_subject(Err(why())),
            Kind::Verdict => self.take_verdict(Err(why())),
            Kind::Opened => self.take_opened(Err(why())),
            Kind::Data => self.state.loading = None,
            Kind::Import => self.fail_import(message),
            Kind::Table => self.take_table_saved(Err(why())),
            Kind::Sheet => self.take_sheet(Err(why())),
            Kind::Sweep => {
                if let Some(sweep) = self.state.lab.microscope.sweeping {
                    self.take_sweep(sweep, Err(why()));
                }
            }
            Kind::Survey => {
                if let Some(class) = self.state.lab.microscope.surveying {
                    self.take_survey(class, Err(why()));
                }
            }
            Kind::Familiarity
            | Kind::RivalModel
            | Kind::Rival
            | Kind::Activation
            | Kind::Trust
            | Kind::Check
            | Kind::Tiles
            | Kind::Maps
            | Kind::Save => self.fail_inspected(kind, message),
            Kind::Select | Kind::Read | Kind::Integrity | Kind::Map | Kind::Export => self.fail_explored(kind, message),
            Kind::ReviewOpen
            | Kind::ReviewSession
            | Kind::ReviewPredictions
            | Kind::ReviewAnalysis
            | Kind::ReviewLearning
            | Kind::ReviewComparison
            | Kind::ReviewEvaluate => self.fail_reviewed(kind, message),
            Kind::RunsList => self.take_experiments(crate::app::experiments::Answer::Listed(Err(why()))),
            Kind::Runs => self.take_experiments(crate::app::experiments::Answer::Done(Err(why()))),
            Kind::Search => self.take_search(crate::app::searched::Answer::Started(Err(why()))),
            Kind::SearchRead => self.take_search(crate::app::searched::Answer::Read(Err(why()))),
            Kind::SearchOpened => self.take_search(crate::app::searched::Answer::Opened(Err(why()))),
            // nothing waits for these
            Kind::Nearness
            | Kind::Dropped
            | Kind::ModelCard
            | Kind::Distances
            | Kind::Paste
            | Kind::Dialog
            | Kind::Marks
            | Kind::SaveMarks
            | Kind::Answers
            | Kind::ReviewList
            | Kind::ReviewSave
            | Kind::RunsDelete
            | Kind::RunsImport
            | Kind::RunsConfig
            | Kind::SearchValues => {}
        }
    }

    /// Work of the Classify panel.
    fn fail_inspected(&mut self, kind: Kind, message: &str) {
        let why = || message.to_owned();
        self.take_answer(Answer::Inspect(match kind {
            Kind::Familiarity => InspectAnswer::Familiar(FoundFamiliar::Absent(why(), true)),
            Kind::RivalModel => InspectAnswer::RivalModel("".into(), Err(why())),
            Kind::Rival => InspectAnswer::Rival(Err(why())),
            Kind::Activation => InspectAnswer::Drawn(Err(why())),
            Kind::Trust => InspectAnswer::Measured(Err(why())),
            Kind::Check => InspectAnswer::Checked(Err(why())),
            Kind::Tiles => InspectAnswer::Tiles(Err(why())),
            Kind::Maps => InspectAnswer::MapsWritten(Err(why())),
            _ => InspectAnswer::Saved(Err(why())),
        }));
    }

    /// Work of the Explore panel.
    fn fail_explored(&mut self, kind: Kind, message: &str) {
        let why = || message.to_owned();
        let found = match kind {
            Kind::Read => crate::app::explored::Found::Read(Err(why())),
            Kind::Integrity => crate::app::explored::Found::Integrity(Err(why())),
            Kind::Map => crate::app::explored::Found::Map(Err(why())),
            Kind::Export => crate::app::explored::Found::Exported(Err(why())),
            _ => {
                self.state.explore.selection.working = false;
                return;
            }
        };
        self.take_found(found);
    }

    /// Work of the Confusion panel: what is pending is what broke off, because a newer wish makes the older one stale.
    fn fail_reviewed(&mut self, kind: Kind, message: &str) {
        let why = || message.to_owned();
        let review = &mut self.state.review;
        match kind {
            Kind::ReviewPredictions => review.predictions.fail_pending(message),
            Kind::ReviewAnalysis => review.analyses.fail_pending(message),
            Kind::ReviewLearning => review.learning.fail_pending(message),
            Kind::ReviewComparison => review.comparisons.fail_pending(message),
            Kind::ReviewEvaluate => {
                if let Some((run, part)) = review.evaluating.as_ref().map(|evaluating| (evaluating.run, evaluating.part)) {
                    self.take_review(crate::app::reviewed::Answer::Evaluated(run, part, Err(why())));
                }
            }
            Kind::ReviewSession => self.take_review(crate::app::reviewed::Answer::Session(Err(why()))),
            _ => self.take_review(crate::app::reviewed::Answer::Opened(Err(why()))),
        }
    }
}
