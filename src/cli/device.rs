//! Where a subcommand that looks at pictures with a saved model computes.

use std::sync::Arc;

use clap::Args;

use super::output;
use crate::explain::Classifier;
use crate::train::{DeviceChoice, device};

/// The flag that names a device.
#[derive(Args, Debug)]
pub struct DeviceFlags {
    /// Where to compute: cpu, auto (the first CUDA device if there is one that can be used, else the processor), cuda (the first device) or
    /// cuda:N. A device computes in 32 bits, so that answers differ from the processor's by rounding only
    #[arg(long, value_name = "NAME", default_value = "cpu")]
    device: DeviceChoice,
}

impl DeviceFlags {
    /// Brings a model to the device that was asked for.
    ///
    /// # Errors
    /// If a device was named that cannot be had or has no room.
    pub fn bring(&self, classifier: Classifier) -> anyhow::Result<Arc<Classifier>> {
        let choice = self.device;
        if choice == DeviceChoice::Cpu {
            return Ok(Arc::new(classifier));
        }
        let classifier = classifier.with_device(Box::new(move || device::open(choice)));
        match classifier.open_device() {
            Ok(name) => output::note(format!("computing on {name}")),
            Err(why) if choice == DeviceChoice::Auto => output::note(format!("computing on the processor: {why}")),
            Err(why) => anyhow::bail!("{why}; choose --device cpu or auto"),
        }
        Ok(Arc::new(classifier))
    }
}

/// Tells that a device failed on the way, so that the processor did the rest.
pub fn tell_trouble(classifier: &Classifier) {
    // that it could not be opened was told before
    if let Some(why) = classifier.device_trouble().filter(|_| classifier.open_device().is_ok()) {
        output::note(format!("the processor did what the device did not: {why}"));
    }
}
