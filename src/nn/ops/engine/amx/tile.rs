//! AMX, the tile unit of x86-64 processors since Sapphire Rapids: is it there, and the one product that everything uses.
//!
//! Eight tile registers of 16 rows x 64 bytes. One instruction multiplies 16 rows of 32 bfloat16 by 32 x 16 bfloat16 and adds to
//! 16 x 16 32-bit sums. The product below keeps 2 x 2 tiles of sums, so that every loaded tile is used twice:
//!
//! ```text
//!                    b: [k / 2][32 columns][2]
//!                       +-------+-------+
//!                       |   6   |   7   |    32 numbers of k a step
//!                       +-------+-------+
//!   a: 16 rows  +---+   +-------+-------+
//!               | 4 |   |   0   |   1   |
//!               +---+   +-------+-------+
//!   a: 16 rows  +---+   +-------+-------+
//!               | 5 |   |   2   |   3   |    c: 32 x 32 sums
//!               +---+   +-------+-------+
//! ```
//!
//! The tile registers are part of a thread's state: [`Tiles`] sets them up for as long as it lives. Linux hands them out on
//! request only, once a process; elsewhere they count as missing.

use std::arch::asm;
use std::arch::x86_64::__cpuid_count;
use std::sync::LazyLock;

/// Numbers of `k` that one step of the product takes.
pub const STEP: usize = 32;

/// Whether the processor has AMX with bfloat16 and the system lets this process use it.
pub fn available() -> bool {
    static AVAILABLE: LazyLock<bool> = LazyLock::new(|| {
        const BF16: u32 = 1 << 22;
        const TILE: u32 = 1 << 24;
        let features = __cpuid_count(7, 0).edx;
        features & (BF16 | TILE) == BF16 | TILE && permitted()
    });
    *AVAILABLE
}

#[cfg(target_os = "linux")]
fn permitted() -> bool {
    /// `ARCH_REQ_XCOMP_PERM`.
    const REQUEST: libc::c_long = 0x1023;
    /// The number of the tile data among the processor's state components.
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: this call takes two numbers, touches no memory of ours, and fails where the kernel does not know it.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// The tile registers of this thread, set up as eight tiles of 16 rows x 64 bytes until this is dropped.
pub struct Tiles(());

/// What `ldtilecfg` reads: palette 1, bytes of a row at 16 + 2 i, rows at 48 + i.
#[repr(C, align(64))]
struct Layout([u8; 64]);

static LAYOUT: Layout = {
    let mut bytes = [0; 64];
    bytes[0] = 1;
    let mut tile = 0;
    while tile < 8 {
        bytes[16 + 2 * tile] = 64;
        bytes[48 + tile] = 16;
        tile += 1;
    }
    Layout(bytes)
};

impl Tiles {
    /// Sets the registers up.
    ///
    /// # Safety
    /// [`available`] said yes.
    #[inline(always)]
    pub unsafe fn new() -> Self {
        // SAFETY: reads 64 bytes of a constant; the instruction is there by the caller's promise.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const LAYOUT, options(nostack, preserves_flags)) };
        Self(())
    }
}

impl Drop for Tiles {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the instruction is there, or `new` could not have been called.
        unsafe { asm!("tilerelease", options(nostack, preserves_flags, nomem)) };
    }
}

/// One stretch of `k`: where it starts, in bytes from the first number of A and of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Stretch {
    pub a: isize,
    pub b: isize,
}

/// The operands of [`multiply`]. Strides and offsets are in bytes.
#[repr(C)]
pub struct Product {
    /// The first of the upper 16 rows of A.
    pub upper: *const u16,
    /// The first of the lower 16 rows of A.
    pub lower: *const u16,
    /// From row to row of A.
    pub a_stride: usize,
    /// B, `[k / 2][32][2]`.
    pub b: *const u16,
    /// The first of the upper 16 rows of sums.
    pub upper_sums: *mut f32,
    /// The first of the lower 16 rows of sums.
    pub lower_sums: *mut f32,
    /// From row to row of the sums.
    pub c_stride: usize,
    /// Steps of [`STEP`] numbers in every stretch, at least one.
    pub steps: usize,
}

/// 32 x 32 sums over all stretches: added to what is there if `ADD`, else replaced.
///
/// # Safety
/// This thread holds [`Tiles`]; there is at least one stretch and one step; all rows of A and all of B that the stretches name are
/// readable; the 32 rows of 32 sums are valid and touched by nobody else.
#[inline(always)]
pub unsafe fn multiply<const ADD: bool>(product: &Product, stretches: &[Stretch]) {
    let end = stretches.as_ptr_range().end;
    // SAFETY: tiles 0 to 3 are the sums, loaded from and stored to the caller's 32 x 32 numbers; 4 and 5 are rows of A and 6 and 7
    // halves of B, at the addresses that the caller promised. All tile registers, flags and scratch registers are declared; the
    // stack is not used.
    unsafe {
        asm!(
            "test {add:e}, {add:e}",
            "jz 2f",
            "mov {x}, [{p} + 32]",
            "mov {y}, [{p} + 40]",
            "mov {n}, [{p} + 48]",
            "tileloadd tmm0, [{x} + {n}]",
            "tileloadd tmm1, [{x} + {n} + 64]",
            "tileloadd tmm2, [{y} + {n}]",
            "tileloadd tmm3, [{y} + {n} + 64]",
            "jmp 3f",
            "2:",
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            // a stretch
            "3:",
            "mov {x}, [{p}]",
            "mov {y}, [{p} + 8]",
            "mov {b}, [{p} + 24]",
            "mov {n}, [{p} + 56]",
            "add {x}, [{t}]",
            "add {y}, [{t}]",
            "add {b}, [{t} + 8]",
            // a step
            "4:",
            "tileloadd tmm4, [{x} + {lda}]",
            "tileloadd tmm6, [{b} + {ldb}]",
            "tileloadd tmm7, [{b} + {ldb} + 64]",
            "tdpbf16ps tmm0, tmm4, tmm6",
            "tileloadd tmm5, [{y} + {lda}]",
            "tdpbf16ps tmm1, tmm4, tmm7",
            "tdpbf16ps tmm2, tmm5, tmm6",
            "tdpbf16ps tmm3, tmm5, tmm7",
            "add {x}, 64",
            "add {y}, 64",
            "add {b}, 2048",
            "dec {n}",
            "jnz 4b",
            "add {t}, 16",
            "cmp {t}, {end}",
            "jne 3b",
            "mov {x}, [{p} + 32]",
            "mov {y}, [{p} + 40]",
            "mov {n}, [{p} + 48]",
            "tilestored [{x} + {n}], tmm0",
            "tilestored [{x} + {n} + 64], tmm1",
            "tilestored [{y} + {n}], tmm2",
            "tilestored [{y} + {n} + 64], tmm3",
            p = in(reg) product,
            add = in(reg) u32::from(ADD),
            lda = in(reg) product.a_stride,
            ldb = in(reg) 128usize,
            t = inout(reg) stretches.as_ptr() => _,
            end = in(reg) end,
            x = out(reg) _,
            y = out(reg) _,
            b = out(reg) _,
            n = out(reg) _,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
