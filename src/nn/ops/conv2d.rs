//! Two-dimensional convolution (cross-correlation, as everywhere in deep learning), any kernel, stride and zero padding.
//!
//! Each tile of output pixels is one matrix product of the weights with the tile's patches. The bias is added while the
//! product is copied to its place. The weight gradient is summed in a few lanes of consecutive images, which are then added
//! in order: how many depends on the shapes only.

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::im2col::{Geometry, Tile, col2im, im2col};
use super::matrix::{Matrix, multiply};
use super::slices::{argument, operand, output, sum, with_slice};

/// How a kernel moves over the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvOptions {
    /// Pixels between two positions, at least 1, in both directions.
    pub stride: usize,
    /// Rows and columns of zeros added on each side.
    pub padding: usize,
}

/// Convolves N x C x H x W images with O x C x h x w weights and adds a bias of length O, if there is one.
///
/// # Errors
/// If the shapes do not fit each other, or a tensor is not f32.
pub fn conv2d(input: &Tensor, weight: &Tensor, bias: Option<&Tensor>, options: ConvOptions) -> Result<Tensor> {
    let (input, weight) = (operand(input, "convolution")?, operand(weight, "convolution")?);
    let geometry = Geometry::new(input.dims(), weight.dims(), options.stride, options.padding)?;
    let Some(bias) = bias else {
        return input.apply_op2(&weight, Conv2d(geometry));
    };
    if bias.dims() != [geometry.filters] {
        bail!("a convolution with {} filters cannot have a bias of shape {:?}", geometry.filters, bias.dims());
    }
    input.apply_op3(&weight, &operand(bias, "convolution")?, Conv2d(geometry))
}

/// Numbers all lanes of the weight gradient may take together (64 MiB), beyond the least number of lanes.
const LANE_BUDGET: usize = 16 << 20;

struct Conv2d(Geometry);

/// Buffers one thread reuses from tile to tile.
#[derive(Default)]
struct Scratch {
    /// patch x pixels
    columns: Vec<f32>,
    /// filters x pixels
    outputs: Vec<f32>,
}

impl Scratch {
    fn resize(&mut self, geometry: &Geometry, tile: Tile) {
        let pixels = geometry.tile_pixels(tile);
        self.columns.resize(geometry.patch() * pixels, 0.0);
        self.outputs.resize(geometry.filters * pixels, 0.0);
    }
}

/// The place in a slice of output images, beginning at `first_image`, of filter `filter`'s part of `image` in `tile`.
fn place(g: &Geometry, tile: Tile, first_image: usize, image: usize, filter: usize) -> std::ops::Range<usize> {
    let start = ((tile.image - first_image + image) * g.filters + filter) * g.out_pixels() + tile.row * g.out_width;
    start..start + tile.rows * g.out_width
}

impl Conv2d {
    fn forward(&self, input: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let g = &self.0;
        let mut out = vec![0.0; g.batch * g.out_len()];
        let group = g.group();
        let threads = g.threads();
        out.par_chunks_mut(group * g.out_len()).enumerate().for_each_init(Scratch::default, |scratch, (index, out)| {
            for tile in g.tiles(index) {
                scratch.resize(g, tile);
                im2col(g, tile, input, &mut scratch.columns);
                let pixels = g.tile_pixels(tile);
                let weight = Matrix::new(weight, g.filters, g.patch());
                multiply(&mut scratch.outputs, weight, Matrix::new(&scratch.columns, g.patch(), pixels), false, threads);
                for (filter, line) in scratch.outputs.chunks_exact(pixels).enumerate() {
                    let shift = bias.map_or(0.0, |b| b[filter]);
                    for (image, part) in line.chunks_exact(pixels / tile.images).enumerate() {
                        let out = &mut out[place(g, tile, index * group, image, filter)];
                        for (o, &x) in out.iter_mut().zip(part) {
                            *o = x + shift;
                        }
                    }
                }
            }
        });
        out
    }

    /// Gradients of the input (empty unless `with_input`) and of the weights.
    fn backward(&self, input: &[f32], weight: &[f32], gradient: &[f32], with_input: bool) -> (Vec<f32>, Vec<f32>) {
        let g = &self.0;
        let groups = g.groups();
        let lanes = (LANE_BUDGET / weight.len()).clamp(4, 16).min(groups);
        let groups_a_lane = groups.div_ceil(lanes);
        let lanes = groups.div_ceil(groups_a_lane);
        let mut input_gradient = vec![0.0; if with_input { input.len() } else { 0 }];
        let mut parts: Vec<&mut [f32]> = if with_input {
            input_gradient.chunks_mut(groups_a_lane * g.group() * g.image_len()).collect()
        } else {
            (0..lanes).map(|_| &mut [] as &mut [f32]).collect()
        };
        let sums: Vec<Vec<f32>> = parts
            .par_iter_mut()
            .enumerate()
            .map(|(lane, part)| {
                let range = lane * groups_a_lane..groups.min((lane + 1) * groups_a_lane);
                self.backward_lane(range, input, weight, gradient, with_input.then_some(&mut **part))
            })
            .collect();
        (input_gradient, add_in_order(sums))
    }

