//! The user's labels and tags, and the file that keeps them.

use std::fs;
use std::path::Path;

use tuning_fork::data::{Dataset, LoadedMarks, Marks, Sidecar, write_changes};

use super::common::{open, write_column, write_npy_folder};

fn load(dataset: &Dataset, own: &Path) -> LoadedMarks {
    Sidecar::open(dataset, Some(own))
}

/// A data folder `galaxies` with six images, and the user's own folder, both in `dir`.
fn galaxies(dir: &Path) -> (Dataset, std::path::PathBuf) {
    let folder = dir.join("galaxies");
    fs::create_dir(&folder).unwrap();
    write_npy_folder(&folder, 6);
    (open(&folder), dir.join("own"))
}

#[test]
fn changes_are_taken_back_one_by_one() {
    let mut marks = Marks::default();
    assert!(marks.relabel(3, 2, 0) && marks.toggle_tag(3, "  odd ") && marks.toggle_tag(4, "odd"));
    assert!(!marks.relabel(3, 2, 0) && !marks.toggle_tag(3, "  "), "what changes nothing is no change");
    assert!(marks.relabel(3, 0, 0), "back to the label of the data set");
    assert_eq!((marks.label(3), marks.tags(3).collect::<Vec<_>>()), (None, vec!["odd"]));
    assert_eq!((marks.undo(), marks.label(3)), (Some(3), Some(2)));
    assert_eq!((marks.undo(), marks.tags(4).count()), (Some(4), 0));
    assert_eq!((marks.undo(), marks.undo(), marks.undo()), (Some(3), Some(3), None));
    assert!(marks.is_empty() && !marks.can_undo());
}

#[test]
fn marks_come_back_and_the_data_folder_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, own) = galaxies(dir.path());
    let before: Vec<_> = fs::read_dir(dir.path().join("galaxies")).unwrap().map(|e| e.unwrap().file_name()).collect();
    let LoadedMarks { mut sidecar, mut marks, messages } = load(&dataset, &own);
    assert!(marks.is_empty() && messages.is_empty());
    marks.relabel(1, 2, 1);
    marks.toggle_tag(5, "é, \"odd\"");
    assert_eq!(sidecar.save(&marks, 1, &dataset).unwrap(), None);
    assert!(dir.path().join("galaxies.marks.json").is_file() && !own.exists());
    let after: Vec<_> = fs::read_dir(dir.path().join("galaxies")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(before, after);
    let again = load(&open(&dir.path().join("galaxies")), &own);
    assert_eq!((again.marks.label(1), again.marks.tags(5).collect::<Vec<_>>()), (Some(2), vec!["é, \"odd\""]));
    assert!(again.messages.is_empty() && !again.marks.can_undo());
    let mut table = Vec::new();
    write_changes(&again.marks, &dataset, &mut table).unwrap();
    let table = String::from_utf8(table).unwrap();
    assert_eq!(
        table,
        "image,original,original_class,label,label_class,tags,ra,dec\n1,1,Class 1,2,Class 2,,,\n5,2,Class 2,2,Class 2,\"é, \"\"odd\"\"\",,\n"
    );
}

#[test]
fn a_torn_file_is_kept_under_another_name_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, own) = galaxies(dir.path());
    let file = dir.path().join("galaxies.marks.json");
    let mut first = load(&dataset, &own);
    first.marks.relabel(1, 2, 1);
    first.sidecar.save(&first.marks, 1, &dataset).unwrap();
    let whole = fs::read(&file).unwrap();
    for n in 1..4 {
        let torn = &whole[..whole.len() * n / 4];
        fs::write(&file, torn).unwrap();
        let found = load(&dataset, &own);
        assert!(found.marks.is_empty() && found.messages.len() == 1 && found.messages[0].contains("damaged"), "{:?}", found.messages);
        assert_eq!(fs::read(dir.path().join(format!("galaxies.marks.json.damaged-{n}"))).unwrap(), torn);
        assert!(!file.exists());
    }
    // whole, but it says what cannot be
    let wrong = String::from_utf8(whole).unwrap().replace("\"label\": 2", "\"label\": 3");
    fs::write(&file, wrong).unwrap();
    assert!(load(&dataset, &own).messages[0].contains("image 1"));
}

