//! The drawn galaxies: the same bits for the same seed, the balance of Galaxy10, and shapes that measure as they are named.

#[path = "synth/measure.rs"]
mod measure;

use std::path::PathBuf;

use measure::{Picture, median, quantile};
use tuning_fork::data::{self, DataError, Dataset, GALAXY10_COUNTS, synth};
use tuning_fork::imaging::Image;
use tuning_fork::random::{Purpose, Random};

fn draw(class: usize, size: usize, index: u64) -> Image {
    synth::draw(class, size, &mut Random::new(11, Purpose::Test, &[index]))
}

/// The median of a measure over `count` drawn galaxies of a class.
fn typical(class: usize, size: usize, count: u64, measure: impl Fn(&Picture) -> f64) -> f64 {
    median((0..count).map(|i| measure(&Picture::new(&draw(class, size, i)))).collect())
}

fn bytes(dataset: &Dataset) -> Vec<u8> {
    (0..dataset.len()).flat_map(|i| dataset.images.image(i).expect("an image in memory").into_pixels()).collect()
}

#[test]
fn a_seed_fixes_every_bit_on_any_number_of_threads() {
    let on_threads = |threads, seed| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| synth::dataset(60, 32, seed)).expect("a data set")
    };
    let (one, four, other) = (on_threads(1, 5), on_threads(4, 5), on_threads(4, 6));
    assert_eq!(bytes(&one), bytes(&four));
    assert_eq!(one.labels, four.labels);
    assert_eq!(one.catalogue, four.catalogue);
    assert_ne!(bytes(&one), bytes(&other));
    assert_ne!(one.labels, other.labels);
}

#[test]
fn classes_are_balanced_like_galaxy10_and_shuffled() {
    let total: usize = GALAXY10_COUNTS.iter().sum();
    for images in [10, 50, 60, 137, 400] {
        let dataset = synth::dataset(images, 16, 1).expect("a data set");
        assert_eq!((dataset.len(), dataset.images.len()), (images, images));
        let counts = dataset.class_counts();
        let least = if images >= 50 { 5 } else { 1 };
        for (class, (&got, &real)) in counts.iter().zip(&GALAXY10_COUNTS).enumerate() {
            assert!(got >= least, "{images} images: {got} of class {class}");
            let expected = (images * real) as f64 / total as f64;
            assert!(images < 400 || (got as f64 - expected).abs() < 2.0, "{images} images: {got} of class {class}, not {expected:.1}");
        }
        assert!(!dataset.labels.is_sorted(), "the labels of {images} images are in order");
    }
}

#[test]
fn the_catalogue_is_that_of_the_survey() {
    let dataset = synth::dataset(200, 32, 2).expect("a data set");
    assert_eq!((dataset.name.as_str(), dataset.location.is_none()), ("synthetic", true));
    let within = |column: &[f64], low: f64, high: f64| column.len() == 200 && column.iter().all(|v| (low..=high).contains(v));
    let catalogue = &dataset.catalogue;
    assert!(within(&catalogue.ra, 110.0, 265.0) && within(&catalogue.dec, -9.0, 64.0));
    assert!(within(&catalogue.redshift, 0.003, 0.25));
    // the field is 256 survey pixels of 0.262 arcsec at any size
    assert!(within(&catalogue.pxscale, 2.0959, 2.0961));
    let redshift = median(catalogue.redshift.clone());
    assert!((0.02..0.1).contains(&redshift), "median redshift {redshift}");
}

#[test]
fn flattening_is_what_the_class_says() {
    let axis_ratio = |class| typical(class, 96, 40, Picture::axis_ratio);
    let (round, between, cigar) = (axis_ratio(2), axis_ratio(3), axis_ratio(4));
    let (thin, bulge) = (axis_ratio(8), axis_ratio(9));
    assert!(round > 0.85, "round {round}");
    assert!((0.5..0.8).contains(&between), "in between {between}");
    assert!(cigar < 0.5, "cigar {cigar}");
    assert!(thin < 0.3 && thin < bulge && bulge < 0.55, "edge-on {thin}, with bulge {bulge}");
}

#[test]
fn arms_wind_as_the_class_says() {
    let measured: Vec<(f64, f64)> = [2, 3, 5, 6, 7]
        .map(|class| {
            let (pitch, power): (Vec<_>, Vec<_>) = (0..40).map(|i| Picture::new(&draw(class, 128, i)).spiral()).unzip();
            (median(pitch), median(power))
        })
        .to_vec();
    let [round, between, barred, tight, loose] = measured[..] else { panic!("five classes") };
    // drawn with 8 to 15 and 21 to 38 degrees
    assert!((8.0..20.0).contains(&tight.0), "tight arms have a pitch of {}", tight.0);
    assert!((24.0..42.0).contains(&loose.0), "loose arms have a pitch of {}", loose.0);
    let smooth = round.1.max(between.1);
    for (name, (_, power)) in [("barred", barred), ("tight", tight), ("loose", loose)] {
        assert!(power > 1.8 * smooth, "{name}: power {power} in arms, smooth galaxies have {smooth}");
    }
}

