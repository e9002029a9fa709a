//! The draws of a batch as plain numbers, for a device that augments pictures itself: the bytes that the kernels of
//! `nn/ops/accelerator/kernels/augment.cu` read (records `Mixing` and `Picture` of `records.cuh`).

use super::canvas::{gaussian, middle};
use super::draw::erased;
use super::resample::fixed;
use super::{Border, ColourStep, Draw, Mix};

/// Bytes before the pictures' records: how the batch is mixed.
const HEADER: usize = 64;
/// Bytes of a picture's record.
const RECORD: usize = 192;
/// Colour steps that a record has room for: one of each kind.
const STEPS: usize = 4;

/// A picture as it lies in the device's memory: `height` rows of `width` pixels of three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Its first byte.
    pub offset: u64,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

/// What a batch's kernels need to know.
#[derive(Clone, Debug)]
pub struct Table {
    side: usize,
    bytes: Vec<u8>,
    /// Sigma and pixels of each picture's blur.
    blurs: Vec<(f64, usize)>,
    contrast: bool,
    noisy: bool,
    largest: usize,
}

impl Table {
    /// A batch without pictures, of results of `side` x `side` pixels, to be mixed as `mix` says.
    #[must_use]
    pub fn new(side: usize, mix: Option<Mix>) -> Self {
        let mut record = Record::default();
        record.f64(mix.map_or(1.0, |mix| mix.share(side)));
        match mix {
            None => {}
            Some(Mix::Blend(share)) => {
                record.i32(1);
                record.f32(share as f32);
                record.f32((1.0 - share) as f32);
            }
            Some(Mix::Paste(rectangle)) => {
                record.i32(2);
                record.f32(1.0);
                record.f32(0.0);
                for edge in rectangle {
                    record.i32(edge as i32);
                }
            }
        }
        record.0.resize(HEADER, 0);
        Self { side, bytes: record.0, blurs: Vec::new(), contrast: false, noisy: false, largest: 0 }
    }

    /// Adds a picture that is only scaled to the network's size, as in evaluation.
    pub fn plain(&mut self, picture: Resident) {
        self.augmented(picture, &Draw::default(), true);
    }

    /// Adds a picture that is augmented by a draw. `exact` says that the draw only mirrors and turns by quarters
    /// ([`Augmentation::is_exact`](super::Augmentation::is_exact)): then a picture that has the network's size keeps every pixel.
    ///
    /// # Panics
    /// If the draw has more than four colour steps, or changes the contrast twice: no drawn one does.
    pub fn augmented(&mut self, picture: Resident, draw: &Draw, exact: bool) {
        let contrasts = draw.colour.iter().filter(|step| matches!(step, ColourStep::Contrast(_))).count();
        assert!(draw.colour.len() <= STEPS && contrasts <= 1, "at most four colour steps, and the contrast once: {:?}", draw.colour);
        let exact = exact && picture.width == self.side && picture.height == self.side;
        let ([top, height], [left, width]) = (middle(picture.height, draw.crop[0]), middle(picture.width, draw.crop[1]));
        let placement = draw.placement((width, height), self.side);
        let (step_x, step_y) = placement.step();
        let taps = if draw.blur > 0.0 { draw.blur_kernel } else { 0 };

        let mut record = Record::default();
        record.u64(picture.offset);
        record.i64(fixed(step_x));
        record.i64(fixed(step_y));
        placement.rows().as_flattened().iter().for_each(|number| record.f64(*number));
        record.f64(draw.noise.max(0.0));
        record.u64(draw.noise_seed);
        for length in [picture.width, left, top, width, height] {
            record.i32(length as i32);
        }
        record.i32(i32::from(exact));
        record.i32(i32::from(draw.flip));
        record.i32((draw.quarter_turns % 4) as i32);
        record.i32(i32::from(draw.border == Border::Black));
        record.i32(taps as i32);
        record.steps(&draw.colour);
        record.f32(draw.dimming as f32);
        for edge in draw.erase.map_or([0; 4], |rectangle| erased(rectangle, self.side)) {
            record.i32(edge as i32);
        }
        record.0.resize(RECORD, 0);

        self.bytes.extend(record.0);
        self.blurs.push((draw.blur, taps));
        self.contrast |= contrasts > 0;
        self.noisy |= draw.noise > 0.0;
        self.largest = self.largest.max(width * height);
    }

    /// The bytes of the table.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Pictures in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blurs.len()
    }

    /// Whether it has no pictures.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blurs.is_empty()
    }

    /// The numbers of a picture's blur, the most that one has; 0 if none is blurred.
    #[must_use]
    pub fn taps(&self) -> usize {
        self.blurs.iter().map(|(_, taps)| *taps).max().unwrap_or(0)
    }

    /// The weights of the blurs: pictures x [`taps`](Self::taps).
    #[must_use]
    pub fn weights(&self) -> Vec<f32> {
        let taps = self.taps();
        let mut weights = vec![0.0; self.len() * taps];
        for ((sigma, own), weights) in self.blurs.iter().zip(weights.chunks_exact_mut(taps.max(1))) {
            if *own > 0 {
                weights[..*own].copy_from_slice(&gaussian(*sigma, *own));
            }
        }
        weights
    }

    /// Whether the contrast of a picture is changed, which needs its mean.
    #[must_use]
    pub fn contrast(&self) -> bool {
        self.contrast
    }

    /// Whether a picture gets noise.
    #[must_use]
    pub fn noisy(&self) -> bool {
        self.noisy
    }

    /// Pixels of the largest cropped picture.
    #[must_use]
    pub fn largest(&self) -> usize {
        self.largest
    }
}

/// A record that is being written, field by field.
#[derive(Default)]
struct Record(Vec<u8>);

impl Record {
    fn u64(&mut self, value: u64) {
        self.0.extend(value.to_ne_bytes());
    }

    fn i64(&mut self, value: i64) {
        self.0.extend(value.to_ne_bytes());
    }

    fn f64(&mut self, value: f64) {
        self.0.extend(value.to_ne_bytes());
    }

    fn i32(&mut self, value: i32) {
        self.0.extend(value.to_ne_bytes());
    }

    fn f32(&mut self, value: f32) {
        self.0.extend(value.to_ne_bytes());
    }

    /// The number of steps, the kind of each, and how much of it.
    fn steps(&mut self, steps: &[ColourStep]) {
        let of = |step: &ColourStep| match *step {
            ColourStep::Brightness(factor) => (0, factor as f32),
            ColourStep::Contrast(factor) => (1, factor as f32),
            ColourStep::Saturation(factor) => (2, factor as f32),
            // in sextants of the colour circle
            ColourStep::Hue(shift) => (3, 6.0 * shift as f32),
        };
        self.i32(steps.len() as i32);
        let steps: Vec<_> = steps.iter().map(of).chain(std::iter::repeat((0, 0.0))).take(STEPS).collect();
        for (kind, _) in &steps {
            self.i32(*kind);
        }
        for (_, amount) in &steps {
            self.f32(*amount);
        }
    }
}
