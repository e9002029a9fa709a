//! An evening with a survey, by mouse and keyboard: open data, train, look at what is confused, relabel a galaxy, take it
//! back, export, close the window, and find everything again.

use std::path::Path;

use tuning_fork::data::{self, Marks, Sidecar, synth};
use tuning_fork::train::{Event, Outcome};

use super::display::{ESCAPE, RETURN};
use super::program::Program;
use super::{SOON, TRAINED, display, ended};

/// Galaxies of the survey.
const GALAXIES: usize = 240;

#[test]
fn what_was_done_in_an_evening_is_there_the_next_day() {
    let Some(display) = display() else { return };
    let home = tempfile::tempdir().expect("a temporary folder");
    let survey = home.path().join("a survey é");
    synth::write(&survey, GALAXIES, 32, 5, &mut |_| {}).expect("galaxies");
    let labels = data::open(&survey).expect("a data folder").labels;

    let mut program = Program::start(&display, home.path());
    program.skip_tour();
    program.drop_files(&[&survey]);
    program.wait_for(&survey.display().to_string(), SOON);
    let run = train(&mut program, home.path());

    // the worst cell, and its first galaxy
    program.enlarge("Confusion");
    program.wait_for("All panels", SOON);
    let worst = program.best("a confused cell", |name| {
        let (count, rest) = name.split_once(" of ")?;
        rest.contains(" were called ").then(|| count.parse().ok())?.filter(|&count: &usize| count > 0)
    });
    program.click(&worst);
    let galaxy = program.best("a galaxy of the cell", |name| name.starts_with("galaxy ").then_some(0));
    program.click(&galaxy);
    program.wait_for_focus("Galaxies");
    program.key(RETURN);
    program.wait_for("Your label", SOON);
    let index: usize = galaxy[7..].split(':').next().and_then(|number| number.parse().ok()).expect("its number");

    // another label, taken back, and given again
    let label = (labels[index] + 1) % 10;
    let digit = char::from_digit(label, 10).expect("a digit");
    for (key, expected) in [(digit, Some(label)), ('u', None), (digit, Some(label))] {
        program.key(key);
        program.wait(&format!("the label after {key}"), SOON, || (marks(&survey)?.label(index) == expected).then_some(()));
    }
    program.key(ESCAPE);
    // a click that comes before the large picture is closed goes to that
    program.click_until("All panels", "Filter");

    // only the relabelled one passes the filter, and is written
    program.write("Filter", "relabelled");
    program.wait_for(&format!("1 of {GALAXIES}"), SOON);
    program.click("Export…");
    program.click("Write");
    let table = home.path().join("galaxies.csv");
    let rows = program.wait("the table", SOON, || std::fs::read_to_string(&table).ok());
    let rows: Vec<&str> = rows.lines().collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert!(rows[1].starts_with(&format!("{index},")), "{rows:?}");
    program.close();

    let mut again = Program::start(&display, home.path());
    again.wait_for(&survey.display().to_string(), SOON);
    again.wait_for("Confusion matrix of epoch 3", SOON);
    again.best("the same cell", |name| (name == worst).then_some(0));
    again.write("Filter", "relabelled");
    again.wait_for(&format!("1 of {GALAXIES}"), SOON);
    assert_eq!(again.value("Epochs").as_deref(), Some("3"));
    again.close();
    assert!(table.is_file() && run.join("best.safetensors").is_file());
    assert_eq!(marks(&survey).expect("the marks").label(index), Some(label));
    assert_eq!(data::open(&survey).expect("a data folder").labels, labels, "the data are as they were");
}

/// Three epochs, to the end; the run folder comes back.
fn train(program: &mut Program<'_>, home: &Path) -> std::path::PathBuf {
    program.enter("Epochs", "3");
    program.click("Start");
    let run = program.wait("the run folder", SOON, || std::fs::read_dir(home.join("runs")).ok()?.next()?.ok().map(|e| e.path()));
    let events = program.wait("the end of the run", TRAINED, || ended(&run));
    let Some(Event::Ended(end)) = events.last() else { unreachable!("it was waited for") };
    assert_eq!(end.outcome, Outcome::Completed, "{}", end.message);
    program.wait_for("Confusion matrix of epoch 3", SOON);
    run
}

/// The marks beside the survey, once they are on disk.
fn marks(survey: &Path) -> Option<Marks> {
    let set = data::open(survey).ok()?;
    survey.with_file_name("a survey é.marks.json").is_file().then(|| Sidecar::open(&set, None).marks)
}
