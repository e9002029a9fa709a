//! Bytes of safetensors files; knows nothing of networks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, View};

use super::WeightsError;

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
    replace(path, &bytes).map_err(|source| WeightsError::io(path, source))
}

/// Writes beside `path`, flushes to the disk, then renames; nothing is left behind on failure.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let write = || {
        let mut file = File::create(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path)
    };
    write().inspect_err(|_| {
        // The first error is the one to report; the temporary file may not even exist.
        let _ = fs::remove_file(&temporary);
    })
}

/// Makes the rename itself last through a power cut, where folders can be flushed.
fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all(),
        _ => Ok(()),
    }
}
