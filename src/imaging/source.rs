//! What one picture is made from: a file, or three FITS files of one band each, which belong together by their names.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::bands::{BANDS, filters_say};
use super::{Bands, Image, ImagingError, Rendering, open_fits, open_rendered};

/// One picture's files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// FITS files of one band each, in the order g, r, z.
    Bands([PathBuf; 3]),
}

impl Source {
    /// Its file, or the first of them.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Bands([path, ..]) => path,
        }
    }

    /// All its files.
    #[must_use]
    pub fn paths(&self) -> &[PathBuf] {
        match self {
            Self::File(path) => std::slice::from_ref(path),
            Self::Bands(paths) => paths,
        }
    }

    /// What it is called: the name of its file, without folders.
    #[must_use]
    pub fn name(&self) -> String {
        let path = self.path();
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        match self {
            Self::File(_) => name.into_owned(),
            Self::Bands(_) => format!("{name} and two more bands"),
        }
    }

    /// Whether it is of FITS files, by their names.
    #[must_use]
    pub fn is_fits(&self) -> bool {
        named_fits(self.path())
    }

    /// The picture, FITS numbers made grey levels or colours as `rendering` says.
    ///
    /// # Errors
    /// As [`open_rendered`]; of three files with the name of the one that is wrong.
    pub fn open(&self, rendering: &Rendering) -> Result<Image, ImagingError> {
        match self {
            Self::File(path) => open_rendered(path, rendering),
            Self::Bands(_) => Ok(self.bands()?.render(rendering)),
        }
    }

    /// The numbers, of FITS files.
    ///
    /// # Errors
    /// As [`open_fits`], and if three files do not belong together.
    pub fn bands(&self) -> Result<Bands, ImagingError> {
        match self {
            Self::File(path) => open_fits(path),
            Self::Bands(paths) => Bands::stack(paths.iter().map(|path| open_band(path)).collect::<Result<_, _>>()?),
        }
    }
}

/// The numbers of one file of three; its error names it, because the caller names only the first.
fn open_band(path: &Path) -> Result<Bands, ImagingError> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut bands = open_fits(path).map_err(|source| ImagingError::Band { name: name(), source: Box::new(source) })?;
    if bands.names.is_empty() {
        bands.names = vec![name()];
    }
    Ok(bands)
}

/// Puts FITS files together whose names differ in nothing but a "g", "r" or "z" between signs ("m51-g.fits", "frame-r-001.fits.fz"), where
/// all three are there; every other file stays alone. The order is that of the first of each. Looks at names only.
#[must_use]
pub fn group_bands(paths: &[PathBuf]) -> Vec<Source> {
    let mut sets: BTreeMap<(PathBuf, usize), [Option<usize>; 3]> = BTreeMap::new();
    for (number, path) in paths.iter().enumerate() {
        for (key, band) in band_keys(path) {
            let places = sets.entry(key).or_default();
            places[band] = places[band].or(Some(number));
        }
    }
    let mut set_of: HashMap<usize, [usize; 3]> = HashMap::new();
    for places in sets.into_values() {
        // a file belongs to one set only
        if let [Some(g), Some(r), Some(z)] = places
            && [g, r, z].iter().all(|member| !set_of.contains_key(member))
        {
            set_of.extend([g, r, z].map(|member| (member, [g, r, z])));
        }
    }
    let source = |(number, path): (usize, &PathBuf)| match set_of.get(&number) {
        None => Some(Source::File(path.clone())),
        Some(set) if set.iter().min() == Some(&number) => Some(Source::Bands(set.map(|member| paths[member].clone()))),
        Some(_) => None,
    };
    paths.iter().enumerate().filter_map(source).collect()
}

