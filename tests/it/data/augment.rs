//! Augmentation: identities of flips and turns, seeds, and what the presets do. (Against torchvision: `torchvision.rs`.)

use tuning_fork::augment::{Augmentation, Draw, Preset, Rotation, Section, flip, quarter_turns};
use tuning_fork::imaging::Image;
use tuning_fork::random::{Purpose, Random};

use super::common::random_image;

/// A picture that changes slowly, as one through a telescope does.
fn smooth(side: usize) -> Image {
    let wave = |x: usize, y: usize, phase: f64| 127.0 + 100.0 * (x as f64 / 7.0 + phase).sin() * (y as f64 / 9.0).cos();
    let pixels = (0..side * side).flat_map(|at| [0.0, 1.0, 2.0].map(|phase| wave(at % side, at / side, phase) as u8));
    Image::new(side, side, pixels.collect()).unwrap()
}

fn rotate(image: &Image, degrees: f64) -> Image {
    Draw { angle: degrees, ..Draw::default() }.apply(image, image.width())
}

#[test]
fn a_quarter_turn_is_counter_clockwise() {
    let row = Image::new(3, 1, vec![1, 1, 1, 2, 2, 2, 3, 3, 3]).unwrap();
    let turned = quarter_turns(&row, 1);
    assert_eq!((turned.width(), turned.height()), (1, 3));
    assert_eq!(turned.pixels(), [3, 3, 3, 2, 2, 2, 1, 1, 1]);
    assert_eq!(flip(&row).pixels(), [3, 3, 3, 2, 2, 2, 1, 1, 1]);
}

#[test]
fn flips_and_quarter_turns_form_the_group_of_the_square() {
    for (width, height) in [(6, 6), (5, 5), (7, 4), (1, 1), (1, 3)] {
        let image = random_image(width, height, 1);
        assert!(flip(&flip(&image)) == image);
        for turns in 0..4 {
            let turned = quarter_turns(&image, turns);
            assert!(quarter_turns(&turned, 4 - turns) == image, "{width} x {height}, {turns} turns");
            assert!(quarter_turns(&image, turns + 4) == turned);
            assert!(flip(&turned) == quarter_turns(&flip(&image), 4 - turns), "a mirror turns the other way");
        }
        assert!(quarter_turns(&quarter_turns(&image, 1), 1) == quarter_turns(&image, 2));
    }
}

#[test]
fn right_angles_by_any_angle_are_the_exact_quarter_turns() {
    for side in [1, 2, 5, 64] {
        let image = random_image(side, side, 2);
        for turns in 0..5 {
            assert!(rotate(&image, 90.0 * turns as f64) == quarter_turns(&image, turns), "{side}, {turns} turns");
            let resampled = Draw { quarter_turns: turns, flip: true, ..Draw::default() }.apply(&image, side);
            assert!(resampled == quarter_turns(&flip(&image), turns), "{side}, mirrored and {turns} turns");
        }
        assert!(rotate(&image, -90.0) == quarter_turns(&image, 3));
    }
}

#[test]
fn turned_there_and_back_the_middle_is_as_before() {
    let image = smooth(64);
    let back = rotate(&rotate(&image, 33.0), -33.0);
    let middle = |x: usize, y: usize| (x as f64 - 31.5).hypot(y as f64 - 31.5) < 30.0;
    let inside = (0..64 * 64).filter(|at| middle(at % 64, at / 64)).flat_map(|at| at * 3..at * 3 + 3);
    let worst = inside.map(|i| image.pixels()[i].abs_diff(back.pixels()[i])).max().unwrap();
    assert!(worst <= 4, "off by {worst}");
}

