//! Convolutions by cuDNN, with the fastest algorithm of each shape. The first time a shape comes, cuDNN tries them all on the arguments
//! themselves; only algorithms whose sums have a fixed order count. Two programs may find different ones the fastest and then
//! differ in the last bits.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{c_int, c_void};

use cudarc::cudnn::result as cudnn;
use cudarc::cudnn::sys::{
    self, cudnnConvolutionBwdDataAlgo_t as InputAlgorithm, cudnnConvolutionBwdFilterAlgo_t as WeightAlgorithm,
    cudnnConvolutionDescriptor_t, cudnnConvolutionFwdAlgo_t as ForwardAlgorithm, cudnnConvolutionMode_t, cudnnDataType_t,
    cudnnDeterminism_t, cudnnFilterDescriptor_t, cudnnMathType_t, cudnnStatus_t, cudnnTensorDescriptor_t, cudnnTensorFormat_t,
};

use super::super::kernels::Storage;
use super::super::{Accelerator, AcceleratorError, Arithmetic, Convolution, Memory, Pass, View};
use super::library::of_cudnn;
use super::{Cuda, Result};

/// Algorithms that cuDNN may try; there are fewer.
const ATTEMPTS: usize = 16;
/// The most working memory that an algorithm may ask for.
const LARGEST_WORKSPACE: usize = 1 << 30;

/// What a plan is for. What was found to be the fastest on well aligned memory may not run on a part of a batch that begins anywhere.
type Key = (Pass, Convolution, Arithmetic, bool);

/// Plans by shape, and the working memory that they share.
#[derive(Default)]
pub struct Convolutions {
    plans: HashMap<Key, Plan>,
    workspace: Option<Memory>,
}

/// A chosen algorithm.
#[derive(Clone, Copy)]
enum Algorithm {
    Forward(ForwardAlgorithm),
    Input(InputAlgorithm),
    Weight(WeightAlgorithm),
}

struct Plan {
    descriptors: Descriptors,
    algorithm: Algorithm,
    workspace: usize,
}

/// What cuDNN knows of a shape.
struct Descriptors {
    x: cudnnTensorDescriptor_t,
    w: cudnnFilterDescriptor_t,
    y: cudnnTensorDescriptor_t,
    convolution: cudnnConvolutionDescriptor_t,
}

impl Descriptors {
    fn new(shape: Convolution, arithmetic: Arithmetic) -> Result<Self> {
        let int = |n: usize| c_int::try_from(n).map_err(|_| AcceleratorError::Misused(format!("a convolution with a side of {n}")));
        let Convolution { images, height, width, inputs, outputs } = shape;
        let (n, h, w, c, k) = (int(images)?, int(height)?, int(width)?, int(inputs)?, int(outputs)?);
        let (format, kind) = (cudnnTensorFormat_t::CUDNN_TENSOR_NHWC, data_type(arithmetic.storage()));
        // what is made before a failure goes with `all`
        let mut all = Self { x: std::ptr::null_mut(), w: std::ptr::null_mut(), y: std::ptr::null_mut(), convolution: std::ptr::null_mut() };
        all.x = cudnn::create_tensor_descriptor().map_err(of_cudnn)?;
        all.y = cudnn::create_tensor_descriptor().map_err(of_cudnn)?;
        all.w = cudnn::create_filter_descriptor().map_err(of_cudnn)?;
        all.convolution = cudnn::create_convolution_descriptor().map_err(of_cudnn)?;
        // SAFETY: all four were just made
        unsafe {
            cudnn::set_tensor4d_descriptor(all.x, format, kind, [n, c, h, w]).map_err(of_cudnn)?;
            cudnn::set_tensor4d_descriptor(all.y, format, kind, [n, k, h, w]).map_err(of_cudnn)?;
            cudnn::set_filter4d_descriptor(all.w, kind, format, [k, c, 3, 3]).map_err(of_cudnn)?;
            let mode = cudnnConvolutionMode_t::CUDNN_CROSS_CORRELATION;
            cudnn::set_convolution2d_descriptor(all.convolution, 1, 1, 1, 1, 1, 1, mode, cudnnDataType_t::CUDNN_DATA_FLOAT)
                .map_err(of_cudnn)?;
            cudnn::set_convolution_math_type(all.convolution, math(arithmetic)).map_err(of_cudnn)?;
        }
        Ok(all)
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        // SAFETY: each was made in `new` or is null, and is destroyed once
        unsafe {
            for tensor in [self.x, self.y].into_iter().filter(|tensor| !tensor.is_null()) {
                let _ = cudnn::destroy_tensor_descriptor(tensor);
            }
            if !self.w.is_null() {
                let _ = cudnn::destroy_filter_descriptor(self.w);
            }
            if !self.convolution.is_null() {
                let _ = cudnn::destroy_convolution_descriptor(self.convolution);
            }
        }
    }
}

