//! A disk that fills up, for real: a tiny file system in memory that the program is started in. Skipped with a word where the system
//! lets nobody make one (`unshare -rm`, Linux).

use std::process::{Command, Output, Stdio};

use tempfile::TempDir;
use tuning_fork::search::{self, TrialState};
use tuning_fork::train::{Event, Outcome, RunFolder};

/// Flags of runs that take a second.
const SMALL: &str = "--synthetic-images=50 --size=32 --batch=16 --threads=1 --model=compact --snapshots=0";

/// Runs `script` in a file system of `kilobytes`; `fill` in it uses up all room that is left, `$FORK` is the program. What lies there at
/// the end is in the folder that comes back, with what the script said. `None` where there can be no such file system.
fn on_a_disk_of(kilobytes: usize, script: &str) -> Option<(TempDir, Output)> {
    let folder = tempfile::tempdir().expect("a folder");
    let [disk, kept] = ["disk", "kept"].map(|name| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).expect("a folder");
        path
    });
    let script = format!(
        "mount -t tmpfs -o size={kilobytes}k none \"$DISK\" || exit 99
         cd \"$DISK\"
         fill() {{ dd if=/dev/zero of=fill bs=64k 2>/dev/null; dd if=/dev/zero bs=1k >> fill 2>/dev/null; true; }}
         ended() {{ \"$@\" && echo \"ended 0\" || echo \"ended $?\"; }}
         {script}
         rm -f fill; cp -r . \"$KEPT\""
    );
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", &script])
        .env("DISK", &disk)
        .env("KEPT", &kept)
        .env("FORK", env!("CARGO_BIN_EXE_tuning-fork"))
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) if output.status.success() => Some((folder, output)),
        Ok(output) => {
            let messages = String::from_utf8_lossy(&output.stderr);
            // 99: no file system may be mounted; the other: nobody may be root of his own
            let refused = output.status.code() == Some(99) || messages.trim_start().starts_with("unshare:");
            assert!(refused, "{}: {}\n{messages}", output.status, String::from_utf8_lossy(&output.stdout));
            println!("skipped: no small disk can be made here: {}", messages.trim());
            None
        }
        Err(error) => {
            println!("skipped: no small disk can be made here: {error}");
            None
        }
    }
}

/// What a script said: its output, and its messages.
fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, messages) = (text(&output.stdout), text(&output.stderr));
    assert!(!messages.contains("panicked"), "{messages}");
    (out, messages)
}

fn run_in(folder: &TempDir, name: &str) -> RunFolder {
    RunFolder::open(folder.path().join("kept").join(name)).expect("a run")
}

fn ended(run: &RunFolder) -> Option<Outcome> {
    run.events()
        .expect("whole lines")
        .iter()
        .rev()
        .find_map(|event| if let Event::Ended(ended) = event { Some(ended.outcome) } else { None })
}

