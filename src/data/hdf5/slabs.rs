//! Reading a large (N,H,W,3) data set in slabs of whole pictures with bounded memory.
//!
//! HDF5 stores pictures in chunks that are compressed one by one, and a chunk may hold a small window of very many
//! pictures: h5py's own choice for Galaxy10 is 555 pictures x 16 x 16 x 1, so that the smallest slab in which no chunk is
//! decoded twice has 555 pictures or 109 MB. The reader needs room beside its result, so a large slab is read in bands,
//! each some rows of chunks high, and put together here.

use rust_hdf5::{H5Dataset, Hdf5Error};

/// What one read of the HDF5 reader may bring, in bytes.
const MAX_READ: usize = 32 << 20;
/// What a slab of whole pictures may hold, in bytes: more than the 109 MB named above.
const MAX_SLAB: usize = 112 << 20;
/// What a decoded chunk may hold, in bytes. The reader has the packed chunk, the chunk and the result in memory at once.
pub const MAX_CHUNK: usize = 48 << 20;

/// Extents of the pictures, (N,H,W,3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The number of pictures, N.
    pub images: usize,
    /// Height H in pixels.
    pub height: usize,
    /// Width W in pixels.
    pub width: usize,
}

impl Shape {
    /// Bytes of one picture.
    pub fn image_bytes(self) -> usize {
        self.height * self.width * 3
    }
}

/// How a data set is cut: `images` whole pictures a slab, each slab read in bands of `rows` rows of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    images: usize,
    rows: usize,
}

impl Plan {
    /// `chunk` is the (images, rows) extent of a chunk, or (1, 1) for a data set that is not chunked.
    fn new(shape: Shape, chunk: (usize, usize)) -> Self {
        let image = shape.image_bytes();
        let (chunk_images, chunk_rows) = chunk;
        let whole_chunks = |limit: usize| limit / image / chunk_images * chunk_images;
        let images = match (whole_chunks(MAX_READ), whole_chunks(MAX_SLAB)) {
            (0, 0) => (MAX_SLAB / image).max(1),
            (0, _) => chunk_images,
            (several, _) => several,
        };
        let images = images.min(shape.images);
        let rows = (MAX_READ / (images * image / shape.height) / chunk_rows * chunk_rows).max(chunk_rows);
        Self { images, rows: rows.min(shape.height) }
    }
}

/// The slabs of a data set, first picture first.
pub struct Slabs {
    source: H5Dataset,
    shape: Shape,
    plan: Plan,
    done: usize,
    slab: Vec<u8>,
}

impl Slabs {
    /// Slabs of `source`, which has the shape (N,H,W,3), elements of one byte and chunks of at most [`MAX_CHUNK`] bytes.
    pub fn new(source: H5Dataset, shape: Shape) -> Self {
        let chunk = source.chunk_dims().map_or((1, 1), |dims| (dims[0], dims[1]));
        Self { source, shape, plan: Plan::new(shape, chunk), done: 0, slab: Vec::new() }
    }

    /// The pixels of the next pictures, or `None` after the last.
    pub fn next(&mut self) -> Result<Option<&[u8]>, Hdf5Error> {
        let images = self.plan.images.min(self.shape.images - self.done);
        if images == 0 {
            return Ok(None);
        }
        if self.plan.rows == self.shape.height {
            self.slab = Vec::new(); // the old slab goes before the new one comes
            self.slab = self.read(images, 0, self.shape.height)?;
        } else {
            self.slab.resize(images * self.shape.image_bytes(), 0);
            for top in (0..self.shape.height).step_by(self.plan.rows) {
                self.fill_band(images, top)?;
            }
        }
        self.done += images;
        Ok(Some(&self.slab))
    }

    /// Reads the band that begins at row `top` of the next `images` pictures into its places in the slab.
    fn fill_band(&mut self, images: usize, top: usize) -> Result<(), Hdf5Error> {
        let rows = self.plan.rows.min(self.shape.height - top);
        let band = self.read(images, top, rows)?;
        let row_bytes = self.shape.width * 3;
        let pictures = self.slab.chunks_exact_mut(self.shape.image_bytes());
        for (picture, part) in pictures.zip(band.chunks_exact(rows * row_bytes)) {
            picture[top * row_bytes..][..part.len()].copy_from_slice(part);
        }
        Ok(())
    }

    fn read(&self, images: usize, top: usize, rows: usize) -> Result<Vec<u8>, Hdf5Error> {
        self.source.read_slice(&[self.done, top, 0, 0], &[images, rows, self.shape.width, 3])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECALS: Shape = Shape { images: 17_736, height: 256, width: 256 };

    #[test]
    fn small_chunks_are_read_whole_and_many_at_once() {
        let plan = Plan::new(DECALS, (10, 64));
        assert_eq!(plan, Plan { images: 170, rows: 256 });
        assert_eq!(Plan::new(DECALS, (1, 1)).rows, 256);
    }

    #[test]
    fn flat_chunks_make_one_slab_read_in_bands_of_whole_chunks() {
        let plan = Plan::new(DECALS, (555, 16));
        assert_eq!(plan, Plan { images: 555, rows: 64 });
    }

    #[test]
    fn every_plan_stays_inside_its_bounds() {
        for shape in [DECALS, Shape { images: 21_785, height: 69, width: 69 }, Shape { images: 3, height: 4, width: 5 }] {
            for chunk in [(1, 1), (1, 256), (7, 100), (64, 64), (1_362, 9), (5_000, 64), (17_736, 1)] {
                let plan = Plan::new(shape, chunk);
                assert!((1..=shape.images).contains(&plan.images) && (1..=shape.height).contains(&plan.rows), "{plan:?}");
                assert!(plan.images * shape.image_bytes() <= MAX_SLAB, "{shape:?} {chunk:?}: {plan:?}");
                let band = plan.images * plan.rows * shape.width * 3;
                assert!(band <= MAX_READ || plan.rows == chunk.1, "{shape:?} {chunk:?}: {plan:?}");
            }
        }
    }
}