/// Three FITS files as one picture if their headers say which is g, r and z; reads them.
#[must_use]
pub fn bands_by_header(paths: &[PathBuf]) -> Option<Source> {
    let [a, b, c] = paths else { return None };
    let fits = |path: &PathBuf| open_fits(path).ok();
    let images: Vec<Bands> = [a, b, c].into_iter().map(fits).collect::<Option<_>>()?;
    if !filters_say(&images) || Bands::together(images.clone()).is_err() {
        return None;
    }
    let place = |band: usize| images.iter().position(|image| image.filter.as_deref().and_then(super::bands::band_of_filter) == Some(band));
    Some(Source::Bands([place(0)?, place(1)?, place(2)?].map(|place| paths[place].clone())))
}

/// Exactly three FITS files of one band and one size are one picture: its bands are those that names or headers say, else as given, to be
/// changed by hand. Reads them.
#[must_use]
pub fn three_bands(paths: &[PathBuf]) -> Option<Source> {
    let [a, b, c] = paths else { return None };
    if let Ok([source]) = <[Source; 1]>::try_from(group_bands(paths)) {
        return Some(source);
    }
    let given = || {
        let source = Source::Bands([a, b, c].map(Clone::clone));
        source.bands().is_ok().then_some(source)
    };
    bands_by_header(paths).or_else(given)
}

/// Whether a file's name is that of a FITS file.
fn named_fits(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["fits", "fit", "fts", "fz"].iter().any(|fits| extension.eq_ignore_ascii_case(fits))
}

/// For each "g", "r" or "z" that stands alone in a FITS file's name: the path with that letter taken out and its place, and the band.
fn band_keys(path: &Path) -> Vec<((PathBuf, usize), usize)> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    if !named_fits(path) {
        return Vec::new();
    }
    let apart = |sign: Option<char>| sign.is_none_or(|sign| "-_. ".contains(sign));
    let key = |(at, letter): (usize, &str)| {
        let band = BANDS.iter().position(|band| letter.eq_ignore_ascii_case(band))?;
        let (before, after) = (&name[..at], &name[at + letter.len()..]);
        let alone = apart(before.chars().next_back()) && apart(after.chars().next());
        alone.then(|| ((path.with_file_name(format!("{before}{after}")), at), band))
    };
    name.char_indices().filter_map(|(at, sign)| key((at, &name[at..at + sign.len_utf8()]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(names: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let words = |source: &Source| match source {
            Source::File(path) => path.display().to_string(),
            Source::Bands(paths) => paths.each_ref().map(|path| path.display().to_string()).join("+"),
        };
        group_bands(&paths).iter().map(words).collect()
    }

    #[test]
    fn files_belong_together_by_name() {
        assert_eq!(grouped(&["a-z.fits", "a-g.fits", "a-r.fits"]), ["a-g.fits+a-r.fits+a-z.fits"]);
        assert_eq!(grouped(&["g.fits", "r.fits", "z.fits"]), ["g.fits+r.fits+z.fits"]);
        assert_eq!(grouped(&["m 51_G.FITS", "m 51_R.FITS", "m 51_Z.FITS"]).len(), 1);
        assert_eq!(grouped(&["frame-g-1.fits.fz", "frame-r-1.fits.fz", "frame-z-1.fits.fz"]).len(), 1);
        // in several folders, among others
        let mixed = ["x/a-g.fits", "x/b.png", "x/a-r.fits", "y/a-z.fits", "x/a-z.fits", "x/c-g.fits"];
        assert_eq!(grouped(&mixed), ["x/a-g.fits+x/a-r.fits+x/a-z.fits", "x/b.png", "y/a-z.fits", "x/c-g.fits"]);
    }

    #[test]
    fn other_files_stay_alone() {
        for names in [
            &["a-g.fits", "a-r.fits", "a-i.fits"][..],
            &["a-g.png", "a-r.png", "a-z.png"],
            &["ag.fits", "ar.fits", "az.fits"],
            &["a-g.fits", "b-r.fits", "a-z.fits"],
            &["a-g.fits", "a-g.fits", "a-g.fits"],
            &["é-g.fits"],
            &[],
        ] {
            assert_eq!(grouped(names), names);
        }
    }
}
