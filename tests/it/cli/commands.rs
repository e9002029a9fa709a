//! The other subcommands, on a finished run and on pictures.

use std::path::Path;

use tuning_fork::explain::{Classifier, Content, Explainer, Method, Request, Scene, Style};

use super::{finished_run, picture, run, succeed};

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

#[test]
fn help_and_version_tell_what_there_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let help = succeed(folder.path(), &["--help"]);
    for word in ["train", "evaluate", "predict", "summary", "bench", "Examples", "Exit codes"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    let help = succeed(folder.path(), &["train", "--help"]);
    for word in ["--weight-decay", "[default: 0.003]", "[possible values: seed, compact]", "--resume", "--json"] {
        assert!(help.contains(word), "{word}: {help}");
    }
    assert_eq!(succeed(folder.path(), &["--version"]).trim(), format!("tuning-fork {}", tuning_fork::VERSION));
}

#[test]
fn summary_shows_the_published_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = succeed(folder.path(), &["summary", "--model=seed", "--size=256", "--batch=32"]);
    assert!(text.contains("14,811,210") && text.contains("50.54"), "{text}");
    let answer = run(folder.path(), &["summary", "--model=seed", "--size=10"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("64"), "{}", answer.stderr);
}

#[test]
fn bench_ends_with_one_line_of_figures() {
    let folder = tempfile::tempdir().expect("a folder");
    for inference in [false, true] {
        let mut arguments = vec!["bench", "--model=compact", "--size=32", "--batch=2", "--steps=3", "--warmup=1", "--threads=1"];
        arguments.extend(inference.then_some("--inference"));
        let figures = json(succeed(folder.path(), &arguments).lines().last().expect("a line"));
        for key in ["framework", "device", "layout", "amp", "compile", "peak_rss_mb"] {
            assert!(figures.get(key).is_some(), "{key}: {figures}");
        }
        assert_eq!((&figures["model"], &figures["optimizer"]), (&"compact".into(), &"adamw".into()));
        assert_eq!((&figures["size"], &figures["batch"], &figures["threads"]), (&32.into(), &2.into(), &1.into()));
        assert_eq!(figures["inference"], inference);
        let ms = |key: &str| figures[key].as_f64().expect("a number");
        assert!(ms("forward_ms") > 0.0 && ms("step_ms") > 0.0 && ms("images_per_s") > 0.0);
        assert_eq!(ms("backward_ms") > 0.0, !inference, "{figures}");
    }
}

