//! The ladder of instruction sets, chosen at run time.

use std::sync::atomic::{AtomicU8, Ordering};

/// One step of the ladder: which instructions the products run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Step {
    /// Plain Rust that the compiler vectorises for the lowest common processor.
    Portable = 1,
    /// x86-64 with AVX2 and FMA (most laptops since 2013), 32-bit floats.
    Avx2 = 2,
    /// x86-64 with AVX-512, 32-bit floats.
    Avx512 = 3,
    /// x86-64 with AMX: every number as the sum of two bfloat16, three products of them, 32-bit sums. Within 2e-5 of 32-bit
    /// arithmetic.
    AmxBf16x3 = 4,
    /// x86-64 with AVX-512 BF16: bfloat16 products, 32-bit sums.
    Avx512Bf16 = 5,
    /// x86-64 with AMX: bfloat16 products of whole tiles, 32-bit sums.
    AmxBf16 = 6,
}

/// 0: not forced; else the number of the forced step.
static FORCED: AtomicU8 = AtomicU8::new(0);

impl Step {
    /// All steps: those with 32-bit accuracy, slowest first, then those with bfloat16 products, slowest first.
    pub const ALL: [Self; 6] = [Self::Portable, Self::Avx2, Self::Avx512, Self::AmxBf16x3, Self::Avx512Bf16, Self::AmxBf16];

    /// Whether this machine has the instructions.
    #[must_use]
    pub fn available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => ["avx512f", "avx512bw", "avx512vl", "avx512dq"].iter().all(|f| has(f)),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Bf16 => Self::Avx512.available() && is_x86_feature_detected!("avx512bf16"),
            #[cfg(target_arch = "x86_64")]
            Self::AmxBf16x3 | Self::AmxBf16 => Self::Avx512Bf16.available() && super::amx::available(),
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// Whether products keep 32-bit accuracy.
    #[must_use]
    pub fn is_f32(self) -> bool {
        !matches!(self, Self::Avx512Bf16 | Self::AmxBf16)
    }

    /// Whether whole tiles are multiplied by AMX.
    #[must_use]
    pub fn is_amx(self) -> bool {
        matches!(self, Self::AmxBf16x3 | Self::AmxBf16)
    }

    /// The fastest available step that computes in 32-bit floats throughout, or the forced one.
    #[must_use]
    pub fn best_f32() -> Self {
        Self::fastest(|step| step.is_f32() && !step.is_amx())
    }

    /// The fastest available step that keeps 32-bit accuracy, or the forced one.
    #[must_use]
    pub fn best_accurate() -> Self {
        Self::fastest(Self::is_f32)
    }

    /// The fastest available step with bfloat16 products, or the forced one; falls back to 32-bit where there is none.
    #[must_use]
    pub fn best_bf16() -> Self {
        Self::fastest(|_| true)
    }

    fn fastest(fits: impl Fn(Self) -> bool) -> Self {
        forced().unwrap_or_else(|| Self::ALL.into_iter().rev().find(|s| fits(*s) && s.available()).unwrap_or(Self::Portable))
    }

    /// Forces one step for the whole process (tests and benchmarks), or lets the machine choose again with `None`.
    ///
    /// # Errors
    /// If the machine lacks the instructions.
    pub fn force(step: Option<Self>) -> Result<(), String> {
        if let Some(missing) = step.filter(|s| !s.available()) {
            let there: Vec<_> = Self::ALL.into_iter().filter(|s| s.available()).map(Self::name).collect();
            return Err(format!("this processor has no {missing}; it has {}", there.join(", ")));
        }
        FORCED.store(step.map_or(0, |s| s as u8), Ordering::Relaxed);
        Ok(())
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512-bf16",
            Self::AmxBf16x3 => "amx-bf16x3",
            Self::AmxBf16 => "amx-bf16",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Portable => "portable f32",
            Self::Avx2 => "AVX2 f32",
            Self::Avx512 => "AVX-512 f32",
            Self::Avx512Bf16 => "AVX-512 bf16",
            Self::AmxBf16x3 => "AMX bf16x3 (f32 accuracy)",
            Self::AmxBf16 => "AMX bf16",
        })
    }
}

impl std::str::FromStr for Step {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|s| s.name() == name)
            .ok_or_else(|| format!("no step {name}; choose one of {:?}", Self::ALL.map(Self::name)))
    }
}

fn forced() -> Option<Step> {
    let number = FORCED.load(Ordering::Relaxed);
    Step::ALL.into_iter().find(|s| *s as u8 == number)
}

#[cfg(target_arch = "x86_64")]
fn has(feature: &str) -> bool {
    match feature {
        "avx512f" => is_x86_feature_detected!("avx512f"),
        "avx512bw" => is_x86_feature_detected!("avx512bw"),
        "avx512vl" => is_x86_feature_detected!("avx512vl"),
        "avx512dq" => is_x86_feature_detected!("avx512dq"),
        _ => false,
    }
}
