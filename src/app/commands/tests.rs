//! Whether the list of commands is whole.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use super::*;
use crate::app::experiments::{Change as Runs, Folders};
use crate::app::explored::{Change as Explore, Integrities, Marked, Progress, Shown};
use crate::app::import::{Importing, Wanted};
use crate::app::models::Change as Models;
use crate::app::presets::UserPreset;
use crate::app::reviewed::{self, Change as Review};
use crate::app::searched::{Change as Search, Going, Place};
use crate::app::state::{DataKey, Notice, NoticeKind, Opened, Run};
use crate::app::undo::Before;
use crate::app::{review_work, work};
use crate::augment::Preset;
use crate::data::Sidecar;
use crate::train::{Ended, Event, Paused, RunFolder, Session, Started};

/// The name of an action that a user can ask for without pointing at something: such an action needs a command, and its name in
/// [`OFFERED`]. `None` for what only the window, a task or a run says, and for what comes with a path from a dialog, a field or a drop.
#[expect(clippy::too_many_lines, reason = "a table of all actions")]
fn name(action: &Action) -> Option<&'static str> {
    Some(match action {
        Action::Configure(_) => "configure",
        Action::UseSynthetic => "use synthetic",
        Action::BrowseData => "browse data",
        Action::Import(ImportAction::Browse) => "import",
        Action::Import(ImportAction::BrowseDownload) => "download",
        Action::Import(ImportAction::Stop) => "end import",
        Action::Start => "start",
        Action::GoOn(..) => "go on",
        Action::Pause => "pause",
        Action::Resume => "resume",
        Action::Stop => "stop",
        Action::DismissRun => "dismiss run",
        Action::OpenPicture(_) => "open picture",
        Action::ClosePicture => "close picture",
        Action::ClassifyImage(_) => "classify image",
        Action::BrowsePicture => "browse picture",
        Action::BrowseModel => "browse model",
        Action::FollowRun => "follow run",
        Action::Show(_) => "show",
        Action::Fill(_) => "fill",
        Action::Turn(_) => "turn",
        Action::Press(_) => "press",
        Action::Help(_) => "help",
        Action::Lab(LabAction::Open(_)) => "lab",
        Action::Presets(PresetAction::Delete(_)) => "delete preset",
        Action::Undo => "undo",
        Action::Appearance(_) => "appearance",
        Action::Tour(_) => "tour",
        Action::ResetLayout => "reset layout",
        Action::Explore(Explore::Filter(_)) => "filter",
        Action::Explore(Explore::CloseShown) => "close list",
        Action::Explore(Explore::Relabel(..)) => "relabel",
        Action::Explore(Explore::Undo) => "undo mark",
        Action::Explore(Explore::Classify) => "classify all",
        Action::Explore(Explore::StopClassifying) => "stop classifying",
        Action::Explore(Explore::CheckIntegrity) => "duplicates",
        Action::Explore(Explore::StopIntegrity) => "stop duplicates",
        Action::Explore(Explore::MakeMap(_)) => "map",
        Action::Explore(Explore::StopMap) => "stop map",
        Action::Explore(Explore::Neighbours(_)) => "neighbours",
        Action::Explore(Explore::BrowseExport(_)) => "export",
        Action::Review(Review::Browse) => "browse run",
        Action::Review(Review::Close(_)) => "close run",
        Action::Review(Review::Evaluate(..)) => "evaluate",
        Action::Review(Review::StopEvaluating) => "stop evaluating",
        Action::Review(Review::OpenData(_)) => "open data of run",
        Action::Experiments(Runs::BrowseImport) => "import run",
        Action::Experiments(Runs::Mirror(None)) => "stop mirroring",
        Action::Experiments(Runs::Refresh) => "list runs",
        Action::Experiments(Runs::Trials(_)) => "list trials",
        Action::Experiments(Runs::CompareOnly(_)) => "mark runs",
        Action::Experiments(Runs::GoOn(_)) => "go on with a run",
        Action::Experiments(Runs::LookBack(_)) => "look back",
        Action::Experiments(Runs::UseModel(_)) => "use model of run",
        Action::Experiments(Runs::UseConfig(_)) => "use values of run",
        Action::Experiments(Runs::BrowseExport(_)) => "export run",
        Action::Experiments(Runs::Delete(_)) => "delete run",
        Action::Experiments(Runs::Restore(_)) => "restore runs",
        Action::Experiments(Runs::EmptyTrash) => "empty trash",
        Action::Experiments(Runs::Models(Models::Register { .. })) => "register run",
        Action::Experiments(Runs::Models(Models::Use(_))) => "use registered model",
        Action::Search(Search::Command(RunCommand::Stop)) => "stop search",
        Action::Search(Search::Command(_)) => "pause search",
        Action::Search(Search::Show(_)) => "show search",
        Action::Search(Search::LookBack(_) | Search::UseModel(_) | Search::UseValues(_)) => "use trial",
        Action::Dismiss(_) => "dismiss",
        Action::Inspect(InspectAction::Paste) => "paste",
        Action::Inspect(InspectAction::Rival(RivalAction::Browse)) => "browse second model",
        Action::Inspect(InspectAction::Export) => "export map",
        Action::OpenData(_)
        | Action::Import(ImportAction::File(_) | ImportAction::Download(_))
        | Action::LoadModel(_)
        | Action::ClassifyFile(_)
        | Action::Drop(_)
        // a tag is a word, a file's path comes from a dialog
        | Action::Explore(Explore::Tag(..) | Explore::Export(..) | Explore::Answers(_))
        // these are of what the panel shows, or asked by the panel itself
        | Action::Review(
            Review::Open(_)
            | Review::Restore(_)
            | Review::List
            | Review::Seen
            | Review::Want(_)
            | Review::StoreTemperature(_)
            | Review::Save(..),
        )
        | Action::Experiments(
            Runs::Mirror(Some(_))
            | Runs::Compare(..)
            | Runs::Focus(_)
            | Runs::Describe(..)
            | Runs::Import(_)
            | Runs::Export(..)
            | Runs::SaveTable(..)
            // a version is pointed at in the panel
            | Runs::Models(_),
        )
        // a search starts with the panel's form, a trial is trained for the epochs that stand there
        | Action::Search(
            Search::Start(_)
            | Search::Focus(_)
            | Search::Refresh
            | Search::TrainLonger(..)
            | Search::Event(_)
            | Search::OpenAddress(_)
            | Search::CloseAddress(_),
        )
        | Action::ShowInExplore { .. }
        | Action::WantThumbnails(_)
        | Action::Lab(_)
        | Action::Inspect(_)
        | Action::Pile(_)
        | Action::Presets(_)
        | Action::Palette(_)
        | Action::Answer(_)
        | Action::Event(_) => return None,
    })
}

