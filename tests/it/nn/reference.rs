//! The reference files, the formula that both sides fill large tensors with, and how to compare.

use std::collections::HashMap;
use std::path::PathBuf;

use candle_core::{Device, Tensor, Var};

pub struct Reference(HashMap<String, Tensor>);

pub fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "reference", "nn", file].iter().collect()
}

impl Reference {
    pub fn open(file: &str) -> Self {
        Self(candle_core::safetensors::load(path(file), &Device::Cpu).expect("a reference file"))
    }

    pub fn get(&self, name: &str) -> &Tensor {
        self.0.get(name).unwrap_or_else(|| panic!("the reference has no {name}"))
    }

    pub fn var(&self, name: &str) -> Var {
        Var::from_tensor(self.get(name)).expect("a variable")
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

/// `count` numbers in [-1, 1), as `formula` in make.py.
pub fn formula(count: usize, stream: u64) -> Vec<f32> {
    let start = stream.wrapping_mul(0xd134_2543_de82_ef95);
    let number = |i: u64| {
        let z = start.wrapping_add((i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    };
    (0..count as u64).map(number).collect()
}

pub fn draw(shape: &[usize], stream: u64) -> Tensor {
    Tensor::from_vec(formula(shape.iter().product(), stream), shape, &Device::Cpu).expect("a tensor")
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().and_then(|t| t.to_vec1()).expect("f32 values")
}

/// The distance of two vectors relative to the second.
pub fn distance(ours: &[f32], theirs: &[f32]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    let square = |x: f64| x * x;
    let difference: f64 = ours.iter().zip(theirs).map(|(&a, &b)| square(f64::from(a) - f64::from(b))).sum();
    let norm: f64 = theirs.iter().map(|&b| square(f64::from(b))).sum();
    (difference / norm.max(1e-30)).sqrt()
}

/// Fails unless `ours` has the shape of `theirs` and lies within `tolerance` of it.
#[track_caller]
pub fn assert_close(what: &str, ours: &Tensor, theirs: &Tensor, tolerance: f64) {
    assert_eq!(ours.dims(), theirs.dims(), "{what}: shape");
    let error = distance(&values(ours), &values(theirs));
    assert!(error <= tolerance, "{what}: relative error {error:.2e}");
}