fn data_type(storage: Storage) -> cudnnDataType_t {
    match storage {
        Storage::F32 => cudnnDataType_t::CUDNN_DATA_FLOAT,
        Storage::Bf16 => cudnnDataType_t::CUDNN_DATA_BFLOAT16,
        Storage::F16 => cudnnDataType_t::CUDNN_DATA_HALF,
    }
}

/// Which units may multiply. On cards from compute capability 8.0 on "default" means TF32 for f32.
fn math(arithmetic: Arithmetic) -> cudnnMathType_t {
    match arithmetic {
        Arithmetic::F32 => cudnnMathType_t::CUDNN_FMA_MATH,
        Arithmetic::Tf32 => cudnnMathType_t::CUDNN_DEFAULT_MATH,
        Arithmetic::Bf16 | Arithmetic::F16 => cudnnMathType_t::CUDNN_TENSOR_OP_MATH,
    }
}

/// What cuDNN found out about one algorithm.
struct Found<A> {
    algorithm: A,
    status: cudnnStatus_t,
    memory: usize,
    determinism: cudnnDeterminism_t,
    math: cudnnMathType_t,
}

/// Calls one of the three searches and brings its answers, which are sorted by time, into one form.
macro_rules! search {
    ($function:path, $record:ty, $handle:expr, $($argument:expr),+; $workspace:expr, $bytes:expr) => {{
        let mut count: c_int = 0;
        // SAFETY: plain numbers, for which all bytes 0 is a value of every field
        let mut records: [$record; ATTEMPTS] = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptors are those of the arguments, whose lengths were checked; there is room for the answers
        unsafe {
            $function($handle, $($argument),+, ATTEMPTS as c_int, &raw mut count, records.as_mut_ptr(), $workspace, $bytes)
        }
        .result()
        .map_err(of_cudnn)?;
        let count = usize::try_from(count).unwrap_or(0).min(ATTEMPTS);
        records[..count]
            .iter()
            .map(|r| Found { algorithm: r.algo, status: r.status, memory: r.memory, determinism: r.determinism, math: r.mathType })
            .collect::<Vec<_>>()
    }};
}

/// The fastest that worked, has a fixed order of sums, fits the working memory, and multiplies as was asked for.
fn fastest<A: Copy>(found: &[Found<A>], arithmetic: Arithmetic) -> Result<(A, cudnnMathType_t, usize)> {
    use cudnnMathType_t::{CUDNN_TENSOR_OP_MATH, CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION};
    let exact = |math| match arithmetic {
        // what was found without tensor cores is sometimes called "default"
        Arithmetic::F32 => math != CUDNN_TENSOR_OP_MATH && math != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
        // the conversion is one to f16, which has not the range
        Arithmetic::Tf32 => math != CUDNN_TENSOR_OP_MATH_ALLOW_CONVERSION,
        Arithmetic::Bf16 | Arithmetic::F16 => true,
    };
    let usable = |found: &&Found<A>| {
        found.status == cudnnStatus_t::CUDNN_STATUS_SUCCESS
            && found.determinism == cudnnDeterminism_t::CUDNN_DETERMINISTIC
            && exact(found.math)
    };
    let best = found.iter().find(usable);
    let best = best.ok_or_else(|| {
        AcceleratorError::Unavailable(format!(
            "cuDNN has no algorithm in {} for a convolution of this network; choose another precision, install a newer cuDNN, or compute on \
             the CPU",
            arithmetic.name()
        ))
    })?;
    // f32 stays what it was asked to be, whatever cuDNN calls it
    let math = if arithmetic == Arithmetic::F32 { math(arithmetic) } else { best.math };
    Ok((best.algorithm, math, best.memory))
}

