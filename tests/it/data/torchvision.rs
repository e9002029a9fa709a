//! Every augmentation step against torchvision with the same parameters (`tests/reference/augment/make.py`).

use std::path::Path;

use tuning_fork::augment::{Border, ColourStep, Draw};
use tuning_fork::imaging::{self, Image};

fn reference(name: &str) -> Image {
    imaging::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/augment").join(format!("{name}.png"))).unwrap()
}

/// Fails if any number differs by more than one grey level.
fn check(name: &str, draw: &Draw) {
    let expected = reference(name);
    let ours = draw.apply(&reference("source"), expected.width());
    assert_eq!(ours.pixels().len(), expected.pixels().len());
    let worst = ours.pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(worst <= 1, "{name}: off by {worst} grey levels");
    assert!(name == "resize" || ours != reference("source"), "{name} must change something");
}

/// The same except next to the edge of what the turned picture covers: torchvision mixes its outermost pixels with black, here they
/// end sharply.
fn check_within(name: &str, draw: &Draw) {
    let (expected, source) = (reference(name), reference("source"));
    let side = expected.width();
    let white = Image::new(side, side, vec![255; 3 * side * side]).unwrap();
    let (ours, covered) = (draw.apply(&source, side), draw.apply(&white, side));
    let is_covered = |x: usize, y: usize| covered.pixels()[(y * side + x) * 3] == 255;
    let mut compared = 0;
    for (y, x) in (1..side - 1).flat_map(|y| (1..side - 1).map(move |x| (y, x))) {
        let here = is_covered(x, y);
        if (y - 1..=y + 1).all(|y| (x - 1..=x + 1).all(|x| is_covered(x, y) == here)) {
            let at = (y * side + x) * 3;
            let worst = (at..at + 3).map(|i| ours.pixels()[i].abs_diff(expected.pixels()[i])).max().unwrap();
            assert!(worst <= 1, "{name}: off by {worst} grey levels at ({x}, {y})");
            compared += 1;
        }
    }
    assert!(compared > side * side * 3 / 4, "only {compared} pixels away from the edges");
}

fn colour(steps: &[ColourStep]) -> Draw {
    Draw { colour: steps.to_vec(), ..Draw::default() }
}

#[test]
fn colours_are_torchvisions() {
    for factor in [0.6, 1.4] {
        check(&format!("brightness_{factor}"), &colour(&[ColourStep::Brightness(factor)]));
        check(&format!("contrast_{factor}"), &colour(&[ColourStep::Contrast(factor)]));
        check(&format!("saturation_{factor}"), &colour(&[ColourStep::Saturation(factor)]));
    }
    for shift in [-0.5, -0.13, 0.31, 0.5] {
        check(&format!("hue_{shift}"), &colour(&[ColourStep::Hue(shift)]));
    }
}

#[test]
fn blurs_are_torchvisions() {
    for (blur_kernel, blur, name) in [(3, 2.0, "blur_3_2.0"), (7, 1.3, "blur_7_1.3")] {
        check(name, &Draw { blur, blur_kernel, ..Draw::default() });
    }
    let unchanged = Draw { blur: 0.1, blur_kernel: 3, ..Draw::default() }.apply(&reference("source"), 80);
    assert!(unchanged == reference("blur_3_0.1"), "so little blur changes nothing");
}

#[test]
fn geometry_is_torchvisions() {
    check("flip", &Draw { flip: true, ..Draw::default() });
    for (angle, name) in [(30.0, "rotate_30"), (133.5, "rotate_133.5"), (270.0, "rotate_270")] {
        check_within(name, &Draw { angle, border: Border::Black, ..Draw::default() });
    }
    for (angle, name) in [(17.0, "reflected_17"), (133.0, "reflected_133"), (271.0, "reflected_271")] {
        check(name, &Draw { angle, ..Draw::default() });
    }
    check("resize", &Draw::default());
}

#[test]
fn the_seeds_steps_in_a_row_are_torchvisions() {
    let draw = Draw {
        crop: [53.0 / 80.0, 75.0 / 80.0],
        colour: vec![ColourStep::Saturation(1.3), ColourStep::Brightness(1.2), ColourStep::Contrast(0.8), ColourStep::Hue(0.2)],
        blur: 1.1,
        flip: true,
        angle: 180.0,
        border: Border::Black,
        ..Draw::default()
    };
    check("seed_180", &draw);
}
