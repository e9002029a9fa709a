//! The commands of the Explore, the Confusion, the Experiments and the Search panel.

use super::List;
use crate::app::action::Action;
use crate::app::experiments;
use crate::app::explored::{Change, Integrities, Projection, Table};
use crate::app::layout::Pane;
use crate::app::models;
use crate::app::page::Page;
use crate::app::reviewed::{self, SESSION};
use crate::app::searched;
use crate::app::state::State;
use crate::data::Part;
use crate::track::{At, ModelReference};

/// The most classes that get commands of their own.
const CLASSES: usize = 60;

/// What brings to the front where something becomes visible when this action is done.
#[must_use]
pub fn place_of(action: &Action) -> Option<Action> {
    Some(match action {
        Action::Explore(Change::Relabel(..) | Change::Undo | Change::BrowseExport(_)) => return None,
        Action::Explore(Change::CheckIntegrity | Change::StopIntegrity) => Action::Turn(Page::Duplicates),
        Action::Explore(Change::MakeMap(_) | Change::StopMap) => Action::Turn(Page::Map),
        Action::Explore(_) => Action::Turn(Page::Pictures),
        Action::Review(_) => Action::Show(Pane::Confusion),
        Action::Experiments(experiments::Change::Models(models::Change::Use(_))) => Action::Show(Pane::Classify),
        Action::Experiments(experiments::Change::Models(_)) => Action::Turn(Page::Models),
        Action::Experiments(_) => Action::Show(Pane::Experiments),
        Action::Search(_) => Action::Show(Pane::Search),
        _ => return None,
    })
}

/// What the Explore panel can be asked for.
pub(super) fn explore(list: &mut List, state: &State) {
    let no_data = || "Open a data set first.".to_owned();
    let explore = &state.explore;
    let mut filter = |words: String, query: String| {
        let there = state.data.as_ref().map(|_| Action::Explore(Change::Filter(query)));
        list.add(words, "", there.ok_or_else(no_data));
    };
    filter("Explore all pictures".into(), String::new());
    filter("Explore the pictures that the model gets wrong".into(), "wrong sort:-loss".into());
    filter("Explore the pictures that you labelled anew".into(), "relabelled".into());
    filter("Explore the pictures that you tagged".into(), "tagged".into());
    for (class, name) in state.data.iter().flat_map(|data| data.set.classes.iter().take(CLASSES).enumerate()) {
        filter(format!("Explore the pictures of the class {name}"), format!("class:{class}"));
    }
    if explore.shown.is_some() {
        list.add("Put the list in Explore away", "", Ok(Action::Explore(Change::CloseShown)));
    }
    slow(list, state);
    let marked = explore.marked.as_ref().filter(|marked| marked.changes > 0);
    let undo = marked.map(|_| Action::Explore(Change::Undo)).ok_or_else(|| "No picture was labelled or tagged since the start.".to_owned());
    list.add("Take the last label or tag back", "U", undo);
    for table in Table::ALL {
        let export = state.data.as_ref().map(|_| Action::Explore(Change::BrowseExport(table)));
        list.add(format!("Export: {}…", table.title()), "", export.ok_or_else(no_data));
    }
}

/// What takes Explore a while, and how to end it.
fn slow(list: &mut List, state: &State) {
    let explore = &state.explore;
    let no_data = || "Open a data set first.".to_owned();
    if explore.reading.is_some() {
        list.add("Stop classifying the pictures", "", Ok(Action::Explore(Change::StopClassifying)));
    } else {
        let all = match (&state.data, &state.model.classifier) {
            (None, _) => Err(no_data()),
            (_, None) => Err("There is no model yet: train one or choose one.".to_owned()),
            (Some(_), Some(_)) => Ok(Action::Explore(Change::Classify)),
        };
        list.add("Classify all pictures with the model", "", all);
    }
    if matches!(explore.integrity, Integrities::Working(_)) {
        list.add("Stop looking for duplicates", "", Ok(Action::Explore(Change::StopIntegrity)));
    } else {
        let check = state.data.as_ref().map(|_| Action::Explore(Change::CheckIntegrity));
        list.add("Look for duplicates", "", check.ok_or_else(no_data));
    }
    if explore.map.working.is_some() {
        list.add("Stop making the map", "", Ok(Action::Explore(Change::StopMap)));
    } else {
        for (name, projection) in [("PCA", Projection::Pca), ("t-SNE", Projection::Tsne)] {
            let make = explore.read.as_ref().map(|_| Action::Explore(Change::MakeMap(projection)));
            let missing = || "Let the model classify pictures first.".to_owned();
            list.add(format!("Map what the model saw by {name}"), "", make.ok_or_else(missing));
        }
    }
}

