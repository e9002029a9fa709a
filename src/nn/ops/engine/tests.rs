//! Every product against a direct loop in 64-bit floats, on every step of the ladder that this machine has.

use super::*;
use crate::random::{Purpose, Random};

fn numbers(random: &mut Random, len: usize) -> Vec<f32> {
    (0..len).map(|_| random.normal() as f32).collect()
}

/// Convolution 3 x 3 with zero padding, in 64 bits; channels last, weights 9 x inputs x outputs.
fn convolve(grid: Grid, x: &[f64], weights: &[f64], outputs: usize) -> Vec<f64> {
    let mut out = vec![0.0; grid.images * grid.height * grid.width * outputs];
    each_pair(grid, |from, to, tap| {
        for o in 0..outputs {
            for c in 0..grid.channels {
                out[to * outputs + o] += x[from * grid.channels + c] * weights[(tap * grid.channels + c) * outputs + o];
            }
        }
    });
    out
}

/// Calls `f(input pixel, output pixel, tap)` for all pairs that a tap connects.
fn each_pair(grid: Grid, mut f: impl FnMut(usize, usize, usize)) {
    for image in 0..grid.images {
        for y in 0..grid.height {
            for x in 0..grid.width {
                for tap in 0..9 {
                    let (sy, sx) = ((y + tap / 3).wrapping_sub(1), (x + tap % 3).wrapping_sub(1));
                    if sy < grid.height && sx < grid.width {
                        let at = |y: usize, x: usize| (image * grid.height + y) * grid.width + x;
                        f(at(sy, sx), at(y, x), tap);
                    }
                }
            }
        }
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}

/// Largest difference relative to the root mean square of the truth.
fn error(got: &[f32], want: &[f64]) -> f64 {
    assert_eq!(got.len(), want.len());
    let scale = (want.iter().map(|w| w * w).sum::<f64>() / want.len() as f64).sqrt().max(1e-30);
    got.iter().zip(want).map(|(g, w)| (f64::from(*g) - w).abs()).fold(0.0, f64::max) / scale
}

/// Shapes with odd sizes, one image, one channel, channels that fill no panel, both layouts of the direct weight gradient,
/// Winograd's way with odd sizes, with maps small enough to be ordered by position, and with a part of a panel.
const SHAPES: [(Grid, usize); 26] = [
    (Grid { images: 26, height: 2, width: 2, channels: 16 }, 33),
    (Grid { images: 4, height: 9, width: 11, channels: 16 }, 48),
    (Grid { images: 20, height: 4, width: 4, channels: 32 }, 48),
    (Grid { images: 9, height: 7, width: 5, channels: 48 }, 16),
    (Grid { images: 2, height: 8, width: 8, channels: 3 }, 32),
    (Grid { images: 3, height: 10, width: 12, channels: 32 }, 64),
    (Grid { images: 1, height: 9, width: 11, channels: 16 }, 40),
    (Grid { images: 5, height: 2, width: 2, channels: 64 }, 32),
    (Grid { images: 2, height: 5, width: 7, channels: 1 }, 5),
    (Grid { images: 2, height: 16, width: 9, channels: 20 }, 33),
    (Grid { images: 1, height: 2, width: 3, channels: 7 }, 1),
    (Grid { images: 4, height: 4, width: 4, channels: 12 }, 96),
    // whole tiles of channels: odd sizes, lines of several tiles, few and many weights, one image, a part of a panel
    (Grid { images: 3, height: 9, width: 7, channels: 32 }, 32),
    (Grid { images: 1, height: 17, width: 75, channels: 32 }, 64),
    (Grid { images: 2, height: 6, width: 6, channels: 128 }, 160),
    (Grid { images: 37, height: 2, width: 3, channels: 64 }, 32),
    (Grid { images: 2, height: 5, width: 34, channels: 96 }, 40),
    // the first layer
    (Grid { images: 3, height: 9, width: 35, channels: 3 }, 64),
    (Grid { images: 2, height: 8, width: 6, channels: 1 }, 32),
    (Grid { images: 5, height: 4, width: 70, channels: 2 }, 96),
    (Grid { images: 1, height: 5, width: 49, channels: 1 }, 33),
    (Grid { images: 2, height: 4, width: 24, channels: 4 }, 3),
    // as few channels as pictures have on the other side
    (Grid { images: 2, height: 5, width: 25, channels: 16 }, 2),
    (Grid { images: 3, height: 6, width: 8, channels: 3 }, 48),
    // whole tiles of channels on one side only, with few windows and with more
    (Grid { images: 2, height: 5, width: 6, channels: 48 }, 96),
    (Grid { images: 4, height: 9, width: 9, channels: 48 }, 96),
];

/// Of a step's products, in the measure of [`error`].
fn largest_error(step: Step) -> f64 {
    match step {
        Step::Portable | Step::Avx2 | Step::Avx512 => 2e-5,
        // two parts of 8 bits each leave out 2^-16 of a number; the mean error is a tenth of the largest
        Step::AmxBf16x3 => 1e-4,
        Step::Avx512Bf16 | Step::AmxBf16 => 4e-2,
    }
}

fn steps() -> impl Iterator<Item = (Step, f64)> {
    Step::ALL
        .into_iter()
        .filter(|step| {
            if !step.available() {
                eprintln!("skipped: this machine has no {step}");
            }
            step.available()
        })
        .map(|step| (step, largest_error(step)))
}

/// One pixel that is not a number makes all that it reaches not a number, wherever in a window it falls: a diverged run must show.
#[test]
fn a_nan_is_never_swallowed() {
    for (grid, outputs) in SHAPES {
        let mut random = Random::new(7, Purpose::Test, &[grid.len() as u64]);
        let weights = numbers(&mut random, 9 * grid.channels * outputs);
        let bias = numbers(&mut random, outputs);
        let pooled = grid.pooled().with_channels(outputs);
        // around a window's four places
        for (y, x) in (2..4).flat_map(|y| (2..4).map(move |x| (y.min(grid.height - 1), x.min(grid.width - 1)))) {
            let mut pixels = numbers(&mut random, grid.len());
            pixels[(y * grid.width + x) * grid.channels] = f32::NAN;
            let convolved = convolve(grid, &wide(&pixels), &wide(&weights), outputs);
            for (step, _) in steps() {
                let (mut out, mut codes) = (vec![0.0; pooled.len()], vec![9; pooled.len()]);
                ReluPool::default().forward(step, grid, &pixels, &weights, &bias, &mut out, &mut codes);
                for (i, out) in out.iter().enumerate() {
                    let (window, o) = (i / outputs, i % outputs);
                    let (line, px) = (window / pooled.width, window % pooled.width);
                    let (image, py) = (line / pooled.height, line % pooled.height);
                    let pixel = |p: usize| ((image * grid.height + 2 * py + p / 2) * grid.width + 2 * px + p % 2) * outputs + o;
                    assert!(out.is_nan() || !(0..4).any(|p| convolved[pixel(p)].is_nan()), "{step} {grid:?} ({y}, {x}) window {window}");
                }
            }
        }
    }
}

#[test]
fn relu_pool_block_matches_direct_loops() {
    for (grid, outputs) in SHAPES {
        let mut random = Random::new(1, Purpose::Test, &[grid.len() as u64]);
        let x = numbers(&mut random, grid.len());
        let weights = numbers(&mut random, 9 * grid.channels * outputs);
        let bias = numbers(&mut random, outputs);
        let pooled = grid.pooled().with_channels(outputs);
        let gradient = numbers(&mut random, pooled.len());
        let convolved = convolve(grid, &wide(&x), &wide(&weights), outputs);
        for (step, bound) in steps() {
            let mut block = ReluPool::default();
            let (mut out, mut codes) = (vec![f32::NAN; pooled.len()], vec![9; pooled.len()]);
            block.forward(step, grid, &x, &weights, &bias, &mut out, &mut codes);

            // the value at the noted position, and that it is the largest
            let mut want = vec![0.0; pooled.len()];
            let mut spread = vec![0.0; grid.with_channels(outputs).len()];
            for (i, want) in want.iter_mut().enumerate() {
                let (window, o) = (i / outputs, i % outputs);
                let (line, px) = (window / pooled.width, window % pooled.width);
                let (image, py) = (line / pooled.height, line % pooled.height);
                let pixel = |p: usize| ((image * grid.height + 2 * py + p / 2) * grid.width + 2 * px + p % 2) * outputs + o;
                let best = (0..4).map(|p| convolved[pixel(p)]).fold(f64::MIN, f64::max);
                *want = (best + f64::from(bias[o])).max(0.0);
                if codes[i] < 4 {
                    spread[pixel(codes[i] as usize)] = f64::from(gradient[i]);
                    assert!(convolved[pixel(codes[i] as usize)] > best - bound * 100.0, "{step} {grid:?}");
                }
            }
            assert!(error(&out, &want) < bound, "{step} {grid:?} forward {}", error(&out, &want));

            // gradients, given the noted positions
            let mut want_input = vec![0.0; grid.len()];
            let mut want_weights = vec![0.0; weights.len()];
            each_pair(grid, |from, to, tap| {
                for o in 0..outputs {
                    let g = spread[to * outputs + o];
                    for c in 0..grid.channels {
                        want_input[from * grid.channels + c] += g * f64::from(weights[(tap * grid.channels + c) * outputs + o]);
                        want_weights[(tap * grid.channels + c) * outputs + o] += g * f64::from(x[from * grid.channels + c]);
                    }
                }
            });
            let want_bias: Vec<f64> = (0..outputs).map(|o| spread.iter().skip(o).step_by(outputs).sum()).collect();
            let (mut dx, mut dw, mut db) = (vec![f32::NAN; grid.len()], vec![f32::NAN; weights.len()], vec![f32::NAN; outputs]);
            let to = ReluPoolGradients { input: Some(&mut dx), weights: &mut dw, bias: &mut db };
            block.backward(step, grid, &x, &weights, &gradient, &codes, to);
            assert!(error(&dx, &want_input) < bound, "{step} {grid:?} input {}", error(&dx, &want_input));
            assert!(error(&dw, &want_weights) < bound, "{step} {grid:?} weights {}", error(&dw, &want_weights));
            assert!(error(&db, &want_bias) < 2e-5, "{step} {grid:?} bias {}", error(&db, &want_bias));
        }
    }
}

/// A block's loss `sum(out * gradient)` in 64 bits for given numbers: convolution, batch norm, ReLU, pool.
fn norm_block(grid: Grid, x: &[f64], weights: &[f64], norm: (&[f64], &[f64]), outputs: usize) -> Vec<f64> {
    let z = convolve(grid, x, weights, outputs);
    let pixels = z.len() / outputs;
    let pooled = grid.pooled().with_channels(outputs);
    let mut out = vec![0.0; pooled.len()];
    for o in 0..outputs {
        let channel: Vec<f64> = z.iter().skip(o).step_by(outputs).copied().collect();
        let mean = channel.iter().sum::<f64>() / pixels as f64;
        let variance = channel.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / pixels as f64;
        for window in 0..pooled.len() / outputs {
            let (line, px) = (window / pooled.width, window % pooled.width);
            let (image, py) = (line / pooled.height, line % pooled.height);
            let at = |p: usize| (image * grid.height + 2 * py + p / 2) * grid.width + 2 * px + p % 2;
            let normal = |p: usize| (channel[at(p)] - mean) / (variance + 1e-5).sqrt() * norm.0[o] + norm.1[o];
            out[window * outputs + o] = (0..4).map(normal).fold(0.0, f64::max);
        }
    }
    out
}

#[test]
fn norm_pool_block_matches_direct_loops_and_finite_differences() {
    for (grid, outputs) in SHAPES {
        let mut random = Random::new(2, Purpose::Test, &[grid.len() as u64]);
        // a mean far from zero: the variance must not drown in it
        let x: Vec<f32> = numbers(&mut random, grid.len()).iter().map(|x| x + 5.0).collect();
        let weights = numbers(&mut random, 9 * grid.channels * outputs);
        let (scale, offset) = (numbers(&mut random, outputs), numbers(&mut random, outputs));
        let pooled = grid.pooled().with_channels(outputs);
        let gradient = numbers(&mut random, pooled.len());
        let exact = |x: &[f64], w: &[f64], s: &[f64], o: &[f64]| norm_block(grid, x, w, (s, o), outputs);
        let want = exact(&wide(&x), &wide(&weights), &wide(&scale), &wide(&offset));
        for (step, _) in steps().filter(|(step, _)| step.is_f32()) {
            let mut block = NormPool::default();
            let norm = Norm { weight: &scale, bias: &offset, epsilon: 1e-5 };
            let (mut out, mut codes) = (vec![f32::NAN; pooled.len()], vec![9; pooled.len()]);
            let statistics = block.forward(step, grid, &x, &weights, norm, &mut out, &mut codes);
            assert!(error(&out, &want) < 2e-4, "{step} {grid:?} forward {}", error(&out, &want));

            let (mut dx, mut dw) = (vec![f32::NAN; grid.len()], vec![f32::NAN; weights.len()]);
            let (mut ds, mut db) = (vec![f32::NAN; outputs], vec![f32::NAN; outputs]);
            let to = NormPoolGradients { input: Some(&mut dx), weights: &mut dw, norm_weight: &mut ds, norm_bias: &mut db };
            block.backward(step, grid, &x, &weights, norm, &statistics, &gradient, &codes, to);

            // directional derivatives, one direction an operand
            let loss = |out: &[f64]| out.iter().zip(&gradient).map(|(o, g)| o * f64::from(*g)).sum::<f64>();
            let operands = [wide(&x), wide(&weights), wide(&scale), wide(&offset)];
            for (k, got) in [&dx, &dw, &ds, &db].into_iter().enumerate() {
                let direction: Vec<f64> = (0..got.len()).map(|_| random.normal()).collect();
                let moved = |h: f64| {
                    let mut at = operands.clone();
                    for (a, d) in at[k].iter_mut().zip(&direction) {
                        *a += h * d;
                    }
                    loss(&exact(&at[0], &at[1], &at[2], &at[3]))
                };
                let h = 1e-6;
                let want = (moved(h) - moved(-h)) / (2.0 * h);
                let got: f64 = got.iter().zip(&direction).map(|(g, d)| f64::from(*g) * d).sum();
                let scale = (gradient.len() as f64).sqrt().max(want.abs());
                assert!((got - want).abs() < 2e-3 * scale, "{step} {grid:?} operand {k}: {got} against {want}");
            }

            // evaluation with the batch's statistics gives the same answer
            let mut evaluated = vec![f32::NAN; pooled.len()];
            block.evaluate(step, grid, &x, &weights, norm, &statistics, &mut evaluated, &mut codes);
            assert!(error(&evaluated, &want) < 5e-4, "{step} {grid:?} evaluation {}", error(&evaluated, &want));
        }
    }
}

/// Norm of the difference relative to that of the truth: a rounded number may choose another maximum, which is far off by itself.
fn distance(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|v| v * v).sum::<f64>().sqrt();
    let difference = norm(&mut got.iter().zip(want).map(|(g, w)| f64::from(g - w)));
    difference / norm(&mut want.iter().map(|w| f64::from(*w))).max(1e-30)
}

