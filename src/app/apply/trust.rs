//! Actions on how far maps can be believed, and on the sheet of small maps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::app::TuningForkApp;
use crate::app::inspect::{InspectAnswer, MapState};
use crate::app::tasks::{Answer, Kind};
use crate::app::tiles::{self, DrawnSheet, Order, Side, Tile};
use crate::app::trust::{Check, Pictures, Trust};
use crate::explain::{Faithfulness, Method, Sanity};

/// How long a map must stay the same before it is measured unasked: who tries one method after the other waits for none of them.
const SETTLED: Duration = Duration::from_millis(700);

impl TuningForkApp {
    /// What was measured of another map says nothing of this one. Unless a run needs the processor, the new one is measured.
    pub(super) fn new_map(&mut self) {
        self.forget_trust();
        if !self.state.is_training() {
            self.measure(SETTLED);
        }
    }

    /// The run that needed the processor is over: measures what was left unmeasured.
    pub(super) fn measure_now_idle(&mut self) {
        if self.state.inspect.trust == Trust::Unknown {
            self.measure(SETTLED);
        }
    }

    /// Measures the map that is shown.
    pub(super) fn measure(&mut self, delay: Duration) {
        let MapState::Ready(shown) = &self.state.inspect.map else { return };
        let (explainer, explanation) = (Arc::clone(&shown.explainer), shown.explanation.clone());
        let unwanted = Arc::new(AtomicBool::new(false));
        self.state.inspect.unwanted.store(true, Ordering::Relaxed);
        self.state.inspect.unwanted = Arc::clone(&unwanted);
        let memory = Arc::clone(&self.state.inspect.memory);
        let work = move || Answer::Inspect(InspectAnswer::Measured(memory.measure(&explainer, &explanation, delay, &unwanted)));
        if self.start_task(Kind::Trust, work) {
            self.state.inspect.trust = Trust::Measuring;
        }
    }

    pub(super) fn take_measured(&mut self, result: Result<Option<Arc<Faithfulness>>, String>) {
        self.state.inspect.trust = match result {
            Ok(Some(measured)) => Trust::Measured(measured),
            Ok(None) => Trust::Unknown,
            Err(message) => Trust::Failed(message),
        };
        // Score-CAM asks the model hundreds of times a map: its check is made only when it is asked for
        let slow = matches!(&self.state.inspect.map, MapState::Ready(shown) if shown.request.method == Method::ScoreCam);
        if self.state.inspect.check == Check::Unknown && !self.state.is_training() && !slow {
            self.check_model();
        }
    }

    /// Checks the model with the method that is shown.
    pub(super) fn check_model(&mut self) {
        let MapState::Ready(shown) = &self.state.inspect.map else { return };
        let (classifier, request) = (Arc::clone(shown.explainer.classifier()), shown.request.clone());
        let (memory, pictures) = (Arc::clone(&self.state.inspect.memory), Pictures::choose(&self.state));
        let unwanted = Arc::new(AtomicBool::new(false));
        self.state.inspect.unwanted_check.store(true, Ordering::Relaxed);
        self.state.inspect.unwanted_check = Arc::clone(&unwanted);
        let work = move || Answer::Inspect(InspectAnswer::Checked(memory.check(&classifier, &request, &pictures, &unwanted)));
        if self.start_task(Kind::Check, work) {
            self.state.inspect.check = Check::Checking;
        }
    }

    pub(super) fn take_checked(&mut self, result: Result<Option<Arc<Sanity>>, String>) {
        self.state.inspect.check = match result {
            Ok(Some(checked)) => Check::Checked(checked),
            Ok(None) => Check::Unknown,
            Err(message) => Check::Failed(message),
        };
    }

    /// Forgets what is known of a map that is no longer shown.
    pub(super) fn forget_trust(&mut self) {
        self.tasks.cancel(Kind::Trust);
        self.tasks.cancel(Kind::Check);
        self.state.inspect.unwanted.store(true, Ordering::Relaxed);
        self.state.inspect.unwanted_check.store(true, Ordering::Relaxed);
        self.state.inspect.trust = Trust::Unknown;
        // the memory knows the check of a model and method that was made before
        self.state.inspect.check = Check::Unknown;
    }

    /// Shows a sheet of small maps, or none.
    pub(super) fn want_sheet(&mut self, wanted: Option<Side>) {
        self.forget_sheet();
        self.state.inspect.sheet.wanted = wanted;
        self.draw_sheet();
    }

    /// Draws the sheet that is asked for; while one is being drawn, the next waits for it.
    pub(super) fn draw_sheet(&mut self) {
        let sheet = &mut self.state.inspect.sheet;
        let Some(side) = sheet.wanted else { return };
        if sheet.drawing {
            sheet.outdated = true;
            return;
        }
        sheet.outdated = false;
        let Some(subject) = self.inspected() else { return };
        let question = &self.state.inspect.question;
        let (request, style) = (question.request(&subject.explainer), question.style.clone());
        let unwanted = Arc::new(AtomicBool::new(false));
        let sheet = &mut self.state.inspect.sheet;
        sheet.unwanted = Arc::clone(&unwanted);
        let known = sheet.known(side, &request, &subject.explainer);
        let order = Order { side, request, style, known, unwanted };
        let work = move || Answer::Inspect(InspectAnswer::Tiles(tiles::draw(&subject, order).map(|drawn| drawn.map(Box::new))));
        self.state.inspect.sheet.drawing = self.start_task(Kind::Tiles, work);
    }

    pub(super) fn take_tiles(&mut self, result: Result<Option<Box<DrawnSheet>>, String>) {
        self.state.inspect.sheet.drawing = false;
        match result {
            Ok(None) => {}
            Ok(Some(drawn)) => {
                let DrawnSheet { tiles, made, scale } = *drawn;
                let tiles = tiles.into_iter().map(|(small, image)| Tile { small, texture: self.texture(&image) }).collect();
                let sheet = &mut self.state.inspect.sheet;
                (sheet.tiles, sheet.made, sheet.scale, sheet.failed) = (tiles, Some(made), scale, None);
            }
            Err(message) => {
                let sheet = &mut self.state.inspect.sheet;
                sheet.tiles.clear();
                (sheet.made, sheet.failed) = (None, Some(message));
            }
        }
        if self.state.inspect.sheet.outdated {
            self.draw_sheet();
        }
    }

    /// Forgets the small maps of another picture.
    pub(super) fn forget_sheet(&mut self) {
        self.tasks.cancel(Kind::Tiles);
        let sheet = &mut self.state.inspect.sheet;
        sheet.unwanted.store(true, Ordering::Relaxed);
        sheet.tiles.clear();
        (sheet.made, sheet.drawing, sheet.outdated, sheet.failed) = (None, false, false, None);
    }

    /// A run kept the model of one more epoch.
    pub(super) fn one_more_epoch(&mut self) {
        if !self.state.model.follows_run() {
            return;
        }
        if self.state.inspect.latest {
            self.load_model(None);
        } else if self.state.inspect.sheet.wanted == Some(Side::Film) {
            self.state.inspect.sheet.made = None;
            self.draw_sheet();
        }
    }

    /// Answers with the last kept epoch of the run, or with the best one.
    pub(super) fn follow_latest(&mut self, latest: bool) {
        self.state.inspect.latest = latest;
        if self.state.model.follows_run() {
            self.load_model(None);
        }
    }
}
