//! How far maps can be believed: what is known of the present map and model, what was measured before, and the slow work.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::state::State;
use crate::data::{Dataset, Part};
use crate::explain::{Classifier, Explainer, Explanation, Faithfulness, Request, Sanity, faithfulness_while, sanity_while};
use crate::imaging::Image;

/// The most measurements that are remembered of each kind.
const REMEMBERED: usize = 256;
/// The most pictures that a model is checked on.
const PICTURES: usize = 8;

/// How far a map can be believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Trust {
    /// It was not asked.
    #[default]
    Unknown,
    /// It is being measured.
    Measuring,
    /// What was measured.
    Measured(Arc<Faithfulness>),
    /// It could not be measured; the message says why.
    Failed(String),
}

/// Whether maps of the model show what it learned.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Check {
    /// It was not asked.
    #[default]
    Unknown,
    /// It is being checked.
    Checking,
    /// What was found.
    Checked(Arc<Sanity>),
    /// It could not be checked; the message says why.
    Failed(String),
}

/// A kind of measurements by what they are of, the latest last.
type Known<T> = Mutex<Vec<(String, Arc<T>)>>;

/// What was measured before in this window. Tasks share it; the window itself never waits for it.
#[derive(Debug, Default)]
pub struct Memory {
    maps: Known<Faithfulness>,
    models: Known<Sanity>,
}

fn recall<T>(known: &Known<T>, key: &str) -> Option<Arc<T>> {
    let known = known.lock().unwrap_or_else(PoisonError::into_inner);
    known.iter().find(|(of, _)| of == key).map(|(_, value)| Arc::clone(value))
}

fn remember<T>(known: &Known<T>, key: String, value: T) -> Arc<T> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= REMEMBERED {
        known.remove(0);
    }
    let value = Arc::new(value);
    known.push((key, Arc::clone(&value)));
    value
}

impl Memory {
    /// Measures a map, or takes what was measured of the same picture, model and map before. Nothing is started before `delay` is over,
    /// and it is given up (`None`) soon after `unwanted` is set.
    pub fn measure(
        &self,
        explainer: &Explainer,
        explanation: &Explanation,
        delay: Duration,
        unwanted: &AtomicBool,
    ) -> Result<Option<Arc<Faithfulness>>, String> {
        let said = |error: crate::explain::ExplainError| error.to_string();
        let wanted = || !unwanted.load(Ordering::Relaxed);
        let picture = Sha256::digest(explainer.prepared().pixels());
        let Explanation { method, layer, class, against, signed, averaged, .. } = explanation;
        let model = explainer.classifier().identity().map_err(said)?;
        let key = format!("{model} {picture:x?} {method} {} {class} {against:?} {signed} {averaged}", layer.name);
        if let Some(known) = recall(&self.maps, &key) {
            return Ok(Some(known));
        }
        std::thread::sleep(delay);
        let measured = faithfulness_while(explainer, explanation, 0, wanted).map_err(said)?;
        Ok(measured.map(|measured| remember(&self.maps, key, measured)))
    }

    /// Checks a model with the method and layer of `request`, or takes what was found on the same pictures before; given up (`None`) soon
    /// after `unwanted` is set.
    pub fn check(
        &self,
        classifier: &Arc<Classifier>,
        request: &Request,
        pictures: &Pictures,
        unwanted: &AtomicBool,
    ) -> Result<Option<Arc<Sanity>>, String> {
        let said = |error: crate::explain::ExplainError| error.to_string();
        let pictures = pictures.read()?;
        let mut digest = Sha256::new();
        for picture in &pictures {
            digest.update(picture.pixels());
        }
        let key = format!("{} {} {:?} {:x?}", classifier.identity().map_err(said)?, request.method, request.layer, digest.finalize());
        if let Some(known) = recall(&self.models, &key) {
            return Ok(Some(known));
        }
        let wanted = || !unwanted.load(Ordering::Relaxed);
        let checked = sanity_while(classifier, &pictures, request, 0, wanted).map_err(said)?;
        Ok(checked.map(|checked| remember(&self.models, key, checked)))
    }
}

/// The pictures that a model is checked on.
pub enum Pictures {
    /// Some of a data set.
    Of(Arc<Dataset>, Vec<usize>),
    /// Pictures that are there already.
    These(Vec<Arc<Image>>),
}

impl Pictures {
    /// Pictures spread over the validation part of the open data set, which a model was not trained on; without one, those that were
    /// looked at.
    pub fn choose(state: &State) -> Self {
        let valid = state.data.as_ref().map(|data| (data, data.split.part(Part::Valid))).filter(|(_, valid)| !valid.is_empty());
        if let Some((data, valid)) = valid {
            let count = PICTURES.min(valid.len());
            return Self::Of(Arc::clone(&data.set), (0..count).map(|i| valid[i * valid.len() / count] as usize).collect());
        }
        Self::These(state.inspect.past.iter().take(PICTURES).map(|past| Arc::clone(&past.picture.image)).collect())
    }

    fn read(&self) -> Result<Vec<Image>, String> {
        match self {
            Self::Of(set, indices) => {
                indices.iter().map(|&index| set.images.image(index)).collect::<Result<_, _>>().map_err(|error| error.to_string())
            }
            Self::These(images) => Ok(images.iter().map(|image| (**image).clone()).collect()),
        }
    }
}
