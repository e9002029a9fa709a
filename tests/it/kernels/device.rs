//! The processor as a device: memory that notices a kernel writing beyond it, and launches.

#![expect(unsafe_code, reason = "kernels are called by name and address")]

use std::cell::Cell;
use std::ffi::c_void;

use half::{bf16, f16};
use tuning_fork::nn::ops::accelerator::kernels::host::Library;
use tuning_fork::nn::ops::accelerator::kernels::{Launch, Storage};
use tuning_fork::random::{Purpose, Random};

/// Where kernels run.
pub struct Device {
    library: &'static Library,
    pub storage: Storage,
}

/// The processor for each storage type; none where there is no C++ compiler.
pub fn devices() -> Vec<Device> {
    let load = |storage| match Library::load(storage) {
        Ok(library) => Some(Device { library, storage }),
        Err(reason) if reason.contains("no C++ compiler") => {
            eprintln!("skipped: no C++ compiler");
            None
        }
        Err(reason) => panic!("{reason}"),
    };
    Storage::ALL.into_iter().filter_map(load).collect()
}

#[derive(Clone, Copy)]
#[repr(align(16))]
struct Line([u8; 16]);

/// Memory of the device. Behind it lie guards that no kernel may change.
pub struct Memory {
    lines: Vec<Cell<Line>>,
    bytes: usize,
}

const GUARDS: usize = 4;
const GUARD: Line = Line([0xa5; 16]);

impl Memory {
    pub fn new(bytes: &[u8]) -> Self {
        let line = |part: &[u8]| {
            let mut line = GUARD;
            line.0[..part.len()].copy_from_slice(part);
            Cell::new(line)
        };
        let guards = std::iter::repeat_with(|| Cell::new(GUARD)).take(GUARDS);
        Self { lines: bytes.chunks(16).map(line).chain(guards).collect(), bytes: bytes.len() }
    }

    pub fn of_f32(values: &[f32]) -> Self {
        Self::new(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<_>>())
    }

    pub fn of_f64(values: &[f64]) -> Self {
        Self::new(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<_>>())
    }

    pub fn of_u32(values: &[u32]) -> Self {
        Self::new(&values.iter().flat_map(|v| v.to_ne_bytes()).collect::<Vec<_>>())
    }

    /// Memory that holds nothing useful.
    pub fn empty(bytes: usize) -> Self {
        Self::new(&vec![0xff; bytes])
    }

    /// Puts other bytes into it.
    pub fn write(&self, bytes: &[u8]) {
        assert_eq!(bytes.len(), self.bytes);
        for (line, part) in self.lines.iter().zip(bytes.chunks(16)) {
            let mut all = line.get();
            all.0[..part.len()].copy_from_slice(part);
            line.set(all);
        }
    }

    pub fn address(&self) -> *mut c_void {
        self.lines.as_ptr().cast_mut().cast()
    }

    /// What is in it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all: Vec<u8> = self.lines.iter().flat_map(|line| line.get().0).collect();
        assert!(all[self.bytes..].iter().all(|byte| *byte == 0xa5), "a kernel wrote beyond the end");
        all.truncate(self.bytes);
        all
    }

    pub fn f32s(&self) -> Vec<f32> {
        self.bytes().as_chunks::<4>().0.iter().map(|v| f32::from_ne_bytes(*v)).collect()
    }

    pub fn f64s(&self) -> Vec<f64> {
        self.bytes().as_chunks::<8>().0.iter().map(|v| f64::from_ne_bytes(*v)).collect()
    }

    pub fn u32s(&self) -> Vec<u32> {
        self.bytes().as_chunks::<4>().0.iter().map(|v| u32::from_ne_bytes(*v)).collect()
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy)]
pub enum Arg<'a> {
    Of(&'a Memory),
    Null,
    U32(u32),
    U64(u64),
    F32(f32),
    F64(f64),
}

pub use Arg::{F32, F64, Null, Of, U32, U64};

