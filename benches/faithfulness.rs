//! How faithful each method's maps are over many pictures, beside a random map and one of edges:
//! `cargo bench --bench faithfulness`, or `... -- --run RUN [--data DIR] [--images 100] [--out FILE.json]`.
//!
//! Without a run it trains one: the compact network at 128 x 128 on synthetic galaxies. The pictures are spread over the test part of the
//! run, each map is that of the picture's most probable class, positive evidence only, at the method's own layer, as the window shows it.
//! The result is a table, and numbers as JSON.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tuning_fork::data::{self, Part};
use tuning_fork::explain::{Classifier, Explainer, Faithfulness, Measured, Method, Request, faithfulness, measure};
use tuning_fork::train::{self, Config, Event, Job, RunFolder};

/// What the command line asks for.
struct Asked {
    run: Option<PathBuf>,
    data: Option<String>,
    images: usize,
    out: PathBuf,
}

impl Asked {
    fn read() -> Self {
        let mut asked = Self { run: None, data: None, images: 100, out: "benches/results/faithfulness.json".into() };
        let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value"));
            match word.as_str() {
                "--run" => asked.run = Some(value().into()),
                "--data" => asked.data = Some(value()),
                "--images" => asked.images = value().parse().expect("a number of images"),
                "--out" => asked.out = value().into(),
                _ => panic!("{word} is unknown; there are --run, --data, --images and --out"),
            }
        }
        asked
    }
}

/// What is known of one map of each picture, by measure.
struct Series {
    name: &'static str,
    measured: Vec<Measured>,
}

