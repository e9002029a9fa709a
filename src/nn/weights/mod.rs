//! Weights on disk and in memory: safetensors files that describe themselves, `PyTorch` files, snapshots.
//!
//! A model file holds the tensors under the network's own names and, as metadata, the whole [`ModelSpec`] in JSON. Reading
//! checks everything before it changes anything.

mod error;
mod file;

pub use error::WeightsError;

use std::collections::HashMap;
use std::path::Path;

use candle_core::{Device, Result as CandleResult, Tensor, Var};
use safetensors::tensor::{Dtype, TensorView};

use super::layer::{self, Plan};
use super::models::{self, Sequential};
use super::{ModelSpec, Network};

/// The key of the metadata under which the [`ModelSpec`] stands as JSON.
const SPEC_KEY: &str = "tuning_fork_model";

/// Saves a network with its description. The file is written under a temporary name, flushed and renamed, so a reader
/// sees the old file or the new one, never half of one.
///
/// # Errors
/// If the spec is not that of the network, or the file cannot be written (what was there before is untouched).
pub fn save(path: impl AsRef<Path>, network: &dyn Network, spec: &ModelSpec) -> Result<(), WeightsError> {
    let path = path.as_ref();
    if spec.network != *network.options() {
        return Err(WeightsError::Options { path: path.into(), message: "the description is of another network".into() });
    }
    check_spec(spec).map_err(|message| WeightsError::Options { path: path.into(), message })?;
    let tensors = values(network).map_err(|source| WeightsError::network(path, &source))?;
    let json = serde_json::to_string(spec).map_err(|e| WeightsError::Options { path: path.into(), message: e.to_string() })?;
    file::write(path, &tensors, (SPEC_KEY, json))
}

/// Loads a model file that [`save`] wrote.
///
/// # Errors
/// If the file cannot be read, is cut short, is no safetensors, has no or a wrong description, or its tensors are not
/// exactly those of the network described.
pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<(Box<dyn Network>, ModelSpec), WeightsError> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    let (tensors, metadata) = file::parse(path, &bytes)?;
    let spec = spec_in(path, &metadata)?;
    let plan = models::plan(&spec.network).map_err(|e| WeightsError::Spec { path: path.into(), message: e.to_string() })?;
    let views = matched(path, &plan, &tensors, false)?;
    let network = Sequential::new(&spec.network, device, |number, _, _| tensor(&views[number]))
        .map_err(|source| WeightsError::network(path, &source))?;
    Ok((Box::new(network), spec))
}

/// What a model file that [`save`] wrote says of itself; no network is made of it.
///
/// # Errors
/// If the file cannot be read, is cut short, is no safetensors, or has no or a wrong description.
pub fn describe(path: impl AsRef<Path>) -> Result<ModelSpec, WeightsError> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    spec_in(path, &file::parse(path, &bytes)?.1)
}

fn spec_in(path: &Path, metadata: &HashMap<String, String>) -> Result<ModelSpec, WeightsError> {
    let json = metadata.get(SPEC_KEY).ok_or_else(|| WeightsError::NoSpec { path: path.into() })?;
    let invalid = |message: String| WeightsError::Spec { path: path.into(), message };
    let spec: ModelSpec = serde_json::from_str(json).map_err(|e| invalid(e.to_string()))?;
    check_spec(&spec).map_err(invalid)?;
    Ok(spec)
}

/// Loads weights into an existing network: a file of [`save`], or a `PyTorch` `state_dict` of the same network saved by
/// `safetensors.torch.save_file`, with our names or those of a flat `nn.Sequential` ("0.weight"). `num_batches_tracked` is
/// ignored. `PyTorch` flattens activations in the same order, so nothing is permuted.
///
/// # Errors
/// As [`load`], except that no description is needed. The network is unchanged then.
pub fn load_into(path: impl AsRef<Path>, network: &dyn Network) -> Result<(), WeightsError> {
    let path = path.as_ref();
    let bytes = file::read(path)?;
    let (tensors, _) = file::parse(path, &bytes)?;
    let plan = models::plan(network.options()).map_err(|source| WeightsError::network(path, &source))?;
    let views = matched(path, &plan, &tensors, true)?;
    let by_name: HashMap<String, &TensorView> = plan.tensors().map(|(_, name, _)| name).zip(&views).collect();
    let set = |name: &str, var: &Var| match by_name.get(name) {
        Some(view) => var.set(&layer::to_memory(&tensor(view)?)?),
        None => candle_core::bail!("{name} is not part of the network's plan"),
    };
    variables(network).try_for_each(|(name, var)| set(name, var)).map_err(|source| WeightsError::network(path, &source))
}

