//! Types and layouts.

use half::{bf16, f16};
use tuning_fork::nn::ops::accelerator::kernels::{Storage, each, matrices, names, source};
use tuning_fork::random::{Purpose, Random};

use super::device::{Memory, Of, U32, U64, devices};

#[test]
fn every_number_of_16_bits_is_read_and_kept() {
    for device in devices().into_iter().filter(|device| device.storage != Storage::F32) {
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let bytes: Vec<u8> = all.iter().flat_map(|bits| bits.to_ne_bytes()).collect();
        let (memory, wide, back) = (Memory::new(&bytes), Memory::empty(4 * all.len()), Memory::empty(bytes.len()));
        let count = U64(all.len() as u64);
        device.launch("from_store", each(all.len() as u64), &[Of(&memory), count, Of(&wide)]);
        for (number, want) in wide.f32s().iter().zip(device.read(&memory)) {
            assert!(number.to_bits() == want.to_bits() || number.is_nan() && want.is_nan(), "{number} instead of {want}");
        }
        device.launch("to_store", each(all.len() as u64), &[Of(&wide), count, Of(&back)]);
        for (after, before) in device.read(&back).iter().zip(device.read(&memory)) {
            assert!(after.to_bits() == before.to_bits() || after.is_nan() && before.is_nan(), "{after} instead of {before}");
        }
    }
}

#[test]
fn numbers_of_32_bits_are_rounded_to_the_nearest() {
    for device in devices().into_iter().filter(|device| device.storage != Storage::F32) {
        let mut random = Random::new(5, Purpose::Test, &[]);
        let mut values: Vec<f32> = (0..200_000).map(|_| f32::from_bits(random.bits() as u32)).collect();
        // numbers between the largest and infinity, ties, and what is below the normal ones
        values.extend([65504.0, 65519.99, 65520.0, 65536.0, f32::MAX, f32::INFINITY, f32::NAN, 1.0 + 1.0 / 2048.0, 1.0 + 3.0 / 2048.0]);
        values.extend((0..40_000).map(|i| 2f32.powi(-26) * i as f32 * 0.37).flat_map(|v| [v, -v]));
        let (memory, out) = (Memory::of_f32(&values), device.room(values.len()));
        device.launch("to_store", each(values.len() as u64), &[Of(&memory), U64(values.len() as u64), Of(&out)]);
        let want = |value: f32| match device.storage {
            Storage::F16 => f16::from_f32(value).to_bits(),
            _ => bf16::from_f32(value).to_bits(),
        };
        let bytes = out.bytes();
        for ((got, value), read) in bytes.as_chunks::<2>().0.iter().zip(&values).zip(device.read(&out)) {
            let got = u16::from_ne_bytes(*got);
            assert!(got == want(*value) || value.is_nan() && read.is_nan(), "{value:e}: {got:x} instead of {:x}", want(*value));
        }
    }
}

#[test]
fn matrices_are_transposed_and_turned_back() {
    for device in devices() {
        for (batch, rows, columns) in [(1usize, 1usize, 1usize), (2, 3, 70), (3, 33, 31), (1, 64, 32)] {
            let x = device.numbers(1, batch * rows * columns);
            let mut want = vec![0.0; x.len()];
            for (i, value) in x.iter().enumerate() {
                let (matrix, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
                want[matrix * rows * columns + column * rows + row] = *value;
            }
            let there = [U32(rows as u32), U32(columns as u32)];
            let back = [U32(columns as u32), U32(rows as u32)];
            let grid = matrices(batch as u32, rows as u32, columns as u32);
            let other = matrices(batch as u32, columns as u32, rows as u32);
            let (wide, stored, stored_out) = (Memory::empty(4 * x.len()), device.stored(&x), device.room(x.len()));
            device.launch("transpose_store", grid, &[Of(&stored), there[0], there[1], Of(&stored_out)]);
            assert_eq!(device.read(&stored_out), want);
            device.launch("transpose_from_store", other, &[Of(&stored_out), back[0], back[1], Of(&wide)]);
            assert_eq!(wide.f32s(), x);
            device.launch("transpose_to_store", other, &[Of(&Memory::of_f32(&want)), back[0], back[1], Of(&stored)]);
            assert_eq!(device.read(&stored), x);
        }
    }
}

#[test]
fn the_source_is_whole_for_every_type() {
    let all = names();
    for storage in Storage::ALL {
        let text = source(storage);
        assert!(!text.contains("#include"), "nvrtc has no files of others");
        assert!(all.iter().all(|name| text.contains(&format!("KERNEL {name}("))));
    }
    let mut once = all.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), all.len());
}
