//! Reading a large (N,H,W,3) data set in slabs of whole pictures with bounded memory.
//!
//! HDF5 stores pictures in chunks that are compressed one by one, and a chunk may hold a small window of very many
//! pictures: h5py's own choice for Galaxy10 is 555 pictures x 16 x 16 x 1, so that the smallest slab in which no chunk is
//! decoded twice has 555 pictures or 109 MB. The reader holds the chunks that it decodes beside its result, so a large slab
//! is read in tiles, windows of whole chunks, and put together here.

use rust_hdf5::{H5Dataset, Hdf5Error};

/// What the chunks of one read may hold, in bytes.
const MAX_READ: usize = 32 << 20;
/// What a slab of whole pictures may hold, in bytes: more than the 109 MB named above.
const MAX_SLAB: usize = 112 << 20;
/// What a chunk with all three channels may hold, in bytes: the smallest read there is. In memory it is there at most
/// three times, packed, decoded and as the result.
pub const MAX_CHUNK: usize = 32 << 20;

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

/// Extents of the chunks; a data set that is not chunked has chunks of one pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Pictures.
    pub images: usize,
    /// Rows of pixels.
    pub rows: usize,
    /// Columns of pixels.
    pub columns: usize,
}

impl Chunk {
    const PIXEL: Self = Self { images: 1, rows: 1, columns: 1 };

    /// Bytes of a chunk with all three channels, in one chunk or several; `None` if that is no number.
    pub fn bytes(self) -> Option<usize> {
        self.images.checked_mul(self.rows)?.checked_mul(self.columns)?.checked_mul(3)
    }
}

/// How a data set is cut: `images` whole pictures a slab, each slab read in tiles of `rows` x `columns` pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Plan {
    images: usize,
    rows: usize,
    columns: usize,
}

impl Plan {
    fn new(shape: Shape, chunk: Chunk) -> Self {
        let image = shape.image_bytes();
        // Chunks reach over the edge where their extents do not divide those of the pictures.
        let padded_width = shape.width.next_multiple_of(chunk.columns);
        let padded_image = shape.height.next_multiple_of(chunk.rows) * padded_width * 3;
        let whole = |limit: usize, unit: usize| limit / unit * unit;
        let images = match (whole(MAX_READ / padded_image, chunk.images), whole(MAX_SLAB / image, chunk.images)) {
            (0, 0) => (MAX_SLAB / image).max(1), // a chunk with more pictures than a slab is decoded for each slab of it
            (0, _) => chunk.images,
            (several, _) => several,
        };
        let decoded = images.max(chunk.images) * 3; // bytes of chunk behind each pixel of a tile
        let columns = whole(MAX_READ / (decoded * chunk.rows), chunk.columns).max(chunk.columns).min(shape.width);
        let rows = whole(MAX_READ / (decoded * padded_width), chunk.rows).max(chunk.rows).min(shape.height);
        Self { images: images.min(shape.images), rows, columns }
    }
}

/// The slabs of a data set, first picture first.
pub struct Slabs {
    source: H5Dataset,
    shape: Shape,
    chunk: Chunk,
    plan: Plan,
    done: usize,
    slab: Vec<u8>,
}

impl Slabs {
    /// Slabs of `source`, which has the shape (N,H,W,3), elements of one byte and chunks of at most [`MAX_CHUNK`] bytes.
    pub fn new(source: H5Dataset, shape: Shape) -> Self {
        let chunk = chunk(&source).unwrap_or(Chunk::PIXEL);
        Self { source, shape, chunk, plan: Plan::new(shape, chunk), done: 0, slab: Vec::new() }
    }

    /// The pixels of the next pictures, or `None` after the last.
    pub fn next(&mut self) -> Result<Option<&[u8]>, Hdf5Error> {
        let mut images = self.plan.images.min(self.shape.images - self.done);
        if self.plan.images < self.chunk.images {
            images = images.min(self.chunk.images - self.done % self.chunk.images); // no slab needs two chunks for one pixel
        }
        if images == 0 {
            return Ok(None);
        }
        let Shape { height, width, .. } = self.shape;
        if (self.plan.rows, self.plan.columns) == (height, width) {
            self.slab = Vec::new(); // the old slab goes before the new one comes
            self.slab = self.read(images, (0, height), (0, width))?;
        } else {
            self.slab.resize(images * self.shape.image_bytes(), 0);
            for top in (0..height).step_by(self.plan.rows) {
                for left in (0..width).step_by(self.plan.columns) {
                    let rows = self.plan.rows.min(height - top);
                    let columns = self.plan.columns.min(width - left);
                    self.fill_tile(images, (top, rows), (left, columns))?;
                }
            }
        }
        self.done += images;
        Ok(Some(&self.slab))
    }