impl Convolutions {
    /// Runs a pass; x, w and y in this order, of which the pass says what is written.
    pub fn run(&mut self, device: &Cuda, pass: Pass, shape: Convolution, arithmetic: Arithmetic, views: [View; 3]) -> Result<()> {
        let aligned = views.iter().all(|view| view.address().is_multiple_of(16));
        let key = (pass, shape, arithmetic, aligned);
        let plan = match self.plans.entry(key) {
            Entry::Occupied(plan) => plan.into_mut(),
            Entry::Vacant(place) => place.insert(plan(device, pass, shape, arithmetic, views)?),
        };
        if self.workspace.as_ref().is_none_or(|memory| memory.bytes() < plan.workspace) {
            self.workspace = None;
            self.workspace = Some(device.allocate(plan.workspace)?);
        }
        let workspace = self.workspace.as_ref().map_or(0, |memory| memory.all().address());
        plan.run(device, views, workspace)
    }
}

/// Tries all algorithms. What the pass writes is overwritten by it.
fn plan(device: &Cuda, pass: Pass, shape: Convolution, arithmetic: Arithmetic, [x, w, y]: [View; 3]) -> Result<Plan> {
    let descriptors = Descriptors::new(shape, arithmetic)?;
    let (free, _) = device.memory()?;
    let memory = device.allocate((free / 2).min(LARGEST_WORKSPACE))?;
    let (space, bytes) = (memory.all().address() as *mut c_void, memory.bytes());
    let [x, w, y] = [x, w, y].map(|view| view.address() as *mut c_void);
    let Descriptors { x: dx, w: dw, y: dy, convolution } = descriptors;
    let handle = device.handles.cudnn;
    let (algorithm, math, workspace) = match pass {
        Pass::Forward => {
            let found = search!(sys::cudnnFindConvolutionForwardAlgorithmEx, sys::cudnnConvolutionFwdAlgoPerf_t, handle,
                dx, x, dw, w, convolution, dy, y; space, bytes);
            let (algorithm, math, workspace) = fastest(&found, arithmetic)?;
            (Algorithm::Forward(algorithm), math, workspace)
        }
        Pass::InputGradient => {
            let found = search!(sys::cudnnFindConvolutionBackwardDataAlgorithmEx, sys::cudnnConvolutionBwdDataAlgoPerf_t, handle,
                dw, w, dy, y, convolution, dx, x; space, bytes);
            let (algorithm, math, workspace) = fastest(&found, arithmetic)?;
            (Algorithm::Input(algorithm), math, workspace)
        }
        Pass::WeightGradient => {
            let found = search!(sys::cudnnFindConvolutionBackwardFilterAlgorithmEx, sys::cudnnConvolutionBwdFilterAlgoPerf_t, handle,
                dx, x, dy, y, convolution, dw, w; space, bytes);
            let (algorithm, math, workspace) = fastest(&found, arithmetic)?;
            (Algorithm::Weight(algorithm), math, workspace)
        }
    };
    // SAFETY: the descriptor is alive
    unsafe { cudnn::set_convolution_math_type(convolution, math) }.map_err(of_cudnn)?;
    Ok(Plan { descriptors, algorithm, workspace })
}

impl Plan {
    fn run(&self, device: &Cuda, [x, w, y]: [View; 3], workspace: u64) -> Result<()> {
        let Descriptors { x: dx, w: dw, y: dy, convolution } = self.descriptors;
        let [x, w, y] = [x, w, y].map(|view| view.address() as *mut c_void);
        let (one, nothing) = (1.0f32, 0.0f32);
        let (alpha, beta): (*const c_void, *const c_void) = ((&raw const one).cast(), (&raw const nothing).cast());
        let (handle, space) = (device.handles.cudnn, workspace as *mut c_void);
        let bytes = self.workspace;
        // SAFETY: handle and descriptors are alive; the caller checked that the memory is as long as the descriptors say, and the
        // working memory is as long as the algorithm wants
        unsafe {
            match self.algorithm {
                Algorithm::Forward(algorithm) => {
                    cudnn::convolution_forward(handle, alpha, dx, x, dw, w, convolution, algorithm, space, bytes, beta, dy, y)
                }
                Algorithm::Input(algorithm) => {
                    cudnn::convolution_backward_data(handle, alpha, dw, w, dy, y, convolution, algorithm, space, bytes, beta, dx, x)
                }
                Algorithm::Weight(algorithm) => {
                    cudnn::convolution_backward_filter(handle, alpha, dx, x, dy, y, convolution, algorithm, space, bytes, beta, dw, w)
                }
            }
        }
        .map_err(of_cudnn)
    }
}
