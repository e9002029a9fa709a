//! Pictures that lie on the device as bytes, and batches that are made of them there.

use super::{Engine, Result};
use crate::nn::Normalisation;
use crate::nn::ops::accelerator::calls::Pictures;
use crate::nn::ops::accelerator::{Accelerator, AcceleratorError, Memory, View, as_bytes};

/// Pictures on the device, and the memory that making batches of them needs.
#[derive(Debug)]
pub struct Resident {
    data: Memory,
    table: Option<Memory>,
    weights: Option<Memory>,
    means: Option<Memory>,
    canvas: Option<Memory>,
    blurred: Option<Memory>,
    noise: Option<Memory>,
}

/// What the table of a batch asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableShape {
    /// Pictures in the batch.
    pub images: usize,
    /// The kernels of the blur, pictures x taps.
    pub kernels: Vec<f32>,
    /// Numbers in each kernel.
    pub taps: usize,
    /// Pixels of the largest cropped picture.
    pub largest: usize,
    /// Whether a picture's contrast changes.
    pub contrast: bool,
    /// Whether a picture is blurred.
    pub blurs: bool,
    /// Whether noise is added to a picture.
    pub noisy: bool,
}

impl TableShape {
    /// The shape of a table of `images` pictures: the kernels of their blurs and the numbers in each, the pixels of the largest cropped
    /// picture, and whether contrast changes and noise is added.
    #[must_use]
    pub fn of(images: usize, (kernels, taps): (Vec<f32>, usize), largest: usize, [contrast, noisy]: [bool; 2]) -> Self {
        Self { images, kernels, taps, largest, contrast, blurs: taps > 0, noisy }
    }
}

/// Memory of at least so many bytes in `slot`; it is kept from batch to batch.
fn at_least(device: &dyn Accelerator, slot: &mut Option<Memory>, bytes: usize) -> Result<()> {
    if slot.as_ref().is_none_or(|memory| memory.bytes() < bytes) {
        // what was there goes back first
        *slot = None;
        *slot = Some(device.allocate(bytes)?);
    }
    Ok(())
}

fn view(slot: Option<&Memory>) -> View<'_> {
    slot.map_or(View::NONE, Memory::all)
}

impl Resident {
    /// Room for pictures of `bytes` bytes together; they are brought with [`write`](Self::write).
    ///
    /// # Errors
    /// If the device has no room.
    pub fn new(device: &dyn Accelerator, bytes: usize) -> Result<Self> {
        let data = device.allocate(bytes)?;
        Ok(Self { data, table: None, weights: None, means: None, canvas: None, blurred: None, noise: None })
    }

    /// Brings pictures to `offset` on.
    ///
    /// # Errors
    /// If they do not fit, or the device is lost.
    pub fn write(&self, device: &dyn Accelerator, offset: usize, pixels: &[u8]) -> Result<()> {
        device.upload(self.data.part(offset..offset + pixels.len())?, pixels)
    }

    /// The header of the last table, which says how pictures are mixed.
    #[must_use]
    pub fn mixing(&self) -> Option<View<'_>> {
        self.table.as_ref().map(Memory::all)
    }
}

/// Numbers in the largest kernel of a blur: the device keeps a line with as much on both sides (`LARGEST_REACH` in augment.cu).
const MOST_TAPS: u64 = 101;

/// Refuses a table that speaks of pictures beyond the `bytes` that there are, or of more than its shape says: the kernels would read
/// whatever lies there. Results have `side` pixels a side.
fn check(table: &[u8], shape: &TableShape, side: usize, bytes: usize) -> Result<()> {
    let (records, []) = table[Pictures::HEADER..].as_chunks::<{ Pictures::ROW }>() else {
        return Err(AcceleratorError::Misused("a table with half a picture".into()));
    };
    let side = side as u64;
    for (number, record) in records.iter().enumerate() {
        let field = |at: usize| i32::from_ne_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let long = |at: usize| record[at..].first_chunk().map_or(u64::MAX, |eight| u64::from_ne_bytes(*eight));
        // width, left, top, width and height of the crop; then numbers of the blur and of colour steps (`Picture` in records.cuh)
        let numbers = [72, 76, 80, 84, 88, 108, 112].map(|at| u64::try_from(field(at)).unwrap_or(u64::MAX >> 32));
        let [width, left, top, crop_width, crop_height, taps, steps] = numbers;
        let rows_end = |rows: u64| long(0).saturating_add(rows.saturating_mul(3 * width));
        let fits = crop_width.min(crop_height) > 0 && left + crop_width <= width && rows_end(top + crop_height) <= bytes as u64;
        // a picture that is only turned is read whole, as large as the result
        let exact = field(92) == 0 || side <= width && rows_end(side) <= bytes as u64;
        let silent = shape.noisy || f64::from_bits(long(56)) <= 0.0;
        let blurred = taps <= (shape.taps as u64).min(MOST_TAPS);
        let working = crop_width * crop_height <= shape.largest as u64 && blurred && steps <= 4;
        if !(fits && exact && silent && working) {
            return Err(AcceleratorError::Misused(format!("picture {number} of a table lies beyond the data")));
        }
    }
    Ok(())
}

