//! The time of every operator, on every step of the ladder that this machine has, for every layer of both networks:
//!
//! ```text
//! cargo bench --bench operators                        all of them, some minutes
//! cargo bench --bench operators -- 'avx2 .*128to256'   one step of the ladder and one layer
//! cargo bench --bench operators -- norm_pool           one operator
//! ```
//!
//! A layer is written `images x side x side x inputs to outputs`, as in `32x64x64x3to32`. `RAYON_NUM_THREADS` says how many
//! threads compute. A step that got slower shows here which layer did.

mod blocks;
mod linear;
mod others;
mod pictures;

use std::fmt;

use tuning_fork::nn::Step;
use tuning_fork::nn::ops::engine::Grid;

/// Samples of each time; divan tells the fastest, the slowest, the median and the mean.
const SAMPLES: u32 = 9;

fn main() {
    divan::main();
}

/// `count` numbers between -0.5 and 0.5.
fn numbers(count: usize) -> Vec<f32> {
    (0..count).map(|i| (i * 7919 % 1009) as f32 / 1009.0 - 0.5).collect()
}

/// A layer on a step of the ladder.
#[derive(Clone, Copy, Debug)]
struct Layer {
    step: Step,
    grid: Grid,
    outputs: usize,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Grid { images, height, width, channels } = self.grid;
        write!(f, "{} {images}x{height}x{width}x{channels}to{}", self.step.name(), self.outputs)
    }
}

impl Layer {
    /// Products and sums of one convolution, for the figure "items a second": 10^9 of them are a GFLOP.
    fn operations(&self) -> usize {
        2 * 9 * self.grid.len() * self.outputs
    }

    fn weights(&self) -> Vec<f32> {
        numbers(9 * self.grid.channels * self.outputs)
    }

    /// The shape of the block's output.
    fn pooled(&self) -> Grid {
        self.grid.pooled().with_channels(self.outputs)
    }
}

/// The blocks of a network with these widths, for batches of `images` pictures of `side` x `side`, on every available step.
fn layers(widths: &'static [usize], images: usize, side: usize) -> impl Iterator<Item = Layer> {
    Step::ALL.into_iter().filter(|step| step.available()).flat_map(move |step| {
        widths.windows(2).enumerate().map(move |(depth, pair)| {
            let side = side >> depth;
            Layer { step, grid: Grid { images, height: side, width: side, channels: pair[0] }, outputs: pair[1] }
        })
    })
}

/// The blocks of the seed network in the two shapes that are compared with `PyTorch`.
fn seed_layers() -> impl Iterator<Item = Layer> {
    const WIDTHS: [usize; 7] = [3, 32, 64, 128, 256, 512, 1024];
    layers(&WIDTHS, 32, 64).chain(layers(&WIDTHS, 8, 256))
}

/// The blocks of the compact network likewise.
fn compact_layers() -> impl Iterator<Item = Layer> {
    const WIDTHS: [usize; 6] = [3, 32, 64, 128, 256, 512];
    layers(&WIDTHS, 64, 64).chain(layers(&WIDTHS, 16, 256))
}