/// The commands for one picture, given that it is there.
pub(super) fn of_picture(list: &mut List, state: &State, index: usize) {
    let near = match (&state.data, &state.explore.read) {
        (Some(data), Some(_)) if index < data.set.len() => Ok(Action::Explore(Change::Neighbours(index))),
        _ => Err("Let the model classify pictures first.".to_owned()),
    };
    list.add(format!("Explore the pictures most like image {index}"), "", near);
}

/// The labels that the large picture can get.
pub(super) fn labels(list: &mut List, state: &State) {
    let (Some(opened), Some(data)) = (&state.opened, &state.data) else { return };
    for (class, name) in data.set.classes.iter().take(CLASSES).enumerate() {
        let keys = if class < 10 { class.to_string() } else { String::new() };
        list.add(format!("Label the large picture {name}"), keys, Ok(Action::Explore(Change::Relabel(opened.index, class as u32))));
    }
}

/// What the Confusion panel can be asked for.
pub(super) fn confusion(list: &mut List, state: &State) {
    use reviewed::Change as Review;
    let review = &state.review;
    list.add("Open a run to look back on…", "", Ok(Action::Review(Review::Browse)));
    if review.evaluating.is_some() {
        list.add("Stop evaluating", "", Ok(Action::Review(Review::StopEvaluating)));
    }
    let session = review.record(SESSION).map(|record| (SESSION, format!("this session's run ({})", record.name)));
    let opened = review.opened.iter().map(|opened| (opened.id, format!("the run {}", opened.record.name)));
    for (id, name) in session.into_iter().chain(opened) {
        for part in Part::ALL {
            let evaluate = if review.evaluating.is_some() {
                Err("A model is being evaluated.".to_owned())
            } else if state.data.as_ref().is_none_or(|data| !review.is_data_of(id, data)) {
                Err("Open the run's data set first.".to_owned())
            } else {
                Ok(Action::Review(Review::Evaluate(id, part, None)))
            };
            list.add(format!("Evaluate {name} on its {} images", part.title()), "", evaluate);
        }
        list.add(format!("Open the data set of {name}"), "", Ok(Action::Review(Review::OpenData(id))));
        if id != SESSION {
            list.add(format!("Put {name} away"), "", Ok(Action::Review(Review::Close(id))));
        }
    }
}

fn register(run: String) -> experiments::Change {
    experiments::Change::Models(models::Change::Register { run: run.into(), name: models::FIRST_NAME.into(), note: String::new() })
}

