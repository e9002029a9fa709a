//! The house rules as code: the arrows between the rooms, who may know which crate, where `unsafe` may stand, how long a
//! file may grow. When a rule here is in the way, change the design first and this table with it.

use std::path::{Path, PathBuf};

/// The longest a source file may be before it must be split.
const MAX_LINES: usize = 400;

/// Room -> the rooms it may use. `main.rs` and `lib.rs` may use all.
const ARROWS: &[(&str, &[&str])] = &[
    ("files", &[]),
    ("random", &[]),
    ("imaging", &["files"]),
    ("metrics", &[]),
    ("data", &["files", "imaging", "random"]),
    ("augment", &["imaging", "random"]),
    ("nn", &["files", "random"]),
    ("train", &["augment", "data", "files", "imaging", "metrics", "nn", "random"]),
    ("explain", &["imaging", "metrics", "nn", "random"]),
    ("review", &["data", "explain", "files", "imaging", "metrics", "random", "train"]),
    ("search", &["augment", "data", "files", "metrics", "nn", "random", "train"]),
    ("track", &["data", "files", "imaging", "metrics", "nn", "random", "train"]),
    ("cli", &["augment", "data", "explain", "files", "imaging", "metrics", "nn", "random", "review", "search", "track", "train"]),
    ("app", &["augment", "data", "explain", "files", "imaging", "metrics", "nn", "random", "review", "search", "track", "train"]),
];

/// Crate -> the rooms that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("candle_core", &["nn", "train", "explain", "cli"]),
    ("candle_nn", &["nn", "train"]),
    ("cudarc", &["nn"]),
    ("arboard", &["app"]),
    ("rusqlite", &["track"]),
    ("tokio", &["search"]),
    ("tokio_postgres", &["search"]),
    ("rustls", &["search"]),
    ("zip", &["track"]),
    ("egui", &["app"]),
    ("eframe", &["app"]),
    ("egui_plot", &["app"]),
    ("egui_tiles", &["app"]),
    ("egui_notify", &["app"]),
    ("egui_file", &["app"]),
    ("egui_extras", &["app"]),
    ("rfd", &["app"]),
    ("nucleo_matcher", &["app"]),
    ("clap", &["cli", "main"]),
    ("indicatif", &["cli"]),
    ("anyhow", &["app", "cli", "main"]),
];

/// Where `unsafe` may stand.
const UNSAFE: &[&str] = &["src/nn/ops/", "src/data/mapped.rs"];

struct Source {
    path: String,
    room: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files
        .into_iter()
        .map(|file| {
            let path = file.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
            let inside = path.trim_start_matches("src/");
            let room = inside.split('/').next().expect("a first part").trim_end_matches(".rs").to_owned();
            Source { room, text: std::fs::read_to_string(&file).expect("a readable source file"), path }
        })
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// Lines of code with their number: comments and documentation left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line.split("//").next().unwrap_or_default()))
}

/// The rooms named after each `crate::` (or `tuning_fork::`) in a line, braces one level deep included.
fn rooms_named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in ["crate::", "tuning_fork::"] {
        for (at, _) in line.match_indices(prefix) {
            let rest = &line[at + prefix.len()..];
            if let Some(list) = rest.strip_prefix('{') {
                found.extend(list.split(',').map(|part| word(part.trim_start())));
            } else {
                found.push(word(rest));
            }
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') && line[at + name.len()..].starts_with("::")
    })
}

#[test]
fn rooms_use_only_what_their_arrows_allow() {
    let rooms: Vec<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    let mut broken = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == source.room) else {
            assert!(["main", "lib"].contains(&source.room.as_str()), "{} is in no room; add it to the table", source.path);
            continue;
        };
        for (number, line) in code(&source.text) {
            for used in rooms_named(line) {
                if rooms.contains(&used.as_str()) && used != source.room && !allowed.contains(&used.as_str()) {
                    broken.push(format!("{}:{number}: {} must not know {used}", source.path, source.room));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn crates_are_named_only_where_they_belong() {
    let mut broken = Vec::new();
    for source in sources() {
        for (number, line) in code(&source.text) {
            for (name, allowed) in CRATES {
                if names_crate(line, name) && !allowed.contains(&source.room.as_str()) {
                    broken.push(format!("{}:{number}: {} must not know the crate {name}", source.path, source.room));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn unsafe_stands_only_in_operators_and_the_memory_map() {
    let mut broken = Vec::new();
    for source in sources() {
        let allowed = UNSAFE.iter().any(|place| source.path.starts_with(place));
        for (number, line) in code(&source.text) {
            let is_unsafe = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == "unsafe");
            if is_unsafe && !allowed {
                broken.push(format!("{}:{number}: unsafe outside {UNSAFE:?}", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_say_what_they_are_and_stay_short() {
    let mut broken = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            broken.push(format!("{}: opens with no //! line that says what it is", source.path));
        }
        let lines = source.text.lines().count();
        if lines > MAX_LINES {
            broken.push(format!("{}: {lines} lines; split it (the limit is {MAX_LINES})", source.path));
        }
        for (number, line) in code(&source.text) {
            if ["todo!(", "unimplemented!(", "dbg!("].iter().any(|left| line.contains(left)) {
                broken.push(format!("{}:{number}: a left-over", source.path));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_reader_of_paths_sees_what_it_should() {
    assert_eq!(rooms_named("use crate::nn::ops;"), ["nn"]);
    assert_eq!(rooms_named("use crate::{data::Dataset, nn};"), ["data", "nn"]);
    assert!(names_crate("let x: egui::Ui", "egui"));
    assert!(!names_crate("my_egui::Ui", "egui"));
    assert!(!names_crate("let egui = 1;", "egui"));
}
