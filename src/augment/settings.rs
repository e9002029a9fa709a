//! What may happen to a training picture, and how strongly.

use serde::{Deserialize, Serialize};

/// How training images are turned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rotation {
    /// Not at all.
    None,
    /// By 0, 90, 180 or 270 degrees: exact, no resampling.
    #[default]
    Quarter,
    /// By any angle up to [`max_angle`](Augmentation::max_angle), bilinear.
    Any,
}

/// What lies beyond the edges of a picture that was turned, shifted or made smaller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Border {
    /// The picture reflected at the edges of its outermost pixels, so that sky continues as sky.
    #[default]
    Reflect,
    /// Black, as torchvision has it.
    Black,
}

/// Which augmentations are on. The steps come in the order of the fields from `crop_height` on, except that flip, turn, zoom and shift
/// are one resampling, after the blur.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// Mirror left to right with probability 1/2.
    pub flip: bool,
    /// Turn by a random angle.
    pub rotation: Rotation,
    /// Largest angle of [`Rotation::Any`] in degrees, above 0 and at most 360; the angle is uniform from 0.
    pub max_angle: f64,
    /// What lies beyond the edges.
    pub border: Border,
    /// Height of the part in the middle that is kept, as a share of the picture's, above 0 and at most 1.
    pub crop_height: f64,
    /// Width of the part in the middle that is kept, as a share of the picture's.
    pub crop_width: f64,
    /// Brightness is multiplied by a factor uniform in 1 -+ this, at least 0; 0 is off. Like the next three, torchvision's
    /// `ColorJitter`; the four come in random order.
    pub brightness: f64,
    /// Contrast: the same about the mean grey.
    pub contrast: f64,
    /// Saturation: the same about each pixel's grey.
    pub saturation: f64,
    /// Hue is turned by a uniform share of the circle from -this to this, at most 0.5; 0 is off.
    pub hue: f64,
    /// Light is multiplied by a factor uniform in [1 - this, 1], as if the galaxy were fainter; 0 is off, below 1.
    pub dimming: f64,
    /// Gaussian blur with a sigma uniform in [0.1, this] pixels; 0 is off.
    pub blur: f64,
    /// Pixels of the blur's kernel, odd.
    pub blur_kernel: usize,
    /// The picture is scaled by a factor uniform in [1 / (1 + this), 1 + this] (in its logarithm); 0 is off.
    pub zoom: f64,
    /// The picture is moved up to this share of its side, along both axes; 0 is off, below 1.
    pub shift: f64,
    /// Gaussian sky noise with a standard deviation uniform in [0, this], where white is 1; 0 is off.
    pub noise: f64,
    /// Probability that a rectangle (2 to 33 % of the area) is blackened.
    pub erase: f64,
    /// Mixup: pictures of a batch are blended in pairs, with shares from Beta(this, this); 0 is off, at most 10.
    pub mixup: f64,
    /// `CutMix`: a rectangle of each picture is taken from another of the batch, the share that stays from Beta(this, this); 0 is off,
    /// at most 10. With mixup on too, each batch gets one of the two.
    pub cutmix: f64,
}

impl Default for Augmentation {
    fn default() -> Self {
        Preset::Turns.augmentation()
    }
}

/// Named settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Nothing: the pictures as they are.
    None,
    /// Mirrored and turned by quarters, which loses nothing.
    Turns,
    /// Turned by any angle, and a little of everything that a telescope and its sky do.
    Gentle,
    /// The same, more of it, and rectangles blackened.
    Strong,
    /// The seed project's: crop, colour jitter, blur, flip, 270 degrees, with torchvision's meaning and black corners.
    Seed,
}

impl Preset {
    /// All presets, in the order of their strength.
    pub const ALL: [Self; 5] = [Self::None, Self::Turns, Self::Gentle, Self::Strong, Self::Seed];

    /// Its settings.
    #[must_use]
    pub fn augmentation(self) -> Augmentation {
        let none = Augmentation {
            flip: false,
            rotation: Rotation::None,
            max_angle: 360.0,
            border: Border::Reflect,
            crop_height: 1.0,
            crop_width: 1.0,
            brightness: 0.0,
            contrast: 0.0,
            saturation: 0.0,
            hue: 0.0,
            dimming: 0.0,
            blur: 0.0,
            blur_kernel: 3,
            zoom: 0.0,
            shift: 0.0,
            noise: 0.0,
            erase: 0.0,
            mixup: 0.0,
            cutmix: 0.0,
        };
        let turned = Augmentation { flip: true, rotation: Rotation::Any, ..none };
        match self {
            Self::None => none,
            Self::Turns => Augmentation { flip: true, rotation: Rotation::Quarter, ..none },
            Self::Gentle => {
                Augmentation { brightness: 0.1, contrast: 0.1, zoom: 0.1, shift: 0.05, blur: 0.6, noise: 0.01, dimming: 0.1, ..turned }
            }
            Self::Strong => Augmentation {
                brightness: 0.25,
                contrast: 0.25,
                saturation: 0.25,
                hue: 0.03,
                zoom: 0.3,
                shift: 0.1,
                blur: 1.2,
                blur_kernel: 5,
                noise: 0.03,
                dimming: 0.3,
                erase: 0.25,
                ..turned
            },
            Self::Seed => Augmentation {
                max_angle: 270.0,
                border: Border::Black,
                crop_height: 170.0 / 256.0,
                crop_width: 240.0 / 256.0,
                brightness: 0.4,
                contrast: 0.4,
                saturation: 0.4,
                hue: 0.5,
                blur: 2.0,
                ..turned
            },
        }
    }

    /// The preset with these settings, if there is one.
    #[must_use]
    pub fn of(augmentation: &Augmentation) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.augmentation() == *augmentation)
    }
}

