//! Actions on searches.

use std::path::PathBuf;
use std::sync::Arc;
use std::task::Waker;

use super::run::WakeWindow;
use crate::app::TuningForkApp;
use crate::app::action::Action;
use crate::app::experiments;
use crate::app::layout::Pane;
use crate::app::reviewed;
use crate::app::searched::{self as work, Answer as Found, Change, Form, Going, Journals, Place, Started};
use crate::app::state::{DataKey, NoticeKind};
use crate::app::tasks::{Answer, Kind};
use crate::app::work::absolute;
use crate::search::{Ending, Event, Storage};
use crate::train::{Command, Config};

impl TuningForkApp {
    pub(super) fn search(&mut self, change: Change) {
        match change {
            Change::Refresh => {
                self.read_journals();
                self.read_shared();
            }
            Change::OpenAddress(address) => self.open_address(&address),
            Change::CloseAddress(storage) => self.close_address(&storage),
            Change::Show(place) => {
                let search = &mut self.state.search;
                if search.shown != place {
                    search.shown = place;
                    search.focus = None;
                    search.changes += 1;
                }
            }
            Change::Focus(trial) => self.state.search.focus = trial,
            Change::Start(form) => self.start_search(&form),
            Change::Command(command) => self.command_search(command),
            Change::LookBack(run) => self.review(reviewed::Change::Open(run)),
            Change::UseModel(run) => {
                self.apply(Action::Show(Pane::Classify));
                self.load_model(Some(run));
            }
            Change::UseValues(run) => self.values_of(run, None),
            Change::TrainLonger(run, epochs) => self.values_of(run, Some(epochs)),
            Change::Event(event) => self.take_search_event(event),
        }
    }

    fn read_journals(&mut self) {
        // a newer request would make the answer to this one stale, and short epochs might never let one through
        if self.state.search.reading {
            self.state.search.again = true;
            return;
        }
        let known = match &self.state.search.journals {
            Some(Ok(journals)) => Arc::clone(journals),
            _ => Arc::default(),
        };
        let folder = self.searches_folder.clone();
        self.state.search.again = false;
        self.state.search.reading = self.start_task(Kind::SearchRead, move || Answer::Search(Found::Read(work::read(&folder, &known))));
    }

    /// Opens the studies at an address, and shows the first of them once they are read.
    fn open_address(&mut self, address: &str) {
        match self.state.search.opened.open(address, &self.searches_folder) {
            Ok(storage) => {
                self.state.search.opened.wanted = Some(storage);
                self.read_shared();
            }
            Err(message) => self.notify(NoticeKind::Failure, format!("The address was not opened: {message}")),
        }
    }

    fn close_address(&mut self, storage: &Storage) {
        let search = &mut self.state.search;
        search.opened.close(storage);
        search.shown = search.shown.take().filter(|place| place.storage != *storage);
        search.focus = search.focus.filter(|_| search.shown.is_some());
        search.changes += 1;
    }

    fn read_shared(&mut self) {
        let opened = &self.state.search.opened;
        if let Some(work) = opened.work().filter(|_| !opened.reading) {
            self.state.search.opened.reading = self.start_task(Kind::SearchOpened, move || Answer::Search(Found::Opened(Ok(work()))));
        }
    }

    fn take_shared(&mut self, result: Result<Journals, String>) {
        let search = &mut self.state.search;
        search.opened.reading = false;
        match result {
            Ok(read) => search.changes += u64::from(search.opened.take(read)),
            Err(message) => return self.notify(NoticeKind::Failure, message),
        }
        let Some(storage) = search.opened.wanted.clone() else { return };
        let Some(read) = search.opened.read.get(&storage) else { return self.read_shared() };
        search.opened.wanted = None;
        match &read.studies {
            Ok(studies) => match studies.first() {
                Some(study) => {
                    let place = Place { storage, study: study.name.clone() };
                    self.search(Change::Show(Some(place)));
                }
                None => self.notify(NoticeKind::Info, format!("There is no study at {storage} yet; a worker makes the first one.")),
            },
            Err(message) => {
                let words = format!("The address was not opened: {message}");
                search.opened.close(&storage);
                self.notify(NoticeKind::Failure, words);
            }
        }
    }

    fn start_search(&mut self, form: &Form) {
        if let Some(why) = self.state.search_blocked() {
            return self.notify(NoticeKind::Failure, format!("The search was not started. {why}"));
        }
        let search = &self.state.search;
        let plan = match (&search.shown, search.study()) {
            (Some(place), Some(study)) => form.old_plan(place, study, &self.base_of_search()),
            _ => form.new_plan(&self.searches_folder, &self.base_of_search()),
        };
        let plan = match plan {
            Ok(plan) => plan,
            Err(message) => return self.notify(NoticeKind::Failure, format!("The search was not started. {message}")),
        };
        let key = DataKey::of(&plan.data_config());
        let same = |data: &&crate::app::state::Data| {
            let open = DataKey { data: absolute(&data.key.data), ..data.key.clone() };
            DataKey { split_seed: open.split_seed, ..key.clone() } == open
        };
        let open = self.state.data.as_ref().filter(same).map(|data| Arc::clone(&data.set));
        let waker = Waker::from(Arc::new(WakeWindow(self.context.clone())));
        self.state.search.starting = self.start_task(Kind::Search, move || Answer::Search(Found::Started(work::start(plan, open, waker))));
    }