#[test]
fn a_run_trains_on_without_room_loses_nothing_and_is_listed() {
    // full after the first epoch, until the run says so
    let script = format!(
        "$FORK train --out runs/run --epochs 60 --patience 0 {SMALL} 2> messages & RUN=$!
         while kill -0 $RUN 2>/dev/null && ! grep -q '\"event\":\"epoch\"' runs/run/events.jsonl 2>/dev/null; do sleep 0.02; done
         fill
         while kill -0 $RUN 2>/dev/null && [ ! -s messages ]; do sleep 0.02; done
         sleep 0.3
         rm fill
         ended wait $RUN
         cat messages >&2
         fill
         ended $FORK runs list --csv --columns name,state,epochs"
    );
    let Some((folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    assert_eq!(out.matches("ended 0").count(), 2, "{out}\n{messages}");
    assert!(messages.contains("index.sqlite cannot be used") && out.contains("run,completed,"), "{out}\n{messages}");
    let run = run_in(&folder, "runs/run");
    assert_eq!(ended(&run), Some(Outcome::Completed));
    let session = run.session().expect("events");
    assert_eq!(session.epochs.iter().map(|epoch| epoch.epoch).collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
    assert!(run.best_model().is_file() && run.last_checkpoint().is_file());
}

#[test]
fn a_search_without_room_ends_with_a_word_and_goes_on_with_every_trial() {
    let search = format!("$FORK search --study full --trials 3 --pruner none --epochs 3 {SMALL}");
    let script = format!(
        "echo 'lr = {{ low = 1e-4, high = 1e-2, log = true }}' > space.toml
         ended {search} --space space.toml --trials 1
         fill
         ended {search}
         rm fill
         ended {search}"
    );
    let Some((folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    let endings: Vec<&str> = out.lines().filter(|line| line.starts_with("ended")).collect();
    assert_eq!(endings, ["ended 0", "ended 1", "ended 0"], "{out}\n{messages}");
    assert!(messages.contains("make room"), "{messages}");
    let studies = search::read(&folder.path().join("kept/searches/full.log")).expect("a readable journal");
    let trials = &studies[0].trials;
    assert!(trials.len() == 3 && trials.iter().all(|trial| trial.state == TrialState::Complete), "{trials:?}");
}

#[test]
fn a_search_whose_disk_is_full_for_a_while_waits_for_room_and_no_trial_pays_for_it() {
    // full after the first epoch, until the search says so: it stands still while the disk is filled, so that it cannot end before; what it
    // says goes elsewhere, and its lines fill more than the page that they have
    let script = format!(
        "echo 'lr = {{ low = 1e-4, high = 1e-2, log = true }}' > space.toml
         $FORK search --study full --space space.toml --trials 1 --pruner none --epochs 120 --patience 0 {SMALL} 2> \"$KEPT/messages\" & SEARCH=$!
         while kill -0 $SEARCH 2>/dev/null && ! grep -q intermediate_value searches/full.log 2>/dev/null; do sleep 0.02; done
         kill -STOP $SEARCH
         fill
         kill -CONT $SEARCH
         while kill -0 $SEARCH 2>/dev/null && ! grep -q 'tried again' \"$KEPT/messages\"; do sleep 0.02; done
         rm fill
         ended wait $SEARCH
         cat \"$KEPT/messages\" >&2"
    );
    let Some((folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    assert!(out.contains("ended 0") && messages.contains("make room") && messages.contains("is back"), "{out}\n{messages}");
    let studies = search::read(&folder.path().join("kept/searches/full.log")).expect("a readable journal");
    let trials = &studies[0].trials;
    assert!(trials.len() == 1 && trials.iter().all(|trial| trial.state == TrialState::Complete), "{trials:?}");
    for trial in trials {
        assert_eq!(trial.intermediate.keys().copied().collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
        assert!(!trial.system_attrs.contains_key("tuning_fork:deaths"), "{:?}", trial.system_attrs);
    }
}

#[test]
fn a_registry_without_room_keeps_what_it_had() {
    let script = format!(
        "ended $FORK train --out runs/a --epochs 1 {SMALL}
         ended $FORK train --out runs/b --epochs 2 {SMALL}
         ended $FORK models register runs/a --name m
         fill
         ended $FORK models register runs/b --name m
         ended $FORK models promote m@1 --alias production
         ended $FORK models list
         rm fill
         ended $FORK models register runs/b --name m
         ended $FORK track --mlflow sqlite:///mlflow.db"
    );
    let Some((folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    let endings: Vec<&str> = out.lines().filter(|line| line.starts_with("ended")).collect();
    assert_eq!(endings, ["ended 0", "ended 0", "ended 0", "ended 1", "ended 1", "ended 0", "ended 0", "ended 0"], "{out}\n{messages}");
    assert!(messages.contains("No space left on device"), "{messages}");
    let home = folder.path().join("kept/runs/models/m");
    let mut left: Vec<_> = std::fs::read_dir(&home).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    left.sort();
    assert_eq!(left, ["m@1", "m@2", "model.json"]);
}

#[test]
fn a_mirror_without_room_waits_and_loses_nothing() {
    let script = format!(
        "ended $FORK train --out runs/a --epochs 2 {SMALL}
         ended $FORK track --mlflow sqlite:///mlflow.db
         ended $FORK train --out runs/b --epochs 2 {SMALL}
         fill
         ended $FORK track --mlflow sqlite:///mlflow.db
         rm fill
         ended $FORK track --mlflow sqlite:///mlflow.db"
    );
    let Some((folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    let endings: Vec<&str> = out.lines().filter(|line| line.starts_with("ended")).collect();
    assert_eq!(endings, ["ended 0", "ended 0", "ended 0", "ended 1", "ended 0"], "{out}\n{messages}");
    assert!(messages.contains("make room"), "{messages}");
    let database = rusqlite::Connection::open(folder.path().join("kept/mlflow.db")).expect("SQLite");
    let count = |of: &str| database.query_row(&format!("SELECT count(*) FROM {of}"), [], |row| row.get::<_, i64>(0)).expect("a count");
    assert_eq!((count("runs"), count("metrics WHERE key = 'valid_loss'")), (2, 4));
}

#[test]
fn a_database_and_a_journal_on_a_disk_that_only_reads_are_refused_in_words() {
    let script = format!(
        "$FORK train --out runs/a --epochs 1 {SMALL} || exit 1
         $FORK track --mlflow sqlite:///mlflow.db || exit 1
         $FORK search --study read --trials 1 --pruner none --epochs 1 {SMALL} || exit 1
         mkdir \"$KEPT/runs\"; cp -r runs/a \"$KEPT/runs\"; cp -r runs/a \"$KEPT/runs/b\"
         mount -o remount,ro . || exit 99
         ended $FORK track --runs \"$KEPT/runs\" --mlflow sqlite:///mlflow.db
         ended $FORK search --study read --trials 2
         # what trains elsewhere goes on
         ended $FORK train --out \"$KEPT/runs/c\" --epochs 1 {SMALL}
         mount -o remount,rw ."
    );
    let Some((_folder, output)) = on_a_disk_of(200_000, &script) else { return };
    let (out, messages) = said(&output);
    let endings: Vec<&str> = out.lines().filter(|line| line.starts_with("ended")).collect();
    assert_eq!(endings, ["ended 1", "ended 1", "ended 0"], "{out}\n{messages}");
    assert!(messages.contains("The mirror is off") && messages.contains("Read-only file system"), "{messages}");
}
