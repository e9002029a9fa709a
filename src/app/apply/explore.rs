//! Actions on what the Explore panel works with.

use crate::app::TuningForkApp;
use crate::app::explored::{Change, Shown};
use crate::app::layout::Pane;

impl TuningForkApp {
    /// Brings Explore to the front with exactly these pictures; those that the data set does not have are left out.
    pub(super) fn show_in_explore(&mut self, title: String, mut indices: Vec<usize>) {
        let Some(data) = &self.state.data else { return };
        indices.retain(|&index| index < data.set.len());
        self.state.explore.lists += 1;
        self.state.explore.shown = Some(Shown { title, indices });
        self.show_pane(Pane::Explore);
    }

    pub(super) fn change_explored(&mut self, change: &Change) {
        match change {
            Change::CloseShown => self.state.explore.shown = None,
        }
    }
}
