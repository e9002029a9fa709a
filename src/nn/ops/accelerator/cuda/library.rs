//! The handles of cuDNN and cuBLAS.

use cudarc::cublas::{result as cublas, sys as cublas_sys};
use cudarc::cudnn::{result as cudnn, sys as cudnn_sys};
use cudarc::driver::CudaStream;

use super::{Result, failed};

/// The handles of both libraries, which work in one stream.
pub struct Handles {
    pub cudnn: cudnn_sys::cudnnHandle_t,
    pub cublas: cublas_sys::cublasHandle_t,
}

impl Handles {
    /// Opens both. The context must be bound.
    pub fn new(stream: &CudaStream) -> Result<Self> {
        let cudnn_handle = cudnn::create_handle().map_err(|e| failed("cuDNN", &e))?;
        let cublas_handle = cublas::create_handle().map_err(|e| failed("cuBLAS", &e))?;
        let handles = Self { cudnn: cudnn_handle, cublas: cublas_handle };
        // SAFETY: both handles were just made; the stream lives as long as they do, in the same device
        unsafe {
            cudnn::set_stream(handles.cudnn, stream.cu_stream().cast()).map_err(|e| failed("cuDNN", &e))?;
            cublas::set_stream(handles.cublas, stream.cu_stream().cast()).map_err(|e| failed("cuBLAS", &e))?;
        }
        Ok(handles)
    }
}

impl Drop for Handles {
    fn drop(&mut self) {
        // SAFETY: made in `new`, destroyed once. If the device is lost there is nobody to tell
        unsafe {
            let _ = cudnn::destroy_handle(self.cudnn);
            let _ = cublas::destroy_handle(self.cublas);
        }
    }
}
