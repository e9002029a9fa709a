//! FITS files that astropy wrote against the numbers that astropy reads; stretches against `astropy.visualization`; files that
//! hold no image.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use candle_core::{DType, Device, Tensor};
use tuning_fork::imaging::{self, Bands, Curve, ImagingError, Interval, Rendering, Source, Stretch};

fn reference(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "reference", "imaging", name].iter().collect()
}

pub fn fits(name: &str) -> PathBuf {
    reference(&format!("fits/{name}.fits"))
}

fn astropy() -> HashMap<String, Tensor> {
    candle_core::safetensors::load(reference("fits.safetensors"), &Device::Cpu).expect("the reference")
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    tensor.flatten_all().and_then(|t| t.to_dtype(DType::F64)).and_then(|t| t.to_vec1()).expect("numbers")
}

/// The bytes of a FITS file with one plane of numbers, row by row from the top left.
pub fn one_band(width: usize, height: usize, values: &[f32], filter: Option<&str>) -> Vec<u8> {
    let card = |text: String| format!("{text:<80}");
    let mut header: String = [
        ("SIMPLE", "T".to_owned()),
        ("BITPIX", "-32".into()),
        ("NAXIS", "2".into()),
        ("NAXIS1", width.to_string()),
        ("NAXIS2", height.to_string()),
    ]
    .map(|(key, value)| card(format!("{key:<8}= {value:>20}")))
    .concat();
    header.extend(filter.map(|filter| card(format!("FILTER  = '{filter:<8}'"))));
    header.push_str(&card("END".into()));
    let block = |length: usize| length.next_multiple_of(2880);
    let mut bytes = format!("{header:<length$}", length = block(header.len())).into_bytes();
    // FITS counts rows from the bottom
    bytes.extend(values.chunks_exact(width).rev().flatten().flat_map(|value| value.to_be_bytes()));
    bytes.resize(block(bytes.len()), 0);
    bytes
}

/// The planes of sky.fits as files of one band, named and with the filters given.
pub fn write_bands(folder: &std::path::Path, files: [(&str, Option<&str>); 3]) -> [PathBuf; 3] {
    let sky = sky();
    let mut planes = sky.planes.iter();
    files.map(|(name, filter)| {
        let path = folder.join(name);
        fs::write(&path, one_band(sky.width, sky.height, planes.next().expect("three planes"), filter)).expect("a file");
        path
    })
}

pub fn sky() -> Bands {
    imaging::open_fits(&fits("sky")).expect("the sky")
}

