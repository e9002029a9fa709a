//! One random draw of all augmentations, and the picture that it makes.

use super::canvas::{Canvas, picture};
use super::colour::ColourStep;
use super::placement::Placement;
use super::{Augmentation, Border, Rotation};
use crate::imaging::Image;
use crate::random::{Purpose, Random};

/// The parameters that were drawn for one picture. Every field can be set by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Height and width of the part in the middle that is kept, shares of the picture's.
    pub crop: [f64; 2],
    /// The colour steps, in their order.
    pub colour: Vec<ColourStep>,
    /// What light is multiplied by.
    pub dimming: f64,
    /// Sigma of the Gaussian blur in pixels of the cropped picture; 0 is none.
    pub blur: f64,
    /// Pixels of its kernel.
    pub blur_kernel: usize,
    /// Whether the picture is mirrored left to right.
    pub flip: bool,
    /// Counter-clockwise, after the mirroring.
    pub quarter_turns: usize,
    /// Degrees counter-clockwise, after the mirroring.
    pub angle: f64,
    /// How many times larger the picture is shown.
    pub zoom: f64,
    /// Where it is moved, shares of the side: to the right and down.
    pub shift: [f64; 2],
    /// What lies beyond the edges.
    pub border: Border,
    /// Standard deviation of the sky noise, where white is 1.
    pub noise: f64,
    /// The seed of the noise.
    pub noise_seed: u64,
    /// The blackened rectangle: top, left, height and width as shares of the side.
    pub erase: Option<[f64; 4]>,
}

impl Default for Draw {
    /// Changes nothing.
    fn default() -> Self {
        Self {
            crop: [1.0; 2],
            colour: Vec::new(),
            dimming: 1.0,
            blur: 0.0,
            blur_kernel: 3,
            flip: false,
            quarter_turns: 0,
            angle: 0.0,
            zoom: 1.0,
            shift: [0.0; 2],
            border: Border::Reflect,
            noise: 0.0,
            noise_seed: 0,
            erase: None,
        }
    }
}

impl Augmentation {
    /// The parameters for one picture, as `random` will have them.
    #[must_use]
    pub fn draw(&self, random: &mut Random) -> Draw {
        let mut draw =
            Draw { crop: [self.crop_height, self.crop_width], border: self.border, blur_kernel: self.blur_kernel, ..Draw::default() };
        draw.flip = self.flip && random.chance(0.5);
        match self.rotation {
            Rotation::None => {}
            Rotation::Quarter => draw.quarter_turns = random.below(4),
            Rotation::Any => draw.angle = random.range(0.0, self.max_angle),
        }
        draw.colour = self.draw_colour(random);
        if self.dimming > 0.0 {
            draw.dimming = random.range(1.0 - self.dimming, 1.0);
        }
        if self.blur > 0.0 {
            draw.blur = random.range(0.1, self.blur);
        }
        if self.zoom > 0.0 {
            draw.zoom = (self.zoom.ln_1p() * random.range(-1.0, 1.0)).exp();
        }
        if self.shift > 0.0 {
            draw.shift = [0; 2].map(|_| random.range(-self.shift, self.shift));
        }
        if self.noise > 0.0 {
            draw.noise = random.range(0.0, self.noise);
            draw.noise_seed = random.bits();
        }
        if self.erase > 0.0 && random.chance(self.erase) {
            draw.erase = draw_rectangle(random);
        }
        draw
    }

    fn draw_colour(&self, random: &mut Random) -> Vec<ColourStep> {
        let mut factor = |strength: f64| (strength > 0.0).then(|| random.range((1.0 - strength).max(0.0), 1.0 + strength));
        let (brightness, contrast, saturation) = (factor(self.brightness), factor(self.contrast), factor(self.saturation));
        let hue = (self.hue > 0.0).then(|| random.range(-self.hue, self.hue));
        let steps = [
            brightness.map(ColourStep::Brightness),
            contrast.map(ColourStep::Contrast),
            saturation.map(ColourStep::Saturation),
            hue.map(ColourStep::Hue),
        ];
        let mut steps: Vec<_> = steps.into_iter().flatten().collect();
        random.shuffle(&mut steps);
        steps
    }
}

