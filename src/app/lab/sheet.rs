//! The contact sheet: what training would see of one galaxy in its first epochs, with one draw taken apart. Slow work for a
//! task; knows no egui.

use crate::augment::{Augmentation, Canvas, Draw, Stage};
use crate::data::Dataset;
use crate::imaging::{Fit, Image};
use crate::train::{Config, Preview};

/// The draws of a sheet.
pub const DRAWS: usize = 12;
/// The bars of a histogram.
pub const BARS: usize = 48;

/// Everything that decides what a sheet shows.
#[derive(Clone, Debug, PartialEq)]
pub struct SheetKey {
    /// The data set's generation.
    pub data: u64,
    /// The picture.
    pub index: usize,
    /// What may happen to it.
    pub augmentation: Augmentation,
    /// The network's input, pixels a side.
    pub size: usize,
    /// How a picture becomes a square.
    pub fit: Fit,
    /// Pictures in a batch: decides who is mixed with whom.
    pub batch: usize,
    /// The seed of the draws.
    pub seed: u64,
    /// The draw that is taken apart, from 0.
    pub chosen: usize,
}

/// One draw of a sheet.
pub struct Drawn {
    /// The parameters.
    pub draw: Draw,
    /// What the network would see, as a picture.
    pub image: Image,
    /// What it is mixed with.
    pub mixed: Option<Partner>,
}

/// What a picture is mixed with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Partner {
    /// The other picture.
    pub index: usize,
    /// What the picture's own label still counts, from 0 to 1.
    pub own: f64,
}

/// The numbers that the network gets, looked at.
pub struct Seen {
    /// In colour, and red, green and blue alone; black is `range[0]`, white `range[1]`.
    pub images: [Image; 4],
    /// The numbers of black and white.
    pub range: [f32; 2],
    /// Smallest and largest number that there is.
    pub extent: [f32; 2],
    /// Mean and standard deviation of red, green and blue.
    pub moments: [[f64; 2]; 3],
    /// How many numbers lie in each of [`BARS`] equal parts of the range, for red, green and blue.
    pub histogram: [[u32; BARS]; 3],
}

/// A contact sheet.
pub struct Sheet {
    /// What it was made from.
    pub key: SheetKey,
    /// Whether the picture is one of the training part (others are shown as if they were, but never mixed).
    pub trains: bool,
    /// [`DRAWS`] draws: what the first epochs see.
    pub draws: Vec<Drawn>,
    /// The chosen draw, step by step.
    pub stages: Vec<Stage>,
    /// The chosen draw as numbers.
    pub seen: Seen,
}

/// Makes a sheet. `train` are the images of the training part, in the order of the split.
///
/// # Errors
/// If a picture cannot be read, in words for the user.
pub fn make(set: &Dataset, train: Vec<u32>, key: SheetKey) -> Result<Sheet, String> {
    let batch = key.batch.max(1);
    let config = Config { augmentation: key.augmentation, size: key.size, fit: key.fit, batch, seed: key.seed, ..Config::default() };
    let trains = train.contains(&(key.index as u32));
    let preview = Preview::new(config, train);
    let mut bench = Bench { set, key: &key, preview, canvas: Canvas::default() };
    let source = bench.source(key.index)?;
    let mut draws = Vec::with_capacity(DRAWS);
    let mut chosen = None;
    for epoch in 1..=DRAWS {
        let (planes, mixed) = bench.input(epoch, &source)?;
        let seen = (epoch == key.chosen.min(DRAWS - 1) + 1).then(|| bench.look(&planes));
        let image = bench.picture(&planes);
        let draw = bench.preview.draw(epoch, key.index as u32);
        if let Some(seen) = seen {
            chosen = Some((draw.stages(&source, key.size), seen));
        }
        draws.push(Drawn { draw, image, mixed });
    }
    let (stages, seen) = chosen.ok_or("the sheet has no draw")?;
    Ok(Sheet { key, trains, draws, stages, seen })
}