/// Every name that [`name`] gives.
const OFFERED: &[&str] = &[
    "configure",
    "use synthetic",
    "browse data",
    "import",
    "download",
    "end import",
    "start",
    "go on",
    "pause",
    "resume",
    "stop",
    "dismiss run",
    "open picture",
    "close picture",
    "classify image",
    "browse picture",
    "browse model",
    "follow run",
    "show",
    "fill",
    "turn",
    "press",
    "help",
    "lab",
    "delete preset",
    "undo",
    "appearance",
    "tour",
    "reset layout",
    "filter",
    "close list",
    "relabel",
    "undo mark",
    "stop classifying",
    "duplicates",
    "stop duplicates",
    "stop map",
    "export",
    "browse run",
    "close run",
    "open data of run",
    "dismiss",
    "paste",
    "browse second model",
    "import run",
    "stop mirroring",
    "list runs",
    "list trials",
    "mark runs",
    "go on with a run",
    "look back",
    "use model of run",
    "use values of run",
    "export run",
    "delete run",
    "restore runs",
    "empty trash",
    "register run",
    "use registered model",
    "stop search",
    "pause search",
    "show search",
];

/// What needs a model or the data of a run, and is offered with that as its reason while there is none.
const OFFERED_WITH_A_REASON: &[&str] = &[
    "Import a Galaxy10 file (.h5)…",
    "Classify all pictures with the model",
    "Map what the model saw by PCA",
    "Map what the model saw by t-SNE",
    "Explore the pictures most like image 3",
    "Evaluate the run finished on its test images",
    "Classify with the model of the chosen or best trial",
];

fn started() -> Started {
    let json = r#"{"data": "plain", "classes": ["a"], "parameters": 1, "train_images": 1, "valid_images": 1, "test_images": 1,
        "steps_per_epoch": 1, "epochs": 2, "epochs_done": 0, "steps_done": 0, "device": "CPU, f32", "threads": 1,
        "split_digest": "0", "version": "0", "time": 0}"#;
    serde_json::from_str(json).expect("a start")
}

fn run(events: Vec<Event>) -> Run {
    let mut session = Session::default();
    for event in events {
        session.apply(event);
    }
    Run { session, config: Config::default(), folder: "run".into(), asked: None, dismissed: false, generation: 1 }
}

