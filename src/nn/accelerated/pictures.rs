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

/// Refuses a table that speaks of pictures beyond the `bytes` that there are, or of more than its shape says: the kernels would read
/// whatever lies there.
fn check(table: &[u8], shape: &TableShape, bytes: usize) -> Result<()> {
    let (records, []) = table[Pictures::HEADER..].as_chunks::<{ Pictures::ROW }>() else {
        return Err(AcceleratorError::Misused("a table with half a picture".into()));
    };
    for (number, record) in records.iter().enumerate() {
        let field = |at: usize| i32::from_ne_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let offset = record.first_chunk().map_or(u64::MAX, |eight| u64::from_ne_bytes(*eight));
        // width, left, top, width and height of the crop; then numbers of the blur and of colour steps (`Picture` in records.cuh)
        let numbers = [72, 76, 80, 84, 88, 108, 112].map(|at| u64::try_from(field(at)).unwrap_or(u64::MAX >> 32));
        let [width, left, top, crop_width, crop_height, taps, steps] = numbers;
        let end = offset.saturating_add((top + crop_height).saturating_mul(3 * width));
        let fits = crop_width.min(crop_height) > 0 && left + crop_width <= width && end <= bytes as u64;
        let working = crop_width * crop_height <= shape.largest as u64 && taps <= shape.taps as u64 && steps <= 4;
        if !(fits && working) {
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
        if images > self.settings.batch || table.len() != Pictures::table_bytes(images) || self.options.channels != 3 {
            return Err(AcceleratorError::Misused(format!("a table of {} bytes for {images} pictures", table.len())));
        }
        check(table, shape, resident.data.bytes())?;
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
