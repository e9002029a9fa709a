//! Batches that the kernels augment against those of the processor, for the same draws.

use tuning_fork::augment::{Augmentation, Border, Canvas, ColourStep, Draw, Mix, Preset, Resident, Rotation, Table};
use tuning_fork::imaging::Image;
use tuning_fork::nn::Normalisation;
use tuning_fork::nn::ops::accelerator::kernels::Launch;
use tuning_fork::random::{Purpose, Random};

use super::device::{Device, F32, Memory, Null, Of, U32, U64, devices};

const NORMALISATION: Normalisation = Normalisation { mean: [0.4, 0.5, 0.3], std: [0.25, 0.5, 0.2] };

/// A picture with edges, flat parts and noise, every byte its own.
fn picture(width: usize, height: usize, seed: u64) -> Image {
    let mut random = Random::new(seed, Purpose::Test, &[]);
    let byte = |i: usize| {
        let (x, y, c) = (i / 3 % width, i / 3 / width, i % 3);
        let smooth = 120.0 + 100.0 * ((x as f64 * 0.3 + c as f64).sin() * (y as f64 * 0.2).cos());
        if (x / 5 + y / 4).is_multiple_of(3) { (40 * c) as u8 } else { (smooth + random.range(-20.0, 20.0)).clamp(0.0, 255.0) as u8 }
    };
    let pixels = (0..3 * width * height).map(byte).collect();
    Image::new(width, height, pixels).expect("as many bytes")
}

struct Batch {
    side: usize,
    images: Vec<Image>,
    draws: Vec<Draw>,
    exact: bool,
    mix: Option<Mix>,
}

impl Batch {
    fn drawn(augmentation: Augmentation, side: usize, images: Vec<Image>, seed: u64) -> Self {
        let draws = (0..images.len()).map(|i| augmentation.draw(&mut Random::new(seed, Purpose::Test, &[i as u64]))).collect();
        let mix = augmentation.draw_mix(side, &mut Random::new(seed, Purpose::Mix, &[]));
        Self { side, images, draws, exact: augmentation.is_exact(), mix }
    }

    /// What the processor makes of it: pictures of 3 x side x side, normalised and mixed.
    fn processor(&self) -> Vec<f32> {
        let length = 3 * self.side * self.side;
        let mut all = vec![0.0; length * self.images.len()];
        let mut canvas = Canvas::default();
        for ((image, draw), planes) in self.images.iter().zip(&self.draws).zip(all.chunks_exact_mut(length)) {
            if self.exact && image.width() == self.side && image.height() == self.side {
                NORMALISATION.write_planes(draw.pose_on(image, &mut canvas), planes);
            } else {
                draw.write(image, &mut canvas, self.side, planes);
                NORMALISATION.normalise(planes);
            }
        }
        if let Some(mix) = &self.mix {
            mix.apply(&mut all, self.side);
        }
        all
    }

    fn table(&self) -> (Vec<u8>, Table) {
        let mut data = Vec::new();
        let mut table = Table::new(self.side, self.mix);
        for (image, draw) in self.images.iter().zip(&self.draws) {
            let resident = Resident { offset: data.len() as u64, width: image.width(), height: image.height() };
            data.extend(image.pixels());
            table.augmented(resident, draw, self.exact);
        }
        (data, table)
    }

    /// What the kernels make of it, in the same order; the last `part` pictures in a launch of their own.
    fn device(&self, device: &Device, part: usize, padded: usize) -> Vec<f32> {
        let (data, table) = self.table();
        let (side, total) = (self.side, self.images.len());
        let (data, bytes, weights) = (Memory::new(&data), Memory::new(table.bytes()), Memory::of_f32(&table.weights()));
        let (taps, stride) = (U32(table.taps() as u32), U64(table.largest() as u64));
        let means = Memory::empty(4 * total);
        let means_argument = if table.contrast() {
            let arguments = [Of(&data), Of(&bytes), U32(total as u32), Of(&means)];
            device.launch("augment_mean", Launch::blocks([total as u32, 1, 1]), &arguments);
            Of(&means)
        } else {
            Null
        };
        let many = Launch::blocks([3, total as u32, 1]);
        let canvases = [0; 2].map(|_| Memory::empty(16 * total * table.largest()));
        let blurred = if table.taps() > 0 {
            let arguments = [Of(&data), Of(&bytes), means_argument, Of(&weights), taps, stride, Of(&canvases[0])];
            device.launch("augment_blur_rows", many, &arguments);
            device.launch("augment_blur_columns", many, &[Of(&bytes), Of(&weights), taps, stride, Of(&canvases[0]), Of(&canvases[1])]);
            Of(&canvases[1])
        } else {
            Null
        };
        let noise = Memory::empty(4 * total * (3 * side * side).next_multiple_of(8));
        if table.noisy() {
            device.launch("augment_noise", many, &[Of(&bytes), U32(side as u32), Of(&noise)]);
        }
        let noise_argument = if table.noisy() { Of(&noise) } else { Null };
        let mut all = Vec::new();
        for (first, count) in [(0, total - part), (total - part, part)].into_iter().filter(|(_, count)| *count > 0) {
            let out = device.room(count * side * side * padded);
            let [r, g, b] = NORMALISATION.mean.map(F32);
            let [rs, gs, bs] = NORMALISATION.std.map(F32);
            let sizes = [side, first, total, padded].map(|n| U32(n as u32));
            let [side_argument, first, total, padded_argument] = sizes;
            let arguments = [
                Of(&data),
                Of(&bytes),
                means_argument,
                blurred,
                stride,
                noise_argument,
                side_argument,
                first,
                total,
                padded_argument,
                r,
                g,
                b,
                rs,
                gs,
                bs,
                Of(&out),
            ];
            let blocks = (side * side).div_ceil(256) as u32;
            device.launch("augment_place", Launch::blocks([blocks, count as u32, 1]), &arguments);
            for image in device.read(&out).chunks_exact(side * side * padded) {
                assert!(image.chunks_exact(padded).all(|pixel| pixel[3..].iter().all(|v| *v == 0.0)));
                all.extend((0..3 * side * side).map(|i| image[i % (side * side) * padded + i / (side * side)]));
            }
        }
        all
    }

