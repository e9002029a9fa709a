//! A fingerprint of a data set that is quick to take: everything but the pictures, and a sample of those.

use sha2::{Digest, Sha256};

use super::Dataset;

/// Pictures that are looked at, evenly spread.
const SAMPLE: usize = 64;

impl Dataset {
    /// SHA-256, hexadecimal, of the number and size of the pictures, the class names, labels and catalogue columns, and the
    /// pixels of 64 pictures spread evenly over the data set. It does not depend on where the data lie. Reads these pictures,
    /// so it is no work for a frame.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"tuning-fork data set 1");
        let number = |hash: &mut Sha256, n: usize| hash.update((n as u64).to_le_bytes());
        number(&mut hash, self.len());
        number(&mut hash, self.classes.len());
        for name in &self.classes {
            number(&mut hash, name.len());
            hash.update(name);
        }
        for label in &self.labels {
            hash.update(label.to_le_bytes());
        }
        let catalogue = &self.catalogue;
        for column in [&catalogue.ra, &catalogue.dec, &catalogue.redshift, &catalogue.pxscale] {
            number(&mut hash, column.len());
            for value in column {
                hash.update(value.to_bits().to_le_bytes());
            }
        }
        let sample = SAMPLE.min(self.len());
        for i in 0..sample {
            // a picture that cannot be read counts as one without pixels: the rest still tells data sets apart
            match self.images.image(i * self.len() / sample) {
                Ok(image) => {
                    number(&mut hash, image.width());
                    hash.update(image.pixels());
                }
                Err(_) => number(&mut hash, 0),
            }
        }
        super::hexadecimal(&hash.finalize())
    }
}
