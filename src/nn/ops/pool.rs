//! Pooling: the maximum of 2 x 2 windows, also fused with a rectifier, and the global average.
//!
//! Which element of a window was the maximum is kept as one byte from the forward pass; of equal ones it is the first in
//! row-major order, as in `PyTorch`. An odd last row or column is left out. Candle's own `max_pool2d` has a gradient that is
//! too small by the window size (see `Cargo.toml` for the version), which is why this exists.

use std::sync::OnceLock;

use candle_core::{CpuStorage, CustomOp1, D, Device, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::slices::{TASK_ELEMENTS, argument, operand, output, with_slice};

/// The maximum of each 2 x 2 window (stride 2) of an N x C x H x W tensor: N x C x H/2 x W/2, rounded down.
///
/// # Errors
/// If a side is below 2, or the tensor is not four-dimensional f32.
pub fn max_pool2d(input: &Tensor) -> Result<Tensor> {
    pool(input, false)
}

/// `max_pool2d(relu(x))` in one pass: rectifying the maximum is the same as the maximum of the rectified, and so is the
/// gradient (to the first maximum if it is above 0, else to none).
///
/// # Errors
/// As [`max_pool2d`].
pub fn relu_max_pool2d(input: &Tensor) -> Result<Tensor> {
    pool(input, true)
}

/// The mean over the pixels: N x C x H x W to N x C x 1 x 1.
///
/// # Errors
/// If the tensor is not four-dimensional.
pub fn global_average_pool(input: &Tensor) -> Result<Tensor> {
    let (n, c, _, _) = input.dims4()?;
    input.flatten_from(2)?.mean(D::Minus1)?.reshape((n, c, 1, 1))
}

fn pool(input: &Tensor, rectify: bool) -> Result<Tensor> {
    let (_, _, height, width) = input.dims4()?;
    if height < 2 || width < 2 {
        bail!("2 x 2 pooling does not fit activations of {height} x {width}: use larger images");
    }
    operand(input, "pooling")?.apply_op1(MaxPool { rectify, codes: OnceLock::new() })
}

/// The code of a window whose maximum was rectified away.
const NOWHERE: u8 = 4;

struct MaxPool {
    rectify: bool,
    /// One byte an output: 2 * row + column of the maximum in its window, or [`NOWHERE`]. Set by the forward pass.
    codes: OnceLock<Vec<u8>>,
}

/// Value and code of the window `[top left, top right, bottom left, bottom right]`. NaN wins, as in `PyTorch`.
#[inline]
fn window_maximum(window: [f32; 4], rectify: bool) -> (f32, u8) {
    let (mut best, mut code) = (window[0], 0);
    for (i, &x) in window.iter().enumerate().skip(1) {
        if x > best || x.is_nan() {
            (best, code) = (x, i as u8);
        }
    }
    if rectify && best <= 0.0 { (0.0, NOWHERE) } else { (best, code) }
}

impl CustomOp1 for MaxPool {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (n, c, height, width) = layout.shape().dims4()?;
        let (rows, columns) = (height / 2, width / 2);
        let input = argument(storage, layout)?;
        let mut out = vec![0.0; n * c * rows * columns];
        let mut codes = vec![0; out.len()];
        let planes = out.par_chunks_mut(rows * columns).zip(codes.par_chunks_mut(rows * columns)).zip(input.par_chunks(height * width));
        planes.with_min_len(TASK_ELEMENTS.div_ceil(height * width)).for_each(|((out, codes), plane)| {
            let lines = out.chunks_exact_mut(columns).zip(codes.chunks_exact_mut(columns));
            for ((out, codes), pair) in lines.zip(plane.chunks_exact(2 * width)) {
                let (top, bottom) = pair.split_at(width);
                let windows = top.chunks_exact(2).zip(bottom.chunks_exact(2));
                for ((o, code), (t, b)) in out.iter_mut().zip(codes).zip(windows) {
                    (*o, *code) = window_maximum([t[0], t[1], b[0], b[1]], self.rectify);
                }
            }
        });
        if self.codes.set(codes).is_err() {
            bail!("a pooling operator was applied twice");
        }
        Ok(output(out, (n, c, rows, columns)))
    }

    fn bwd(&self, input: &Tensor, _: &Tensor, gradient: &Tensor) -> Result<Option<Tensor>> {
        let (_, _, height, width) = input.dims4()?;
        let (rows, columns) = (height / 2, width / 2);
        let Some(codes) = self.codes.get() else { bail!("the backward pass of pooling needs its forward pass first") };
        let mut dx = vec![0.0; input.elem_count()];
        with_slice(gradient, |gradient| {
            let planes = dx.par_chunks_mut(height * width).zip(gradient.par_chunks(rows * columns)).zip(codes.par_chunks(rows * columns));
            planes.with_min_len(TASK_ELEMENTS.div_ceil(height * width)).for_each(|((dx, gradient), codes)| {
                let lines = gradient.chunks_exact(columns).zip(codes.chunks_exact(columns));
                for ((gradient, codes), pair) in lines.zip(dx.chunks_exact_mut(2 * width)) {
                    let (top, bottom) = pair.split_at_mut(width);
                    let windows = top.chunks_exact_mut(2).zip(bottom.chunks_exact_mut(2));
                    for ((&g, &code), (t, b)) in gradient.iter().zip(codes).zip(windows) {
                        t[0] = if code == 0 { g } else { 0.0 };
                        t[1] = if code == 1 { g } else { 0.0 };
                        b[0] = if code == 2 { g } else { 0.0 };
                        b[1] = if code == 3 { g } else { 0.0 };
                    }
                }
            });
            Ok(())
        })?;
        Ok(Some(Tensor::from_vec(dx, input.shape(), &Device::Cpu)?))
    }
}
