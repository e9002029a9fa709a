//! `tuning-fork runs` and `tuning-fork models` on a run that the program itself trained.

use super::{finished_run, picture, run, succeed};

#[test]
fn runs_are_listed_described_exported_deleted_and_brought_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let capsule = at.join("run.zip");
    let trained = finished_run().join("run");
    succeed(at, &["runs", "export", trained.to_str().expect("text"), "--out", "run.zip"]);
    assert!(capsule.exists());
    for place in ["runs/run", "runs/run-2"] {
        assert_eq!(succeed(at, &["runs", "import", "run.zip"]), format!("unpacked into {place}\n"));
    }
    succeed(at, &["runs", "describe", "runs/run", "--name", "First try", "--tag", "small", "--notes", "two epochs"]);
    let list = |more: &[&str]| succeed(at, &[&["runs", "list"], more].concat());
    let table = list(&["--sort=-tag"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("Run") && lines[0].contains("Macro-F1"), "{table}");
    assert!(lines[1].starts_with("First try") && lines[1].contains("2 of 2") && lines[1].contains("small"), "{table}");
    assert_eq!(
        list(&["--filter", "tag:small", "--csv", "--columns", "name,model,synthetic_images"]),
        "name,model,synthetic_images\r\nFirst try,compact,50\r\n"
    );
    let json: serde_json::Value = serde_json::from_str(&list(&["--filter", "-tag:small", "--json"])).expect("JSON");
    assert_eq!((&json["folder"], &json["state"]), (&"run-2".into(), &"completed".into()));
    // the run says which data it saw
    assert_eq!(json["data_digest"].as_str().map(str::len), Some(64));
    succeed(at, &["runs", "delete", "run-2"]);
    assert_eq!(list(&["--csv", "--columns", "name"]), "name\r\nFirst try\r\n");
    assert!(succeed(at, &["runs", "trash"]).contains("run-2"));
    succeed(at, &["runs", "trash", "--restore", "run-2"]);
    succeed(at, &["runs", "delete", "run-2"]);
    succeed(at, &["runs", "trash", "--empty"]);
    assert!(!at.join("runs/.trash/run-2").exists());
}

#[test]
fn what_makes_no_sense_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("runs")).expect("a folder");
    for (arguments, code, part) in [
        (&["runs", "list", "--runs", "nowhere"][..], 1, "name the one where runs are kept"),
        (&["runs", "list", "--filter", "lr>fast"], 1, "is not a number"),
        (&["runs", "list", "--sort", "colour"], 1, "there is no column colour"),
        (&["runs", "list", "--columns", "name,colour"], 2, "there is no column colour"),
        (&["runs", "describe", "nothing", "--name", "x"], 1, "holds no run"),
        (&["runs", "export", "nothing", "--out", "x.zip"], 1, "holds no run"),
        (&["runs", "import", "nothing.zip"], 1, "nothing.zip"),
        (&["runs", "delete", "nothing"], 1, "holds no run"),
        (&["runs", "trash", "--restore", "nothing"], 1, "there is no nothing in the trash"),
    ] {
        let answer = run(folder.path(), arguments);
        assert_eq!(answer.code, Some(code), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(part), "{arguments:?}: {}", answer.stderr);
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
}