#[test]
fn the_pipeline_is_seeded_and_reaches_every_pose() {
    let image = random_image(8, 8, 3);
    let apply = |augmentation: Augmentation, seed| augmentation.apply(&image, 8, &mut Random::new(seed, Purpose::Augment, &[]));
    let poses = |augmentation: Augmentation| {
        let mut seen: Vec<Vec<u8>> = (0..200).map(|seed| apply(augmentation, seed).into_pixels()).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let none = Preset::None.augmentation();
    assert!(apply(none, 1) == image);
    assert_eq!(poses(none), 1);
    assert_eq!(poses(Augmentation { flip: true, ..none }), 2);
    assert_eq!(poses(Augmentation { rotation: Rotation::Quarter, ..none }), 4);
    assert_eq!(poses(Preset::Turns.augmentation()), 8);
    let any = Augmentation { flip: true, rotation: Rotation::Any, ..none };
    assert_eq!(poses(any), 200);
    assert!(apply(any, 7) == apply(any, 7));
}

/// Mean and standard deviation of the light of all numbers.
fn moments(image: &Image) -> (f64, f64) {
    let count = image.pixels().len() as f64;
    let mean = image.pixels().iter().map(|&p| f64::from(p)).sum::<f64>() / count;
    let variance = image.pixels().iter().map(|&p| (f64::from(p) - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

#[test]
fn light_noise_zoom_shift_and_erasing_do_what_they_say() {
    let image = smooth(64);
    let grey = Image::new(64, 64, vec![128; 64 * 64 * 3]).unwrap();
    let dimmed = Draw { dimming: 0.5, ..Draw::default() }.apply(&grey, 64);
    assert!(dimmed.pixels().iter().all(|&p| p == 64));
    let noisy = Draw { noise: 0.05, noise_seed: 3, ..Draw::default() };
    let (mean, deviation) = moments(&noisy.apply(&grey, 64));
    assert!((mean - 128.0).abs() < 0.5 && (deviation - 0.05 * 255.0).abs() < 0.3, "{mean} {deviation}");
    assert!(noisy.apply(&grey, 64) == noisy.apply(&grey, 64));
    let moved = Draw { shift: [0.25, -0.125], ..Draw::default() }.apply(&image, 64);
    let pixel = |image: &Image, x: usize, y: usize| image.pixels()[(y * 64 + x) * 3];
    assert_eq!(pixel(&moved, 40, 20), pixel(&image, 24, 28), "16 pixels to the right, 8 up");
    let large = Draw { zoom: 2.0, ..Draw::default() }.apply(&image, 128);
    let middle = Draw { crop: [0.5; 2], ..Draw::default() }.apply(&image, 128);
    let worst = large.pixels().iter().zip(middle.pixels()).enumerate().filter(|(at, _)| {
        let (x, y) = (at / 3 % 128, at / 3 / 128);
        (4..124).contains(&x) && (4..124).contains(&y)
    });
    assert!(worst.map(|(_, (a, b))| a.abs_diff(*b)).max().unwrap() <= 1, "twice as large is the middle half");
    let erased = Draw { erase: Some([0.25, 0.5, 0.125, 0.25]), ..Draw::default() }.apply(&grey, 64);
    let black = erased.pixels().chunks(3).enumerate().filter(|(_, p)| p == &[0; 3]).map(|(at, _)| (at % 64, at / 64));
    let black: Vec<_> = black.collect();
    assert_eq!(black.len(), 8 * 16);
    assert!(black.iter().all(|(x, y)| (32..48).contains(x) && (16..24).contains(y)));
}

#[test]
fn draws_stay_within_their_ranges_and_every_preset_is_usable() {
    for preset in Preset::ALL {
        let settings = preset.augmentation();
        assert_eq!(settings.errors(), []);
        assert_eq!(Preset::of(&settings), Some(preset));
        assert_eq!(settings.is_exact(), matches!(preset, Preset::None | Preset::Turns));
    }
    let strong = Preset::Strong.augmentation();
    let mut random = Random::new(1, Purpose::Test, &[]);
    let draws: Vec<Draw> = (0..2000).map(|_| strong.draw(&mut random)).collect();
    let zooms = || draws.iter().map(|d| d.zoom);
    assert!(zooms().all(|z| (1.0 / 1.3..=1.3).contains(&z)));
    assert!(zooms().fold(0.0, f64::max) > 1.29 && zooms().fold(9.0, f64::min) < 0.775);
    assert!(draws.iter().all(|d| d.colour.len() == 4 && d.noise <= 0.03 && (0.7..=1.0).contains(&d.dimming) && d.blur <= 1.2));
    let erased = draws.iter().filter(|d| d.erase.is_some()).count();
    assert!((400..600).contains(&erased), "{erased} of 2000 erased at a probability of 0.25");
    let orders: std::collections::HashSet<String> =
        draws.iter().map(|d| d.colour.iter().map(|c| format!("{c:?}").chars().next().unwrap()).collect()).collect();
    assert_eq!(orders.len(), 24, "the four colour steps come in every order");
}

#[test]
fn what_cannot_be_used_is_named() {
    let bad = Augmentation {
        max_angle: 0.0,
        crop_height: 0.0,
        brightness: 1.5,
        hue: 0.6,
        dimming: 1.0,
        blur: 0.05,
        blur_kernel: 4,
        zoom: f64::NAN,
        shift: -0.1,
        noise: 2.0,
        erase: 1.1,
        ..Augmentation::default()
    };
    let fields: Vec<_> = bad.errors().into_iter().map(|(field, _)| field).collect();
    let all = ["max_angle", "crop_height", "brightness", "hue", "dimming", "shift", "blur", "blur_kernel", "zoom", "noise", "erase"];
    assert_eq!(fields, all);
}

#[test]
fn sections_cover_the_whole_pipeline() {
    let mixed = Augmentation { mixup: 0.5, cutmix: 0.5, ..Preset::Seed.augmentation() };
    let from = Augmentation { zoom: 0.2, shift: 0.1, dimming: 0.2, noise: 0.02, erase: 0.3, ..mixed };
    let none = Augmentation { border: from.border, blur_kernel: from.blur_kernel, ..Preset::None.augmentation() };
    let mut copy = none;
    let mut off = from;
    for section in Section::ALL {
        assert!(section.is_on(&off) && !section.is_on(&copy) && section.is_on(&section.usual()), "{section:?}");
        section.copy(&from, &mut copy);
        section.switch_off(&mut off);
        assert!(!section.is_on(&off) && section.is_on(&copy), "{section:?}");
    }
    assert_eq!(copy, from);
    assert_eq!(off, Augmentation { max_angle: from.max_angle, ..none });
}
