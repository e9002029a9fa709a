//! A network at a glance, counted as `torchinfo` counts: a table for the command line, typed rows for the window.
//!
//! Multiply-adds: for a convolution its parameters (bias included) times the output pixels, for every other layer its
//! parameters, each times the batch. Activations: the outputs of layers with parameters, forward and backward, in f32.

use std::fmt;

use candle_core::Result;

use super::layer::LayerKind;
use super::models;
use super::{Architecture, NetworkOptions};

/// One layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryRow {
    /// Its name in the model file: "block1.conv".
    pub name: String,
    /// What it is, by `PyTorch`'s name: "Conv2d".
    pub module: &'static str,
    /// Shape of the output, batch first.
    pub output: Vec<usize>,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-adds of a forward pass of the whole batch.
    pub multiply_adds: u64,
}

/// A network's layers and totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Which network.
    pub architecture: Architecture,
    /// Shape of the input, batch first.
    pub input: Vec<usize>,
    /// The layers in order.
    pub rows: Vec<SummaryRow>,
    /// Trainable parameters.
    pub parameters: usize,
    /// Multiply-adds of a forward pass of the whole batch.
    pub multiply_adds: u64,
    /// Bytes of the input.
    pub input_bytes: u64,
    /// Bytes of activations in a forward and backward pass.
    pub activation_bytes: u64,
    /// Bytes of the parameters.
    pub parameter_bytes: u64,
}

/// Counts layers, parameters, multiply-adds and memory of a network for `batch` images, without building it.
///
/// # Errors
/// If the options make no network.
pub fn summarise(options: &NetworkOptions, batch: usize) -> Result<Summary> {
    let plan = models::plan(options)?;
    let input = vec![batch, options.channels, options.size, options.size];
    let mut shape = input.clone();
    let (mut rows, mut activations) = (Vec::new(), 0);
    for layer in plan.layers() {
        shape = layer.kind.output_shape(&shape);
        let trained = layer.kind.tensors().into_iter().filter(|t| t.trained);
        let parameters = trained.map(|t| t.shape.iter().product::<usize>()).sum::<usize>();
        let positions = match layer.kind {
            LayerKind::Conv2d { .. } => batch * shape[2] * shape[3],
            _ => batch,
        };
        if parameters > 0 {
            activations += shape.iter().product::<usize>();
        }
        rows.push(SummaryRow {
            name: layer.name.clone(),
            module: layer.kind.module(),
            output: shape.clone(),
            parameters,
            multiply_adds: parameters as u64 * positions as u64,
        });
    }
    let parameters = rows.iter().map(|r| r.parameters).sum();
    Ok(Summary {
        architecture: options.architecture,
        input_bytes: bytes(input.iter().product()),
        input,
        parameters,
        multiply_adds: rows.iter().map(|r| r.multiply_adds).sum(),
        activation_bytes: 2 * bytes(activations),
        parameter_bytes: bytes(parameters),
        rows,
    })
}

fn bytes(numbers: usize) -> u64 {
    numbers as u64 * size_of::<f32>() as u64
}

/// 14811210 as "14,811,210".
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number, or a dash for none.
fn count(number: u64) -> String {
    if number == 0 { "--".into() } else { grouped(number) }
}

/// Width of the table, characters.
const WIDTH: usize = 96;

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = "=".repeat(WIDTH);
        writeln!(f, "{line}")?;
        writeln!(f, "{:<36}{:<24}{:>16}{:>20}", "Layer", "Output shape", "Parameters", "Multiply-adds")?;
        writeln!(f, "{line}")?;
        for row in &self.rows {
            let layer = format!("{} ({})", row.name, row.module);
            let output = format!("{:?}", row.output);
            writeln!(f, "{layer:<36}{output:<24}{:>16}{:>20}", count(row.parameters as u64), count(row.multiply_adds))?;
        }
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let total = self.input_bytes + self.activation_bytes + self.parameter_bytes;
        writeln!(f, "{line}")?;
        writeln!(f, "Input shape: {:?}", self.input)?;
        writeln!(f, "Parameters (all trainable): {}", grouped(self.parameters as u64))?;
        writeln!(f, "Total multiply-adds (G): {:.2}", self.multiply_adds as f64 / 1e9)?;
        writeln!(f, "{line}")?;
        writeln!(f, "Input size (MB): {:.2}", megabytes(self.input_bytes))?;
        writeln!(f, "Forward/backward pass size (MB): {:.2}", megabytes(self.activation_bytes))?;
        writeln!(f, "Parameters size (MB): {:.2}", megabytes(self.parameter_bytes))?;
        writeln!(f, "Estimated total size (MB): {:.2}", megabytes(total))?;
        write!(f, "{line}")
    }
}