#[test]
fn a_model_is_registered_and_used_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let trained = finished_run().join("run");
    let trained = trained.to_str().expect("text");
    assert!(run(at, &["models", "list"]).stderr.contains("name the one where runs are kept"));
    let told = succeed(at, &["models", "register", trained, "--note", "a start"]);
    assert!(told.ends_with("as galaxy-classifier@1\ngalaxy-classifier@1 is galaxy-classifier@champion\n"), "{told}");
    succeed(at, &["models", "promote", "galaxy-classifier@champion", "--alias", "production"]);
    let table = succeed(at, &["models", "list"]);
    assert!(table.starts_with("Model") && table.contains("galaxy-classifier@1  champion, production"), "{table}");
    let json: serde_json::Value = serde_json::from_str(&succeed(at, &["models", "list", "--json"])).expect("JSON");
    assert_eq!((&json["version"], &json["aliases"][0], &json["note"]), (&1.into(), &"champion".into(), &"a start".into()));
    let galaxy = picture(&at.join("galaxy.png"), (40, 40), [60, 50, 40]);
    let galaxy = galaxy.to_str().expect("text");
    let by_name = |model: &str| succeed(at, &["predict", "--model", model, galaxy, "--json"]);
    assert_eq!(by_name("galaxy-classifier@champion"), succeed(at, &["predict", "--run", trained, galaxy, "--json"]));
    succeed(at, &["explain", "--model", "galaxy-classifier@production", galaxy, "--out", "map.png"]);
    assert!(at.join("map.png").is_file());
    let evaluated = |more: &[&str]| -> serde_json::Value {
        serde_json::from_str(&succeed(at, &[&["evaluate", "--split", "valid", "--json"], more].concat())).expect("JSON")
    };
    let ours = evaluated(&["--model", "galaxy-classifier@champion"]);
    assert_eq!(ours["confusion"], evaluated(&["--run", trained])["confusion"]);
    let card = succeed(at, &["models", "card", "galaxy-classifier@champion"]);
    assert!(card.starts_with("# galaxy-classifier@1\n\na start\n") && card.contains("## Limits"), "{card}");
    succeed(at, &["models", "card", "galaxy-classifier@1", "--out", "card.md"]);
    assert_eq!(std::fs::read_to_string(at.join("card.md")).expect("a file"), card);
    for (arguments, part) in [
        (&["predict", "--model", "galaxy-classifier@staging", galaxy][..], "there are: galaxy-classifier@1, galaxy-classifier@champion"),
        (&["predict", "--model", "spirals@champion", galaxy], "there is no model spirals"),
        (&["predict", "--model", "nothing.safetensors", galaxy], "nothing.safetensors does not exist"),
        (&["models", "register", trained], "registered already, as galaxy-classifier@1"),
        (&["models", "delete", "galaxy-classifier@1"], "galaxy-classifier@1 is champion and production"),
        (&["models", "promote", "galaxy-classifier@1", "--alias", "latest"], "cannot be an alias"),
    ] {
        let answer = run(at, arguments);
        assert_eq!(answer.code, Some(1), "{arguments:?}");
        assert!(answer.stderr.contains(part), "{arguments:?}: {}", answer.stderr);
    }
    let gone = succeed(at, &["models", "delete", "galaxy-classifier@1", "--force"]);
    let back = gone.trim().rsplit_once("tuning-fork ").expect("how to take it back").1;
    succeed(at, &back.split(' ').collect::<Vec<_>>());
    assert!(succeed(at, &["models", "list"]).contains("galaxy-classifier@1"));
}

#[test]
fn runs_are_mirrored_in_a_database_of_mlflow() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let runs = finished_run().to_str().expect("text");
    let track = |more: &[&str]| run(at, &[&["track", "--mlflow", "sqlite:///mlflow.db"], more].concat());
    for written in ["1 of 1", "0 of 1"] {
        let answer = track(&["--runs", runs]);
        assert_eq!((answer.code, answer.stderr.as_str()), (Some(0), format!("{written} runs written to sqlite:///mlflow.db\n").as_str()));
    }
    assert!(at.join("mlflow.db").is_file());
    std::fs::write(at.join("mlflow.db"), "no database, but long enough to be looked at as one ".repeat(4)).expect("a file");
    for (arguments, code, part) in [
        (&["--runs", runs][..], 1, "no SQLite database"),
        (&["--runs", "nowhere"], 1, "name the one where runs are kept"),
        (&["--runs", runs, "--experiment", " "], 1, "an experiment needs a name"),
        (&["--mlflow", "mlflow.db"], 2, ""),
    ] {
        let answer = track(arguments);
        assert_eq!(answer.code, Some(code), "{arguments:?}: {}", answer.stderr);
        assert!(answer.stderr.contains(part), "{arguments:?}: {}", answer.stderr);
    }
    assert!(run(at, &["track", "--mlflow", "mlflow.db"]).stderr.contains("write sqlite:///mlflow.db"));
}
