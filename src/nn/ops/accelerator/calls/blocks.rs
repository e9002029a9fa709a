//! What follows a convolution: bias or batch norm, ReLU and pooling, forwards and backwards.

use super::super::View;
use super::super::kernels::Launch;
use super::{Called, Calls, blocks, channels as each_channel, doubles, floats, pieces, u32_of, u64_of};

/// The shape of a convolution's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maps {
    /// Images.
    pub images: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels.
    pub channels: usize,
}

impl Maps {
    /// Pixels of all images.
    #[must_use]
    pub fn pixels(&self) -> usize {
        self.images * self.height * self.width
    }

    /// Numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pixels() * self.channels
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// After a pooling 2 x 2: an odd last row or column is left out.
    #[must_use]
    pub fn pooled(&self) -> Self {
        Self { height: self.height / 2, width: self.width / 2, ..*self }
    }

    /// Bytes of the partial sums that the calls here need.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        pieces(self.pixels()) * 2 * self.channels * 8
    }

    fn arguments(&self) -> Result<[super::Argument; 4], super::AcceleratorError> {
        Ok([u32_of(self.images)?, u32_of(self.height)?, u32_of(self.width)?, u32_of(self.channels)?])
    }
}

/// The batch's statistics of a norm, and what becomes of them; f32, one a channel.
#[derive(Clone, Copy, Debug)]
pub struct NormStatistics<'a> {
    /// Mean of the batch.
    pub mean: View<'a>,
    /// Biased variance of the batch.
    pub variance: View<'a>,
    /// What a number is multiplied by.
    pub scale: View<'a>,
    /// What is added then.
    pub shift: View<'a>,
}

/// The gradients of a norm, f32, one a channel.
#[derive(Clone, Copy, Debug)]
pub struct NormGradient<'a> {
    /// Of its scale.
    pub weight: View<'a>,
    /// Of its offset.
    pub bias: View<'a>,
    /// dz = scale d + slope z + offset.
    pub slope: View<'a>,
    /// See there.
    pub offset: View<'a>,
}

/// One block of threads for each piece and each 32 channels.
fn columns(channels: usize, pieces: usize) -> Result<Launch, super::AcceleratorError> {
    blocks(channels.div_ceil(32), pieces)
}