    /// The largest and the mean difference, in grey levels, beyond what the storage type rounds.
    #[track_caller]
    fn compare(&self, device: &Device, what: &str) {
        let want = self.processor();
        let plane = self.side * self.side;
        for (part, padded) in [(0, 3), (self.images.len() / 2, 8)] {
            let got = self.device(device, part, padded);
            assert_eq!(got.len(), want.len());
            let (mut worst, mut sum) = (0.0f32, 0.0f64);
            for (i, (got, want)) in got.iter().zip(&want).enumerate() {
                let rounding = want.abs() * device.bound() as f32;
                let off = ((got - device.rounded(*want)).abs() - rounding).max(0.0) * NORMALISATION.std[i / plane % 3] * 255.0;
                assert!(off.is_finite(), "{what}: {got} at {i}");
                (worst, sum) = (worst.max(off), sum + f64::from(off));
            }
            let mean = sum / want.len() as f64;
            assert!(worst <= 1.0 && mean < 1e-3, "{what}: at most {worst}, in the mean {mean} grey levels");
        }
    }
}

fn pictures(sizes: &[[usize; 2]]) -> Vec<Image> {
    sizes.iter().enumerate().map(|(i, [width, height])| picture(*width, *height, i as u64)).collect()
}

#[test]
fn every_preset_is_that_of_the_processor() {
    for device in devices() {
        for preset in Preset::ALL {
            for (side, size) in [(21, [21, 21]), (16, [31, 27]), (33, [20, 40])] {
                let batch = Batch::drawn(preset.augmentation(), side, pictures(&[size; 5]), side as u64);
                batch.compare(&device, &format!("{preset:?} at {side}"));
            }
        }
    }
}

#[test]
fn mixed_batches_are_those_of_the_processor() {
    for device in devices() {
        for (mixup, cutmix) in [(0.4, 0.0), (0.0, 1.0)] {
            for base in [Preset::Turns, Preset::Strong] {
                let augmentation = Augmentation { mixup, cutmix, ..base.augmentation() };
                let batch = Batch::drawn(augmentation, 19, pictures(&[[19, 19]; 4]), 3);
                assert!(batch.mix.is_some());
                batch.compare(&device, &format!("mixup {mixup}, CutMix {cutmix}, {base:?}"));
            }
        }
        // one picture is its own partner
        let augmentation = Augmentation { mixup: 1.0, ..Preset::Turns.augmentation() };
        Batch::drawn(augmentation, 9, pictures(&[[9, 9]]), 3).compare(&device, "one picture");
    }
}

#[test]
fn the_largest_steps_and_oddest_sizes_are_those_of_the_processor() {
    let most = Augmentation {
        rotation: Rotation::Any,
        zoom: 4.0,
        shift: 0.9,
        blur: 30.0,
        blur_kernel: 101,
        hue: 0.5,
        brightness: 1.0,
        contrast: 1.0,
        saturation: 1.0,
        noise: 1.0,
        erase: 1.0,
        dimming: 0.9,
        crop_height: 0.4,
        crop_width: 0.9,
        ..Preset::Strong.augmentation()
    };
    for device in devices().into_iter().take(1) {
        for border in [Border::Reflect, Border::Black] {
            let augmentation = Augmentation { border, ..most };
            // a line longer than a block, a picture of one pixel, sizes that differ within a batch
            let sizes = [[300, 6], [1, 1], [2, 7], [33, 290], [12, 12]];
            Batch::drawn(augmentation, 13, pictures(&sizes), 5).compare(&device, &format!("{border:?}"));
        }
    }
}

#[test]
fn pictures_with_and_without_each_step_share_a_batch() {
    let draws = vec![
        Draw::default(),
        Draw { blur: 1.5, blur_kernel: 5, ..Draw::default() },
        Draw { colour: vec![ColourStep::Hue(0.2), ColourStep::Contrast(1.7)], ..Draw::default() },
        Draw { noise: 0.1, noise_seed: 99, flip: true, quarter_turns: 3, ..Draw::default() },
        Draw { blur: 0.7, blur_kernel: 3, erase: Some([0.1, 0.3, 0.5, 0.4]), ..Draw::default() },
    ];
    for device in devices() {
        let batch = Batch { side: 18, images: pictures(&[[18, 18]; 5]), draws: draws.clone(), exact: false, mix: None };
        batch.compare(&device, "different steps");
    }
}

#[test]
fn pictures_for_evaluation_are_the_bytes_normalised() {
    for device in devices() {
        let images = pictures(&[[23, 23]; 3]);
        let draws = vec![Draw::default(); 3];
        let batch = Batch { side: 23, images, draws, exact: true, mix: None };
        let want: Vec<f32> = batch.processor().into_iter().map(|v| device.rounded(v)).collect();
        assert_eq!(batch.device(&device, 1, 4), want);
    }
}