    /// Reads a tile of the next `images` pictures into its places in the slab; rows and columns are (first, count).
    fn fill_tile(&mut self, images: usize, rows: (usize, usize), columns: (usize, usize)) -> Result<(), Hdf5Error> {
        let tile = self.read(images, rows, columns)?;
        let (picture_bytes, row_bytes, run) = (self.shape.image_bytes(), self.shape.width * 3, columns.1 * 3);
        for (line, pixels) in tile.chunks_exact(run).enumerate() {
            let (picture, row) = (line / rows.1, line % rows.1);
            let start = picture * picture_bytes + (rows.0 + row) * row_bytes + columns.0 * 3;
            self.slab[start..start + run].copy_from_slice(pixels);
        }
        Ok(())
    }

    fn read(&self, images: usize, rows: (usize, usize), columns: (usize, usize)) -> Result<Vec<u8>, Hdf5Error> {
        self.source.read_slice(&[self.done, rows.0, columns.0, 0], &[images, rows.1, columns.1, 3])
    }
}

/// Extents of the chunks of a (N,H,W,3) data set; `None` if it is not chunked.
pub fn chunk(dataset: &H5Dataset) -> Option<Chunk> {
    let extents = dataset.chunk_dims()?;
    let &[images, rows, columns, _] = extents.as_slice() else { return None };
    Some(Chunk { images, rows, columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECALS: Shape = Shape { images: 17_736, height: 256, width: 256 };

    fn plan(shape: Shape, (images, rows, columns): (usize, usize, usize)) -> Plan {
        Plan::new(shape, Chunk { images, rows, columns })
    }

    #[test]
    fn small_chunks_are_read_whole_and_many_at_once() {
        let whole = Plan { images: 170, rows: 256, columns: 256 };
        assert_eq!(plan(DECALS, (10, 64, 64)), whole);
        assert_eq!(Plan::new(DECALS, Chunk::PIXEL), whole);
        assert_eq!(plan(DECALS, (17, 256, 256)), whole);
    }

    #[test]
    fn chunks_of_many_pictures_make_one_slab_read_in_tiles() {
        assert_eq!(plan(DECALS, (555, 16, 16)), Plan { images: 555, rows: 64, columns: 256 });
        assert_eq!(plan(DECALS, (2_700, 64, 64)), Plan { images: 597, rows: 64, columns: 64 });
    }

    #[test]
    fn every_plan_stays_inside_its_bounds() {
        let mut chunks = vec![(250, 256, 256), (17_736, 1, 256), (1_362, 9, 9), (7, 100, 60), (5_000, 64, 50)];
        chunks.extend([(1, 1, 1), (1, 256, 256), (64, 64, 64), (17_736, 1, 1), (60_000, 16, 16), (3, 1_000, 1_000)]);
        for shape in [DECALS, Shape { images: 21_785, height: 69, width: 69 }, Shape { images: 3, height: 4, width: 5 }] {
            for &(images, rows, columns) in &chunks {
                let chunk = Chunk { images, rows, columns };
                let plan = Plan::new(shape, chunk);
                let case = format!("{shape:?} {chunk:?}: {plan:?}");
                assert!((1..=shape.images).contains(&plan.images), "{case}");
                assert!((1..=shape.height).contains(&plan.rows) && (1..=shape.width).contains(&plan.columns), "{case}");
                assert!(plan.images * shape.image_bytes() <= MAX_SLAB, "{case}");
                assert!(plan.rows.is_multiple_of(rows) || plan.rows == shape.height, "{case}");
                assert!(plan.columns.is_multiple_of(columns) || plan.columns == shape.width, "{case}");
                let up = |extent: usize, unit: usize| extent.next_multiple_of(unit);
                let decoded = up(plan.images, images) * up(plan.rows, rows) * up(plan.columns, columns) * 3;
                assert!(decoded <= MAX_READ.max(chunk.bytes().unwrap()), "{case}: {decoded}");
            }
        }
    }
}