    /// What the trials of a new study have in common: the form of the Train panel, with data that are found from any folder.
    fn base_of_search(&self) -> Config {
        Config { data: absolute(&self.state.config.data), ..self.state.config.clone() }
    }

    fn command_search(&mut self, command: Command) {
        let Some(going) = &mut self.state.search.going else { return };
        match command {
            Command::Pause => going.paused = true,
            Command::Resume => going.paused = false,
            Command::Stop => going.stopping = true,
        }
        if let Some(handle) = &self.search_handle {
            handle.send(command);
        }
    }

    fn values_of(&mut self, run: PathBuf, epochs: Option<usize>) {
        self.start_task(Kind::SearchValues, move || Answer::Search(Found::Values(experiments::config(&run), epochs)));
    }

    fn take_search_event(&mut self, event: Event) {
        let Some(going) = &mut self.state.search.going else { return };
        match event {
            Event::TrialStarted(trial) => {
                going.trial = Some(trial);
                going.epoch = None;
            }
            Event::TrialEpoch(epoch) => going.epoch = Some(epoch),
            Event::TrialEnded(_) => going.trial = None,
            Event::Notice(notice) => self.notify(NoticeKind::Info, notice.message),
            Event::SearchEnded(ended) => {
                let words = work::told(&going.place.study, &ended);
                let kind = if ended.ending == Ending::Failed { NoticeKind::Failure } else { NoticeKind::Info };
                self.state.search.going = None;
                self.search_handle = None;
                self.notify(kind, words);
            }
        }
        self.read_journals();
        self.read_shared();
    }

    pub(super) fn take_search(&mut self, answer: Found) {
        match answer {
            Found::Read(result) => self.take_journals(result),
            Found::Opened(result) => self.take_shared(result),
            Found::Started(Ok(started)) => self.take_search_started(started),
            Found::Started(Err(message)) => {
                self.state.search.starting = false;
                self.notify(NoticeKind::Failure, format!("The search was not started. {message}"));
            }
            Found::Values(Ok(config), epochs) => self.take_values(*config, epochs),
            Found::Values(Err(message), _) => {
                self.notify(NoticeKind::Failure, format!("The values of the trial were not taken. {message}"));
            }
        }
    }

    fn take_search_started(&mut self, started: Started) {
        let Started { handle, place, left_out } = started;
        if let Some(words) = left_out {
            self.notify(NoticeKind::Info, words);
        }
        self.search_handle = Some(handle);
        let search = &mut self.state.search;
        search.starting = false;
        if search.shown.as_ref() != Some(&place) {
            search.focus = None;
        }
        search.shown = Some(place.clone());
        search.changes += 1;
        search.going = Some(Going { place, trial: None, epoch: None, paused: false, stopping: false });
        self.read_journals();
        self.read_shared();
    }

    fn take_journals(&mut self, result: Result<Journals, String>) {
        let search = &mut self.state.search;
        search.reading = false;
        let same = match (&search.journals, &result) {
            (Some(Ok(old)), Ok(new)) => work::are_same(old, new),
            (Some(Err(old)), Err(new)) => old == new,
            _ => false,
        };
        if !same {
            search.changes += 1;
            search.journals = Some(result.map(Arc::new));
        }
        if search.again {
            self.read_journals();
        }
    }

    /// Takes a trial's values into the form; trains them if asked to and if that can be.
    fn take_values(&mut self, mut config: Config, epochs: Option<usize>) {
        // the same folder by another path would be opened once more
        if absolute(&self.state.config.data) == config.data {
            config.data.clone_from(&self.state.config.data);
        }
        let form = Config { epochs: epochs.unwrap_or(config.epochs), snapshots: self.state.config.snapshots, ..config };
        self.apply(Action::Configure(Box::new(form)));
        self.apply(Action::Show(Pane::Train));
        if epochs.is_none() {
            return self.notify(NoticeKind::Info, "The form has the values of the trial; Undo takes it back.".into());
        }
        self.follow_form();
        match self.state.start_blocked() {
            None if !self.state.is_training() => self.apply(Action::Start),
            blocked => {
                let why = blocked.unwrap_or_else(|| "A run is going on.".into());
                self.notify(NoticeKind::Info, format!("The form has the values of the trial; press Start later. {why}"));
            }
        }
    }
}
