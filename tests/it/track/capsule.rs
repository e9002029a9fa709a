//! A run as one file, and files that only say they are one.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use tuning_fork::track::{About, export, import, is_capsule};
use zip::write::SimpleFileOptions;

use super::{list, names, runs};

/// Writes a file to be refused.
type Make<'a> = Box<dyn Fn() + 'a>;

/// A ZIP file with these entries.
fn archive(path: &Path, entries: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(File::create(path).expect("a file"));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(bytes).expect("writes");
    }
    zip.finish().expect("an end");
}

fn manifest(run: &str, files: &[(&str, usize)]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(name, bytes)| serde_json::json!({"name": name, "bytes": bytes, "sha256": ""})).collect();
    serde_json::to_vec(&serde_json::json!({"format": 1, "run": run, "version": "0", "files": files})).expect("JSON")
}

#[test]
fn a_run_travels_as_one_file() {
    let folder = runs(&["a"]);
    let run = folder.path().join("a");
    About { name: "first".into(), ..About::default() }.write(&run).expect("writes");
    fs::write(run.join("best.safetensors"), vec![7; 5000]).expect("writes");
    for left in ["last.safetensors", "lock", ".best.safetensors.partial-1"] {
        fs::write(run.join(left), "stays behind").expect("writes");
    }
    let out = folder.path().join("first run é.zip");
    export(&run, &out).expect("exports");
    assert!(is_capsule(&out) && !is_capsule(&run.join("config.json")));
    let place = import(&out, &folder.path().join("elsewhere")).expect("imports");
    assert!(place.ends_with("elsewhere/a"));
    for name in ["config.json", "events.jsonl", "split.json", "best.safetensors", "about.json", "predictions/epoch_0003.npy"] {
        assert_eq!(fs::read(place.join(name)).expect(name), fs::read(run.join(name)).expect(name), "{name}");
    }
    assert!(!place.join("last.safetensors").exists() && !place.join("lock").exists());
    let (here, there) = (list(folder.path()), list(&folder.path().join("elsewhere")));
    assert_eq!(here.runs[0].best, there.runs[0].best);
    // again: beside the first
    assert!(import(&out, &folder.path().join("elsewhere")).expect("imports").ends_with("elsewhere/a-2"));
    assert!(export(folder.path(), &out).is_err() && is_capsule(&out));
}

#[test]
fn strangers_files_are_refused_and_leave_nothing() {
    let folder = runs(&["a"]);
    let good = folder.path().join("good.zip");
    export(&folder.path().join("a"), &good).expect("exports");
    let torn = fs::read(&good).expect("reads");
    let place = folder.path().join("bad.zip");
    let bomb = vec![0_u8; 40 << 20];
    let cases: [(&str, Make<'_>); 7] = [
        ("no run that was exported", Box::new(|| fs::write(&place, &torn[..torn.len() / 2]).expect("writes"))),
        ("no run that was exported", Box::new(|| archive(&place, &[("readme.txt", b"hello")]))),
        (
            "outside the run's folder",
            Box::new(|| archive(&place, &[("capsule.json", &manifest("x", &[("../../evil", 4)])), ("../../evil", b"evil")])),
        ),
        ("no folder's name", Box::new(|| archive(&place, &[("capsule.json", &manifest("../x", &[]))]))),
        (
            "far more than its size",
            Box::new(|| archive(&place, &[("capsule.json", &manifest("x", &[("zeros", 40 << 20)])), ("zeros", &bomb)])),
        ),
        // the list lies about the size: nothing beyond it is unpacked
        ("not what was exported", Box::new(|| archive(&place, &[("capsule.json", &manifest("x", &[("zeros", 100)])), ("zeros", &bomb)]))),
        ("holds no run", Box::new(|| archive(&place, &[("capsule.json", &manifest("x", &[]))]))),
    ];
    for (part, make) in cases {
        make();
        let error = import(&place, &folder.path().join("new")).expect_err(part).to_string();
        assert!(error.contains(part), "{part}: {error}");
        let left = fs::read_dir(folder.path().join("new")).map_or(0, Iterator::count);
        assert_eq!((left, folder.path().join("evil").exists()), (0, false), "{part}");
    }
    assert_eq!(names(&list(folder.path())), ["a"]);
}
