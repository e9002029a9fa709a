//! A whole line of convolution blocks as one operator of Candle's autograd.
//!
//! Between the blocks nothing of Candle happens: activations stay channels-last in memory that is kept from step to step,
//! and the gradients of the parameters are handed over as they are, not added to zeros first, as Candle would do.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp2, Device, Layout, Result, Shape, Tensor, Var, bail};
use rayon::prelude::*;

use super::batch_norm::{BATCH_NORM_EPSILON as EPSILON, BATCH_NORM_MOMENTUM as MOMENTUM};
use super::engine::{Grid, Norm, NormPool, NormPoolGradients, ReluPool, ReluPoolGradients, Statistics, Step};
use super::gradient::Gradients;
use super::slices::{argument, operand, output, with_slice};

/// The parameters of one block: convolution 3 x 3, then bias or batch norm, ReLU, max-pool 2 x 2.
#[derive(Clone, Debug)]
pub struct Block {
    /// 3 x 3 x inputs x outputs.
    pub weight: Var,
    /// What follows the convolution.
    pub tail: Tail,
}

/// What follows a convolution.
#[derive(Clone, Debug)]
pub enum Tail {
    /// A bias.
    Bias(Var),
    /// Batch norm, with its running statistics.
    Norm {
        /// Scale.
        weight: Var,
        /// Offset.
        bias: Var,
        /// Running mean.
        mean: Var,
        /// Running variance (unbiased).
        variance: Var,
    },
}

/// The blocks and their memory.
#[derive(Debug)]
pub struct Trunk {
    blocks: Vec<Block>,
    step: AtomicU8,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Counts training passes, so that a backward pass knows whether the memory still holds its own forward pass.
    pass: u64,
    input: Vec<f32>,
    stages: Vec<Stage>,
    gradients: Gradients,
}

/// One block's memory.
#[derive(Default)]
struct Stage {
    relu: ReluPool,
    norm: NormPool,
    out: Vec<f32>,
    codes: Vec<u8>,
    statistics: Statistics,
    gradient: Vec<f32>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("pass", &self.pass).finish_non_exhaustive()
    }
}

impl Trunk {
    /// A trunk of these blocks, each of which takes as many channels as the one before gives.
    ///
    /// # Errors
    /// If a weight is not 3 x 3 x inputs x outputs, or the blocks do not fit each other.
    pub fn new(blocks: Vec<Block>) -> Result<Self> {
        let mut before = None;
        for block in &blocks {
            let &[3, 3, inputs, outputs] = block.weight.dims() else {
                bail!("a block needs weights of 3 x 3 x inputs x outputs, not {:?}", block.weight.dims());
            };
            if before.is_some_and(|b| b != inputs) {
                bail!("a block with {inputs} input channels cannot follow one with {before:?} output channels");
            }
            before = Some(outputs);
        }
        if blocks.is_empty() {
            bail!("a trunk needs at least one block");
        }
        Ok(Self { blocks, step: AtomicU8::new(Step::best_f32() as u8), state: Mutex::default() })
    }

    /// Which step of the ladder its products run on.
    #[must_use]
    pub fn step(&self) -> Step {
        let number = self.step.load(Ordering::Relaxed);
        Step::ALL.into_iter().find(|s| *s as u8 == number).unwrap_or(Step::Portable)
    }

    /// Chooses the step of the ladder.
    pub fn set_step(&self, step: Step) {
        self.step.store(step as u8, Ordering::Relaxed);
    }

    /// N x C x H x W images to N x K x h x w activations (a view of channels-last memory).
    ///
    /// In training the batch norms use and track the batch's statistics, and a backward pass reaches the parameters (their
    /// gradients are fetched with [`Self::collect`]) and, if they are variables, the images. In evaluation it reaches nothing.
    ///
    /// # Errors
    /// If the images have another number of channels, are too small, or lie on another device than the processor.
    pub fn forward(self: &Arc<Self>, images: &Tensor, training: bool) -> Result<Tensor> {
        let images = operand(images, "the convolution blocks")?;
        let op = TrunkOp { trunk: Arc::clone(self), training, pass: Mutex::new(0) };
        let out = if training {
            images.apply_op2(self.blocks[0].weight.as_tensor(), op)?
        } else {
            images.apply_op2_no_bwd(&self.blocks[0].weight.as_detached_tensor(), &op)?
        };
        out.permute((0, 3, 1, 2))
    }

    /// Puts the parameters' gradients of the last backward pass into `gradients`; they share memory with the next pass's.
    pub fn collect(&self, gradients: &mut GradStore) {
        self.lock().gradients.collect(gradients);
    }