/// Forward, statistics and all gradients of steps with bfloat16 products against the portable step, which the test above proves.
#[test]
fn norm_pool_block_on_bfloat16_stays_near_32_bits() {
    for (grid, outputs) in SHAPES {
        let mut random = Random::new(4, Purpose::Test, &[grid.len() as u64]);
        let x = numbers(&mut random, grid.len());
        let weights = numbers(&mut random, 9 * grid.channels * outputs);
        let (scale, offset) = (numbers(&mut random, outputs), numbers(&mut random, outputs));
        let norm = Norm { weight: &scale, bias: &offset, epsilon: 1e-5 };
        let pooled = grid.pooled().with_channels(outputs);
        let gradient = numbers(&mut random, pooled.len());
        let run = |step: Step| {
            let mut block = NormPool::default();
            let (mut out, mut codes) = (vec![f32::NAN; pooled.len()], vec![9; pooled.len()]);
            let statistics = block.forward(step, grid, &x, &weights, norm, &mut out, &mut codes);
            let (mut dx, mut dw) = (vec![f32::NAN; grid.len()], vec![f32::NAN; weights.len()]);
            let (mut ds, mut db) = (vec![f32::NAN; outputs], vec![f32::NAN; outputs]);
            let to = NormPoolGradients { input: Some(&mut dx), weights: &mut dw, norm_weight: &mut ds, norm_bias: &mut db };
            block.backward(step, grid, &x, &weights, norm, &statistics, &gradient, &codes, to);
            let deviations: Vec<f32> = statistics.variance.iter().map(|v| v.sqrt()).collect();
            let means: Vec<f32> = statistics.mean.iter().zip(&deviations).map(|(m, d)| m / d).collect();
            [out, deviations, dx, dw, ds, db, means]
        };
        let truth = run(Step::Portable);
        for (step, _) in steps() {
            let got = run(step);
            // a gradient jumps where rounding chooses another maximum: 0.1 where each number is 0.3 % off, 1.4 where it is another's
            for (k, (what, bound)) in
                [("out", 0.02), ("deviation", 5e-3), ("dx", 0.3), ("dw", 0.3), ("d scale", 0.2), ("d offset", 0.2)].into_iter().enumerate()
            {
                let apart = distance(&got[k], &truth[k]);
                assert!(apart < if step.is_f32() { 2e-3 } else { bound }, "{step} {grid:?} {what} {apart}");
            }
            // a mean may be near zero: in units of the deviation
            let shift = got[6].iter().zip(&truth[6]).map(|(g, w)| (g - w).abs()).fold(0.0, f32::max);
            assert!(shift < if step.is_f32() { 2e-5 } else { 0.02 }, "{step} {grid:?} mean {shift}");
        }
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let many_windows = (Grid { images: 6, height: 12, width: 12, channels: 16 }, 48);
    let few_windows = (Grid { images: 2, height: 6, width: 6, channels: 128 }, 160);
    let few_channels = (Grid { images: 3, height: 9, width: 35, channels: 3 }, 64);
    for (grid, outputs) in [many_windows, few_windows, few_channels] {
        one_thread_or_three(grid, outputs);
    }
}

fn one_thread_or_three(grid: Grid, outputs: usize) {
    let mut random = Random::new(3, Purpose::Test, &[]);
    let x = numbers(&mut random, grid.len());
    let weights = numbers(&mut random, 9 * grid.channels * outputs);
    let (scale, offset) = (numbers(&mut random, outputs), numbers(&mut random, outputs));
    let norm = Norm { weight: &scale, bias: &offset, epsilon: 1e-5 };
    let pooled = grid.pooled().with_channels(outputs);
    for (step, _) in steps() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| {
                let mut block = NormPool::default();
                let (mut out, mut codes) = (vec![0.0; pooled.len()], vec![0; pooled.len()]);
                let statistics = block.forward(step, grid, &x, &weights, norm, &mut out, &mut codes);
                let (mut dx, mut dw) = (vec![0.0; grid.len()], vec![0.0; weights.len()]);
                let (mut ds, mut db) = (vec![0.0; outputs], vec![0.0; outputs]);
                let to = NormPoolGradients { input: Some(&mut dx), weights: &mut dw, norm_weight: &mut ds, norm_bias: &mut db };
                block.backward(step, grid, &x, &weights, norm, &statistics, &out, &codes, to);
                (out, codes, statistics, dx, dw, ds, db)
            })
        };
        assert!(run(1) == run(3), "{step} {grid:?}");
    }
}