/// Every parameter and buffer by name, copied: later training steps do not change it.
///
/// # Errors
/// If the copy fails.
pub fn snapshot(network: &dyn Network) -> CandleResult<Vec<(String, Tensor)>> {
    variables(network).map(|(name, var)| Ok((name.to_owned(), var.as_detached_tensor().copy()?))).collect()
}

/// Writes a [`snapshot`] back.
///
/// # Errors
/// If the names or shapes are not exactly those of the network, in its order; it is unchanged then.
pub fn restore(network: &dyn Network, snapshot: &[(String, Tensor)]) -> CandleResult<()> {
    let fits = variables(network).count() == snapshot.len()
        && variables(network).zip(snapshot).all(|((name, var), (saved, tensor))| name == saved && var.shape() == tensor.shape());
    if !fits {
        candle_core::bail!("the snapshot was taken from another network");
    }
    variables(network).zip(snapshot).try_for_each(|((_, var), (_, tensor))| var.set(tensor))
}

/// Parameters, then buffers.
fn variables(network: &dyn Network) -> impl Iterator<Item = (&str, &Var)> {
    let parameters = network.parameters().iter().map(|p| (p.name.as_str(), &p.var));
    parameters.chain(network.buffers().iter().map(|b| (b.name.as_str(), &b.var)))
}

/// Name, shape and values of every variable.
fn values(network: &dyn Network) -> CandleResult<Vec<file::NamedTensor>> {
    let values = |(name, var): (&str, &Var)| {
        let tensor = layer::to_file(&var.as_detached_tensor())?;
        Ok(file::NamedTensor { name: name.into(), shape: tensor.dims().into(), values: tensor.flatten_all()?.to_vec1::<f32>()? })
    };
    variables(network).map(values).collect()
}

/// What the types cannot say about a description.
fn check_spec(spec: &ModelSpec) -> Result<(), String> {
    let ModelSpec { network, classes, normalisation, .. } = spec;
    if classes.len() != network.classes {
        return Err(format!("{} class names for {} classes", classes.len(), network.classes));
    }
    if !normalisation.std.iter().all(|s| s.is_finite() && *s > 0.0) || !normalisation.mean.iter().all(|m| m.is_finite()) {
        return Err(format!("{normalisation:?} cannot be applied to pixels"));
    }
    Ok(())
}

/// The file's tensors in the order of the plan, after checking that there are exactly those, of the right shape, in f32.
fn matched<'a>(
    path: &Path,
    plan: &Plan,
    tensors: &HashMap<String, TensorView<'a>>,
    torch_names: bool,
) -> Result<Vec<TensorView<'a>>, WeightsError> {
    let ignored = |name: &str| torch_names && name.ends_with("num_batches_tracked");
    let numbered = torch_names && !plan.tensors().any(|(_, name, _)| tensors.contains_key(&name));
    let mut unknown: Vec<&str> = tensors.keys().map(String::as_str).filter(|name| !ignored(name)).collect();
    let (mut found, mut missing, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for (position, own_name, plan) in plan.tensors() {
        let name = if numbered { format!("{position}.{}", plan.name) } else { own_name };
        unknown.retain(|other| *other != name);
        let Some(view) = tensors.get(&name) else {
            missing.push(name);
            continue;
        };
        if view.dtype() != Dtype::F32 {
            wrong.push(format!("{name} is {:?} instead of F32 (convert it with .float())", view.dtype()));
        } else if view.shape() != plan.shape {
            wrong.push(format!("{name} has the shape {:?} instead of {:?}", view.shape(), plan.shape));
        }
        found.push(view.clone());
    }
    unknown.sort_unstable();
    let problems = [("missing", missing), ("unknown", unknown.into_iter().map(str::to_owned).collect()), ("wrong", wrong)];
    if problems.iter().all(|(_, names)| names.is_empty()) {
        return Ok(found);
    }
    let described = problems.iter().filter(|(_, names)| !names.is_empty());
    let message = described.map(|(what, names)| format!("{what}: {}", list(names))).collect::<Vec<_>>().join("; ");
    Err(WeightsError::Tensors { path: path.into(), message })
}

/// The first few names, and how many more there are.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 4;
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

fn tensor(view: &TensorView) -> CandleResult<Tensor> {
    let values: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Tensor::from_vec(values, view.shape(), &Device::Cpu)
}