/// A part of the pipeline, which can be switched as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The middle that is cut out.
    Crop,
    /// Brightness, contrast, saturation, hue, dimming.
    Colour,
    /// The Gaussian blur.
    Blur,
    /// Mirror, turn, zoom, shift.
    Geometry,
    /// Sky noise and erasing.
    Finish,
    /// Mixup and `CutMix`.
    Mixing,
}

impl Section {
    /// All sections.
    pub const ALL: [Self; 6] = [Self::Crop, Self::Colour, Self::Blur, Self::Geometry, Self::Finish, Self::Mixing];

    /// Writes this section of `from` into `to`. What lies beyond the edges and the size of the blur's kernel are no steps, and stay.
    pub fn copy(self, from: &Augmentation, to: &mut Augmentation) {
        let old = *to;
        *to = match self {
            Self::Crop => Augmentation { crop_height: from.crop_height, crop_width: from.crop_width, ..old },
            Self::Colour => Augmentation {
                brightness: from.brightness,
                contrast: from.contrast,
                saturation: from.saturation,
                hue: from.hue,
                dimming: from.dimming,
                ..old
            },
            Self::Blur => Augmentation { blur: from.blur, ..old },
            Self::Geometry => Augmentation {
                flip: from.flip,
                rotation: from.rotation,
                max_angle: from.max_angle,
                zoom: from.zoom,
                shift: from.shift,
                ..old
            },
            Self::Finish => Augmentation { noise: from.noise, erase: from.erase, ..old },
            Self::Mixing => Augmentation { mixup: from.mixup, cutmix: from.cutmix, ..old },
        };
    }

    /// Whether this section does anything.
    #[must_use]
    pub fn is_on(self, augmentation: &Augmentation) -> bool {
        let mut off = *augmentation;
        self.switch_off(&mut off);
        off != *augmentation
    }

    /// Switches this section off.
    pub fn switch_off(self, augmentation: &mut Augmentation) {
        let max_angle = augmentation.max_angle;
        self.copy(&Preset::None.augmentation(), augmentation);
        augmentation.max_angle = max_angle;
    }

    /// Usual settings of this section, for one who has none yet.
    #[must_use]
    pub fn usual(self) -> Augmentation {
        match self {
            Self::Crop => Preset::Seed.augmentation(),
            Self::Mixing => Augmentation { mixup: 0.2, cutmix: 1.0, ..Preset::None.augmentation() },
            _ => Preset::Strong.augmentation(),
        }
    }
}

/// Largest kernel of the blur, pixels.
const LARGEST_KERNEL: usize = 101;
/// Smallest share of a picture that may be kept.
const SMALLEST_CROP: f64 = 0.1;

impl Augmentation {
    /// Whether every pixel of a picture is one of its source: only mirrored and turned by quarters. (Mixing comes later.)
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let geometry = Self {
            flip: self.flip,
            rotation: self.rotation,
            max_angle: self.max_angle,
            border: self.border,
            mixup: self.mixup,
            cutmix: self.cutmix,
            ..Preset::None.augmentation()
        };
        self.rotation != Rotation::Any && Self { blur_kernel: geometry.blur_kernel, ..*self } == geometry
    }

    /// The largest side, in pixels, at which pictures are worth being kept for results of `side` pixels: a crop is enlarged.
    #[must_use]
    pub fn source_side(&self, side: usize) -> usize {
        (side as f64 / self.crop_height.min(self.crop_width).clamp(SMALLEST_CROP, 1.0)).ceil() as usize
    }

    /// What cannot be used: the field, and what is allowed.
    #[must_use]
    pub fn errors(&self) -> Vec<(&'static str, String)> {
        let mut errors = Vec::new();
        let mut check = |field, value: f64, fits: bool, allowed: &str| {
            if !fits {
                errors.push((field, format!("{value} does not work; choose {allowed}")));
            }
        };
        check("max_angle", self.max_angle, self.max_angle > 0.0 && self.max_angle <= 360.0, "an angle above 0 and at most 360 degrees");
        for (field, value) in [("crop_height", self.crop_height), ("crop_width", self.crop_width)] {
            check(field, value, (SMALLEST_CROP..=1.0).contains(&value), "a share from 0.1 to 1, where 1 keeps everything");
        }
        for (field, value) in [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)] {
            check(field, value, (0.0..=1.0).contains(&value), "a strength from 0 (off) to 1");
        }
        check("hue", self.hue, (0.0..=0.5).contains(&self.hue), "a share of the colour circle from 0 (off) to 0.5");
        for (field, value) in [("dimming", self.dimming), ("shift", self.shift)] {
            check(field, value, (0.0..1.0).contains(&value), "a share from 0 (off) to below 1");
        }
        check("blur", self.blur, self.blur == 0.0 || (0.1..=50.0).contains(&self.blur), "0 (off), or a sigma from 0.1 to 50 pixels");
        let kernel = self.blur_kernel;
        check("blur_kernel", kernel as f64, kernel % 2 == 1 && kernel <= LARGEST_KERNEL, "an odd number of pixels, at most 101");
        check("zoom", self.zoom, (0.0..=4.0).contains(&self.zoom), "a number from 0 (off) to 4");
        check("noise", self.noise, (0.0..=1.0).contains(&self.noise), "a standard deviation from 0 (off) to 1, where white is 1");
        check("erase", self.erase, (0.0..=1.0).contains(&self.erase), "a probability from 0 (off) to 1");
        for (field, value) in [("mixup", self.mixup), ("cutmix", self.cutmix)] {
            check(field, value, (0.0..=10.0).contains(&value), "0 (off), or an alpha of at most 10, such as 0.2 or 1");
        }
        errors
    }
}
