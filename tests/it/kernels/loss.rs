//! The loss against `train::Loss`, which PyTorch checks.

use tuning_fork::augment::{Mix, Table};
use tuning_fork::nn::ops::accelerator::kernels::Launch;
use tuning_fork::nn::ops::accelerator::kernels::layout::Control;
use tuning_fork::train::{Config, Loss, LossKind, LossValue, Mixed, class_weights};

use super::device::{Arg, Device, F64, Memory, Null, Of, U32, close, devices};

const COUNTS: [usize; 7] = [30, 400, 7, 55, 1200, 90, 3];
const CLASSES: usize = COUNTS.len();

struct Case {
    config: Config,
    images: usize,
    mix: Option<Mix>,
}

fn cases() -> Vec<Case> {
    let config = |loss, gamma, label_smoothing| Config { loss, beta: 0.999, gamma, label_smoothing, ..Config::default() };
    let mut cases = Vec::new();
    for config in [config(LossKind::Focal, 2.0, 0.0), config(LossKind::Focal, 1.3, 0.1), config(LossKind::CrossEntropy, 0.0, 0.05)] {
        for images in [1, 5, 300] {
            for mix in [None, Some(Mix::Blend(0.3)), Some(Mix::Blend(0.8)), Some(Mix::Paste([1, 2, 5, 9]))] {
                cases.push(Case { config: config.clone(), images, mix });
            }
        }
    }
    cases
}

impl Case {
    fn weights(&self) -> (Vec<f64>, f64) {
        match self.config.loss {
            LossKind::Focal => (class_weights(&COUNTS, self.config.beta), self.config.gamma),
            LossKind::CrossEntropy => (vec![1.0; CLASSES], 0.0),
        }
    }

    fn targets(&self) -> Vec<u32> {
        (0..self.images).map(|i| (i * i + i / 3) as u32 % CLASSES as u32).collect()
    }

    fn partners(&self) -> Vec<u32> {
        let mut partners = self.targets();
        partners.rotate_right(1);
        partners
    }

    fn mixed(&self) -> Option<Mixed> {
        self.mix.map(|mix| Mixed { partners: self.partners(), share: mix.share(SIDE) })
    }
}

const SIDE: usize = 12;

/// What the kernel makes of logits.
struct Answer {
    losses: Vec<f64>,
    gradient: Vec<f32>,
    stored: Vec<f32>,
    predicted: Vec<u32>,
    control: Vec<f64>,
    counts: Vec<u8>,
}

fn run(device: &Device, case: &Case, logits: [Arg; 2], partners: Arg, divisor: usize) -> Answer {
    let (weights, gamma) = case.weights();
    let n = case.images;
    let control = Memory::new(&Control { loss_scale: 8.0, ..Control::START }.to_bytes());
    let (weights, targets) = (Memory::of_f64(&weights), Memory::of_u32(&case.targets()));
    let table = Memory::new(Table::new(SIDE, case.mix).bytes());
    let (gradient, stored) = (Memory::empty(4 * n * CLASSES), device.room(n * CLASSES));
    let (losses, predicted) = (Memory::empty(8 * n), Memory::empty(4 * n));
    let arguments = [
        logits[0],
        logits[1],
        Of(&targets),
        Of(&table),
        partners,
        Of(&weights),
        F64(gamma),
        F64(case.config.label_smoothing),
        U32(n as u32),
        U32(divisor as u32),
        U32(CLASSES as u32),
        Of(&control),
        Of(&stored),
        Of(&gradient),
        Of(&losses),
        Of(&predicted),
    ];
    device.launch("focal_loss", Launch::blocks([1; 3]), &arguments);
    Answer {
        losses: losses.f64s(),
        gradient: gradient.f32s(),
        stored: device.read(&stored),
        predicted: predicted.u32s(),
        control: control.f64s(),
        counts: control.bytes(),
    }
}

fn check(device: &Device, case: &Case, got: &Answer, want: &LossValue, divisor: usize) {
    for (got, want) in got.losses.iter().zip(&want.losses) {
        assert!((got - want).abs() <= 1e-13 * want.abs().max(1.0), "{got} is not {want}");
    }
    let sum: f64 = want.losses.iter().sum();
    assert!((got.control[4] - sum).abs() <= 1e-12 * sum.abs().max(1.0), "{} is not {sum}", got.control[4]);
    let predicted: Vec<usize> = got.predicted.iter().map(|p| *p as usize).collect();
    assert_eq!(predicted, want.predicted);
    // of the mean over `divisor` images, times the loss scale
    let factor = 8.0 * case.images as f32 / divisor as f32;
    let gradient: Vec<f32> = want.gradient.iter().map(|g| g * factor).collect();
    close(&got.gradient, &gradient, 1e-6, "gradient");
    close(&got.stored, &gradient, device.bound(), "stored gradient");

    let labels = if case.mixed().is_some_and(|mixed| mixed.share < 0.5) { case.partners() } else { case.targets() };
    let right = want.predicted.iter().zip(labels).filter(|(p, l)| **p == *l as usize).count();
    let count = |at: usize| u64::from_ne_bytes(got.counts[at..at + 8].try_into().expect("eight bytes"));
    assert_eq!((count(40), count(48)), (right as u64, case.images as u64));
}

#[test]
fn value_gradient_and_counts_are_those_of_the_loss() {
    for device in devices() {
        for case in cases() {
            let logits: Vec<f32> = device.numbers(5, case.images * CLASSES).into_iter().map(|z| device.rounded(4.0 * z)).collect();
            let want = Loss::new(&case.config, &COUNTS).evaluate_mixed(&logits, &case.targets(), case.mixed().as_ref());
            let (stored, wide) = (device.stored(&logits), Memory::of_f32(&logits));
            let got = run(&device, &case, [Of(&stored), Null], Null, case.images);
            check(&device, &case, &got, &want, case.images);
            // as a part of a larger batch, whose partners are given
            let partners = Memory::of_u32(&case.partners());
            let got = run(&device, &case, [Null, Of(&wide)], Of(&partners), 2 * case.images);
            check(&device, &case, &got, &want, 2 * case.images);
        }
    }
}

#[test]
fn logits_that_break_a_softmax_do_what_they_do_on_the_processor() {
    for device in devices().into_iter().take(1) {
        let config = Config { loss: LossKind::Focal, gamma: 2.0, ..Config::default() };
        let case = Case { config, images: 3, mix: None };
        let mut logits = vec![0.0; 3 * CLASSES];
        (logits[0], logits[1], logits[CLASSES + 3]) = (1e30, -1e30, f32::NAN);
        let want = Loss::new(&case.config, &COUNTS).evaluate(&logits, &case.targets());
        let got = run(&device, &case, [Null, Of(&Memory::of_f32(&logits))], Null, 3);
        assert_eq!(got.losses[0].to_bits(), want.losses[0].to_bits());
        assert!(got.losses[1].is_nan() && want.losses[1].is_nan() && got.control[4].is_nan());
        assert!(got.gradient[..CLASSES].iter().all(|g| g.is_finite()));
    }
}