/// A rectangle of 2 to 33 % of the area with sides as 3 : 10 to 10 : 3, as torchvision's `RandomErasing` draws it; none if
/// ten draws in a row do not fit.
fn draw_rectangle(random: &mut Random) -> Option<[f64; 4]> {
    (0..10).find_map(|_| {
        let area = random.range(0.02, 0.33);
        let ratio = random.range(0.3f64.ln(), (1.0f64 / 0.3).ln()).exp();
        let (height, width) = ((area * ratio).sqrt(), (area / ratio).sqrt());
        (height < 1.0 && width < 1.0).then(|| [random.range(0.0, 1.0 - height), random.range(0.0, 1.0 - width), height, width])
    })
}

impl Draw {
    /// Writes the picture, augmented and scaled to `side` x `side`, as three planes (3 x side x side) of numbers from 0 to 1.
    /// `canvas` is working memory, to be used again for the next picture.
    ///
    /// # Panics
    /// If `out` has another length.
    pub fn write(&self, image: &Image, canvas: &mut Canvas, side: usize, out: &mut [f32]) {
        assert_eq!(out.len(), 3 * side * side, "three planes of {side} x {side}");
        self.colour_and_blur(image, canvas);
        canvas.resample(&self.placement(canvas.size(), side), self.border, side, out);
        if self.noise > 0.0 {
            add_noise(out, self.noise, self.noise_seed);
        }
        if let Some(rectangle) = self.erase {
            blacken(out, side, rectangle);
        }
    }

    /// What comes before the geometry, on the cropped picture.
    pub(super) fn colour_and_blur(&self, image: &Image, canvas: &mut Canvas) {
        canvas.load(image, self.crop);
        for step in &self.colour {
            canvas.colour(*step);
        }
        if self.dimming < 1.0 {
            canvas.dim(self.dimming as f32);
        }
        if self.blur > 0.0 {
            canvas.blur(self.blur, self.blur_kernel);
        }
    }

    /// The picture, augmented and scaled to `side` x `side`.
    #[must_use]
    pub fn apply(&self, image: &Image, side: usize) -> Image {
        let mut planes = vec![0.0; 3 * side * side];
        self.write(image, &mut Canvas::default(), side, &mut planes);
        picture(&planes, side, side)
    }

    /// Where each pixel of the result lies in the cropped picture of `width` x `height`.
    pub(super) fn placement(&self, (width, height): (usize, usize), side: usize) -> Placement {
        let side = side as f64;
        let centre = [(side - 1.0) / 2.0; 2];
        Placement::IDENTITY
            .then_shift(self.shift.map(|share| -share * side))
            .then_scale(centre, [1.0 / self.zoom; 2])
            .then_turn(centre, -90.0 * self.quarter_turns as f64)
            .then_resize([side, side], [width as f64, height as f64])
            .then_turn([(width as f64 - 1.0) / 2.0, (height as f64 - 1.0) / 2.0], -self.angle)
            .then_flip(self.flip, width as f64)
    }
}

/// Adds Gaussian noise; what leaves 0 to 1 is clipped, as a camera would.
fn add_noise(planes: &mut [f32], deviation: f64, seed: u64) {
    let mut random = Random::new(seed, Purpose::Augment, &[]);
    for pair in planes.chunks_mut(2) {
        let noise = random.normal_pair();
        for (value, noise) in pair.iter_mut().zip(noise) {
            *value = (*value + (deviation * noise) as f32).clamp(0.0, 1.0);
        }
    }
}

/// Top, left, bottom and right of a blackened rectangle in pixels; bottom and right are not included.
pub(super) fn erased(rectangle: [f64; 4], side: usize) -> [usize; 4] {
    let [top, left, height, width] = rectangle.map(|share| (share * side as f64).round() as usize);
    [top, left, (top + height).min(side), (left + width).min(side)]
}

fn blacken(planes: &mut [f32], side: usize, rectangle: [f64; 4]) {
    let [top, left, bottom, right] = erased(rectangle, side);
    for plane in planes.chunks_exact_mut(side * side) {
        for row in plane.chunks_exact_mut(side).take(bottom).skip(top) {
            row[left.min(right)..right].fill(0.0);
        }
    }
}
