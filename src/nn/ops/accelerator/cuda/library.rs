//! The handles of cuDNN and cuBLAS.

use cudarc::cublas::{result as cublas, sys as cublas_sys};
use cudarc::cudnn::{result as cudnn, sys as cudnn_sys};
use cudarc::driver::CudaStream;

use super::super::AcceleratorError;
use super::{Result, failed};

/// What a failed call of cuDNN means.
pub fn of_cudnn(error: cudnn::CudnnError) -> AcceleratorError {
    use cudnn_sys::cudnnStatus_t as Status;
    let no_memory = matches!(
        error.0,
        Status::CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED | Status::CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED
    );
    failed("cuDNN", no_memory, &error)
}

/// What a failed call of cuBLAS means.
pub fn of_cublas(error: cublas::CublasError) -> AcceleratorError {
    failed("cuBLAS", error.0 == cublas_sys::cublasStatus_t::CUBLAS_STATUS_ALLOC_FAILED, &error)
}

/// The handles of both libraries, which work in one stream.
pub struct Handles {
    pub cudnn: cudnn_sys::cudnnHandle_t,
    pub cublas: cublas_sys::cublasHandle_t,
}

impl Handles {
    /// Opens both. The context must be bound.
    pub fn new(stream: &CudaStream) -> Result<Self> {
        // what is made before a failure goes with `handles`
        let mut handles = Self { cudnn: std::ptr::null_mut(), cublas: std::ptr::null_mut() };
        handles.cudnn = cudnn::create_handle().map_err(of_cudnn)?;
        handles.cublas = cublas::create_handle().map_err(of_cublas)?;
        // SAFETY: both handles were just made; the stream lives as long as they do, in the same device
        unsafe {
            cudnn::set_stream(handles.cudnn, stream.cu_stream().cast()).map_err(of_cudnn)?;
            cublas::set_stream(handles.cublas, stream.cu_stream().cast()).map_err(of_cublas)?;
        }
        Ok(handles)
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        // SAFETY: each was made in `new` or is null, and is destroyed once. If the device is lost there is nobody to tell
        unsafe {
            if !self.cudnn.is_null() {
                let _ = cudnn::destroy_handle(self.cudnn);
            }
            if !self.cublas.is_null() {
                let _ = cublas::destroy_handle(self.cublas);
            }
        }
    }
}
