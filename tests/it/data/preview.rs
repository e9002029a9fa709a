//! What the lab shows of augmentation: the stages of a draw, the sweeps, and what a run would see.

use tuning_fork::augment::{Augmentation, Draw, Mix, Preset, Step, Sweep, flip};
use tuning_fork::random::{Purpose, Random};
use tuning_fork::train::{Config, Preview};

use super::common::random_image;

#[test]
fn stages_end_with_the_picture_that_training_sees() {
    let image = random_image(60, 60, 1);
    for preset in Preset::ALL {
        let draw = preset.augmentation().draw(&mut Random::new(9, Purpose::Augment, &[1, 2]));
        let stages = draw.stages(&image, 32);
        assert_eq!(stages.iter().map(|stage| stage.step).collect::<Vec<_>>(), Step::ALL);
        assert!(stages[0].image == image);
        assert!(stages[5].image == draw.apply(&image, 32), "{preset:?}");
        for pair in stages.windows(2).filter(|pair| !pair[1].active && pair[1].step != Step::Geometry) {
            assert!(pair[0].image == pair[1].image, "{preset:?}: {:?} is not active", pair[1].step);
        }
        for pair in stages.windows(2).filter(|pair| pair[1].active) {
            assert!(pair[0].image != pair[1].image, "{preset:?}: {:?} is active", pair[1].step);
        }
    }
    let crop = &Draw { crop: [0.5, 0.75], ..Draw::default() }.stages(&image, 32)[1].image;
    assert_eq!((crop.width(), crop.height()), (45, 30));
}

#[test]
fn sources_are_what_training_keeps() {
    let seed = Preset::Seed.augmentation();
    let side = |augmentation: Augmentation, from: usize| augmentation.source(random_image(from, from, 2), 64).width();
    assert_eq!([20, 64, 80, 256].map(|from| side(seed, from)), [64, 64, 80, 97]);
    assert_eq!([20, 64, 256].map(|from| side(Preset::Strong.augmentation(), from)), [64, 64, 64]);
}

#[test]
fn sweeps_begin_with_the_picture_as_it_is() {
    let image = random_image(32, 32, 3);
    for sweep in Sweep::ALL {
        let positions = sweep.positions();
        assert!(positions.windows(2).all(|pair| pair[0] < pair[1]) && positions[0] == 0.0);
        assert!((positions.last().expect("an end") - sweep.end()).abs() < 1e-12);
        let start = sweep.draw(0.0).apply(&image, 32);
        assert!(start == if sweep == Sweep::MirroredTurn { flip(&image) } else { image.clone() }, "{sweep:?}");
        if sweep.is_circle() {
            assert!(sweep.draw(sweep.end()).apply(&image, 32) == start, "{sweep:?} comes round");
        } else {
            assert!(sweep.draw(sweep.end()).apply(&image, 32) != start, "{sweep:?}");
        }
    }
}

#[test]
fn a_preview_knows_batches_and_partners() {
    let train: Vec<u32> = (10..31).collect();
    let config = |augmentation| Config { batch: 8, augmentation, ..Config::default() };
    let preview = Preview::new(config(Augmentation { mixup: 0.3, ..Preset::Gentle.augmentation() }), train.clone());
    assert_eq!(preview.place(1, 3), None, "no training image");
    for epoch in 1..4 {
        let places: Vec<_> = train.iter().map(|&image| preview.place(epoch, image).expect("a training image")).collect();
        for batch in 0..3 {
            let inside: Vec<_> = train.iter().zip(&places).filter(|(_, place)| place.batch == batch).collect();
            assert_eq!(inside.len(), [8, 8, 5][batch]);
            // every image of a batch is the partner of one other, and all are mixed alike
            let mut partners: Vec<u32> = inside.iter().map(|(_, place)| place.partner).collect();
            partners.sort_unstable();
            assert_eq!(partners, inside.iter().map(|(image, _)| **image).collect::<Vec<_>>());
            assert!(inside.iter().all(|(image, place)| **image != place.partner && place.mix == inside[0].1.mix));
            assert!(matches!(inside[0].1.mix, Some(Mix::Blend(_))));
        }
    }
    assert_ne!(preview.draw(1, 12), preview.draw(2, 12));
    assert_ne!(preview.place(1, 12), preview.place(2, 12));
    let unmixed = Preview::new(config(Preset::Gentle.augmentation()), train);
    assert!(unmixed.place(1, 12).is_some_and(|place| place.mix.is_none()));
}