impl Device {
    /// Numbers in the storage type.
    pub fn stored(&self, values: &[f32]) -> Memory {
        let bytes = |v: &f32| match self.storage {
            Storage::F32 => v.to_ne_bytes().to_vec(),
            Storage::Bf16 => bf16::from_f32(*v).to_ne_bytes().to_vec(),
            Storage::F16 => f16::from_f32(*v).to_ne_bytes().to_vec(),
        };
        Memory::new(&values.iter().flat_map(bytes).collect::<Vec<_>>())
    }

    /// Room for `numbers` in the storage type.
    pub fn room(&self, numbers: usize) -> Memory {
        Memory::empty(numbers * self.storage.bytes())
    }

    /// The numbers of a memory in the storage type.
    pub fn read(&self, memory: &Memory) -> Vec<f32> {
        let bytes = memory.bytes();
        let halves = || bytes.as_chunks::<2>().0.iter();
        match self.storage {
            Storage::F32 => memory.f32s(),
            Storage::Bf16 => halves().map(|v| bf16::from_ne_bytes(*v).to_f32()).collect(),
            Storage::F16 => halves().map(|v| f16::from_ne_bytes(*v).to_f32()).collect(),
        }
    }

    /// The number as the storage type holds it.
    pub fn rounded(&self, value: f32) -> f32 {
        match self.storage {
            Storage::F32 => value,
            Storage::Bf16 => bf16::from_f32(value).to_f32(),
            Storage::F16 => f16::from_f32(value).to_f32(),
        }
    }

    /// Normal numbers that the storage type holds.
    pub fn numbers(&self, seed: u64, length: usize) -> Vec<f32> {
        let mut random = Random::new(seed, Purpose::Test, &[length as u64]);
        (0..length).map(|_| self.rounded(random.normal() as f32)).collect()
    }

    /// The relative error that one rounding to the storage type makes, above that of f32 sums.
    pub fn bound(&self) -> f64 {
        match self.storage {
            Storage::F32 => 1e-5,
            Storage::Bf16 => 4e-3,
            Storage::F16 => 5e-4,
        }
    }

    pub fn launch(&self, name: &str, launch: Launch, arguments: &[Arg]) {
        let mut values: Vec<u64> = arguments
            .iter()
            .map(|argument| match *argument {
                Arg::Of(memory) => memory.address() as u64,
                Arg::Null => 0,
                // the first bytes of the eight are the value's
                Arg::U32(value) => u64::from_ne_bytes(padded(value.to_ne_bytes())),
                Arg::F32(value) => u64::from_ne_bytes(padded(value.to_ne_bytes())),
                Arg::U64(value) => value,
                Arg::F64(value) => value.to_bits(),
            })
            .collect();
        let mut addresses: Vec<*mut c_void> = values.iter_mut().map(|value| std::ptr::from_mut(value).cast()).collect();
        // SAFETY: every test gives a kernel its own arguments, and memory (of cells, which may change) as long as its comment says.
        unsafe { self.library.launch(name, launch, &mut addresses) }.expect("a kernel of this name");
    }
}

fn padded([a, b, c, d]: [u8; 4]) -> [u8; 8] {
    [a, b, c, d, 0, 0, 0, 0]
}

/// The largest difference, in parts of the number or of the root mean square, whichever is larger.
pub fn difference(got: &[f32], want: &[f32]) -> f64 {
    assert_eq!(got.len(), want.len());
    let square: f64 = want.iter().map(|w| f64::from(*w).powi(2)).sum();
    let usual = (square / want.len().max(1) as f64).sqrt().max(1e-30);
    let one = |(g, w): (&f32, &f32)| (f64::from(*g) - f64::from(*w)).abs() / f64::from(w.abs()).max(usual);
    got.iter().zip(want).map(one).fold(0.0, |worst, d| if d.is_nan() { f64::INFINITY } else { worst.max(d) })
}

#[track_caller]
pub fn close(got: &[f32], want: &[f32], bound: f64, what: &str) {
    let difference = difference(got, want);
    assert!(difference <= bound, "{what}: {difference:e} is above {bound:e}");
}