#[test]
fn merging_galaxies_have_two_nuclei() {
    let share = |class| (0..40).filter(|&i| Picture::new(&draw(class, 128, i)).nuclei() >= 2).count();
    let (merging, round) = (share(1), share(2));
    assert!(merging >= 32, "{merging} of 40 merging galaxies have two nuclei");
    assert!(round <= 8, "{round} of 40 round galaxies have two nuclei");
}

#[test]
fn disturbed_galaxies_are_the_least_symmetric_single_ones() {
    let asymmetry = |class| typical(class, 96, 40, Picture::asymmetry);
    let (disturbed, round) = (asymmetry(0), asymmetry(2));
    assert!(disturbed > 1.5 * round, "disturbed {disturbed}, round {round}");
}

#[test]
fn every_size_shows_the_same_galaxy() {
    for class in 0..10 {
        // compared at the coarsest size, where there is least noise
        let coarse = |size| Picture::new(&draw(class, size, 3)).binned(size / 32);
        let reference = coarse(256);
        for size in [32, 64, 128] {
            let likeness = reference.correlation(&coarse(size));
            assert!(likeness > 0.9, "class {class} at {size} pixels: correlation {likeness}");
        }
        for size in [33, 57, 100, 224] {
            let image = draw(class, size, 3);
            assert_eq!((image.width(), image.height()), (size, size));
        }
    }
}

#[test]
fn pictures_are_neither_dark_nor_burnt_out() {
    for class in 0..10 {
        for size in [32, 64, 192] {
            let grey: Vec<f64> = (0..4).flat_map(|i| draw(class, size, i).into_pixels()).map(f64::from).collect();
            let burnt = grey.iter().filter(|v| **v >= 250.0).count() as f64 / grey.len() as f64;
            let mean = grey.iter().sum::<f64>() / grey.len() as f64;
            assert!(burnt < 0.02, "class {class} at {size}: {burnt} of the pixels are white");
            assert!((32.0..75.0).contains(&mean), "class {class} at {size}: mean {mean}");
            assert!((27.0..40.0).contains(&median(grey)), "class {class} at {size}: the sky is not grey");
        }
    }
}

#[test]
fn grey_levels_are_those_of_the_real_pictures() {
    let shared =
        std::env::var_os("TUNING_FORK_SHARED").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let folder = shared.join("galaxies/galaxy10_sample");
    if !folder.is_dir() {
        eprintln!("skipped: no real galaxies at {}", folder.display());
        return;
    }
    let real = data::open(&folder).expect("the class folders");
    let green = |image: &Image| image.pixels().iter().skip(1).step_by(3).map(|&v| f64::from(v)).collect::<Vec<_>>();
    let of_real: Vec<f64> = (0..real.len()).step_by(3).flat_map(|i| green(&real.images.image(i).expect("a picture"))).collect();
    let of_drawn: Vec<f64> = (0..30).flat_map(|i| green(&draw(i as usize % 10, 256, i))).collect();
    // sky and its noise to a few levels; the light of the galaxies themselves, which are drawn a little larger, less well
    for (share, tolerance) in [(0.1, 4.0), (0.25, 3.0), (0.5, 3.0), (0.75, 4.0), (0.9, 8.0), (0.99, 45.0)] {
        let (a, b) = (quantile(of_real.clone(), share), quantile(of_drawn.clone(), share));
        assert!((a - b).abs() <= tolerance, "at {share}: real {a}, drawn {b}");
    }
}

#[test]
fn a_written_folder_is_the_data_set_in_memory() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("drawn");
    let mut done = Vec::new();
    synth::write(&folder, 270, 32, 9, &mut |n| done.push(n)).expect("written");
    assert_eq!(done, (1..=270).collect::<Vec<_>>());
    let (written, drawn) = (data::open(&folder).expect("opened"), synth::dataset(270, 32, 9).expect("drawn"));
    assert_eq!(bytes(&written), bytes(&drawn));
    assert_eq!((&written.labels, &written.classes), (&drawn.labels, &drawn.classes));
    assert_eq!(written.catalogue, drawn.catalogue);
    let again = synth::write(&folder, 60, 32, 9, &mut |_| {}).expect_err("the folder is there");
    assert!(again.to_string().contains("not empty"), "{again}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_advice() {
    for (images, size, advice) in [(0, 64, "at least one"), (100, 0, "between 16 and 2048"), (100, 5_000, "between 16 and 2048")] {
        let error = synth::dataset(images, size, 1).expect_err("refused");
        assert!(matches!(error, DataError::Request(_)) && error.to_string().contains(advice), "{error}");
    }
}