/// A window with everything: data, a picture, a chosen model, a preset, a notice, a step to take back.
fn full() -> State {
    let config = Config { synthetic_images: 60, size: 32, ..Config::default() };
    let set = Arc::new(crate::data::load(&config.data, 60, 32, 1).expect("synthetic galaxies"));
    let key = DataKey::of(&config);
    let data = *work::describe(&key, set).expect("a split");
    let loaded = Sidecar::open(&data.set, None);
    let mut state = State { config, data: Some(data), ..State::default() };
    state.explore.marked =
        Some(Marked { marks: Arc::new(loaded.marks), sidecar: Arc::new(Mutex::new(loaded.sidecar)), place: None, changes: 1, saved: 1 });
    state.explore.shown = Some(Shown { title: "a list".into(), indices: Arc::default(), number: 1, before: String::new() });
    state.opened = Some(Opened { index: 0, picture: None });
    state.model.chosen = Some("model".into());
    state.presets.push(UserPreset { name: "Mine".into(), augmentation: Preset::Strong.augmentation() });
    state.notices.push(Notice { id: 1, kind: NoticeKind::Failure, text: "no".into() });
    state.undo.push("a step", Before::Presets(Vec::new()));
    state.full = Some(Pane::Train);
    state.experiments.compared.push("run".into());
    state.experiments.mirror.target = "sqlite:///mlflow.db".parse().ok();
    let model = r#"{"format": 1, "created": 0, "measure": "macro_f1", "last": 1, "aliases": {"champion": 1}}"#;
    let mut model: crate::track::RegisteredModel = serde_json::from_str(model).expect("a model");
    model.name = "m".into();
    state.experiments.models.models.push(model);
    state.experiments.trash = Some(vec![crate::track::Trashed { name: "old".into(), path: "runs/.trash/old".into(), bytes: 1 }]);
    state
}

#[test]
fn everything_that_a_user_can_ask_for_is_offered() {
    let failed = Ended { outcome: Outcome::Failed, message: "no".into(), best_epoch: None, seconds: 0.0 };
    let stopped = Ended { outcome: Outcome::Stopped, message: "so far".into(), best_epoch: None, seconds: 0.0 };
    let runs = [
        None,
        Some(run(Vec::new())),
        Some(run(vec![Event::Paused(Paused { epoch: 1, step: 1 })])),
        Some(run(vec![Event::Ended(failed)])),
        Some(run(vec![Event::Started(started()), Event::Ended(stopped)])),
    ];
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("finished");
    RunFolder::create(&folder).expect("a run folder");
    let config = serde_json::to_vec(&Config::default()).expect("a configuration is JSON");
    std::fs::write(folder.join("config.json"), config).expect("its configuration");
    let record = Arc::from(review_work::open(&folder, None).expect("its record"));
    let (mut offered, mut explained) = (BTreeSet::new(), BTreeSet::new());
    for (n, run) in runs.into_iter().enumerate() {
        let mut state = full();
        let folders = Folders { runs: home.path().into(), searches: home.path().join("searches") };
        let listed = crate::app::experiments::list(&folders, false, &[]).expect("the run is listed");
        state.experiments.listing = Some(Ok(Arc::new(listed.listing)));
        state.experiments.focus = Some("finished".into());
        state.review.opened.push(reviewed::Opened { id: 1, record: Arc::clone(&record) });
        if n > 0 {
            let wanted = Wanted::of_file("a.h5".into());
            state.importing = Some(Importing { wanted, progress: Arc::default(), open: None });
            state.explore.reading = Some(Progress::of(1));
            state.explore.integrity = Integrities::Working(Progress::of(1));
            state.explore.map.working = Some(Progress::of(1));
        }
        if (1..4).contains(&n) {
            let place = Place { storage: crate::search::Storage::Journal("searches/a.log".into()), study: "a".into() };
            state.search.going = Some(Going { place, trial: None, epoch: None, paused: false, stopping: false });
        }
        if run.as_ref().is_some_and(Run::is_over) {
            state.config.data = "elsewhere".into();
        }
        state.run = run;
        let now = Now { state: &state, appearance: Appearance::default(), presets: &[("Gentle", Preset::Gentle.augmentation())] };
        for command in all(now).into_iter().chain(of_picture(&state, 3)) {
            match command.action {
                Ok(action) => offered.extend(name(&action)),
                Err(_) => {
                    explained.insert(command.words.into_owned());
                }
            }
        }
    }
    assert_eq!(offered, OFFERED.iter().copied().collect());
    for words in OFFERED_WITH_A_REASON {
        assert!(explained.contains(*words), "{words}");
    }
}

#[test]
fn every_key_of_the_window_stands_beside_its_command() {
    let state = full();
    let commands = all(Now { state: &state, appearance: Appearance::default(), presets: &[] });
    for does in crate::app::keys::globals().into_iter().map(|global| global.does).filter(|does| *does != Does::Palette) {
        assert!(commands.iter().any(|command| command.keys == does.keys()), "{}", does.words());
    }
}

#[test]
fn commands_have_different_names_and_end_with_reasons() {
    let empty = State::default();
    for state in [&full(), &empty] {
        let commands = all(Now { state, appearance: Appearance::default(), presets: &[] });
        let mut names = BTreeSet::new();
        for command in &commands {
            assert!(names.insert(&*command.words), "{} is there twice", command.words);
        }
        assert!(commands.iter().filter_map(|command| command.action.as_ref().err()).all(|why| why.ends_with('.')));
    }
    assert!(of_picture(&empty, 0).iter().all(|command| command.action.is_err()));
}
