//! A batch from pictures that lie on the device as bytes: augmented, normalised, mixed.

use super::super::View;
use super::{Called, Calls, blocks, floats, u32_of, u64_of};
use crate::nn::Normalisation;

/// The pictures of a batch, and the working memory that their augmentation needs; what is not needed may be [`View::NONE`].
#[derive(Clone, Copy, Debug)]
pub struct Pictures<'a> {
    /// All pictures, bytes.
    pub data: View<'a>,
    /// What is done to each picture of the batch.
    pub table: View<'a>,
    /// Pictures in the batch.
    pub images: usize,
    /// The side of the results, pixels.
    pub side: usize,
    /// Channels of the results, 3 or more; those beyond the third are 0.
    pub channels: usize,
    /// The kernels of the blur, f32, pictures x taps.
    pub weights: View<'a>,
    /// Numbers in each.
    pub taps: usize,
    /// Pixels of the largest cropped picture.
    pub stride: usize,
    /// f32, one a picture: wanted where contrast changes.
    pub means: View<'a>,
    /// f32, twice pictures x stride x 4: wanted where something is blurred.
    pub canvas: View<'a>,
    /// See there.
    pub blurred: View<'a>,
    /// f32, pictures x `noise_stride`: wanted where noise is added.
    pub noise: View<'a>,
}

impl Pictures<'_> {
    /// Bytes of the header of a table: how the pictures are mixed.
    pub const HEADER: usize = 64;
    /// Bytes of a picture in a table.
    pub const ROW: usize = 192;

    /// Bytes of a table.
    #[must_use]
    pub fn table_bytes(images: usize) -> usize {
        Self::HEADER + Self::ROW * images
    }

    /// Numbers of noise for a picture of `side` pixels.
    #[must_use]
    pub fn noise_stride(side: usize) -> usize {
        (3 * side * side).next_multiple_of(8)
    }
}

impl Calls<'_> {
    /// Makes the batch: N x side x side x channels.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn augment(&self, pictures: Pictures, normalisation: &Normalisation, out: View) -> Called {
        let Pictures { data, table, images, side, stride, means, canvas, blurred, noise, .. } = pictures;
        self.reals(out, images * side * side * pictures.channels, "out")?;
        table.at_least(Pictures::table_bytes(images), "table")?;
        let (n, wanted) = (u32_of(images)?, |view: View| view.bytes() > 0);
        // SAFETY: the kernels' arguments; the lengths are checked before each. The table speaks of pictures within the data, which is
        // proved where it is made
        unsafe {
            if wanted(means) {
                floats(means, images, "means")?;
                self.launch("augment_mean", blocks(images, 1)?, &[data.into(), table.into(), n, means.into()])?;
            }
            if wanted(blurred) {
                floats(canvas, images * stride * 4, "canvas")?;
                floats(blurred, images * stride * 4, "blurred")?;
                floats(pictures.weights, images * pictures.taps, "weights")?;
                let (grid, taps) = (blocks(64, images)?, u32_of(pictures.taps)?);
                let (weights, stride) = (pictures.weights.into(), u64_of(stride));
                let rows = [data.into(), table.into(), means.into(), weights, taps, stride, canvas.into()];
                self.launch("augment_blur_rows", grid, &rows)?;
                self.launch("augment_blur_columns", grid, &[table.into(), weights, taps, stride, canvas.into(), blurred.into()])?;
            }
            if wanted(noise) {
                floats(noise, images * Pictures::noise_stride(side), "noise")?;
                self.launch("augment_noise", blocks(64, images)?, &[table.into(), u32_of(side)?, noise.into()])?;
            }
            let from =
                [data.into(), table.into(), means.into(), blurred.into(), u64_of(stride), noise.into(), u32_of(side)?, 0u32.into(), n];
            let to = [u32_of(pictures.channels)?];
            let [mean, std] = [normalisation.mean, normalisation.std].map(|three| three.map(Into::into));
            let grid = blocks((side * side).div_ceil(256), images)?;
            self.launch("augment_place", grid, &[&from[..], &to, &mean, &std, &[out.into()]].concat())
        }
    }
}
