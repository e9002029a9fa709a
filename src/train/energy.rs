//! The energy of a run, where what computes it has a counter: a CUDA device, or the packages of the processor under Linux.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::device::Opened;
use crate::nn::ops::accelerator::Accelerator;

/// Where Linux lists counters of energy: Intel's RAPL, which AMD's processors have too.
const PACKAGES: &str = "/sys/class/powercap";
/// A counter of a busy machine may begin anew after some minutes, so it is read more often.
const OFTEN: Duration = Duration::from_secs(10);

/// Adds up what counters say, from the beginning of an epoch on.
pub(super) struct Meter {
    state: RefCell<State>,
}

struct State {
    counters: Vec<Counter>,
    /// Joules of the present epoch; `None` if a part of it was not measured.
    total: Option<f64>,
    read: Instant,
}

struct Counter {
    source: Source,
    last: f64,
}

enum Source {
    /// A file with microjoules, and the joules after which it begins anew.
    Package {
        file: PathBuf,
        range: f64,
    },
    Device(Rc<dyn Accelerator>),
}

impl Source {
    /// Joules since some moment.
    fn joules(&self) -> Option<f64> {
        match self {
            Self::Package { file, .. } => number(file).map(|microjoules| microjoules * 1e-6),
            Self::Device(device) => device.energy(),
        }
    }

    /// How many joules lie between two readings.
    fn between(&self, last: f64, now: f64) -> f64 {
        match self {
            Self::Package { range, .. } if now < last => now + range - last,
            _ => (now - last).max(0.0),
        }
    }
}

impl Meter {
    /// Of the device, or else of the processor. What has no counter that may be read measures nothing.
    pub fn of(opened: Option<&Opened>) -> Self {
        Self::new(match opened {
            Some(opened) if opened.device.is_twin() => Vec::new(),
            Some(opened) => vec![Source::Device(opened.device.clone())],
            None => packages(Path::new(PACKAGES)),
        })
    }

    fn new(sources: Vec<Source>) -> Self {
        let count = sources.len();
        let counter = |source: Source| Some(Counter { last: source.joules()?, source });
        let mut counters: Vec<_> = sources.into_iter().filter_map(counter).collect();
        if counters.len() < count {
            // a part of the packages would look like all of them
            counters.clear();
        }
        Self { state: RefCell::new(State { counters, total: None, read: Instant::now() }) }
    }

    /// An epoch begins, or goes on after `before` joules of it.
    pub fn begin(&self, before: Option<f64>) {
        let mut state = self.state.borrow_mut();
        state.read();
        state.total = before.filter(|_| !state.counters.is_empty());
    }

    /// To be called between steps: reads the counters now and then.
    pub fn tick(&self) {
        let mut state = self.state.borrow_mut();
        if !state.counters.is_empty() && state.read.elapsed() > OFTEN {
            state.add();
        }
    }

    /// Joules of the present epoch up to now, those of pauses left out; `None` if they are not known.
    pub fn joules(&self) -> Option<f64> {
        let mut state = self.state.borrow_mut();
        state.add();
        state.total
    }

    /// Leaves out what was used since the counters were read last: a pause.
    pub fn skip(&self) {
        self.state.borrow_mut().read();
    }
}

impl State {
    fn add(&mut self) {
        let joules = self.read();
        self.total = self.total.zip(joules).map(|(total, joules)| total + joules);
    }

    /// Joules since the last reading.
    fn read(&mut self) -> Option<f64> {
        self.read = Instant::now();
        let mut sum = 0.0;
        for counter in &mut self.counters {
            let Some(now) = counter.source.joules() else {
                self.counters.clear();
                return None;
            };
            sum += counter.source.between(counter.last, now);
            counter.last = now;
        }
        (!self.counters.is_empty()).then_some(sum)
    }
}

