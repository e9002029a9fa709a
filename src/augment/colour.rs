//! Brightness, contrast, saturation and hue, with the meaning that torchvision's `ColorJitter` gives them on numbers from 0 to 1.
//!
//! Every function below `change` is inlined into it, so that its loops are compiled for the machine's vector instructions.

/// One change of colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColourStep {
    /// Multiplies every number by the factor.
    Brightness(f64),
    /// Multiplies the difference from the picture's mean grey.
    Contrast(f64),
    /// Multiplies the difference from the pixel's grey.
    Saturation(f64),
    /// Adds this share of the colour circle to the hue, from -0.5 to 0.5.
    Hue(f64),
}

/// Changes the colour of a picture's three planes.
pub fn change(step: ColourStep, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    pulp::Arch::new().dispatch(|| match step {
        ColourStep::Brightness(factor) => {
            for plane in [red, green, blue] {
                scale(plane, factor as f32, 0.0);
            }
        }
        ColourStep::Contrast(factor) => {
            let rest = (1.0 - factor as f32) * mean_grey(red, green, blue);
            for plane in [red, green, blue] {
                scale(plane, factor as f32, rest);
            }
        }
        ColourStep::Saturation(factor) => saturate(factor as f32, red, green, blue),
        ColourStep::Hue(shift) => turn_hue(6.0 * shift as f32, red, green, blue),
    });
}

/// Multiplies, up to white.
pub fn multiply(plane: &mut [f32], factor: f32) {
    pulp::Arch::new().dispatch(|| scale(plane, factor, 0.0));
}

#[inline(always)]
fn scale(plane: &mut [f32], factor: f32, rest: f32) {
    for value in plane {
        *value = (factor * *value + rest).clamp(0.0, 1.0);
    }
}

/// Luma with the weights of ITU-R BT.601 as torchvision rounds them.
#[inline(always)]
fn grey(red: f32, green: f32, blue: f32) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

#[inline(always)]
fn mean_grey(red: &[f32], green: &[f32], blue: &[f32]) -> f32 {
    let sum = 0.2989 * total(red) + 0.587 * total(green) + 0.114 * total(blue);
    (sum / red.len().max(1) as f64) as f32
}

/// The sum of a plane, in one order on every machine.
#[inline(always)]
fn total(plane: &[f32]) -> f64 {
    let mut sum = 0.0;
    for part in plane.chunks(4096) {
        let (blocks, rest) = part.as_chunks::<32>();
        let mut lanes = [0.0f32; 32];
        for block in blocks {
            for (lane, value) in lanes.iter_mut().zip(block) {
                *lane += value;
            }
        }
        sum += lanes.iter().chain(rest).map(|value| f64::from(*value)).sum::<f64>();
    }
    sum
}

#[inline(always)]
fn saturate(factor: f32, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let rest = (1.0 - factor) * grey(*r, *g, *b);
        *r = (factor * *r + rest).clamp(0.0, 1.0);
        *g = (factor * *g + rest).clamp(0.0, 1.0);
        *b = (factor * *b + rest).clamp(0.0, 1.0);
    }
}

/// To hue, saturation and value, and back with a hue that is `turn` sextants further, from -3 to 3. Without branches, so that
/// the loop becomes vector instructions: the sextant's case distinction is written as `value - chroma * clamp(min(k, 4 - k), 0, 1)`.
#[inline(always)]
fn turn_hue(turn: f32, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    for ((r_out, g_out), b_out) in red.iter_mut().zip(green).zip(blue) {
        let (r, g, b) = (*r_out, *g_out, *b_out);
        let value = r.max(g).max(b);
        let chroma = value - r.min(g).min(b);
        let scale = if chroma > 0.0 { 1.0 / chroma } else { 0.0 };
        let other = if value <= g { (b - r) * scale + 2.0 } else { (r - g) * scale + 4.0 };
        let hue = if value <= r { (g - b) * scale } else { other };
        // the hue is from -1 to 5, so that one circle, up or down, is enough
        let hue = hue + turn;
        let hue = if hue < 0.0 { hue + 6.0 } else { hue };
        let hue = if hue >= 6.0 { hue - 6.0 } else { hue };
        *r_out = channel(hue, 5.0, value, chroma);
        *g_out = channel(hue, 3.0, value, chroma);
        *b_out = channel(hue, 1.0, value, chroma);
    }
}

#[inline(always)]
fn channel(hue: f32, start: f32, value: f32, chroma: f32) -> f32 {
    let k = hue + start;
    let k = if k >= 6.0 { k - 6.0 } else { k };
    value - chroma * k.min(4.0 - k).clamp(0.0, 1.0)
}