    /// The memory; a panic in another thread's pass leaves nothing that the next pass would not overwrite.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn inputs(&self) -> Result<usize> {
        self.blocks[0].weight.dim(2)
    }

    /// Runs all blocks; the result lies in the last stage.
    fn run(&self, state: &mut State, images: &[f32], shape: [usize; 4], training: bool, track: bool) -> Result<Grid> {
        let [n, c, h, w] = shape;
        if c != self.inputs()? || n == 0 || h >> self.blocks.len() == 0 || w >> self.blocks.len() == 0 {
            bail!("{} blocks with {} input channels cannot take images of shape {shape:?}", self.blocks.len(), self.inputs()?);
        }
        state.stages.resize_with(self.blocks.len(), Stage::default);
        channels_last(images, shape, &mut state.input);
        let mut grid = Grid { images: n, height: h, width: w, channels: c };
        for (index, block) in self.blocks.iter().enumerate() {
            let (done, rest) = state.stages.split_at_mut(index);
            let x = done.last().map_or(&state.input, |stage| &stage.out);
            rest[0].forward(self.step(), grid, x, block, training, track)?;
            grid = grid.pooled().with_channels(block.weight.dim(3)?);
        }
        Ok(grid)
    }

    /// Runs all blocks backwards; returns the gradient of the images (N x C x H x W) if it is wanted.
    fn run_back(&self, state: &mut State, shape: [usize; 4], gradient: &[f32], images: bool) -> Result<Option<Vec<f32>>> {
        let [n, c, h, w] = shape;
        let mut grids = vec![Grid { images: n, height: h, width: w, channels: c }];
        for block in &self.blocks {
            grids.push(grids[grids.len() - 1].pooled().with_channels(block.weight.dim(3)?));
        }
        state.gradients.forget();
        let mut first = vec![0.0; if images { grids[0].len() } else { 0 }];
        for (index, block) in self.blocks.iter().enumerate().rev() {
            let (before, rest) = state.stages.split_at_mut(index);
            let (stage, after) = rest.split_at_mut(1);
            let (x, dx) = match before.last_mut() {
                Some(previous) => {
                    previous.gradient.resize(grids[index].len(), 0.0);
                    (&previous.out, Some(&mut previous.gradient))
                }
                None => (&state.input, images.then_some(&mut first)),
            };
            // the gradient of this block's output lies in its own stage, except the last one's, which is the argument
            let mine = std::mem::take(&mut stage[0].gradient);
            let gradient = if after.is_empty() { gradient } else { &mine };
            stage[0].backward(self.step(), grids[index], x, block, gradient, dx, &mut state.gradients)?;
            stage[0].gradient = mine;
        }
        Ok(images.then(|| channels_first(&first, shape)))
    }
}

