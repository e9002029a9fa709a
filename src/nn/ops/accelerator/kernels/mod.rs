//! Our own kernels, as CUDA C that is compiled on the user's machine (nvrtc), and everything around them that needs no device.
//!
//! Each kernel's arithmetic stands once, in a `.cu` file; [`source`] joins them for one [`Storage`] type. [`host`] compiles the very same text
//! with the system's C++ compiler, so that tests compare every kernel with our operators on the processor where no device is. Comments
//! above each kernel say what it is launched with; here is what they mean:
//!
//! | words | grid | block |
//! |---|---|---|
//! | [`each`]`(n)` | any; the result does not depend on it | 256 |
//! | [`rows`]`(r)` | r, a block for each row of windows | 256 |
//! | [`columns`]`(c, p)` | c / 32 rounded up, p | 256 |
//! | [`channels`]`(c)` | c / 64 rounded up | 64 |
//! | [`matrices`]`(b, r, c)` | c / 32, r / 32 rounded up, b | 32 x 8 |
//!
//! Activations are N x H x W x C in the storage type; parameters, statistics and gradients of vectors are f32; sums over many numbers are
//! f64, in two stages of fixed order ([`pieces`]), so that the same shapes give the same bits. No kernel uses atomics or dynamic shared
//! memory. The compiler must not join products and sums (`--fmad=false`): then the arithmetic is the processor's, and all kernels are
//! bound by memory anyway. Memory starts at multiples of 16 bytes, as a device's allocator gives it.

#[cfg(unix)]
pub mod host;
pub mod layout;

use std::fmt::Write;

/// How activations are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Storage {
    /// 32 bits.
    F32,
    /// bfloat16: the range of f32 and 8 bits of its precision.
    Bf16,
    /// IEEE half precision: 11 bits, at most 65504; gradients need a loss scale.
    F16,
}

impl Storage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::F16];

    /// Bytes of a number.
    #[must_use]
    pub fn bytes(self) -> usize {
        if self == Self::F32 { 4 } else { 2 }
    }
}

/// The files, in the order in which they build on each other.
const FILES: [(&str, &str); 9] = [
    ("common.cuh", include_str!("common.cuh")),
    ("records.cuh", include_str!("records.cuh")),
    ("blocks.cu", include_str!("blocks.cu")),
    ("sums.cu", include_str!("sums.cu")),
    ("head.cu", include_str!("head.cu")),
    ("loss.cu", include_str!("loss.cu")),
    ("optimizer.cu", include_str!("optimizer.cu")),
    ("memory.cu", include_str!("memory.cu")),
    ("augment.cu", include_str!("augment.cu")),
];

/// All kernels as one source without includes, for activations of this type. The names are the same for every type.
#[must_use]
pub fn source(storage: Storage) -> String {
    let number = Storage::ALL.iter().position(|s| *s == storage).unwrap_or_default();
    let mut text = format!("#define STORAGE {number}\n");
    for (name, file) in FILES {
        let _ = write!(text, "#line 1 \"{name}\"\n{file}");
    }
    text
}

/// The names of all kernels.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let name = |line: &'static str| line.strip_prefix("KERNEL ")?.split('(').next();
    FILES.iter().flat_map(|(_, file)| file.lines()).filter_map(name).collect()
}

/// Blocks and threads of a launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Blocks.
    pub grid: [u32; 3],
    /// Threads of a block.
    pub block: [u32; 3],
}

/// Threads of most blocks.
const THREADS: u32 = 256;

impl Launch {
    /// Blocks of 256 threads.
    #[must_use]
    pub fn blocks(grid: [u32; 3]) -> Self {
        Self { grid, block: [THREADS, 1, 1] }
    }
}

/// `n` numbers, one after the other.
#[must_use]
pub fn each(n: u64) -> Launch {
    Launch::blocks([n.div_ceil(u64::from(THREADS)).clamp(1, 1 << 20) as u32, 1, 1])
}

/// A block for each of `rows` rows.
#[must_use]
pub fn rows(rows: u32) -> Launch {
    Launch::blocks([rows.max(1), 1, 1])
}

/// Sums over the rows of a matrix with `channels` columns, in `pieces` pieces.
#[must_use]
pub fn columns(channels: u32, pieces: u32) -> Launch {
    Launch::blocks([channels.div_ceil(32).max(1), pieces, 1])
}

/// A thread for each channel.
#[must_use]
pub fn channels(channels: u32) -> Launch {
    Launch { grid: [channels.div_ceil(64).max(1), 1, 1], block: [64, 1, 1] }
}

/// `batch` matrices of `rows` x `columns`, transposed.
#[must_use]
pub fn matrices(batch: u32, rows: u32, columns: u32) -> Launch {
    Launch { grid: [columns.div_ceil(32), rows.div_ceil(32), batch], block: [32, 8, 1] }
}

/// How many pieces a sum over `rows` rows is done in.
#[must_use]
pub fn pieces(rows: u64) -> u32 {
    rows.div_ceil(512).clamp(1, 512) as u32
}