impl Engine {
    /// Makes the next batch of the input from pictures on the device, as `table` says. The table must speak of these pictures.
    ///
    /// # Errors
    /// If the table does not fit its shape, there is no room, or the device is lost.
    pub fn augment(&self, resident: &mut Resident, table: &[u8], shape: &TableShape, normalisation: &Normalisation) -> Result<()> {
        let (device, images, side) = (&*self.device, shape.images, self.options.size);
        if images == 0 || images > self.settings.batch || table.len() != Pictures::table_bytes(images) || self.options.channels != 3 {
            return Err(AcceleratorError::Misused(format!("a table of {} bytes for {images} pictures", table.len())));
        }
        check(table, shape, side, resident.data.bytes())?;
        at_least(device, &mut resident.table, Pictures::table_bytes(self.settings.batch))?;
        device.upload(view(resident.table.as_ref()).part(0..table.len())?, table)?;
        if shape.contrast {
            at_least(device, &mut resident.means, 4 * images)?;
        }
        if shape.blurs {
            at_least(device, &mut resident.weights, 4 * shape.kernels.len())?;
            device.upload(view(resident.weights.as_ref()).part(0..4 * shape.kernels.len())?, as_bytes(&shape.kernels))?;
            at_least(device, &mut resident.canvas, 16 * images * shape.largest)?;
            at_least(device, &mut resident.blurred, 16 * images * shape.largest)?;
        }
        if shape.noisy {
            at_least(device, &mut resident.noise, 4 * images * Pictures::noise_stride(side))?;
        }
        let pictures = Pictures {
            data: resident.data.all(),
            table: view(resident.table.as_ref()),
            images,
            side,
            channels: self.options.channels,
            weights: view(resident.weights.as_ref()),
            taps: shape.taps,
            stride: shape.largest,
            means: view(resident.means.as_ref().filter(|_| shape.contrast)),
            canvas: view(resident.canvas.as_ref().filter(|_| shape.blurs)),
            blurred: view(resident.blurred.as_ref().filter(|_| shape.blurs)),
            noise: view(resident.noise.as_ref().filter(|_| shape.noisy)),
        };
        self.calls().augment(pictures, normalisation, self.input.all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_that_leads_beyond_the_data_is_refused() {
        const SIDE: i32 = 8;
        let shape = TableShape { images: 1, taps: 5, largest: 64, ..TableShape::default() };
        let table = |changes: &[(usize, i32)]| {
            let mut table = vec![0; Pictures::table_bytes(1)];
            for (at, value) in [(72, SIDE), (84, SIDE), (88, SIDE)].iter().chain(changes) {
                table[Pictures::HEADER + at..][..4].copy_from_slice(&value.to_ne_bytes());
            }
            table
        };
        let refused = |changes: &[(usize, i32)], shape: &TableShape| check(&table(changes), shape, SIDE as usize, 3 * 64).is_err();
        assert!(!refused(&[], &shape) && !refused(&[(92, 1), (108, 5)], &shape));
        // an offset, a crop, more rows than there are, too many numbers of a blur and colour steps
        for wrong in [(0, 1), (76, 1), (76, -1), (80, 1), (84, 0), (88, 9), (108, 6), (108, -1), (112, 5)] {
            assert!(refused(&[wrong], &shape), "{wrong:?}");
        }
        // a small picture that is said to be as large as the result, and noise for which there is no room
        let small = [(72, 4), (84, 4), (88, 4)];
        assert!(!refused(&small, &shape) && refused(&[&small[..], &[(92, 1)]].concat(), &shape));
        let noise = [(56, 0), (60, 0x3fb0_0000)];
        assert!(refused(&noise, &shape) && !refused(&noise, &TableShape { noisy: true, ..shape.clone() }));
        let wide = TableShape { taps: 1000, ..shape };
        assert!(!refused(&[(108, 101)], &wide) && refused(&[(108, 102)], &wide));
    }
}
