//! One or three bands of numbers, and how they become a picture. Which of three is g, r and z is told by filter or file name; reading
//! them is in [`fits`](super::fits), finding them among files in [`source`](super::source).

use super::stretch::{Interval, Stretch, legacy_rgb};
use super::{Image, ImagingError};

/// The bands of the Legacy Surveys' colours, the bluest first.
pub const BANDS: [&str; 3] = ["g", "r", "z"];

/// An image of numbers: one band, or three.
#[derive(Clone, Debug, PartialEq)]
pub struct Bands {
    /// Pixels from left to right.
    pub width: usize,
    /// Pixels from top to bottom.
    pub height: usize,
    /// One or three planes of `height * width` numbers, row by row from the top left (FITS counts from the bottom); NaN where
    /// there is no measurement.
    pub planes: Vec<Vec<f32>>,
    /// The filter's name, if the header has one.
    pub filter: Option<String>,
    /// What each plane is called, for people; empty where nobody said.
    pub names: Vec<String>,
}

/// How numbers become a picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rendering {
    /// For three bands, taken as g, r, z in nanomaggies: the Legacy Survey's colours ([`legacy_rgb`]), as in Galaxy10. Without
    /// it, and for one band, each band goes through `stretch` by itself.
    pub legacy: bool,
    /// The planes that are g, r and z (blue, green and red), from 0: a permutation.
    pub order: [usize; 3],
    /// The way from numbers to grey levels.
    pub stretch: Stretch,
}

impl Rendering {
    /// The planes as they come.
    pub const AS_GIVEN: [usize; 3] = [0, 1, 2];

    /// The same for files that it was not chosen for: which plane is which is true of one picture only.
    #[must_use]
    pub fn of_any_file(self) -> Self {
        Self { order: Self::AS_GIVEN, ..self }
    }

    /// What it does, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let interval = match self.stretch.interval {
            Interval::MinMax => "lowest to highest".to_owned(),
            Interval::ZScale => "zscale".to_owned(),
            Interval::Percentile(percent) => format!("{percent} %"),
        };
        let stretch = format!("{}, {interval}", self.stretch.curve.name());
        if self.legacy { format!("Legacy Survey colours, one band: {stretch}") } else { stretch }
    }

    /// Takes `plane` for band `band` (0 is g); the plane that was taken for it before takes the other's place.
    pub fn assign(&mut self, band: usize, plane: usize) {
        if let Some(other) = self.order.iter().position(|&taken| taken == plane) {
            self.order.swap(band, other);
        }
    }
}

impl Default for Rendering {
    fn default() -> Self {
        Self { legacy: true, order: Self::AS_GIVEN, stretch: Stretch::default() }
    }
}

/// Which band a filter's name means, as a place in [`BANDS`]: "r", "z filter", "r SDSS c0002", "rSDSS", "HSC-G".
#[must_use]
pub fn band_of_filter(filter: &str) -> Option<usize> {
    let words = || filter.split(|sign: char| !sign.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let exact = |word: &str| BANDS.iter().position(|band| *band == word);
    let joined = |word: &str| {
        let (first, rest) = word.split_at_checked(1)?;
        exact(first).filter(|_| rest.starts_with(|sign: char| sign.is_ascii_uppercase()))
    };
    let capital = |word: &str| BANDS.iter().position(|band| band.eq_ignore_ascii_case(word));
    words().find_map(exact).or_else(|| words().find_map(joined)).or_else(|| words().find_map(capital))
}

impl Bands {
    /// Three images of one band each as one of three, in the order g, r, z if their filters say so, else as given.
    ///
    /// # Errors
    /// If they are not three of one band and of the same size.
    pub fn together(mut images: Vec<Self>) -> Result<Self, ImagingError> {
        if filters_say(&images) {
            images.sort_by_key(Self::band);
        }
        Self::stack(images)
    }

    /// Three images of one band each as one of three, as given.
    ///
    /// # Errors
    /// If they are not three of one band and of the same size.
    pub fn stack(images: Vec<Self>) -> Result<Self, ImagingError> {
        let [first, others @ ..] = &images[..] else { return Err(ImagingError::ThreeFiles) };
        let same = |image: &Self| image.planes.len() == 1 && (image.width, image.height) == (first.width, first.height);
        if others.len() != 2 || !same(first) || !others.iter().all(same) {
            return Err(ImagingError::ThreeFiles);
        }
        let (width, height) = (first.width, first.height);
        let name = |image: &Self| image.filter.clone().or_else(|| image.names.first().cloned()).unwrap_or_default();
        let names = images.iter().map(name).collect();
        let planes = images.into_iter().flat_map(|image| image.planes).collect();
        Ok(Self { width, height, planes, filter: None, names })
    }

    /// Which band its filter means.
    fn band(&self) -> Option<usize> {
        self.filter.as_deref().and_then(band_of_filter)
    }

    /// What a plane is called.
    #[must_use]
    pub fn name(&self, plane: usize) -> String {
        let number = format!("plane {}", plane + 1);
        self.names.get(plane).filter(|name| !name.is_empty()).map_or_else(|| number.clone(), |name| format!("{number}: {name}"))
    }

    /// The picture: red is the last band, blue the first; one band is grey. What is not finite is black.
    #[must_use]
    pub fn render(&self, rendering: &Rendering) -> Image {
        let pixels = match &self.planes[..] {
            [_, _, _] if rendering.legacy => legacy_rgb(rendering.order.map(|plane| &self.planes[plane.min(2)][..])),
            [plane] => rendering.stretch.levels(plane).into_iter().flat_map(|level| [level; 3]).collect(),
            planes => {
                let levels: Vec<Vec<u8>> = planes.iter().map(|plane| rendering.stretch.levels(plane)).collect();
                let [blue, green, red] = rendering.order.map(|plane| &levels[plane.min(levels.len() - 1)]);
                (0..self.width * self.height).flat_map(|i| [red[i], green[i], blue[i]]).collect()
            }
        };
        Image { width: self.width, height: self.height, pixels }
    }
}

/// Whether the filters of three images are g, r and z, each once.
#[must_use]
pub fn filters_say(images: &[Bands]) -> bool {
    let mut bands: Vec<_> = images.iter().map(Bands::band).collect();
    bands.sort_unstable();
    bands == [Some(0), Some(1), Some(2)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_recognised() {
        for (filter, band) in [
            ("DECam r SDSS c0002 6415.0 1480.0", Some("r")),
            ("DECam g DES c0001 4720.0 1520.0", Some("g")),
            ("DECam z DECam c0004 9260.0 1520.0", Some("z")),
            ("r", Some("r")),
            ("z ", Some("z")),
            ("g'", Some("g")),
            ("r.MP9601", Some("r")),
            ("decam_g", Some("g")),
            ("rSDSS", Some("r")),
            ("HSC-Z", Some("z")),
            ("R", Some("r")),
            ("F814W", None),
            ("grz", None),
            ("i", None),
            ("", None),
        ] {
            assert_eq!(band_of_filter(filter).map(|band| BANDS[band]), band, "{filter}");
        }
    }

    #[test]
    fn planes_change_places() {
        let mut rendering = Rendering::default();
        rendering.assign(0, 2);
        assert_eq!(rendering.order, [2, 1, 0]);
        rendering.assign(2, 1);
        assert_eq!(rendering.order, [2, 0, 1]);
        rendering.assign(1, 0);
        assert_eq!(rendering.order, [2, 0, 1]);
    }
}