#[test]
fn bench_goes_the_whole_way_on_the_twin_of_a_device() {
    use tuning_fork::train::{DeviceChoice, device};
    if let Err(reason) = device::open(DeviceChoice::HOST) {
        return println!("skipped: {reason}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let small = ["bench", "--device=host", "--model=compact", "--size=32", "--batch=4", "--steps=1", "--warmup=1", "--precision=bf16"];
    for more in [&[][..], &["--pipeline=seed", "--images=10"], &["--inference"]] {
        let figures = json(&succeed(folder.path(), &[&small[..], more].concat()));
        let number = |key: &str| figures[key].as_f64().unwrap_or_else(|| panic!("{key}: {figures}"));
        assert!(number("step_ms") > 0.0 && number("images_per_s") > 0.0 && number("epoch_s") > 0.0 && number("host_ms") > 0.0);
        assert_eq!((&figures["precision"], &figures["device"]), (&"bf16".into(), &"host twin".into()));
        assert_eq!(figures["epoch_measured"], more.len() == 2);
        // the twin is no card with known rates, and computes in the host's own time
        assert!(figures["floor"]["gflop"].as_f64().is_some_and(|g| g > 0.0) && figures["waits"].is_null(), "{figures}");
    }
}

#[test]
fn each_step_of_the_ladder_can_be_forced() {
    use tuning_fork::nn::Step;
    let folder = tempfile::tempdir().expect("a folder");
    let base = ["bench", "--model=compact", "--size=32", "--batch=2", "--steps=1", "--warmup=0", "--threads=1", "--instructions"];
    for step in Step::ALL {
        let answer = run(folder.path(), &[&base[..], &[step.name()]].concat());
        if step.available() {
            let figures = json(answer.stdout.lines().last().expect("a line"));
            assert_eq!(figures["instructions"], step.to_string());
            assert_eq!(figures["amp"], !step.is_f32());
        } else {
            assert!(answer.code == Some(2) && answer.stderr.contains("portable"), "{}", answer.stderr);
        }
    }
    let answer = run(folder.path(), &[&base[..], &["sse9"]].concat());
    assert!(answer.code == Some(2) && answer.stderr.contains("avx2"), "{}", answer.stderr);
}

#[test]
fn evaluate_scores_every_part_of_the_runs_split() {
    let folder = finished_run();
    let mut images = 0;
    for part in ["train", "valid", "test"] {
        let scores = json(&succeed(folder, &["evaluate", "--run=run", "--split", part, "--json"]));
        let classes = scores["classes"].as_array().expect("classes");
        let support: u64 = classes.iter().filter_map(|class| class["support"].as_u64()).sum();
        assert_eq!(Some(support), scores["images"].as_u64());
        let (low, high) = (&scores["accuracy_interval_95"][0], &scores["accuracy_interval_95"][1]);
        let accuracy = scores["accuracy"].as_f64().expect("a number");
        assert!(low.as_f64() <= Some(accuracy) && high.as_f64() >= Some(accuracy), "{scores}");
        images += support;
    }
    assert_eq!(images, 50);
    let text = succeed(folder, &["evaluate", "--run=run"]);
    for words in ["accuracy", "balanced accuracy", "macro-F1", "precision", "Cigar Shaped Smooth", "predicted class"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn evaluate_takes_any_epoch_whose_model_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    copy(&finished_run().join("run"), &folder.path().join("run"));
    let probabilities = |epoch: &str| {
        let scores = json(&succeed(folder.path(), &["evaluate", "--run=run", "--epoch", epoch, "--json"]));
        assert_eq!(scores["epoch"].to_string(), epoch);
        std::fs::read(folder.path().join(format!("run/predictions/test_000{epoch}.npy"))).expect("they are kept")
    };
    assert_ne!(probabilities("1"), probabilities("2"));
    let text = succeed(folder.path(), &["evaluate", "--run=run", "--epoch=1"]);
    assert!(text.starts_with("run, test part, epoch 1\n"), "{text}");
    let answer = run(folder.path(), &["evaluate", "--run=run", "--epoch=7"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("epochs with a model: 1 and 2"), "{}", answer.stderr);
    assert!(answer.stderr.contains("--snapshots"), "{}", answer.stderr);
    // and so does the report
    std::fs::remove_file(folder.path().join("run/predictions/test_0001.npy")).expect("it was there");
    succeed(folder.path(), &["report", "--run=run", "--split=test", "--epoch=1", "--out=page.html"]);
    let page = std::fs::read_to_string(folder.path().join("page.html")).expect("the page");
    assert!(page.contains("test images at epoch 1"), "{}", &page[..2000.min(page.len())]);
}

/// Copies a folder with everything in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let place = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &place);
        } else {
            std::fs::copy(&path, &place).expect("a copy");
        }
    }
}

/// A folder with pictures of several sizes, one below another, and files that are none.
fn pictures(folder: &Path) {
    std::fs::create_dir_all(folder.join("in/below")).expect("folders");
    picture(&folder.join("in/b.png"), (40, 30), [200, 180, 160]);
    picture(&folder.join("in/a.png"), (32, 32), [10, 20, 30]);
    picture(&folder.join("in/below/c.png"), (1, 1), [255, 255, 255]);
    std::fs::write(folder.join("in/notes.txt"), "no picture").expect("a file");
}

#[test]
fn predict_names_the_classes_of_pictures_in_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    pictures(folder.path());
    let model = finished_run().join("run/best.safetensors").to_string_lossy().into_owned();
    let lines = succeed(folder.path(), &["predict", "--model", &model, "--json", "--top=3", "in"]);
    let answers: Vec<_> = lines.lines().map(json).collect();
    let names: Vec<_> = answers.iter().map(|a| a["path"].as_str().expect("a path")).collect();
    assert_eq!(names, ["in/a.png", "in/b.png", "in/below/c.png"]);
    for answer in &answers {
        let probabilities = answer["probabilities"].as_object().expect("probabilities");
        let sum: f64 = probabilities.values().filter_map(serde_json::Value::as_f64).sum();
        assert!(probabilities.len() == 10 && (sum - 1.0).abs() < 1e-5, "{answer}");
        assert_eq!(answer["top"].as_array().map(Vec::len), Some(3));
        assert_eq!(answer["probabilities"][answer["class"].as_str().expect("a class")], answer["probability"]);
    }
    let run_folder = finished_run().join("run").to_string_lossy().into_owned();
    let table = succeed(folder.path(), &["predict", "--run", &run_folder, "in/a.png", "in/b.png"]);
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains(answers[0]["class"].as_str().expect("a class")), "{table}");
}

