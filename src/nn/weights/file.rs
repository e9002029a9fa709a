//! Bytes of safetensors files; knows nothing of networks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};

use super::WeightsError;
use crate::files;

/// A tensor to write.
pub struct NamedTensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

impl View for &NamedTensor {
    fn dtype(&self) -> Dtype {
        Dtype::F32
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        self.values.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>().into()
    }

    fn data_len(&self) -> usize {
        self.values.len() * size_of::<f32>()
    }
}

/// The whole file.
pub fn read(path: &Path) -> Result<Vec<u8>, WeightsError> {
    fs::read(path).map_err(|source| WeightsError::io(path, source))
}

/// The tensors by name, and the metadata.
pub type Contents<'a> = (HashMap<String, TensorView<'a>>, HashMap<String, String>);

/// Takes the bytes of a file apart.
pub fn parse<'a>(path: &Path, bytes: &'a [u8]) -> Result<Contents<'a>, WeightsError> {
    let invalid = |e: safetensors::SafeTensorError| WeightsError::Format { path: path.into(), message: e.to_string() };
    let tensors = SafeTensors::deserialize(bytes).map_err(invalid)?.tensors();
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(invalid)?;
    Ok((tensors.into_iter().collect(), metadata.metadata().clone().unwrap_or_default()))
}

/// Writes tensors and one entry of metadata (one, because the order of several would not be the same every time).
pub fn write(path: &Path, tensors: &[NamedTensor], (key, text): (&str, String)) -> Result<(), WeightsError> {
    let metadata = HashMap::from([(key.to_owned(), text)]);
    let bytes = safetensors::serialize(tensors.iter().map(|t| (t.name.as_str(), t)), Some(metadata))
        .map_err(|e| WeightsError::Options { path: path.into(), message: e.to_string() })?;
    files::replace(path, |file| file.write_all(&bytes)).map_err(|source| WeightsError::io(path, source))
}