struct Bench<'a> {
    set: &'a Dataset,
    key: &'a SheetKey,
    preview: Preview,
    canvas: Canvas,
}

impl Bench<'_> {
    /// A picture as training keeps it.
    fn source(&self, index: usize) -> Result<Image, String> {
        let image = self.set.images.image(index).map_err(|error| error.to_string())?;
        Ok(self.preview.source(image))
    }

    /// The network's input in an epoch, and what it is mixed with.
    fn input(&mut self, epoch: usize, source: &Image) -> Result<(Vec<f32>, Option<Partner>), String> {
        let (index, size) = (self.key.index as u32, self.key.size);
        let length = 3 * size * size;
        // the partner comes first, because a picture is mixed with the one before it
        let mut pair = vec![0.0; 2 * length];
        let (before, own) = pair.split_at_mut(length);
        self.preview.write(epoch, index, source, &mut self.canvas, own);
        let augmentation = &self.key.augmentation;
        let mixes = augmentation.mixup > 0.0 || augmentation.cutmix > 0.0;
        let place = if mixes { self.preview.place(epoch, index) } else { None };
        let mut mixed = None;
        if let Some((partner, mix)) = place.and_then(|place| Some((place.partner, place.mix?))) {
            let partner_source = self.source(partner as usize)?;
            self.preview.write(epoch, partner, &partner_source, &mut self.canvas, before);
            mix.apply(&mut pair, size);
            mixed = Some(Partner { index: partner as usize, own: mix.share(size) });
        }
        Ok((pair.split_off(length), mixed))
    }

    /// The numbers drawn back as a picture.
    fn picture(&self, planes: &[f32]) -> Image {
        let normalisation = self.preview.normalisation();
        self.draw_back(planes, |value, channel| value * normalisation.std[channel] + normalisation.mean[channel], [0, 1, 2])
    }

    fn draw_back(&self, planes: &[f32], unit: impl Fn(f32, usize) -> f32, channels: [usize; 3]) -> Image {
        let area = self.key.size * self.key.size;
        let byte = |at: usize, channel: usize| (unit(planes[channel * area + at], channel).clamp(0.0, 1.0) * 255.0).round() as u8;
        let pixels = (0..area).flat_map(|at| channels.map(|channel| byte(at, channel))).collect();
        Image::new(self.key.size, self.key.size, pixels).expect("three bytes a pixel")
    }

    /// The network's input as numbers. One range for the three colours, so that they can be compared.
    fn look(&self, planes: &[f32]) -> Seen {
        let normalisation = self.preview.normalisation();
        let ends = |unit: f32| [0, 1, 2].map(|channel| (unit - normalisation.mean[channel]) / normalisation.std[channel]);
        let low = ends(0.0).into_iter().fold(f32::INFINITY, f32::min);
        let high = ends(1.0).into_iter().fold(f32::NEG_INFINITY, f32::max);
        let area = self.key.size * self.key.size;
        let share = |value: f32, _channel: usize| (value - low) / (high - low);
        let mut histogram = [[0; BARS]; 3];
        let mut moments = [[0.0; 2]; 3];
        for ((plane, bars), moments) in planes.chunks_exact(area).zip(&mut histogram).zip(&mut moments) {
            for value in plane {
                bars[((share(*value, 0) * BARS as f32).max(0.0) as usize).min(BARS - 1)] += 1;
            }
            let mean = plane.iter().map(|v| f64::from(*v)).sum::<f64>() / area as f64;
            let variance = plane.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / area as f64;
            *moments = [mean, variance.sqrt()];
        }
        let extent = planes.iter().fold([f32::INFINITY, f32::NEG_INFINITY], |[least, most], v| [least.min(*v), most.max(*v)]);
        let images = [[0, 1, 2], [0; 3], [1; 3], [2; 3]].map(|channels| self.draw_back(planes, share, channels));
        Seen { images, range: [low, high], extent, moments, histogram }
    }
}
