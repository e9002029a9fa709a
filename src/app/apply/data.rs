//! Actions on the data set and the form.

use std::path::Path;
use std::sync::Arc;

use crate::app::import::ImportAction;
use crate::app::state::{Data, DataKey, NoticeKind, is_synthetic};
use crate::app::tasks::{Answer, Kind};
use crate::app::{TuningForkApp, work};
use crate::data::{Dataset, is_hdf5};
use crate::train::Config;

impl TuningForkApp {
    /// Takes a changed form. The data set is made again if that is what changed.
    pub(super) fn configure(&mut self, config: Config) {
        let label = |field: &str| format!("change {}", crate::app::fields::about(field).label);
        self.state.undo.form(&self.state.config, &config, label);
        self.state.config = config;
        self.follow_form();
    }

    /// Opens what the form says if that changed. Called again at every frame, because while a number is being dragged it
    /// waits for the last value.
    pub(in crate::app) fn follow_form(&mut self) {
        let key = DataKey::of(&self.state.config);
        if !self.context.input(|i| i.pointer.any_down()) {
            self.state.undo.close();
        }
        if self.followed.as_ref() == Some(&key) || self.context.input(|i| i.pointer.any_down()) {
            return;
        }
        let usable = self.state.config.errors().iter().all(|error| !["data", "synthetic_images", "size"].contains(&error.field));
        if usable {
            self.followed = Some(key.clone());
            if self.state.data.as_ref().is_none_or(|data| data.key != key) {
                self.load_data(key);
            }
        }
    }

    /// Opens a data folder; an HDF5 file is made one first.
    pub(super) fn open_folder(&mut self, folder: &Path) {
        if is_hdf5(folder) && folder.is_file() {
            return self.import(ImportAction::File(folder.to_owned()));
        }
        let data = folder.display().to_string();
        self.load_data(DataKey { data, synthetic: None, split_seed: self.state.config.split_seed });
    }

    pub(super) fn use_synthetic(&mut self) {
        let config = Config { data: crate::data::SYNTHETIC.into(), ..self.state.config.clone() };
        self.load_data(DataKey::of(&config));
    }

    /// Shows a data set that is in memory already.
    ///
    /// # Errors
    /// If it cannot be split; the message says why.
    pub fn show_data(&mut self, set: Arc<Dataset>) -> Result<(), String> {
        let data = set.location.as_ref().map_or_else(|| set.name.clone(), |folder| folder.display().to_string());
        let key = DataKey { data, synthetic: None, split_seed: self.state.config.split_seed };
        let data = work::describe(&key, set)?;
        self.tasks.cancel(Kind::Data);
        self.take_data(&key, Ok(data));
        Ok(())
    }

    /// Opens a data set in the background; the present one stays until it is there.
    fn load_data(&mut self, key: DataKey) {
        self.state.loading = Some(if is_synthetic(&key.data) { "synthetic galaxies".into() } else { key.data.clone() });
        let open = self.state.data.as_ref().map(|data| (data.key.clone(), Arc::clone(&data.set)));
        self.start_task(Kind::Data, move || {
            let result = work::open_data(&key, open);
            Answer::Data(key, result)
        });
    }

    pub(super) fn take_data(&mut self, key: &DataKey, result: Result<Box<Data>, String>) {
        self.state.loading = None;
        match result {
            Ok(mut data) => {
                self.keep_marks_now();
                self.data_opened += 1;
                data.generation = self.data_opened;
                self.state.config.data.clone_from(&key.data);
                self.followed = Some(DataKey::of(&self.state.config));
                self.state.data = Some(*data);
                self.state.opened = None;
                self.state.review.forget_failures();
                self.start_exploring();
                self.ask_familiarity_again();
            }
            Err(message) => {
                let open = self.state.data.as_ref().map(|data| data.key.data.clone());
                self.notify(NoticeKind::Failure, format!("The data set was not opened. {message}"));
                // what was open stays; if nothing was, the synthetic galaxies always work
                if self.state.config.data == key.data && !is_synthetic(&key.data) {
                    self.state.config.data = open.unwrap_or_else(|| crate::data::SYNTHETIC.into());
                }
                // it may have taken the place of what was on its way
                if self.state.data.is_none() && !is_synthetic(&key.data) {
                    self.followed = None;
                }
            }
        }
    }
}
