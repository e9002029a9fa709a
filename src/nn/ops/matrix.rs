//! Matrix products on f32 slices: the `gemm` crate behind bounds checks.
//!
//! `gemm` splits a product among threads by rows and columns only and sums over the inner dimension in one fixed order, so
//! the result does not depend on the number of threads.
#![allow(unsafe_code, reason = "`gemm::gemm` takes raw pointers; the checks are here")]

use gemm::Parallelism;

/// A dense matrix somewhere in a slice, row by row or column by column.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` x `columns` numbers, row by row.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(data.len(), rows * columns, "a {rows} x {columns} matrix");
        Self { data, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// Rows and columns exchanged, without moving anything.
    pub fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }
}

/// Whether a product may use several threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Only the calling one.
    One,
    /// All of the current pool.
    All,
}

/// `destination = left * right`, or `destination += left * right` if `accumulate`; `destination` is row by row.
pub fn multiply(destination: &mut [f32], left: Matrix, right: Matrix, accumulate: bool, threads: Threads) {
    let (m, k, n) = (left.rows, left.columns, right.columns);
    assert_eq!(right.rows, k, "inner dimensions of a matrix product");
    assert_eq!(destination.len(), m * n, "the result of a {m} x {k} by {k} x {n} product");
    let parallelism = match threads {
        Threads::One => Parallelism::None,
        Threads::All => Parallelism::Rayon(0),
    };
    // SAFETY: each of the three matrices covers exactly `rows * columns` elements of its slice (checked above and in
    // `Matrix::new`; transposing keeps the set of offsets), so every access is in bounds; strides fit `isize` because the
    // slices exist; `destination` is borrowed exclusively, so it overlaps neither operand.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            destination.as_mut_ptr(),
            1,
            n.cast_signed(),
            accumulate,
            left.data.as_ptr(),
            left.column_stride.cast_signed(),
            left.row_stride.cast_signed(),
            right.data.as_ptr(),
            right.column_stride.cast_signed(),
            right.row_stride.cast_signed(),
            1.0,
            1.0,
            false,
            false,
            false,
            parallelism,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "small whole numbers are exact")]
    fn small_products_by_hand() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let b = [1.0, 0.0, 2.0, 0.0, 1.0, 3.0];
        let mut c = [10.0; 4];
        // [[1 2 3] [4 5 6]] by the transpose of [[1 0 2] [0 1 3]]
        multiply(&mut c, Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).transposed(), false, Threads::One);
        assert_eq!(c, [7.0, 11.0, 16.0, 23.0]);
        multiply(&mut c, Matrix::new(&a, 2, 3), Matrix::new(&b, 2, 3).transposed(), true, Threads::All);
        assert_eq!(c, [14.0, 22.0, 32.0, 46.0]);
    }
}