/// A measure of a map, and whether large is good.
type Score = (&'static str, fn(&Measured) -> f64);
const SCORES: [Score; 4] = [
    ("road", |measured| measured.road.score()),
    ("deletion", |measured| measured.curves.deleted()),
    ("insertion", |measured| measured.curves.inserted()),
    ("insertion_less_deletion", |measured| measured.curves.margin()),
];

fn main() {
    let asked = Asked::read();
    let own = tempfile::tempdir().expect("a folder");
    let folder = asked.run.as_ref().map_or_else(|| train_one(own.path()), |run| RunFolder::open(run).expect("a run"));
    let config = folder.config().expect("its configuration");
    let choice = asked.data.as_ref().unwrap_or(&config.data);
    let set = data::load(choice, config.synthetic_images, config.size, config.seed).expect("the run's data set");
    let split = folder.split().expect("its split");
    assert_eq!(split.difference(&set), None, "the data set is not the run's");
    let test = split.split.part(Part::Test);
    let count = asked.images.min(test.len());
    assert!(count > 0, "there are no test pictures; give --images at least 1, or a run with a test part");
    let classifier = Arc::new(Classifier::load(folder.path()).expect("a model"));
    let start = Instant::now();
    let mut series: Vec<Series> = ["random", "edges (Sobel)"].map(|name| Series { name, measured: Vec::new() }).into();
    let mut right = 0;
    for number in 0..count {
        let index = test[number * test.len() / count] as usize;
        let image = set.images.image(index).expect("a picture");
        let explainer = Explainer::new(Arc::clone(&classifier), &classifier.prepare(&image), false).expect("a forward pass");
        right += usize::from(explainer.ranking()[0] == set.labels[index] as usize);
        of_one(&explainer, number as u64, &mut series);
    }
    tell(&series, start.elapsed());
    let about = json!({
        "model": classifier.title().rsplit_once(", ").map(|(network, _)| network.to_owned()),
        "trained_here": asked.run.is_none(), "epoch": classifier.spec().epoch, "data": set.name, "images": count,
        "classified_right": right, "part": "test", "evidence": "positive", "class": "most probable", "version": tuning_fork::VERSION,
        "processors": std::thread::available_parallelism().map_or(0, std::num::NonZero::get), "seconds": start.elapsed().as_secs(),
    });
    write(&asked.out, &json!({ "about": about, "maps": series.iter().map(|one| as_json(one, &series[..2])).collect::<Vec<_>>() }));
}

/// Measures the maps of all methods of one picture; random and edges come with the first.
fn of_one(explainer: &Explainer, seed: u64, series: &mut Vec<Series>) {
    let fits = |method: &Method| method.best_layer(explainer.layers()).is_some();
    for (place, method) in Method::ALL.into_iter().filter(fits).enumerate() {
        let explanation = explainer.explain(&Request::new(method)).expect("a map");
        let measured = if place == 0 {
            let Faithfulness { map, random, sobel } = faithfulness(explainer, &explanation, seed).expect("curves");
            series[0].measured.push(random);
            series[1].measured.push(sobel);
            map
        } else {
            measure(explainer, &explanation, seed).expect("curves")
        };
        if series.len() <= place + 2 {
            series.push(Series { name: method.name(), measured: Vec::new() });
        }
        series[place + 2].measured.push(measured);
    }
}

/// A run of the compact network on synthetic galaxies.
fn train_one(parent: &Path) -> RunFolder {
    let config = Config { synthetic_images: 2000, size: 128, epochs: 12, ..Config::default() };
    println!("training: {} synthetic galaxies, {} x {1} pixels, {} epochs", config.synthetic_images, config.size, config.epochs);
    let set = Arc::new(data::load(&config.data, config.synthetic_images, config.size, config.seed).expect("galaxies"));
    let folder = RunFolder::create(parent.join("run")).expect("a run folder");
    let path = folder.path().to_owned();
    let handle = train::spawn(Job { config, dataset: set, folder }, None);
    loop {
        for event in handle.drain() {
            match event {
                Event::Epoch(epoch) => println!("epoch {}: validation accuracy {:.1} %", epoch.epoch, 100.0 * epoch.valid_accuracy),
                Event::Ended(_) => return RunFolder::open(&path).expect("the run"),
                _ => {}
            }
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Mean and its standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
    (mean, (variance / count).sqrt())
}

fn values(series: &Series, score: fn(&Measured) -> f64) -> Vec<f64> {
    series.measured.iter().map(score).collect()
}

/// What is gained over another map on the same pictures.
fn gain(series: &Series, other: &Series, score: fn(&Measured) -> f64) -> (f64, f64) {
    let differences: Vec<f64> = values(series, score).iter().zip(values(other, score)).map(|(a, b)| a - b).collect();
    mean(&differences)
}

/// The share of the pictures on which the map is better than both that know nothing, by ROAD and by the curves.
fn convincing(series: &Series, others: &[Series]) -> f64 {
    let better = |picture: usize, score: fn(&Measured) -> f64| {
        others.iter().all(|other| score(&series.measured[picture]) > score(&other.measured[picture]))
    };
    let count = series.measured.len();
    (0..count).filter(|picture| better(*picture, SCORES[0].1) && better(*picture, SCORES[3].1)).count() as f64 / count as f64
}

fn tell(series: &[Series], time: Duration) {
    println!("{} pictures in {:.0} s; mean and standard error", series[0].measured.len(), time.as_secs_f64());
    println!("{:<14} {:>15} {:>15} {:>15} {:>10}", "map", "ROAD", "deletion", "insertion", "convinces");
    for one in series {
        let cells = SCORES[..3].iter().map(|(_, score)| {
            let (mean, error) = mean(&values(one, *score));
            format!("{mean:>7.3} ± {error:.3} ")
        });
        println!("{:<14} {} {:>8.0} %", one.name, cells.collect::<String>(), 100.0 * convincing(one, &series[..2]));
    }
}

fn as_json(series: &Series, others: &[Series]) -> Value {
    let pair = |(mean, error): (f64, f64)| json!({ "mean": mean, "standard_error": error });
    let mut object = json!({ "map": series.name, "convincing_share": convincing(series, others) });
    for (name, score) in SCORES {
        object[name] = pair(mean(&values(series, score)));
        for (other, beyond) in others.iter().zip(["beyond_random", "beyond_edges"]) {
            object[beyond][name] = pair(gain(series, other, score));
        }
    }
    object
}

fn write(path: &Path, result: &Value) {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(path, serde_json::to_string_pretty(result).expect("JSON") + "\n").expect("the result is written");
    println!("written: {}", path.display());
}
