//! Actions on the maps of many pictures.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::app::TuningForkApp;
use crate::app::explored::Progress;
use crate::app::inspect::InspectAnswer;
use crate::app::map_batch::{Batch, Written};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};

impl TuningForkApp {
    /// Asks for a folder for the maps of pictures of the data set.
    pub(super) fn ask_maps(&mut self, indices: Arc<Vec<usize>>) {
        self.browse(move |dialog| {
            let folder = dialog.set_title("Choose a folder for the maps").pick_folder();
            Answer::Inspect(InspectAnswer::MapsChosen(indices, folder))
        });
    }

    /// Writes the maps of pictures of the data set; those that it does not have are left out.
    pub(super) fn write_maps(&mut self, indices: &[usize], folder: PathBuf) {
        if self.state.inspect.batch.is_some() {
            return;
        }
        let (Some(data), Some(classifier)) = (&self.state.data, self.state.model.classifier.clone()) else {
            self.notify(NoticeKind::Failure, "There are no maps to write: open a data set and a model first.".into());
            return;
        };
        let set = Arc::clone(&data.set);
        let indices: Arc<Vec<usize>> = Arc::new(indices.iter().copied().filter(|&index| index < set.len()).collect());
        let progress = Progress::of(indices.len());
        let mut question = self.state.inspect.question.clone();
        // the box was marked on one picture
        question.marked = None;
        let batch = Batch { set, indices, classifier, question, folder };
        let told = Arc::clone(&progress);
        if self.start_task(Kind::Maps, move || Answer::Inspect(InspectAnswer::MapsWritten(batch.write(&told)))) {
            self.state.inspect.batch = Some(progress);
        }
    }

    pub(super) fn stop_maps(&mut self) {
        if let Some(progress) = &self.state.inspect.batch {
            progress.stop.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn take_written(&mut self, result: Result<Written, String>) {
        self.state.inspect.batch = None;
        match result {
            Ok(written) => {
                let kind = if written.failed.is_empty() { NoticeKind::Info } else { NoticeKind::Failure };
                self.notify(kind, written.words());
            }
            Err(message) => self.notify(NoticeKind::Failure, format!("The maps were not written. {message}")),
        }
    }
}