#[test]
fn numbers_are_those_that_astropy_reads() {
    let astropy = astropy();
    let files: Vec<&String> = astropy.keys().filter(|key| fits(key).is_file()).collect();
    assert_eq!(files.len(), 16);
    for name in files {
        let bands = imaging::open_fits(&fits(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let ours: Vec<f32> = bands.planes.iter().flatten().copied().collect();
        let theirs = numbers(&astropy[name]);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            let same = if theirs.is_nan() { ours.is_nan() } else { (f64::from(*ours) - theirs).abs() <= 1e-6 * theirs.abs().max(1.0) };
            assert!(same, "{name}: {ours} instead of {theirs}");
        }
        assert_eq!(imaging::check(&fits(name)).expect("a size"), (bands.width, bands.height), "{name}");
    }
    assert_eq!(imaging::open_fits(&fits("f64_one_plane")).expect("an image").filter.as_deref(), Some("r DECam"));
}

#[test]
fn intervals_and_curves_are_those_of_astropy() {
    let (astropy, sky) = (astropy(), sky());
    let plane = &sky.planes[0];
    for name in ["minmax", "99.5", "90", "zscale"] {
        let interval: Interval = name.parse().expect("an interval");
        let (low, high) = interval.limits(plane);
        let theirs = numbers(&astropy[&format!("limits/{name}")]);
        assert!((low - theirs[0]).abs() < 1e-6 && (high - theirs[1]).abs() < 1e-6, "{name}: {low} {high} instead of {theirs:?}");
        for curve in Curve::ALL {
            let Some(theirs) = astropy.get(&format!("levels/{name}/{}", curve.name())) else { continue };
            let ours = Stretch { interval, curve }.levels(plane);
            for (ours, theirs) in ours.iter().zip(numbers(theirs)) {
                assert!((f64::from(*ours) - theirs).abs() <= 1.0, "{name} {}: {ours} instead of {theirs}", curve.name());
            }
        }
    }
}

#[test]
fn three_bands_have_the_legacy_surveys_colours() {
    let image = sky().render(&Rendering::default());
    let theirs = numbers(&astropy()["legacy"]);
    let worst = image.pixels().iter().zip(&theirs).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
    assert!(worst <= 1.0, "off by {worst}");
    assert_eq!(imaging::open(&fits("sky")).expect("a picture"), image);
    // each band by itself: red is the last
    let stretch = Stretch::default();
    let plain = sky().render(&Rendering { legacy: false, stretch, ..Rendering::default() });
    let red: Vec<u8> = plain.pixels().iter().step_by(3).copied().collect();
    assert_eq!(red, stretch.levels(&sky().planes[2]));
}

#[test]
fn three_files_of_one_band_make_a_colour_picture() {
    let sky = sky();
    let band = |plane: usize, filter: &str| Bands {
        width: sky.width,
        height: sky.height,
        planes: vec![sky.planes[plane].clone()],
        filter: Some(filter.into()),
        names: Vec::new(),
    };
    let legacy = Rendering::default();
    let together = Bands::together(vec![band(2, "z DECam"), band(0, "g DECam"), band(1, "r")]).expect("three bands");
    assert_eq!(together.render(&legacy), sky.render(&legacy));
    // filters that say nothing leave the order
    let together = Bands::together(vec![band(0, "F814W"), band(1, "F606W"), band(2, "F475W")]).expect("three bands");
    assert_eq!(together.render(&legacy), sky.render(&legacy));
    for wrong in [vec![], vec![band(0, "g"); 2], vec![band(0, "g"), band(1, "r"), imaging::open_fits(&fits("u8")).expect("an image")]] {
        assert!(matches!(Bands::together(wrong), Err(ImagingError::ThreeFiles)));
    }
}

#[test]
fn three_files_are_found_by_name_or_by_header() {
    let folder = tempfile::tempdir().expect("a folder");
    let paths = write_bands(folder.path(), [("sky-g.fits", None), ("sky-r.fits", None), ("sky-z.fits", None)]);
    let [source] = &imaging::group_bands(&[paths[2].clone(), paths[0].clone(), paths[1].clone()])[..] else { panic!("one picture") };
    assert_eq!(source.open(&Rendering::default()).expect("a picture"), imaging::open(&fits("sky")).expect("a picture"));
    assert_eq!(source.name(), "sky-g.fits and two more bands");
    assert_eq!(source.bands().expect("numbers").name(1), "plane 2: sky-r.fits");
    assert_eq!(imaging::bands_by_header(&paths), None, "there is no filter in these");

    let filters = ["DECam g SDSS c0001 4720.0 1520.0", "DECam r SDSS c0002 6415.0 1480.0", "z"];
    let [a, b, c] = write_bands(folder.path(), [("a.fits", Some(filters[0])), ("b.fits", Some(filters[1])), ("c.fits", Some(filters[2]))]);
    assert_eq!(imaging::group_bands(&[a.clone(), b.clone(), c.clone()]).len(), 3);
    let source = imaging::bands_by_header(&[c.clone(), a.clone(), b.clone()]).expect("their filters say it");
    assert_eq!(source, Source::Bands([a.clone(), b.clone(), c]));
    assert_eq!(source.open(&Rendering::default()).expect("a picture"), imaging::open(&fits("sky")).expect("a picture"));
    // not twice the same band, not two, not another size
    assert_eq!(imaging::bands_by_header(&[a.clone(), b.clone(), b.clone()]), None);
    assert_eq!(imaging::bands_by_header(&[a.clone(), b.clone()]), None);
    fs::write(folder.path().join("d.fits"), one_band(2, 2, &[0.0; 4], Some("z"))).expect("a file");
    let other = Source::Bands([a.clone(), b.clone(), folder.path().join("d.fits")]);
    assert!(matches!(other.bands(), Err(ImagingError::ThreeFiles)));
    let gone = Source::Bands([a, b, folder.path().join("gone.fits")]);
    assert!(gone.bands().expect_err("no file").to_string().contains("gone.fits"));
}

#[test]
fn planes_can_be_taken_for_other_bands() {
    let sky = sky();
    let mut turned = sky.clone();
    turned.planes.rotate_left(1);
    for legacy in [true, false] {
        let given = Rendering { legacy, ..Rendering::default() };
        let by_hand = Rendering { order: [2, 0, 1], ..given };
        assert_ne!(turned.render(&given), sky.render(&given));
        assert_eq!(turned.render(&by_hand), sky.render(&given));
    }
}

/// A kind of compression that nobody reads says how to get rid of it.
#[test]
fn unknown_compression_is_told() {
    let mut bytes = fs::read(fits("rice")).expect("a file");
    let at = bytes.windows(6).position(|window| window == b"RICE_1").expect("its kind");
    bytes[at..at + 6].copy_from_slice(b"ZSTD_9");
    let error = imaging::decode(&bytes).expect_err("no kind of compression");
    assert!(matches!(error, ImagingError::Compression(_)) && error.to_string().contains("funpack"), "{error}");
}

#[test]
fn what_holds_no_image_is_told() {
    let told = |name: &str| imaging::open(&fits(name)).expect_err(name);
    assert!(matches!(told("bad_table"), ImagingError::NoImage));
    assert!(matches!(told("bad_nan"), ImagingError::NoNumbers));
    assert!(matches!(told("bad_line"), ImagingError::Cube { .. }));
    assert!(told("bad_cube").to_string().contains("3 x 4 x 5"), "{}", told("bad_cube"));
    let constant = imaging::open(&fits("constant")).expect("a picture");
    assert!(constant.pixels().iter().all(|v| *v == 0));
    let zscale = Stretch { interval: Interval::ZScale, curve: Curve::Log };
    assert!(zscale.levels(&[7.5; 9]).iter().all(|v| *v == 0) && zscale.levels(&[f32::NAN; 2]) == [0, 0] && zscale.levels(&[]).is_empty());
}

/// Cut off anywhere and with any byte changed, a file is an image or an error, never a panic.
#[test]
fn damaged_files_are_told() {
    for name in ["sky", "rice", "gzip", "hcompress", "i16_scaled"] {
        let bytes = fs::read(fits(name)).expect("a file");
        // the last block may be padding alone
        for length in (0..bytes.len() - 2880).step_by(571) {
            assert!(imaging::decode(&bytes[..length]).is_err(), "{name} cut at {length}");
        }
        let mut random = tuning_fork::random::Random::new(3, tuning_fork::random::Purpose::Test, &[]);
        for _ in 0..400 {
            let mut broken = bytes.clone();
            for _ in 0..4 {
                let at = random.below(broken.len());
                broken[at] = random.below(256) as u8;
            }
            drop(imaging::decode(&broken));
        }
    }
}
