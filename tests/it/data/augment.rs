//! Flips and turns: identities, and any angle against PyTorch's `grid_sample`.

use tuning_fork::augment::{Augmentation, Rotation, flip, quarter_turns, rotate};
use tuning_fork::imaging::{self, Image};
use tuning_fork::random::{Purpose, Random};

use super::common::{random_image, reference};

/// A picture that changes slowly, as one through a telescope does.
fn smooth(side: usize) -> Image {
    let wave = |x: usize, y: usize, phase: f64| 127.0 + 100.0 * (x as f64 / 7.0 + phase).sin() * (y as f64 / 9.0).cos();
    let pixels = (0..side * side).flat_map(|at| [0.0, 1.0, 2.0].map(|phase| wave(at % side, at / side, phase) as u8));
    Image::new(side, side, pixels.collect()).unwrap()
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
        }
        assert!(rotate(&image, -90.0) == quarter_turns(&image, 3));
    }
    let wide = random_image(9, 4, 2);
    assert!(rotate(&wide, 180.0) == quarter_turns(&wide, 2));
}

#[test]
fn any_angle_is_grid_sample_with_reflection() {
    let source = imaging::open(&reference("source.png")).unwrap();
    for degrees in [17, 133, 271] {
        let expected = imaging::open(&reference(&format!("rotate_{degrees}.png"))).unwrap();
        let turned = rotate(&source, f64::from(degrees));
        let worst = turned.pixels().iter().zip(expected.pixels()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 1, "{degrees} degrees: off by {worst}");
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
    let apply = |augmentation: Augmentation, seed| augmentation.apply(&image, &mut Random::new(seed, Purpose::Augment, &[]));
    let poses = |augmentation: Augmentation| {
        let mut seen: Vec<Vec<u8>> = (0..200).map(|seed| apply(augmentation, seed).into_pixels()).collect();
        seen.sort_unstable();
        seen.dedup();
        seen.len()
    };
    let none = Augmentation { flip: false, rotation: Rotation::None };
    assert!(apply(none, 1) == image);
    assert_eq!(poses(none), 1);
    assert_eq!(poses(Augmentation { flip: true, ..none }), 2);
    assert_eq!(poses(Augmentation { flip: false, rotation: Rotation::Quarter }), 4);
    assert_eq!(poses(Augmentation { flip: true, rotation: Rotation::Quarter }), 8);
    let any = Augmentation { flip: true, rotation: Rotation::Any };
    assert_eq!(poses(any), 200);
    assert!(apply(any, 7) == apply(any, 7));
}
