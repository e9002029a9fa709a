//! Actions on the user's labels and tags.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::app::TuningForkApp;
use crate::app::explored::{Found, Integrities, Marked};
use crate::app::state::NoticeKind;
use crate::app::tasks::{Answer, Kind};
use crate::data::{LoadedMarks, Marks};

impl TuningForkApp {
    pub(super) fn take_marks(&mut self, generation: u64, loaded: LoadedMarks, leaks: Vec<usize>) {
        if self.state.data.as_ref().is_none_or(|data| data.generation != generation) {
            return;
        }
        let LoadedMarks { sidecar, marks, messages } = loaded;
        if !matches!(self.state.explore.integrity, Integrities::Known(_)) {
            self.state.explore.leaks = leaks;
        }
        self.state.explore.marked = Some(Marked {
            place: sidecar.place().map(PathBuf::from),
            marks: Arc::new(marks),
            sidecar: Arc::new(Mutex::new(sidecar)),
            changes: 0,
            saved: 0,
        });
        for message in messages {
            self.notify(NoticeKind::Failure, message);
        }
        self.select();
    }

    /// Changes the marks by `change` (marks, labels of the data set, number of classes), which says whether it did anything.
    pub(super) fn mark(&mut self, change: impl FnOnce(&mut Marks, &[u32], usize) -> bool) {
        let (Some(data), Some(marked)) = (&self.state.data, &mut self.state.explore.marked) else { return };
        if change(Arc::make_mut(&mut marked.marks), &data.set.labels, data.set.classes.len()) {
            self.keep_marks();
        }
    }

    pub(super) fn undo_mark(&mut self) {
        let Some(marked) = &mut self.state.explore.marked else { return };
        match Arc::make_mut(&mut marked.marks).undo() {
            Some(index) => {
                self.keep_marks();
                self.notify(NoticeKind::Info, format!("The last change, of image {index}, was taken back."));
            }
            None => self.notify(NoticeKind::Info, "There is no label or tag to take back.".into()),
        }
    }

    /// Writes the marks to disk, in the background.
    fn keep_marks(&mut self) {
        let (Some(data), Some(marked)) = (&self.state.data, &mut self.state.explore.marked) else { return };
        marked.changes += 1;
        let (change, marks, sidecar) = (marked.changes, Arc::clone(&marked.marks), Arc::clone(&marked.sidecar));
        let (set, generation) = (Arc::clone(&data.set), data.generation);
        self.start_task(Kind::SaveMarks, move || {
            let saved = sidecar.lock().unwrap_or_else(PoisonError::into_inner).save(&marks, change, &set);
            Answer::Explore(Found::MarksSaved(generation, change, saved.map_err(|error| error.to_string())))
        });
        self.select();
    }

    pub(super) fn take_saved(&mut self, generation: u64, change: u64, result: Result<Option<String>, String>) {
        match result {
            Ok(message) => {
                let same = self.state.data.as_ref().is_some_and(|data| data.generation == generation);
                if let Some(marked) = self.state.explore.marked.as_mut().filter(|_| same) {
                    marked.saved = marked.saved.max(change);
                }
                if let Some(message) = message {
                    self.notify(NoticeKind::Failure, message);
                }
            }
            Err(message) => self.notify(NoticeKind::Failure, message),
        }
    }

    /// Before the window closes or another data set opens: whatever is not on disk yet goes there now.
    pub(in crate::app) fn keep_marks_now(&mut self) {
        let (Some(data), Some(marked)) = (&self.state.data, &self.state.explore.marked) else { return };
        if marked.saved < marked.changes {
            let saved = marked.sidecar.lock().unwrap_or_else(PoisonError::into_inner).save(&marked.marks, marked.changes, &data.set);
            if let Err(error) = saved {
                tracing::error!("{error}");
                self.notify(NoticeKind::Failure, error.to_string());
            }
        }
    }
}
