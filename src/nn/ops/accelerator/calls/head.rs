//! Averages, rectifiers, biases and dropout of a head, and what is looked at after it.

use super::super::View;
use super::super::kernels::layout;
use super::{Called, Calls, Maps, each, floats, u32_of, u64_of};

impl Calls<'_> {
    /// The mean of each map.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn average_pool_forward(&self, x: View, maps: Maps, out: View) -> Called {
        let means = maps.images * maps.channels;
        self.reals(x, maps.len(), "x")?;
        self.reals(out, means, "out")?;
        let arguments = [x.into(), u32_of(maps.images)?, u32_of(maps.height * maps.width)?, u32_of(maps.channels)?, out.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("average_pool_forward", each(means), &arguments) }
    }

    /// The gradient of the maps from that of their means.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn average_pool_backward(&self, dout: View, maps: Maps, dx: View) -> Called {
        self.reals(dout, maps.images * maps.channels, "dout")?;
        self.reals(dx, maps.len(), "dx")?;
        let arguments = [dout.into(), u32_of(maps.images)?, u32_of(maps.height * maps.width)?, u32_of(maps.channels)?, dx.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("average_pool_backward", each(maps.len()), &arguments) }
    }

    /// The gradient of the input of a rectifier from its output and the output's gradient, whose place it may take.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn relu_backward(&self, y: View, dy: View, count: usize, dx: View) -> Called {
        for view in [y, dy, dx] {
            self.reals(view, count, "a rectifier's")?;
        }
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("relu_backward", each(count), &[y.into(), dy.into(), u64_of(count), dx.into()]) }
    }

    /// Adds a bias to each of `rows`, and rectifies if `relu`; in place.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn bias_add(&self, x: View, bias: View, rows: usize, channels: usize, relu: bool) -> Called {
        self.reals(x, rows * channels, "x")?;
        floats(bias, channels, "bias")?;
        let none = View::NONE.into();
        let arguments = [x.into(), none, bias.into(), u64_of(rows), u32_of(channels)?, u32::from(relu).into(), x.into(), none];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("bias_add", each(rows * channels), &arguments) }
    }

    /// Adds a bias to each of `rows` of f32; in place.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn bias_add_wide(&self, x: View, bias: View, rows: usize, channels: usize) -> Called {
        floats(x, rows * channels, "x")?;
        floats(bias, channels, "bias")?;
        let none = View::NONE.into();
        let arguments = [none, x.into(), bias.into(), u64_of(rows), u32_of(channels)?, 0u32.into(), none, x.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("bias_add", each(rows * channels), &arguments) }
    }

    /// Dropout of numbers `first` to `first + count` of a batch, or of their gradient; in place. `layer` tells masks apart.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    #[expect(clippy::too_many_arguments, reason = "the operands of one operator")]
    pub fn dropout(&self, x: View, count: usize, first: usize, probability: f32, seed: u64, control: View, layer: u64) -> Called {
        self.reals(x, count, "x")?;
        control.at_least(layout::CONTROL_BYTES, "control")?;
        let numbers = [u64_of(count), u64_of(first), probability.into(), seed.into(), control.into(), layer.into()];
        // SAFETY: the kernel's arguments; the lengths were checked
        unsafe { self.launch("dropout", each(count / 8 + 2), &[&[x.into()], &numbers[..], &[x.into()]].concat()) }
    }

    /// Class activation maps: N x pixels of the class that was `chosen` for each image, from f32 weights of classes x channels.
    ///
    /// # Errors
    /// If memory is too short, or the device is lost.
    pub fn class_activation_map(&self, features: View, weights: View, classes: usize, chosen: View, maps: Maps, out: View) -> Called {
        self.reals(features, maps.len(), "features")?;
        floats(weights, classes * maps.channels, "weights")?;
        chosen.at_least(4 * maps.images, "chosen")?;
        floats(out, maps.pixels(), "out")?;
        let sizes = [u32_of(maps.images)?, u32_of(maps.height * maps.width)?, u32_of(maps.channels)?];
        let arguments = [&[features.into(), weights.into(), chosen.into()], &sizes[..], &[out.into()]].concat();
        // SAFETY: the kernel's arguments; the lengths were checked. The caller chose classes below `classes`
        unsafe { self.launch("class_activation_map", each(maps.pixels()), &arguments) }
    }
}
