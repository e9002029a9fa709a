//! The blocks of a network on a device: convolution, bias or batch norm, ReLU, pooling, forwards and backwards.

use super::parameters::{LayerPlaces, Parameters};
use crate::nn::layer::{Layer, LayerKind};
use crate::nn::ops::accelerator::calls::{Calls, Maps, NormGradient, NormStatistics};
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Arithmetic, Convolution, Memory, Pass, View};
use crate::nn::ops::{BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM};

type Result<T> = std::result::Result<T, AcceleratorError>;

/// One block.
#[derive(Debug)]
struct Block {
    /// The output of the convolution, for the largest batch.
    maps: Maps,
    inputs: usize,
    /// The place of the convolution among the layers; that of its norm is the next.
    layer: usize,
    norm: Option<Norm>,
    out: Memory,
    codes: Memory,
}

/// What a norm keeps.
#[derive(Debug)]
struct Norm {
    /// The output of the convolution; its gradient takes its place.
    convolved: Memory,
    /// Six numbers a channel.
    statistics: Memory,
}

impl Norm {
    /// The six vectors of `channels` numbers.
    fn vector(&self, number: usize, channels: usize) -> Result<View<'_>> {
        self.statistics.part(4 * number * channels..4 * (number + 1) * channels)
    }

    fn of_batch(&self, channels: usize) -> Result<NormStatistics<'_>> {
        Ok(NormStatistics {
            mean: self.vector(0, channels)?,
            variance: self.vector(1, channels)?,
            scale: self.vector(2, channels)?,
            shift: self.vector(3, channels)?,
        })
    }
}

/// All blocks and the memory that they share.
#[derive(Debug)]
pub struct Blocks {
    all: Vec<Block>,
    arithmetic: Arithmetic,
    /// The output of a convolution with a bias, then its gradient: used up within the block.
    scratch: Memory,
    /// The gradients of a block's output and of its input, in turns.
    gradients: [Memory; 2],
    /// The gradient of a convolution's weights.
    weight_gradient: Memory,
    /// Partial sums.
    partial: Memory,
}

/// What a pass over the blocks works with.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub calls: Calls<'a>,
    pub parameters: &'a Parameters,
    pub images: usize,
}

impl Blocks {
    /// The blocks that `layers` make, with memory for `images` images of `size` x `size`.
    pub fn new(device: &dyn Accelerator, layers: &[Layer], size: usize, images: usize, arithmetic: Arithmetic) -> Result<Self> {
        let bytes = arithmetic.storage().bytes();
        let (mut blocks, mut side) = (Vec::new(), size);
        let (mut scratch, mut gradient, mut weights, mut partial) = (0, 0, 0, 0);
        for (layer, window) in layers.windows(2).enumerate() {
            let LayerKind::Conv2d { inputs, outputs, .. } = window[0].kind else { continue };
            let maps = Maps { images, height: side, width: side, channels: outputs };
            let norm = match window[1].kind {
                LayerKind::BatchNorm2d { .. } => {
                    let (convolved, statistics) = (device.allocate(maps.len() * bytes)?, device.allocate(6 * 4 * outputs)?);
                    Some(Norm { convolved, statistics })
                }
                _ => None,
            };
            let pooled = maps.pooled();
            scratch = scratch.max(if norm.is_none() { maps.len() } else { 0 });
            gradient = gradient.max(pooled.len());
            weights = weights.max(9 * inputs * outputs);
            partial = partial.max(maps.partial_bytes());
            let (out, codes) = (device.allocate(pooled.len() * bytes)?, device.allocate(pooled.len())?);
            blocks.push(Block { maps, inputs, layer, norm, out, codes });
            side /= 2;
        }
        let numbers = |count: usize| device.allocate(count.max(1) * bytes);
        Ok(Self {
            all: blocks,
            arithmetic,
            scratch: numbers(scratch)?,
            gradients: [numbers(gradient)?, numbers(gradient)?],
            weight_gradient: numbers(weights)?,
            partial: device.allocate(partial.max(1))?,
        })
    }

    /// The shape of the last block's output for `images` images.
    pub fn features(&self, images: usize) -> Maps {
        self.all.last().map_or(Maps { images, height: 0, width: 0, channels: 0 }, |block| Maps { images, ..block.maps.pooled() })
    }

