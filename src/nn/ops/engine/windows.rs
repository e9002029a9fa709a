//! The windows of 2 x 2 pixels in which pictures are worked through: what is pooled, and what one Winograd tile makes.

use super::kernel::ROWS;
use super::pixels::Grid;

/// Pictures with at most this many windows are ordered by position: twelve windows of one tile then see the same border, and
/// products with the zeros beyond it are left out.
const SMALL: usize = 16;
/// The least number of pieces that work is cut into where it is large enough.
pub const PIECES: usize = 16;

/// The windows of all pictures, in the order of the products.
#[derive(Clone, Copy)]
pub struct Windows {
    /// Of the pictures; their channels do not matter here.
    grid: Grid,
    /// Windows of a picture, from top to bottom.
    height: usize,
    /// Windows of a picture, from left to right.
    width: usize,
    /// Whether windows are ordered by position, then by image, rather than as they are read.
    by_position: bool,
}

/// Where a window lies.
#[derive(Clone, Copy)]
pub struct Place {
    pub image: usize,
    /// Of its top left pixel.
    pub y: usize,
    /// Of its top left pixel.
    pub x: usize,
}

impl Windows {
    /// Only the windows that are pooled: an odd last row or column is left out.
    pub fn pooled(grid: Grid) -> Self {
        Self::new(grid, grid.height / 2, grid.width / 2)
    }

    /// All pixels; with odd sizes some windows reach beyond the picture.
    pub fn covering(grid: Grid) -> Self {
        Self::covering_extent(grid, (grid.height, grid.width))
    }

    /// All pixels of the first rows and columns.
    pub fn covering_extent(grid: Grid, (height, width): (usize, usize)) -> Self {
        Self::new(grid, height.div_ceil(2), width.div_ceil(2))
    }

    fn new(grid: Grid, height: usize, width: usize) -> Self {
        Self { grid, height, width, by_position: height * width <= SMALL }
    }

    /// The same windows, image by image and line by line whatever their number.
    pub fn as_read(self) -> Self {
        Self { by_position: false, ..self }
    }

    /// Windows of a picture: from top to bottom, and from left to right.
    pub fn extent(&self) -> (usize, usize) {
        (self.height, self.width)
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.grid.images * self.height * self.width
    }

    /// Where window number `window` lies.
    #[inline(always)]
    pub fn locate(&self, window: usize) -> Place {
        let each = self.height * self.width;
        let (image, at) =
            if self.by_position { (window % self.grid.images, window / self.grid.images) } else { (window / each, window % each) };
        Place { image, y: 2 * (at / self.width), x: 2 * (at % self.width) }
    }

    /// Where the windows lie from number `first` to before `end`: as [`locate`](Self::locate) says, without its divisions.
    #[inline(always)]
    pub fn places(&self, first: usize, end: usize) -> impl Iterator<Item = Place> {
        let windows = *self;
        let mut next = if first < end { windows.locate(first) } else { Place { image: 0, y: 0, x: 0 } };
        (first..end).map(move |_| {
            let place = next;
            next = windows.after(place);
            place
        })
    }

    /// The place that follows.
    #[inline(always)]
    fn after(&self, Place { image, y, x }: Place) -> Place {
        let next_position = if x + 2 < 2 * self.width { (y, x + 2) } else { (y + 2, 0) };
        let (image, (y, x)) = match self.by_position {
            true if image + 1 < self.grid.images => (image + 1, (y, x)),
            true => (0, next_position),
            false if next_position.0 < 2 * self.height => (image, next_position),
            false => (image + 1, (0, 0)),
        };
        Place { image, y, x }
    }

    /// The number of window number `window` in reading order, which is that of the pooled tensor.
    #[inline(always)]
    pub fn pooled_index(&self, window: usize) -> usize {
        let each = self.height * self.width;
        if self.by_position { window % self.grid.images * each + window / self.grid.images } else { window }
    }

    /// The number of a pixel (0 to 3, in reading order) of a window among all pixels, if it lies in the picture.
    #[inline(always)]
    pub fn pixel(&self, place: Place, position: usize) -> Option<usize> {
        let (y, x) = (place.y + position / 2, place.x + position % 2);
        (y < self.grid.height && x < self.grid.width).then(|| (place.image * self.grid.height + y) * self.grid.width + x)
    }

    /// How many pixels of windows `from..to` lie in the pictures.
    #[inline(always)]
    pub fn pixels(&self, from: usize, to: usize) -> usize {
        if 2 * self.height <= self.grid.height && 2 * self.width <= self.grid.width {
            return 4 * (to - from);
        }
        let inside = |window| (0..4).filter(|p| self.pixel(self.locate(window), *p).is_some()).count();
        (from..to).map(inside).sum()
    }
}

/// How windows are cut into blocks: a function of the shape alone, so that sums over a block do not depend on the number of
/// threads.
#[derive(Clone, Copy)]
pub struct Blocks {
    /// All windows.
    pub windows: usize,
    /// Windows of every block but the last, a multiple of twelve.
    pub size: usize,
    /// How many blocks.
    pub count: usize,
}

/// Bytes of gathered pixels that a piece of work keeps in the second-level cache.
const BLOCK_BYTES: usize = 384 * 1024;

impl Blocks {
    /// Blocks of which a window takes `bytes` while it is worked on.
    pub fn new(windows: Windows, bytes: usize) -> Self {
        let windows = windows.count();
        let largest = (BLOCK_BYTES / bytes).clamp(ROWS, 20 * ROWS) / ROWS * ROWS;
        let size = windows.div_ceil(PIECES).next_multiple_of(ROWS).clamp(ROWS, largest);
        Self { windows, size, count: windows.div_ceil(size) }
    }

    /// First and one past the last window of a block.
    pub fn range(&self, block: usize) -> (usize, usize) {
        let first = block * self.size;
        (first, self.windows.min(first + self.size))
    }

    /// Groups that the panels are cut into where there are few blocks.
    pub fn panel_groups(&self, panels: usize) -> usize {
        if self.count == 0 { 1 } else { PIECES.div_ceil(self.count).min(panels) }
    }
}
