//! What `files` promises, on a real disk.

use super::*;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).expect("a folder").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_file_appears_when_it_is_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv");
    fs::write(&path, "old").expect("writes");
    let mut file = NewFile::create(&path).expect("a file");
    file.write_all(b"new").expect("writes");
    assert_eq!(fs::read(&path).expect("reads"), b"old");
    file.keep().expect("renames");
    assert_eq!(fs::read(&path).expect("reads"), b"new");
    assert_eq!(names(folder.path()), ["table.csv"]);
}

#[test]
fn a_failed_attempt_leaves_what_was_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("table.csv");
    fs::write(&path, "old").expect("writes");
    replace(&path, |file| {
        file.write_all(b"half")?;
        Err(io::Error::other("the disk is full"))
    })
    .expect_err("fails");
    replace_by(&path, |_| Err(io::Error::other("the disk is full"))).expect_err("fails");
    assert_eq!(fs::read(&path).expect("reads"), b"old");
    assert_eq!(names(folder.path()), ["table.csv"]);
}

#[test]
fn a_place_that_cannot_be_replaced_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("taken");
    fs::create_dir_all(path.join("occupied")).expect("a folder");
    write_whole(&path, b"text").expect_err("a folder stands there");
    assert_eq!(names(folder.path()), ["taken"]);
    replace(Path::new(".."), |_| Ok(())).expect_err("names no file");
}

#[test]
fn folders_on_the_way_are_made_only_where_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a/b/c.txt");
    replace(&path, |file| file.write_all(b"text")).expect_err("the folder is not there");
    write_whole(&path, b"text").expect("makes the folder");
    assert_eq!(fs::read(&path).expect("reads"), b"text");
}

#[cfg(unix)]
#[test]
fn links_stay_links_and_devices_stay_devices() {
    use std::os::unix::fs::{FileTypeExt, symlink};
    let folder = tempfile::tempdir().expect("a folder");
    let (link, target) = (folder.path().join("link"), folder.path().join("target"));
    symlink("target", &link).expect("a link");
    write_whole(&link, b"text").expect("follows the link to nothing yet");
    write_whole(&link, b"more").expect("follows the link");
    assert!(fs::symlink_metadata(&link).expect("a link").is_symlink());
    assert_eq!(fs::read(&target).expect("reads"), b"more");
    // null, not full: should this test fail as root, it is this device that is lost
    write_whole(Path::new("/dev/null"), b"text").expect("writes to the device");
    assert!(fs::metadata("/dev/null").expect("a device").file_type().is_char_device());
    assert_eq!(names(folder.path()), ["link", "target"]);
}

#[test]
fn a_free_place_is_not_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["map.png", "map-2.png", "map-3.png"] {
        let place = free_place(folder.path(), "map", "png");
        assert_eq!(place, folder.path().join(name));
        fs::write(place, "text").expect("writes");
    }
}

#[test]
fn only_leftovers_are_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = [".best.partial-x", "best.partial-12", ".partial", "best.safetensors"];
    for name in kept.iter().chain(&[".best.safetensors.partial-4711"]) {
        fs::write(folder.path().join(name), "text").expect("writes");
    }
    remove_leftovers(folder.path()).expect("removes");
    let mut kept = kept.map(str::to_owned);
    kept.sort();
    assert_eq!(names(folder.path()), kept);
}

#[test]
fn bytes_read_well() {
    for (n, text) in [(0, "0 kB"), (12_400, "12 kB"), (512_400_000, "512 MB"), (1_440_000_000, "1.4 GB")] {
        assert_eq!(bytes(n), text);
    }
}