/// The packages of the processor; their parts (cores, memory) have folders of their own, with two colons.
fn packages(folder: &Path) -> Vec<Source> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    // the same counter may be listed once more under another control type, as "intel-rapl-mmio:0"
    paths.retain(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("intel-rapl:")));
    let package = |path: PathBuf| {
        let name = std::fs::read_to_string(path.join("name")).ok()?;
        let range = number(&path.join("max_energy_range_uj"))? * 1e-6;
        name.trim().starts_with("package").then(|| Source::Package { file: path.join("energy_uj"), range })
    };
    paths.into_iter().filter_map(package).collect()
}

/// `812 J`, `3.4 Wh`, `1.24 kWh`.
#[must_use]
pub fn energy_in_words(joules: f64) -> String {
    match joules / 3600.0 {
        hours if hours < 1.0 => format!("{joules:.0} J"),
        hours if hours < 1000.0 => format!("{hours:.1} Wh"),
        hours => format!("{:.2} kWh", hours / 1000.0),
    }
}

fn number(file: &Path) -> Option<f64> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Packages with so many microjoules, of which a counter takes a million; a part of the first, and another zone.
    fn machine(counts: &[u64]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let zone = |name: &str, title: &str, count: u64| {
            let path = folder.path().join(name);
            std::fs::create_dir(&path).expect("a zone");
            let files = [("name", format!("{title}\n")), ("energy_uj", format!("{count}\n")), ("max_energy_range_uj", "1000000\n".into())];
            for (file, text) in files {
                std::fs::write(path.join(file), text).expect("a file");
            }
        };
        for (number, &count) in counts.iter().enumerate() {
            zone(&format!("intel-rapl:{number}"), &format!("package-{number}"), count);
        }
        zone("intel-rapl:0:0", "core", 1);
        zone("intel-rapl-mmio:0", "package-0", 1);
        zone("dtpm", "dtpm", 1);
        folder
    }

    fn set(folder: &Path, number: usize, count: u64) {
        std::fs::write(folder.join(format!("intel-rapl:{number}/energy_uj")), count.to_string()).expect("a file");
    }

    #[track_caller]
    fn near(meter: &Meter, expected: f64) {
        let joules = meter.joules().expect("joules");
        assert!((joules - expected).abs() < 1e-9, "{joules} is not {expected}");
    }

    #[test]
    fn packages_are_added_up_over_the_end_of_a_counter_and_without_pauses() {
        let folder = machine(&[900_000, 100]);
        let meter = Meter::new(packages(folder.path()));
        assert_eq!(meter.joules(), None, "no epoch has begun");
        set(folder.path(), 0, 910_000);
        meter.begin(Some(0.0));
        set(folder.path(), 0, 20_000);
        set(folder.path(), 1, 40_100);
        near(&meter, 0.11 + 0.04);
        set(folder.path(), 1, 90_100);
        meter.skip();
        near(&meter, 0.15);
        meter.begin(Some(2.0));
        set(folder.path(), 0, 30_000);
        near(&meter, 2.01);
    }

    #[test]
    fn energy_is_told_in_units_that_fit() {
        assert_eq!([12.3, 3599.0, 12_240.0, 4_464_000.0].map(energy_in_words), ["12 J", "3599 J", "3.4 Wh", "1.24 kWh"]);
    }

    #[test]
    fn what_was_measured_in_part_is_not_known() {
        let folder = machine(&[1, 2]);
        let meter = Meter::new(packages(folder.path()));
        meter.begin(None);
        assert_eq!(meter.joules(), None, "the first part of the epoch was not measured");
        meter.begin(Some(0.0));
        near(&meter, 0.0);
        std::fs::remove_file(folder.path().join("intel-rapl:1/energy_uj")).expect("a file");
        assert_eq!(meter.joules(), None);
        meter.begin(Some(0.0));
        assert_eq!(meter.joules(), None, "there is no counter any more");
        let blind = Meter::new(packages(folder.path()));
        blind.begin(Some(0.0));
        assert_eq!(blind.joules(), None, "one package is not the processor");
        assert!(packages(Path::new("/nowhere")).is_empty());
    }
}