/// What the Search panel can be asked for.
pub(super) fn search(list: &mut List, state: &State) {
    use crate::train::Command;
    use searched::Change;
    let search = &state.search;
    let going = |command: Command| match &search.going {
        Some(_) => Ok(Action::Search(Change::Command(command))),
        None => Err("No search is going on.".to_owned()),
    };
    if search.going.as_ref().is_some_and(|going| going.paused) {
        list.add("Let the search go on", "", going(Command::Resume));
    } else {
        list.add("Pause the search", "", going(Command::Pause));
    }
    list.add("Stop the search", "", going(Command::Stop));
    list.add("Set up a new search", "", Ok(Action::Search(Change::Show(None))));
    for (place, study) in search.studies() {
        list.add(format!("Show the search {}", study.name), "", Ok(Action::Search(Change::Show(Some(place)))));
    }
    let best = search.shown.as_ref().zip(search.study()).and_then(|(place, study)| {
        let trial = search.focus.and_then(|number| study.trials.get(number)).or_else(|| study.best())?;
        Some(place.resolve(&crate::search::run_of(trial)?))
    });
    let of_trial = |change: fn(std::path::PathBuf) -> Change| {
        let run = best.clone().ok_or_else(|| "Show a search with a trial first.".to_owned());
        run.map(|run| Action::Search(change(run)))
    };
    list.add("Look back on the chosen or best trial", "", of_trial(Change::LookBack));
    list.add("Classify with the model of the chosen or best trial", "", of_trial(Change::UseModel));
    list.add("Take the values of the chosen or best trial into the form", "", of_trial(Change::UseValues));
}

/// What the Experiments panel can be asked for.
pub(super) fn experiments(list: &mut List, state: &State) {
    use experiments::Change;
    let experiments = &state.experiments;
    list.add("Import a run that was exported as one file…", "", Ok(Action::Experiments(Change::BrowseImport)));
    list.add("List the runs again", "", Ok(Action::Experiments(Change::Refresh)));
    let trials =
        if experiments.trials { "List no trials of searches among the runs" } else { "List the trials of searches among the runs" };
    list.add(trials, "", Ok(Action::Experiments(Change::Trials(!experiments.trials))));
    let unmark = if experiments.compared.is_empty() { Err("No run is marked.".to_owned()) } else { Ok(Change::CompareOnly(Vec::new())) };
    list.add("Mark no runs", "", unmark.map(Action::Experiments));
    let focus = experiments.focus.as_ref().and_then(|folder| experiments.run(folder)).map(|run| run.folder.clone());
    let of_run = |change: fn(String) -> Change| {
        let folder = focus.clone().ok_or_else(|| "Click a run in the Experiments panel first.".to_owned());
        folder.map(|folder| Action::Experiments(change(folder)))
    };
    let left = experiments.focus.as_ref().and_then(|folder| experiments.run(folder)).map_or(Ok(()), experiments::may_go_on);
    let left = left.map_err(str::to_owned).and_then(|()| state.search_blocked().map_or(Ok(()), Err));
    let go_on = left.and_then(|()| of_run(Change::GoOn));
    list.add("Go on with the chosen run", "", go_on);
    list.add("Look back on the chosen run", "", of_run(Change::LookBack));
    list.add("Classify with the model of the chosen run", "", of_run(Change::UseModel));
    list.add("Register the model of the chosen run as galaxy-classifier", "", of_run(register));
    for model in &experiments.models.models {
        for alias in model.aliases.keys() {
            let reference = ModelReference { name: model.name.clone(), at: At::Alias(alias.clone()) };
            let words = format!("Classify with the registered model {reference}");
            list.add(words, "", Ok(Action::Experiments(Change::Models(models::Change::Use(reference)))));
        }
    }
    if experiments.mirror.target.is_some() {
        list.add("Stop mirroring runs in MLflow", "", Ok(Action::Experiments(Change::Mirror(None))));
    }
    list.add("Take the values of the chosen run into the form", "", of_run(Change::UseConfig));
    list.add("Export the chosen run as one file…", "", of_run(Change::BrowseExport));
    list.add("Move the chosen run to the trash", "", of_run(|folder| Change::Delete(vec![folder])));
    let trash = experiments.trash.as_ref().filter(|trash| !trash.is_empty());
    let empty = || "The trash is empty, or the Experiments panel was not looked at yet.".to_owned();
    list.add("Bring the runs in the trash back", "", trash.map(|t| Action::Experiments(Change::Restore(t.clone()))).ok_or_else(empty));
    list.add("Empty the trash of runs for good", "", trash.map(|_| Action::Experiments(Change::EmptyTrash)).ok_or_else(empty));
}
