//! Memory that is kept from step to step, and pointers that cross threads.

use std::cell::RefCell;

/// A cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([u32; 16]);

/// Aligned memory that only grows, always initialised, viewed as whatever plain number is needed.
#[derive(Default)]
pub struct Buffer(Vec<Line>);

impl Buffer {
    /// Room for at least `len` numbers; what it holds is left from before.
    pub fn numbers<P: Copy>(&mut self, len: usize) -> &mut [P] {
        const { assert!(size_of::<P>() <= 8 && 64 % align_of::<P>() == 0) };
        let lines = (len * size_of::<P>()).div_ceil(size_of::<Line>());
        if self.0.len() < lines {
            self.0.resize(lines, Line([0; 16]));
        }
        // SAFETY: the lines are initialised, aligned to 64 bytes and cover `len` numbers; every caller uses u16 or f32, for
        // which all bit patterns are valid; the borrow of `self` keeps them from moving.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast::<P>(), len) }
    }
}

impl Buffer {
    /// Where the numbers start.
    pub fn start<P>(&self) -> *const P {
        self.0.as_ptr().cast()
    }
}

thread_local! {
    static IDLE: RefCell<Vec<Buffer>> = const { RefCell::new(Vec::new()) };
}

/// A buffer borrowed from this thread's idle ones, given back when dropped. (No closure is lent the memory, because a
/// closure would not be compiled for the instruction set of the task that calls it.)
pub struct Scratch(Buffer);

impl Scratch {
    pub fn take() -> Self {
        Self(IDLE.with_borrow_mut(Vec::pop).unwrap_or_default())
    }

    /// As [`Buffer::numbers`].
    pub fn numbers<P: Copy>(&mut self, len: usize) -> &mut [P] {
        self.0.numbers(len)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        IDLE.with_borrow_mut(|idle| idle.push(buffer));
    }
}

/// A pointer to memory that the pieces of a task write in disjoint parts.
#[derive(Clone, Copy)]
pub struct Shared<T>(*mut T, usize);

// SAFETY: the pieces of a task write disjoint parts (each user of `at` says why), and the memory outlives the task, which
// is awaited by whoever made the pointer from a mutable borrow.
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}

impl<T> Shared<T> {
    pub fn new(slice: &mut [T]) -> Self {
        Self(slice.as_mut_ptr(), slice.len())
    }

    /// The place of element `index`.
    ///
    /// # Safety
    /// `index` is at most the length, and no two pieces touch the same elements.
    #[inline(always)]
    pub unsafe fn at(&self, index: usize) -> *mut T {
        debug_assert!(index <= self.1);
        // SAFETY: promised by the caller.
        unsafe { self.0.add(index) }
    }

    /// `len` elements from `index`.
    ///
    /// # Safety
    /// They lie within the slice, and no other piece touches them while the result lives.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "disjointness is the caller's promise")]
    pub unsafe fn part(&self, index: usize, len: usize) -> &mut [T] {
        debug_assert!(index + len <= self.1);
        // SAFETY: promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.0.add(index), len) }
    }
}