#[test]
fn a_file_of_another_data_set_is_kept_under_another_name_and_said() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, own) = galaxies(dir.path());
    let mut first = load(&dataset, &own);
    first.marks.toggle_tag(0, "mine");
    first.sidecar.save(&first.marks, 1, &dataset).unwrap();
    write_column(&dir.path().join("galaxies"), "labels.npy", vec![2i64, 1, 0, 2, 1, 0]);
    let other = open(&dir.path().join("galaxies"));
    assert_ne!(other.digest(), dataset.digest());
    let found = load(&other, &own);
    assert!(found.marks.is_empty() && found.messages[0].contains("another data set, galaxies (6 images)"), "{:?}", found.messages);
    assert!(dir.path().join("galaxies.marks.json.other-data-1").is_file());
}

#[test]
fn what_another_window_wrote_meanwhile_is_not_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, own) = galaxies(dir.path());
    let (mut one, mut two) = (load(&dataset, &own), load(&dataset, &own));
    one.marks.toggle_tag(0, "one");
    two.marks.toggle_tag(0, "two");
    assert_eq!(one.sidecar.save(&one.marks, 1, &dataset).unwrap(), None);
    let message = two.sidecar.save(&two.marks, 1, &dataset).unwrap().expect("it is said");
    assert!(message.contains("another window"), "{message}");
    let aside = fs::read_to_string(dir.path().join("galaxies.marks.json.other-window-1")).unwrap();
    assert!(aside.contains("\"one\""));
    assert_eq!(load(&dataset, &own).marks.tags(0).collect::<Vec<_>>(), ["two"]);
    // an older change that comes late does not overwrite a newer one
    two.marks.toggle_tag(1, "late");
    assert_eq!(two.sidecar.save(&Marks::default(), 1, &dataset).unwrap(), None);
    assert_eq!(load(&dataset, &own).marks.tags(0).count(), 1);
}

#[test]
fn where_nothing_can_be_written_beside_the_data_the_users_own_folder_keeps_the_marks() {
    let dir = tempfile::tempdir().unwrap();
    let (dataset, own) = galaxies(dir.path());
    let file = dir.path().join("galaxies.marks.json");
    let mut first = load(&dataset, &own);
    first.marks.toggle_tag(0, "beside");
    first.sidecar.save(&first.marks, 1, &dataset).unwrap();
    // as in a folder that cannot be written: the file is there and can neither be replaced nor moved. (Permissions do not
    // bind the user that tests may run as, so a folder of that name stands in the way.)
    fs::remove_file(&file).unwrap();
    fs::create_dir_all(file.join("in the way")).unwrap();
    let mut second = load(&dataset, &own);
    assert!(second.messages[0].contains("cannot be read"), "{:?}", second.messages);
    second.marks.toggle_tag(0, "own");
    second.sidecar.save(&second.marks, 1, &dataset).unwrap();
    let kept = own.join(format!("{}.json", dataset.digest()));
    assert!(kept.is_file());
    assert_eq!(load(&dataset, &own).marks.tags(0).collect::<Vec<_>>(), ["own"]);
    // synthetic data have no folder at all
    let synthetic = super::common::memory_dataset(&[0, 0, 1], 2);
    let mut third = load(&synthetic, &own);
    third.marks.relabel(0, 1, 0);
    third.sidecar.save(&third.marks, 1, &synthetic).unwrap();
    assert_eq!(load(&synthetic, &own).marks.label(0), Some(1));
    assert!(Sidecar::open(&synthetic, None).sidecar.save(&third.marks, 1, &synthetic).is_err());
}