    /// The weight gradient of some groups of images, and their input gradient into `input_gradient`, which starts with them.
    fn backward_lane(
        &self,
        groups: std::ops::Range<usize>,
        input: &[f32],
        weight: &[f32],
        gradient: &[f32],
        mut input_gradient: Option<&mut [f32]>,
    ) -> Vec<f32> {
        let g = &self.0;
        let first_image = groups.start * g.group();
        let threads = g.threads();
        let weight = Matrix::new(weight, g.filters, g.patch()).transposed();
        let mut weight_gradient = vec![0.0; g.filters * g.patch()];
        let mut scratch = Scratch::default();
        for tile in groups.flat_map(|index| g.tiles(index)) {
            scratch.resize(g, tile);
            let pixels = g.tile_pixels(tile);
            for (filter, line) in scratch.outputs.chunks_exact_mut(pixels).enumerate() {
                for (image, part) in line.chunks_exact_mut(pixels / tile.images).enumerate() {
                    part.copy_from_slice(&gradient[place(g, tile, 0, image, filter)]);
                }
            }
            im2col(g, tile, input, &mut scratch.columns);
            let outputs = Matrix::new(&scratch.outputs, g.filters, pixels);
            let columns = Matrix::new(&scratch.columns, g.patch(), pixels);
            multiply(&mut weight_gradient, outputs, columns.transposed(), true, threads);
            if let Some(input_gradient) = &mut input_gradient {
                multiply(&mut scratch.columns, weight, outputs, false, threads);
                col2im(g, tile, &scratch.columns, first_image, input_gradient);
            }
        }
        weight_gradient
    }

    /// Input (if tracked) and weight gradients as tensors.
    fn gradients(&self, input: &Tensor, weight: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (with_input, with_weight) = (input.track_op(), weight.track_op());
        let (dx, dw) =
            with_slice(input, |x| with_slice(weight, |w| with_slice(gradient, |gradient| Ok(self.backward(x, w, gradient, with_input)))))?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), &Device::Cpu);
        Ok((with_input.then(|| tensor(dx, input)).transpose()?, with_weight.then(|| tensor(dw, weight)).transpose()?))
    }

    /// The bias gradient: the sum over images and pixels of each filter.
    fn bias_gradient(&self, gradient: &Tensor) -> Result<Tensor> {
        let (filters, pixels) = (self.0.filters, self.0.out_pixels());
        let sums: Vec<f32> = with_slice(gradient, |gradient| {
            let of_filter = |filter: usize| -> f64 {
                gradient.chunks_exact(pixels).skip(filter).step_by(filters).map(|p| sum(pixels, |i| f64::from(p[i]))).sum()
            };
            Ok((0..filters).into_par_iter().map(|filter| of_filter(filter) as f32).collect())
        })?;
        Tensor::from_vec(sums, filters, &Device::Cpu)
    }

    fn out_shape(&self) -> Shape {
        (self.0.batch, self.0.filters, self.0.out_height, self.0.out_width).into()
    }
}

/// The element-wise sum of vectors of one length, first to last.
fn add_in_order(parts: Vec<Vec<f32>>) -> Vec<f32> {
    let mut parts = parts.into_iter();
    let mut total = parts.next().unwrap_or_default();
    for part in parts {
        total.par_iter_mut().with_min_len(super::slices::TASK_ELEMENTS).zip(part).for_each(|(t, p)| *t += p);
    }
    total
}

impl CustomOp2 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn cpu_fwd(&self, input: &CpuStorage, il: &Layout, weight: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        Ok(output(self.forward(argument(input, il)?, argument(weight, wl)?, None), self.out_shape()))
    }

    fn bwd(&self, input: &Tensor, weight: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        self.gradients(input, weight, gradient)
    }
}

impl CustomOp3 for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d with bias"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        il: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok(output(self.forward(argument(input, il)?, argument(weight, wl)?, Some(argument(bias, bl)?)), self.out_shape()))
    }

    fn bwd(
        &self,
        input: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (dx, dw) = self.gradients(input, weight, gradient)?;
        let db = bias.track_op().then(|| self.bias_gradient(gradient)).transpose()?;
        Ok((dx, dw, db))
    }
}
