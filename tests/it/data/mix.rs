//! Mixing the pictures of a batch, against torchvision with the same draws (`tests/reference/augment/mix.py`).

use serde::Deserialize;
use tuning_fork::augment::{Augmentation, Mix, Preset};
use tuning_fork::random::{Purpose, Random};

#[derive(Deserialize)]
struct Reference {
    side: usize,
    hard: Vec<usize>,
    batch: Vec<f32>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    mixup: bool,
    lam: f64,
    centre: [usize; 2],
    images: Vec<f32>,
    labels: Vec<Vec<f64>>,
}

#[test]
fn pictures_and_labels_are_those_of_torchvision() {
    let reference: Reference = serde_json::from_str(include_str!("../../reference/augment/mix.json")).expect("the reference is JSON");
    for case in &reference.cases {
        let mix = if case.mixup { Mix::Blend(case.lam) } else { Mix::rectangle(reference.side, case.lam, case.centre) };
        let mut batch = reference.batch.clone();
        mix.apply(&mut batch, reference.side);
        for (got, want) in batch.iter().zip(&case.images) {
            assert!((got - want).abs() < 2e-7, "{mix:?}: {got} is not {want}");
        }
        let share = mix.share(reference.side);
        let count = reference.hard.len();
        for (i, soft) in case.labels.iter().enumerate() {
            let mut ours = vec![0.0; soft.len()];
            ours[reference.hard[i]] += share;
            ours[reference.hard[(i + count - 1) % count]] += 1.0 - share;
            assert!(ours.iter().zip(soft).all(|(a, b)| (a - b).abs() < 1e-6), "{mix:?}: {ours:?} is not {soft:?}");
        }
    }
}

#[test]
fn draws_are_seeded_and_choose_between_the_two() {
    let none = Preset::None.augmentation();
    let draw = |augmentation: Augmentation, seed| augmentation.draw_mix(32, &mut Random::new(seed, Purpose::Mix, &[1, 2]));
    assert_eq!(draw(none, 1), None);
    let both = Augmentation { mixup: 0.2, cutmix: 1.0, ..none };
    assert_eq!(draw(both, 1), draw(both, 1));
    let draws: Vec<Mix> = (0..1000).filter_map(|seed| draw(both, seed)).collect();
    assert_eq!(draws.len(), 1000);
    let blends = draws.iter().filter(|mix| matches!(mix, Mix::Blend(_))).count();
    assert!((430..570).contains(&blends), "{blends} of 1000 are mixup");
    for mix in &draws {
        assert!((0.0..=1.0).contains(&mix.share(32)), "{mix:?}");
        if let Mix::Paste([left, top, right, bottom]) = *mix {
            assert!(left <= right && right <= 32 && top <= bottom && bottom <= 32, "{mix:?}");
        }
    }
    assert!((0..50).all(|seed| matches!(draw(Augmentation { mixup: 1.0, ..none }, seed), Some(Mix::Blend(_)))));
    assert!((0..50).all(|seed| matches!(draw(Augmentation { cutmix: 1.0, ..none }, seed), Some(Mix::Paste(_)))));
}

#[test]
fn a_batch_of_one_is_mixed_with_itself() {
    let picture: Vec<f32> = (0..3 * 4 * 4).map(|i| i as f32).collect();
    for mix in [Mix::Blend(0.25), Mix::Paste([1, 0, 3, 4])] {
        let mut batch = picture.clone();
        mix.apply(&mut batch, 4);
        assert!(batch.iter().zip(&picture).all(|(a, b)| (a - b).abs() < 1e-5), "{mix:?}");
        mix.apply(&mut [], 4);
    }
}
