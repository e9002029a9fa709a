//! Whether a picture is like what the model was trained on: what the window knows of it, and the slow work. The run folder keeps the
//! result, so that the training pictures are looked at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::explored::Progress;
use super::state::DataKey;
use crate::data::Dataset;
use crate::explain::{Classifier, Familiarity};
use crate::review::{Kept, kept_familiarity, measure_familiarity, other_data, run_of};
use crate::train::{Config, RecordedSplit, RunFolder};

/// Training and validation pictures are looked at without being asked if they have no more pixels than this together, as the network
/// takes them (8,000 pictures of 64 x 64): seconds on two cores.
pub const LOOKED_AT_ONCE: usize = 32_000_000;

/// What the model finds familiar.
#[derive(Default)]
pub enum Familiar {
    /// There is no model.
    #[default]
    Unknown,
    /// It is being read or worked out.
    Working(Arc<Progress>),
    /// It is known.
    Known(Arc<Familiarity>),
    /// It is not known: why, and whether it could be worked out now.
    Absent(String, bool),
    /// It is not known, because the data set of the model's run is not open: why, and the configuration of that run.
    OtherData(String, Box<Config>),
}

/// What a task answers.
pub enum FoundFamiliar {
    /// It is known; with what the user should know.
    Known(Arc<Familiarity>, Option<String>),
    /// It is not known: why, and whether it could be worked out now.
    Absent(String, bool),
    /// The data set of the model's run is not open: why that is needed, and the configuration of that run.
    OtherData(String, Box<Config>),
}

/// Reads what the run folder of a model keeps; if there is nothing of use and its pictures are at hand, and they have at most `pixels`
/// pixels together, works it out and keeps it.
pub fn find(classifier: &Classifier, open: Option<&(Arc<Dataset>, DataKey)>, pixels: usize, progress: &Progress) -> FoundFamiliar {
    let absent = |why: &str, possible: bool| FoundFamiliar::Absent(why.to_owned(), possible);
    let Some(run) = run_of(classifier) else {
        return absent("The model lies in no run folder, so nobody knows what it was trained on.", false);
    };
    let mut note = None;
    // what is kept was made of the run's own pictures, whatever is open now
    match kept_familiarity(classifier, &run, None) {
        Ok(Kept::Known(known)) => return FoundFamiliar::Known(Arc::new(*known), None),
        Ok(Kept::Nothing) => {}
        Ok(Kept::Unusable(why)) => note = Some(why),
        Err(error) => return absent(&error.to_string(), false),
    }
    let Some(dataset) = open.and_then(|(dataset, key)| of_run(&run, dataset, key).then_some(dataset)) else {
        let why = "Whether the picture is like the training data is not known yet: open the run's data set to find out.";
        let why = note.map_or_else(|| why.to_owned(), |note| format!("{note}. {why}"));
        return match run.0.config() {
            Ok(config) => FoundFamiliar::OtherData(why, Box::new(config)),
            Err(_) => FoundFamiliar::Absent(why, false),
        };
    };
    let pictures = run.1.split.train.len() + run.1.split.valid.len();
    let side = classifier.spec().network.size;
    if pictures.saturating_mul(side * side) > pixels {
        return FoundFamiliar::Absent(note.unwrap_or_default(), true);
    }
    let mut go_on = |done: usize| {
        progress.done.store(done, Ordering::Relaxed);
        !progress.stop.load(Ordering::Relaxed)
    };
    match measure_familiarity(classifier, &run, dataset, &mut go_on) {
        Ok(Some((known, unkept))) => {
            let unkept = unkept.map(|why| format!("What the model finds familiar is not kept for the next time: {why}"));
            FoundFamiliar::Known(Arc::new(known), unkept.or(note.map(|note| format!("{note}; it was made again"))))
        }
        Ok(None) => absent("", true),
        Err(error) => absent(&error.to_string(), true),
    }
}

/// Whether the data set that is open is the one of a run. Drawn galaxies of another seed have the same labels: there the seed tells.
fn of_run(run: &(RunFolder, RecordedSplit), dataset: &Dataset, key: &DataKey) -> bool {
    let drawn = run.0.config().ok().map(|config| DataKey::of(&config).synthetic);
    other_data(run, dataset).is_none() && drawn.is_some_and(|drawn| drawn.is_none() || drawn == key.synthetic)
}
