//! Matrix products by cuBLAS.

use std::ffi::c_int;

use cudarc::cublas::result as cublas;
use cudarc::cublas::sys::{cublasComputeType_t, cublasGemmAlgo_t, cublasOperation_t, cudaDataType_t};

use super::super::kernels::Storage;
use super::super::{AcceleratorError, Arithmetic, Product, View};
use super::Result;
use super::library::{Handles, of_cublas};

/// How cuBLAS calls a format.
fn data_type(storage: Storage) -> cudaDataType_t {
    match storage {
        Storage::F32 => cudaDataType_t::CUDA_R_32F,
        Storage::Bf16 => cudaDataType_t::CUDA_R_16BF,
        Storage::F16 => cudaDataType_t::CUDA_R_16F,
    }
}

/// c = a b, row by row. cuBLAS counts column by column, where the same memory is the transpose: so it is asked for the transpose of c,
/// which is that of b times that of a.
pub fn multiply(handles: &Handles, product: Product, arithmetic: Arithmetic, a: View, b: View, c: View) -> Result<()> {
    let Product { rows, columns, inner, a_transposed, b_transposed, wide, accumulate } = product;
    let storage = arithmetic.storage();
    let result = if wide { Storage::F32 } else { storage };
    a.at_least(rows * inner * storage.bytes(), "a")?;
    b.at_least(inner * columns * storage.bytes(), "b")?;
    c.at_least(rows * columns * result.bytes(), "c")?;
    let int = |n: usize| c_int::try_from(n).map_err(|_| AcceleratorError::Misused(format!("a matrix with a side of {n}")));
    let operation = |transposed| if transposed { cublasOperation_t::CUBLAS_OP_T } else { cublasOperation_t::CUBLAS_OP_N };
    let compute = match arithmetic {
        Arithmetic::Tf32 => cublasComputeType_t::CUBLAS_COMPUTE_32F_FAST_TF32,
        _ => cublasComputeType_t::CUBLAS_COMPUTE_32F,
    };
    let (one, before) = (1.0f32, if accumulate { 1.0f32 } else { 0.0 });
    // SAFETY: the handle is open; the three matrices have as many numbers as the sizes say, checked above; the factors are read before
    // the call returns, because the handle takes them from the host
    unsafe {
        cublas::gemm_ex(
            handles.cublas,
            operation(b_transposed),
            operation(a_transposed),
            int(columns)?,
            int(rows)?,
            int(inner)?,
            (&raw const one).cast(),
            b.address() as *const _,
            data_type(storage),
            int(if b_transposed { inner } else { columns })?,
            a.address() as *const _,
            data_type(storage),
            int(if a_transposed { rows } else { inner })?,
            (&raw const before).cast(),
            c.address() as *mut _,
            data_type(result),
            int(columns)?,
            compute,
            cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
        )
    }
    .map_err(of_cublas)
}