#[test]
fn predict_writes_csv_and_goes_on_after_a_bad_file() {
    let folder = tempfile::tempdir().expect("a folder");
    pictures(folder.path());
    std::fs::write(folder.path().join("in/empty.png"), "").expect("a file");
    let run_folder = finished_run().join("run").to_string_lossy().into_owned();
    let answer = run(folder.path(), &["predict", "--run", &run_folder, "--csv=out.csv", "in", "missing.png"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    for words in ["in/empty.png", "missing.png", "3 pictures classified, 2 skipped"] {
        assert!(answer.stderr.contains(words), "{words}: {}", answer.stderr);
    }
    let mut csv = csv::Reader::from_path(folder.path().join("out.csv")).expect("a CSV file");
    let head: Vec<_> = csv.headers().expect("a heading").iter().map(str::to_owned).collect();
    assert_eq!((&head[..4], head.len()), (&["path", "class", "probability", "Disturbed"].map(str::to_owned)[..], 13));
    assert_eq!(csv.records().filter_map(Result::ok).count(), 3);

    let answer = run(folder.path(), &["predict", "--run", &run_folder, "--csv=none.csv", "in/empty.png"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("none of the 1"), "{}", answer.stderr);
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("none")), "{left:?}");
    let answer = run(folder.path(), &["predict", "--run", &run_folder, "--csv=no/such/folder.csv", "in"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("no/such/folder.csv"), "{}", answer.stderr);
}

#[test]
fn explain_draws_where_the_network_looked() {
    let folder = finished_run();
    let inside = tempfile::tempdir().expect("a folder");
    let galaxy = picture(&inside.path().join("a galaxy é.png"), (48, 40), [90, 60, 30]);
    let at = |name: &str| inside.path().join(name).to_string_lossy().into_owned();
    let (out, map, npy) = (at("cam.png"), at("map.png"), at("map.npy"));
    let galaxy = galaxy.to_string_lossy().into_owned();
    let base = ["explain", "--run=run", &galaxy, "--out", &out];
    let answer = json(&succeed(folder, &[&base[..], &["--method=cam", "--class=auto", "--map", &map, "--npy", &npy, "--json"]].concat()));
    assert_eq!((&answer["method"], &answer["layer"], &answer["grid"]), (&"cam".into(), &"block5.pool".into(), &serde_json::json!([1, 1])));
    let bytes = std::fs::read(&out).expect("the drawing");
    let (_, _, texts) = crate::explain::figures::read(&bytes);
    assert_eq!((texts["Picture"].as_str(), texts["Method"].as_str()), ("a galaxy é.png", "CAM"));
    assert_eq!(texts["Class"], answer["class"].as_str().expect("a class"));
    assert!(texts["Model"].ends_with("run/best.safetensors"), "{}", texts["Model"]);
    assert!(std::fs::read(&map).expect("a map").starts_with(b"\x89PNG") && std::fs::read(&npy).expect("a map").starts_with(b"\x93NUMPY"));

    let legend = succeed(
        folder,
        &[&base[..], &["--method=layer-cam", "--layer=block3.relu", "--class=0", "--against=1", "--fit=crop", "--faithfulness"]].concat(),
    );
    assert!(legend.contains("Faithfulness: ROAD"), "{legend}");
    assert!(legend.starts_with("LayerCAM at block3.relu (8 x 8 cells, 128 maps)") && legend.contains("and not"), "{legend}");
    for (wrong, said) in [
        (["--layer=block9", "--signed"], "block5.pool"),
        (["--class=Elephant", "--signed"], "there is no class Elephant"),
        (["--method=cam", "--layer=block1.relu"], "HiResCAM"),
        (["--opacity=2", "--signed"], "from 0 to 1"),
        (["--npy=map.txt", "--signed"], "ends with .npy"),
        (["--crop=0,0,0,5", "--signed"], "from 1 to"),
    ] {
        let answer = run(folder, &[&base[..], &wrong].concat());
        assert!(answer.code == Some(1) && answer.stderr.contains(said), "{wrong:?}: {}", answer.stderr);
    }
    let nowhere = at("no such folder/x.png");
    let answer = run(folder, &["explain", "--run=run", &galaxy, "--out", &nowhere]);
    assert!(answer.code == Some(1) && answer.stderr.contains("choose another place"), "{}", answer.stderr);
}

/// Three FITS files of one band each are one picture, as in the window.
#[test]
fn explain_takes_three_bands() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    crate::data::fits::write_bands(path, [("sky-g.fits", None), ("sky-r.fits", None), ("sky-z.fits", None)]);
    std::fs::copy(crate::data::fits::fits("sky"), path.join("sky.fits")).expect("a copy");
    let model = format!("--run={}", finished_run().join("run").display());
    succeed(path, &["explain", &model, "sky.fits", "--out=a.png", "--npy=a.npy"]);
    let told = succeed(path, &["explain", &model, "sky-z.fits", "sky-g.fits", "sky-r.fits", "--out=b.png", "--npy=b.npy", "--json"]);
    assert_eq!(std::fs::read(path.join("a.npy")).expect("a map"), std::fs::read(path.join("b.npy")).expect("a map"));
    assert!(json(&told)["path"].as_str().is_some_and(|path| path.ends_with("sky-g.fits")), "{told}");
    let (_, _, texts) = crate::explain::figures::read(&std::fs::read(path.join("b.png")).expect("a figure"));
    assert_eq!(texts["Picture"], "sky-g.fits and two more bands");
    let two = run(path, &["explain", &model, "sky-z.fits", "sky-g.fits", "--out=c.png"]);
    assert!(two.code == Some(1) && two.stderr.contains("three FITS files") && !path.join("c.png").exists(), "{}", two.stderr);
}

#[test]
fn explain_measures_checks_and_films() {
    let folder = finished_run();
    let inside = tempfile::tempdir().expect("a folder");
    // what is written goes elsewhere than what is read
    let many = inside.path().join("many");
    std::fs::create_dir(&many).expect("a folder");
    let pictures: Vec<_> = (0..3u8).map(|i| picture(&many.join(format!("{i}.png")), (40, 40), [90 + i, 60, 30])).collect();
    let at = |name: &str| inside.path().join(name).to_string_lossy().into_owned();
    let (out, film, first) = (at("cam.png"), at("film.png"), pictures[0].to_string_lossy().into_owned());
    let sanity = format!("--sanity={}", many.display());
    let base = ["explain", "--run=run", &first, "--out", &out, "--method=grad-cam", "--class=2", "--json"];
    let answer = json(&succeed(folder, &[&base[..], &["--faithfulness", &sanity, "--film", &film]].concat()));
    for map in ["map", "random", "sobel"] {
        let measured = &answer["faithfulness"][map];
        assert_eq!(measured["road_most_relevant_first"].as_array().map(Vec::len), Some(9), "{answer}");
        assert!(measured["road"].is_number() && measured["deletion"].is_number() && measured["insertion_curve"].is_array());
    }
    assert!(answer["faithfulness"]["verdict"].as_str().is_some_and(|verdict| verdict.contains("maps that know nothing")));
    assert_eq!((&answer["sanity"]["method"], &answer["sanity"]["pictures"]), (&"grad-cam".into(), &3.into()));
    assert_eq!(answer["sanity"]["stages"].as_array().map(Vec::len), Some(6));

    // the film is that of the library, to the byte
    let run = tuning_fork::train::RunFolder::open(folder.join("run")).expect("a run");
    let models = run.snapshots().expect("snapshots");
    assert_eq!(models.iter().map(|(epoch, _)| *epoch).collect::<Vec<_>>(), [1, 2]);
    let image = tuning_fork::imaging::open(&pictures[0]).expect("a picture");
    let frame = tuning_fork::imaging::Fit::Stretch.frame(40, 40);
    // the model is named as it was on the command line
    let classifier = std::sync::Arc::new(Classifier::load(&folder.join("run")).expect("a model"));
    let explainer = Explainer::new(classifier, &image, false).expect("a forward pass");
    let request = Request { class: Some(2), ..Request::new(Method::GradCam) };
    let stills = tuning_fork::explain::film(&models, &image, false, &request, || true).expect("a film").expect("nobody gave it up");
    let scene = Scene { name: "0.png", picture: &image, frame, explainer: &explainer };
    let figure = scene.png(&request, &Style::default(), Content::Figure).expect("a figure");
    assert!(std::fs::read(&out).expect("the figure") == figure);
    assert!(std::fs::read(&film).expect("the film") == scene.film_png(&request, &Style::default(), &stills).expect("a film"));
    // a model file of the run has the same film; one that lies alone has none
    let other = at("other.png");
    succeed(folder, &["explain", "--model=run/snapshots/epoch_0001.safetensors", &first, "--out", &out, "--film", &other]);
    assert_eq!(crate::explain::figures::read(&std::fs::read(&other).expect("a film")).2["Epochs"], "1, 2");
    let alone = at("alone.safetensors");
    std::fs::copy(folder.join("run/best.safetensors"), &alone).expect("a copy");
    let answer = super::run(folder, &["explain", "--model", &alone, &first, "--out", &out, "--film", &other]);
    assert!(answer.code == Some(1) && answer.stderr.contains("does not lie in the folder of a run"), "{}", answer.stderr);
}

#[test]
fn a_report_is_one_page_that_needs_no_network() {
    let folder = finished_run();
    let out = tempfile::tempdir().expect("a folder");
    let path = out.path().join("new folder/report.html");
    let arguments = |more: &[&'static str]| {
        let mut all = vec!["report".to_owned(), "--run=run".into(), format!("--out={}", path.display())];
        all.extend(more.iter().map(|&flag| flag.to_owned()));
        all
    };
    for (more, words) in
        [(&[][..], "10 validation images at epoch"), (&["--split=test"], "test images at epoch"), (&["--epoch=1"], "at epoch 1")]
    {
        let all = arguments(more);
        succeed(folder, &all.iter().map(String::as_str).collect::<Vec<_>>());
        let page = std::fs::read_to_string(&path).expect("the page");
        assert!(page.contains(words), "{more:?}: {}", &page[..3000.min(page.len())]);
        assert!(page.contains("data:image/png;base64,") && page.contains("<svg ") && !page.contains("<script"));
        assert_eq!(page.matches("http").count(), page.matches("http://www.w3.org/2000/svg").count());
    }
    let refused = |more: &[&'static str]| {
        let all = arguments(more);
        run(folder, &all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let answer = refused(&["--epoch=9"]);
    assert!(answer.code == Some(1) && answer.stderr.contains("no epoch 9; choose one of 1 and 2"), "{}", answer.stderr);
    let answer = refused(&["--data=/nowhere"]);
    assert!(answer.code == Some(0) && answer.stderr.contains("no pictures"), "{}", answer.stderr);
}

#[test]
fn predict_writes_a_votable_and_a_map_for_each_picture() {
    let folder = finished_run();
    let inside = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(inside.path().join("b")).expect("a folder");
    for (name, shade) in [("a.png", 40), ("b/a.png", 90)] {
        picture(&inside.path().join(name), (40, 40), [shade, shade, 20]);
    }
    std::fs::write(inside.path().join("broken.png"), b"no picture").expect("a file");
    let at = |name: &str| inside.path().join(name).to_string_lossy().into_owned();
    let (table, maps, pictures) = (at("table.vot"), at("maps"), inside.path().to_string_lossy().into_owned());
    let answer = run(folder, &["predict", "--run=run", &pictures, "--votable", &table, "--maps", &maps]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(answer.stderr.contains("broken.png") && answer.stderr.contains("2 pictures classified, 1 skipped"), "{}", answer.stderr);
    let text = std::fs::read_to_string(&table).expect("the table");
    assert_eq!((text.matches("<TR>").count(), text.matches("<FIELD").count()), (2, 13));
    for name in ["maps/a.png", "maps/a-2.png"] {
        let (_, _, texts) = crate::explain::figures::read(&std::fs::read(at(name)).expect("a map"));
        assert_eq!(texts["Picture"], "a.png");
    }
}
