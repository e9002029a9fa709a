//! The augmentation on the device against that of the processor: the same draws, pictures of odd sizes.

use super::lab::{Lab, Result, broken, channels_last};
use crate::augment::{Augmentation, Canvas, Draw, Mix, Preset, Resident as Place, Section, Table};
use crate::imaging::Image;
use crate::nn::accelerated::{Engine, Resident, Settings, TableShape};
use crate::nn::ops::accelerator::calls::{LossRule, UpdateRule};
use crate::nn::{Architecture, NetworkOptions, Normalisation, USUAL_WIDTH};
use crate::random::{Purpose, Random};

const NORMALISATION: Normalisation = Normalisation { mean: [0.4, 0.5, 0.3], std: [0.25, 0.5, 0.2] };
const SIDE: usize = 37;

pub fn run(lab: &mut Lab) -> Result<()> {
    let mixing = Section::Mixing.usual();
    let noise = Augmentation { noise: 0.05, erase: 0.5, ..Preset::Gentle.augmentation() };
    for (name, augmentation) in [
        ("none", Preset::None.augmentation()),
        ("turns", Preset::Turns.augmentation()),
        ("gentle", Preset::Gentle.augmentation()),
        ("strong", Preset::Strong.augmentation()),
        ("seed", Preset::Seed.augmentation()),
        ("noise and rectangles", noise),
        ("mixing", mixing),
    ] {
        for sizes in [[SIDE, SIDE], [53, 41]] {
            preset(lab, name, &augmentation, sizes)?;
        }
    }
    Ok(())
}

/// Pictures with edges and with noise, every one another.
fn picture(width: usize, height: usize, seed: u64) -> Result<Image> {
    let mut random = Random::new(seed, Purpose::Test, &[]);
    let byte = |at: usize| {
        let (x, y) = (at / 3 % width, at / 3 / width);
        if (x / 7 + y / 5).is_multiple_of(2) { random.below(256) as u8 } else { (3 * x + 2 * y + 50 * (at % 3)) as u8 }
    };
    let pixels = (0..3 * width * height).map(byte).collect();
    Image::new(width, height, pixels).map_err(broken)
}

fn preset(lab: &mut Lab, name: &str, augmentation: &Augmentation, [width, height]: [usize; 2]) -> Result<()> {
    let images: Vec<Image> = (0..5).map(|seed| picture(width, height, seed)).collect::<Result<_>>()?;
    let draws: Vec<Draw> = (0..5).map(|i| augmentation.draw(&mut Random::new(3, Purpose::Augment, &[1, i]))).collect();
    let mix = augmentation.draw_mix(SIDE, &mut Random::new(3, Purpose::Mix, &[1, 0]));
    let expected = processor(augmentation, &images, &draws, mix);

    let engine = engine(lab, images.len())?;
    let bytes = images.iter().map(|image| image.pixels().len()).sum();
    let mut resident = Resident::new(&*lab.device, bytes)?;
    let (mut table, mut offset) = (Table::new(SIDE, mix), 0);
    for (image, draw) in images.iter().zip(&draws) {
        resident.write(&*lab.device, offset, image.pixels())?;
        table.augmented(Place { offset: offset as u64, width, height }, draw, augmentation.is_exact());
        offset += image.pixels().len();
    }
    let kernels = (table.weights(), table.taps());
    let shape = TableShape::of(table.len(), kernels, table.largest(), [table.contrast(), table.noisy()]);
    engine.augment(&mut resident, table.bytes(), &shape, &NORMALISATION)?;
    let found = lab.read(engine.input(), expected.len())?;
    lab.compare(&format!("augmentation: {name}, {width} x {height} to {SIDE} x {SIDE}"), &expected, &found);
    Ok(())
}

/// What the processor makes of it: N x side x side x 3.
fn processor(augmentation: &Augmentation, images: &[Image], draws: &[Draw], mix: Option<Mix>) -> Vec<f32> {
    let length = 3 * SIDE * SIDE;
    let (mut all, mut canvas) = (vec![0.0; length * images.len()], Canvas::default());
    for ((image, draw), planes) in images.iter().zip(draws).zip(all.chunks_exact_mut(length)) {
        if augmentation.is_exact() && image.width() == SIDE && image.height() == SIDE {
            NORMALISATION.write_planes(draw.pose_on(image, &mut canvas), planes);
        } else {
            draw.write(image, &mut canvas, SIDE, planes);
            NORMALISATION.normalise(planes);
        }
    }
    if let Some(mix) = mix {
        mix.apply(&mut all, SIDE);
    }
    let tensor = candle_core::Tensor::from_vec(all, (images.len(), 3, SIDE, SIDE), &candle_core::Device::Cpu);
    tensor.map_err(broken).and_then(|tensor| channels_last(&tensor)).unwrap_or_default()
}

/// A network whose input the batch is made in; it is not run.
fn engine(lab: &Lab, batch: usize) -> Result<Engine> {
    let options =
        NetworkOptions { architecture: Architecture::Compact, size: SIDE, channels: 3, classes: 2, width: USUAL_WIDTH, dropout: 0.0 };
    let settings = Settings {
        arithmetic: lab.arithmetic,
        batch,
        micro: 1,
        loss: LossRule { weights: vec![1.0; 2], gamma: 0.0, smoothing: 0.0 },
        update: UpdateRule { kind: UpdateRule::SGD, weight_decay: 0.0, clip: 0.0 },
        seed: 0,
    };
    Engine::new(lab.device.clone(), &options, settings)
}