impl Calls<'_> {
    /// Bias, ReLU and pooling of `z`; `codes` says for each result which of the four it was, or that none was above 0.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn relu_pool_forward(&self, z: View, bias: View, maps: Maps, out: View, codes: View) -> Called {
        let pooled = maps.pooled();
        self.reals(z, maps.len(), "z")?;
        floats(bias, maps.channels, "bias")?;
        self.reals(out, pooled.len(), "out")?;
        codes.at_least(pooled.len(), "codes")?;
        let [n, h, w, c] = maps.arguments()?;
        let launch = blocks(maps.images * pooled.height, 1)?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("relu_pool_forward", launch, &[z.into(), bias.into(), n, h, w, c, out.into(), codes.into()]) }
    }

    /// The gradient of `z` from that of the result.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn relu_pool_backward(&self, dout: View, codes: View, maps: Maps, dz: View) -> Called {
        let pooled = maps.pooled();
        self.reals(dout, pooled.len(), "dout")?;
        codes.at_least(pooled.len(), "codes")?;
        self.reals(dz, maps.len(), "dz")?;
        let [n, h, w, c] = maps.arguments()?;
        let launch = blocks(maps.images * maps.height.div_ceil(2), 1)?;
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("relu_pool_backward", launch, &[dout.into(), codes.into(), n, h, w, c, dz.into()]) }
    }

    /// The gradient of a bias: the sums of the columns of `d` (rows x channels), of those alone that `codes` calls alive. They are
    /// added to what is there unless they are the `first`.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn bias_gradient(
        &self,
        d: View,
        codes: Option<View>,
        rows: usize,
        channels: usize,
        partial: View,
        db: View,
        first: bool,
    ) -> Called {
        let pieces = pieces(rows);
        self.reals(d, rows * channels, "d")?;
        if let Some(codes) = codes {
            codes.at_least(rows * channels, "codes")?;
        }
        doubles(partial, pieces * channels, "partial")?;
        floats(db, channels, "db")?;
        let (c, codes) = (u32_of(channels)?, codes.unwrap_or(View::NONE));
        // SAFETY: the kernels' arguments; the lengths were checked
        unsafe {
            let arguments = [d.into(), codes.into(), u64_of(rows), c, partial.into()];
            self.launch("bias_gradient_partial", columns(channels, pieces)?, &arguments)?;
            let arguments = [partial.into(), u32_of(pieces)?, c, u32::from(!first).into(), db.into()];
            self.launch("bias_gradient_finish", each_channel(channels)?, &arguments)
        }
    }

    /// Mean and variance of each channel of `z`; the running ones, if given, move towards them by `momentum`.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn norm_statistics(
        &self,
        z: View,
        maps: Maps,
        parameters: [View; 2],
        constants: [f32; 2],
        running: Option<[View; 2]>,
        partial: View,
        to: NormStatistics,
    ) -> Called {
        let (channels, pieces) = (maps.channels, pieces(maps.pixels()));
        self.reals(z, maps.len(), "z")?;
        doubles(partial, pieces * 2 * channels, "partial")?;
        let [running_mean, running_variance] = running.unwrap_or([View::NONE; 2]);
        let all = parameters.into_iter().chain(running.into_iter().flatten()).chain([to.mean, to.variance, to.scale, to.shift]);
        all.into_iter().try_for_each(|view| floats(view, channels, "a number a channel"))?;
        let (c, rows) = (u32_of(channels)?, u64_of(maps.pixels()));
        // SAFETY: the kernels' arguments; the lengths were checked
        unsafe {
            self.launch("norm_statistics_partial", columns(channels, pieces)?, &[z.into(), rows, c, partial.into()])?;
            let [epsilon, momentum] = constants;
            let sums = [z.into(), partial.into(), u32_of(pieces)?, rows, c];
            let from = [parameters[0].into(), parameters[1].into(), epsilon.into(), momentum.into()];
            let to = [running_mean, running_variance, to.mean, to.variance, to.scale, to.shift].map(Into::into);
            self.launch("norm_statistics_finish", each_channel(channels)?, &[&sums[..], &from, &to].concat())
        }
    }

    /// Scale and shift from running statistics.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn norm_affine(&self, statistics: [View; 2], parameters: [View; 2], epsilon: f32, channels: usize, to: [View; 2]) -> Called {
        let all = statistics.into_iter().chain(parameters).chain(to);
        all.into_iter().try_for_each(|view| floats(view, channels, "a number a channel"))?;
        let [mean, variance, weight, bias] = [statistics[0], statistics[1], parameters[0], parameters[1]].map(Into::into);
        let arguments = [mean, variance, weight, bias, epsilon.into(), u32_of(channels)?, to[0].into(), to[1].into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("norm_affine", each_channel(channels)?, &arguments) }
    }

    /// Scale, shift, ReLU and pooling of `z`.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn norm_relu_pool_forward(&self, z: View, [scale, shift]: [View; 2], maps: Maps, out: View, codes: View) -> Called {
        let pooled = maps.pooled();
        self.reals(z, maps.len(), "z")?;
        floats(scale, maps.channels, "scale")?;
        floats(shift, maps.channels, "shift")?;
        self.reals(out, pooled.len(), "out")?;
        codes.at_least(pooled.len(), "codes")?;
        let [n, h, w, c] = maps.arguments()?;
        let launch = blocks(maps.images * pooled.height, 1)?;
        let arguments = [z.into(), scale.into(), shift.into(), n, h, w, c, out.into(), codes.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("norm_relu_pool_forward", launch, &arguments) }
    }

    /// The gradients of scale and offset, added to what is there unless they are the `first`, and what that of `z` is made with.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn norm_gradient(
        &self,
        z: View,
        dout: View,
        codes: View,
        maps: Maps,
        epsilon: f32,
        statistics: NormStatistics,
        partial: View,
        to: NormGradient,
        first: bool,
    ) -> Called {
        let (pooled, channels) = (maps.pooled(), maps.channels);
        let pieces = pieces(pooled.pixels());
        self.reals(z, maps.len(), "z")?;
        self.reals(dout, pooled.len(), "dout")?;
        codes.at_least(pooled.len(), "codes")?;
        doubles(partial, pieces * 2 * channels, "partial")?;
        let NormStatistics { mean, variance, scale, .. } = statistics;
        let all = [mean, variance, scale, to.weight, to.bias, to.slope, to.offset];
        all.into_iter().try_for_each(|view| floats(view, channels, "a number a channel"))?;
        let [n, h, w, c] = maps.arguments()?;
        // SAFETY: the kernels' arguments; the lengths were checked
        unsafe {
            let arguments = [z.into(), dout.into(), codes.into(), mean.into(), n, h, w, c, partial.into()];
            self.launch("norm_gradient_partial", columns(channels, pieces)?, &arguments)?;
            let from =
                [partial.into(), u32_of(pieces)?, u64_of(maps.pixels()), c, mean.into(), variance.into(), scale.into(), epsilon.into()];
            let to = [u32::from(!first).into(), to.weight.into(), to.bias.into(), to.slope.into(), to.offset.into()];
            self.launch("norm_gradient_finish", each_channel(channels)?, &[&from[..], &to].concat())
        }
    }

    /// The gradient of `z`, which may take its place.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn norm_relu_pool_backward(&self, z: View, dout: View, codes: View, factors: [View; 3], maps: Maps, dz: View) -> Called {
        let pooled = maps.pooled();
        self.reals(z, maps.len(), "z")?;
        self.reals(dout, pooled.len(), "dout")?;
        codes.at_least(pooled.len(), "codes")?;
        factors.into_iter().try_for_each(|view| floats(view, maps.channels, "a number a channel"))?;
        self.reals(dz, maps.len(), "dz")?;
        let [n, h, w, c] = maps.arguments()?;
        let launch = blocks(maps.images * maps.height.div_ceil(2), 1)?;
        let [scale, slope, offset] = factors.map(Into::into);
        let arguments = [z.into(), dout.into(), codes.into(), scale, slope, offset, n, h, w, c, dz.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("norm_relu_pool_backward", launch, &arguments) }
    }
}