impl Stage {
    fn forward(&mut self, step: Step, grid: Grid, x: &[f32], block: &Block, training: bool, track: bool) -> Result<()> {
        let pooled = grid.pooled().with_channels(block.weight.dim(3)?);
        self.out.resize(pooled.len(), 0.0);
        self.codes.resize(pooled.len(), 0);
        let (out, codes) = (&mut self.out, &mut self.codes);
        with_slice(&block.weight, |weights| match &block.tail {
            Tail::Bias(bias) => with_slice(bias, |bias| {
                self.relu.forward(step, grid, x, weights, bias, out, codes);
                Ok(())
            }),
            Tail::Norm { weight, bias, mean, variance } => with_slice(weight, |weight| {
                with_slice(bias, |bias| {
                    let norm = Norm { weight, bias, epsilon: EPSILON as f32 };
                    if training {
                        self.statistics = self.norm.forward(step, grid, x, weights, norm, out, codes);
                    } else {
                        let running = Statistics { mean: mean.to_vec1()?, variance: variance.to_vec1()? };
                        self.norm.evaluate(step, grid, x, weights, norm, &running, out, codes);
                    }
                    Ok(())
                })
            }),
        })?;
        match &block.tail {
            Tail::Norm { mean, variance, .. } if track => {
                let pixels = (grid.len() / grid.channels) as f32;
                let unbiased = pixels / (pixels - 1.0).max(1.0);
                move_towards(mean, &self.statistics.mean, 1.0)?;
                move_towards(variance, &self.statistics.variance, unbiased)
            }
            _ => Ok(()),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    fn backward(
        &mut self,
        step: Step,
        grid: Grid,
        x: &[f32],
        block: &Block,
        gradient: &[f32],
        dx: Option<&mut Vec<f32>>,
        out: &mut Gradients,
    ) -> Result<()> {
        let outputs = block.weight.dim(3)?;
        let (mut first, mut second) = (vec![0.0; outputs], vec![0.0; outputs]);
        let input = dx.map(|dx| &mut dx[..]);
        out.write(&block.weight, |dw| {
            with_slice(&block.weight, |weights| match &block.tail {
                Tail::Bias(_) => {
                    let to = ReluPoolGradients { input, weights: dw, bias: &mut first };
                    self.relu.backward(step, grid, x, weights, gradient, &self.codes, to);
                    Ok(())
                }
                Tail::Norm { weight, bias, .. } => with_slice(weight, |weight| {
                    with_slice(bias, |bias| {
                        let norm = Norm { weight, bias, epsilon: EPSILON as f32 };
                        let to = NormPoolGradients { input, weights: dw, norm_weight: &mut first, norm_bias: &mut second };
                        self.norm.backward(step, grid, x, weights, norm, &self.statistics, gradient, &self.codes, to);
                        Ok(())
                    })
                }),
            })
        })?;
        let mut vector = |var: &Var, values: &[f32]| {
            out.write(var, |to| {
                to.copy_from_slice(values);
                Ok(())
            })
        };
        match &block.tail {
            Tail::Bias(bias) => vector(bias, &first),
            Tail::Norm { weight, bias, .. } => {
                vector(weight, &first)?;
                vector(bias, &second)
            }
        }
    }
}

/// A running statistic moves towards the batch's.
fn move_towards(running: &Var, batch: &[f32], factor: f32) -> Result<()> {
    let mut values: Vec<f32> = running.to_vec1()?;
    for (value, batch) in values.iter_mut().zip(batch) {
        *value += MOMENTUM as f32 * (batch * factor - *value);
    }
    running.set(&Tensor::from_vec(values, batch.len(), &Device::Cpu)?)
}

/// N x C x H x W to N x H x W x C.
fn channels_last(images: &[f32], [n, c, h, w]: [usize; 4], out: &mut Vec<f32>) {
    out.resize(n * c * h * w, 0.0);
    let pixels = h * w;
    out.par_chunks_mut(pixels * c).zip(images.par_chunks(pixels * c)).for_each(|(out, image)| {
        for (pixel, out) in out.chunks_exact_mut(c).enumerate() {
            for (out, value) in out.iter_mut().zip(image[pixel..].iter().step_by(pixels)) {
                *out = *value;
            }
        }
    });
}

/// N x H x W x C to N x C x H x W.
fn channels_first(values: &[f32], [n, c, h, w]: [usize; 4]) -> Vec<f32> {
    let pixels = h * w;
    let mut out = vec![0.0; n * c * pixels];
    out.par_chunks_mut(pixels * c).zip(values.par_chunks(pixels * c)).for_each(|(out, image)| {
        for (channel, plane) in out.chunks_exact_mut(pixels).enumerate() {
            for (out, value) in plane.iter_mut().zip(image[channel..].iter().step_by(c)) {
                *out = *value;
            }
        }
    });
    out
}

struct TrunkOp {
    trunk: Arc<Trunk>,
    training: bool,
    /// Which of the trunk's passes this operator's forward pass was.
    pass: Mutex<u64>,
}

impl TrunkOp {
    fn pass(&self) -> MutexGuard<'_, u64> {
        self.pass.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CustomOp2 for TrunkOp {
    fn name(&self) -> &'static str {
        "convolution blocks"
    }

    fn cpu_fwd(&self, images: &CpuStorage, layout: &Layout, _: &CpuStorage, _: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, h, w) = layout.shape().dims4()?;
        let mut state = self.trunk.lock();
        // an evaluation overwrites the activations as well
        state.pass += 1;
        *self.pass() = state.pass;
        let grid = self.trunk.run(&mut state, argument(images, layout)?, [n, c, h, w], self.training, self.training)?;
        let out = state.stages.last().map(|stage| stage.out.clone()).unwrap_or_default();
        Ok(output(out, (grid.images, grid.height, grid.width, grid.channels)))
    }

    fn bwd(&self, images: &Tensor, _: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (n, c, h, w) = images.dims4()?;
        let shape = [n, c, h, w];
        let mut state = self.trunk.lock();
        if state.pass != *self.pass() {
            // another pass came between: do ours again, without counting the batch's statistics twice
            state.pass += 1;
            *self.pass() = state.pass;
            with_slice(images, |values| self.trunk.run(&mut state, values, shape, true, false).map(|_| ()))?;
        }
        let dx = with_slice(gradient, |gradient| self.trunk.run_back(&mut state, shape, gradient, images.track_op()))?;
        // the forward pass's memory of batch norms is used up
        state.pass += 1;
        Ok((dx.map(|dx| Tensor::from_vec(dx, shape.to_vec(), &Device::Cpu)).transpose()?, None))
    }
}
