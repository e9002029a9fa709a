//! The three products of one layer, with what they keep from step to step: forward, weight gradient and input gradient.

use super::Step;
use super::amx;
use super::buffer::{Buffer, Shared};
use super::convolution::Convolution;
use super::epilogue::{Epilogue, Store};
use super::few_inputs::FEW;
use super::pixels::Pixels;
use super::weight_gradient::{Workspace, weight_gradient};
use super::weights::Use;
use super::windows::Windows;

/// The memory of one layer.
#[derive(Default)]
pub struct Layer {
    forward: Convolution,
    input_gradient: Convolution,
    workspace: Workspace,
    amx: amx::Workspace,
    partial: Buffer,
}

impl Layer {
    /// Packs what the forward product of `x` with `weights` (9 x inputs x outputs) needs.
    pub fn prepare<X: Pixels>(&mut self, step: Step, x: &X, weights: &[f32], outputs: usize) {
        self.forward.prepare(step, x, weights, outputs, Use::Forward);
    }

    /// The number of pixels in each block that the forward product is cut into.
    pub fn block_pixels(&self, step: Step, windows: Windows) -> Vec<usize> {
        self.forward.block_pixels(step, windows)
    }

    /// The forward product of what was prepared, with the same `weights`.
    pub fn forward<X: Pixels, E: Epilogue>(
        &self,
        step: Step,
        x: &X,
        weights: &[f32],
        windows: Windows,
        epilogue: impl FnOnce(Windows) -> E,
    ) {
        self.forward.run(step, x, weights, windows, epilogue);
    }

    /// Whether the backward pass of this shape reads each pixel of the gradient once, so that it may as well be worked out there;
    /// `input` says whether the gradient of the input is wanted.
    pub fn reads_once(step: Step, inputs: usize, outputs: usize, input: bool) -> bool {
        let few = inputs < FEW && !input;
        few || amx::suits_gradient(step, inputs, outputs) || amx::suits_few_inputs(step, inputs, outputs)
    }

    /// Both gradients from that of the forward product that was prepared last; that of the input where it is wanted.
    pub fn backward<X: Pixels, G: Pixels>(
        &mut self,
        step: Step,
        x: &X,
        weights: &[f32],
        gradient: &G,
        input: Option<&mut [f32]>,
        weight_gradients: &mut [f32],
    ) {
        let (grid, outputs) = (x.grid(), gradient.grid().channels);
        let on_sheets = amx::suits_gradient(step, grid.channels, outputs);
        if on_sheets || input.is_some() {
            self.input_gradient.prepare(step, gradient, weights, grid.channels, Use::InputGradient);
        }
        if on_sheets {
            amx::weight_gradient(self.forward.sheet(), self.input_gradient.sheet(), &mut self.amx, weight_gradients);
        } else if amx::suits_few_inputs(step, grid.channels, outputs) {
            amx::few_inputs_weight_gradient(self.forward.sheet(), gradient, &mut self.partial, weight_gradients);
        } else {
            weight_gradient(step, x, gradient, &mut self.workspace, weight_gradients);
        }
        if let Some(input) = input {
            assert_eq!(input.len(), grid.len(), "the gradient has the shape of the input");
            let out = Shared::new(input);
            let store = |windows| Store { windows, out, channels: grid.channels };
            self.input_gradient.run(step, gradient, weights, Windows::covering(grid), store);
        }
    }
}