    /// The last block's output, as the last pass left it.
    pub fn output(&self) -> View<'_> {
        self.all.last().map_or(View::NONE, |block| block.out.all())
    }

    /// Where the gradient of the last block's output is to be put before [`backward`](Self::backward).
    pub fn output_gradient(&self) -> View<'_> {
        self.gradients[0].all()
    }

    /// Runs all blocks on channels-last `images`. In training the norms use the batch's statistics, and the running ones follow if
    /// `track`.
    pub fn forward(&self, run: Run, images: View, training: bool, track: bool) -> Result<()> {
        let mut x = images;
        for block in &self.all {
            let maps = Maps { images: run.images, ..block.maps };
            let shape = block.shape(run.images);
            let places = &run.parameters.places.layers[block.layer];
            let z = block.norm.as_ref().map_or(self.scratch.all(), |norm| norm.convolved.all());
            let weights = run.parameters.stored(&places.trained[0])?;
            run.calls.device.convolve(Pass::Forward, shape, self.arithmetic, x, weights, z)?;
            let (out, codes) = (block.out.all(), block.codes.all());
            if let Some(norm) = &block.norm {
                let affine = self.affine(run, block, norm, maps, training, track)?;
                run.calls.norm_relu_pool_forward(z, affine, maps, out, codes)?;
            } else {
                let bias = run.parameters.wide(&places.trained[1])?;
                run.calls.relu_pool_forward(z, bias, maps, out, codes)?;
            }
            x = out;
        }
        Ok(())
    }

    /// Scale and shift of a norm.
    fn affine<'a>(&self, run: Run, block: &Block, norm: &'a Norm, maps: Maps, training: bool, track: bool) -> Result<[View<'a>; 2]> {
        let LayerPlaces { trained, running } = &run.parameters.places.layers[block.layer + 1];
        let of_batch = norm.of_batch(maps.channels)?;
        let parameters = [run.parameters.wide(&trained[0])?, run.parameters.wide(&trained[1])?];
        let running = [run.parameters.statistic(&running[0])?, run.parameters.statistic(&running[1])?];
        let (epsilon, momentum) = (BATCH_NORM_EPSILON as f32, BATCH_NORM_MOMENTUM as f32);
        let to = [of_batch.scale, of_batch.shift];
        if training {
            let (z, followed) = (norm.convolved.all(), track.then_some(running));
            let constants = [epsilon, momentum];
            run.calls.norm_statistics(z, maps, parameters, constants, followed, self.partial.all(), of_batch)?;
        } else {
            run.calls.norm_affine(running, parameters, epsilon, maps.channels, to)?;
        }
        Ok(to)
    }

    /// Runs all blocks backwards from [`output_gradient`](Self::output_gradient) and writes the gradients of their parameters, or adds to
    /// them unless this is the `first` part of a step. It must follow a training pass on the same `images`.
    pub fn backward(&self, run: Run, images: View, first: bool) -> Result<()> {
        for (number, block) in self.all.iter().enumerate().rev() {
            // the last block's gradient lies in the first memory, that of the one before in the second, and so on
            let turn = (self.all.len() - 1 - number) % 2;
            let dout = self.gradients[turn].all();
            let x = if number == 0 { images } else { self.all[number - 1].out.all() };
            let dz = self.tail_backward(run, block, dout, first)?;
            let shape = block.shape(run.images);
            let places = &run.parameters.places.layers[block.layer];
            self.weights_backward(run, shape, places, x, dz, first)?;
            if number > 0 {
                let weights = run.parameters.stored(&places.trained[0])?;
                let dx = self.gradients[1 - turn].all();
                run.calls.device.convolve(Pass::InputGradient, shape, self.arithmetic, dx, weights, dz)?;
            }
        }
        Ok(())
    }

    /// The gradient of a convolution's output, and those of bias or norm.
    fn tail_backward<'a>(&'a self, run: Run, block: &'a Block, dout: View, first: bool) -> Result<View<'a>> {
        let maps = Maps { images: run.images, ..block.maps };
        let (codes, channels, partial) = (block.codes.all(), maps.channels, self.partial.all());
        let Some(norm) = &block.norm else {
            let bias = run.parameters.gradient(&run.parameters.places.layers[block.layer].trained[1])?;
            let dz = self.scratch.all();
            run.calls.bias_gradient(dout, Some(codes), maps.pooled().pixels(), channels, partial, bias, first)?;
            run.calls.relu_pool_backward(dout, codes, maps, dz)?;
            return Ok(dz);
        };
        let trained = &run.parameters.places.layers[block.layer + 1].trained;
        let to = NormGradient {
            weight: run.parameters.gradient(&trained[0])?,
            bias: run.parameters.gradient(&trained[1])?,
            slope: norm.vector(4, channels)?,
            offset: norm.vector(5, channels)?,
        };
        let (z, statistics) = (norm.convolved.all(), norm.of_batch(channels)?);
        run.calls.norm_gradient(z, dout, codes, maps, BATCH_NORM_EPSILON as f32, statistics, partial, to, first)?;
        run.calls.norm_relu_pool_backward(z, dout, codes, [statistics.scale, to.slope, to.offset], maps, z)?;
        Ok(z)
    }

    /// The gradient of a convolution's weights. Where the device gives it in f32 and there is nothing to add to, it goes straight to
    /// its place.
    fn weights_backward(&self, run: Run, shape: Convolution, places: &LayerPlaces, x: View, dz: View, first: bool) -> Result<()> {
        let place = &places.trained[0];
        let gradient = run.parameters.gradient(place)?;
        if first && run.calls.is_wide() {
            return run.calls.device.convolve(Pass::WeightGradient, shape, self.arithmetic, x, gradient, dz);
        }
        let scratch = self.weight_gradient.all();
        run.calls.device.convolve(Pass::WeightGradient, shape, self.arithmetic, x, scratch, dz)?;
        run.calls.accumulate(scratch, shape.weight_len(), first, gradient)
    }
}

impl Block {
    fn shape(&self, images: usize) -> Convolution {
        let Maps { height, width, channels, .. } = self.maps;
        Convolution { images, height, width, inputs: self.inputs, outputs: channels }
    }
}
