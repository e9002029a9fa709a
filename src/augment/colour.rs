//! Brightness, contrast, saturation and hue, with the meaning that torchvision's `ColorJitter` gives them on numbers from 0 to 1.

/// One change of colour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ColourStep {
    /// Multiplies every number by the factor.
    Brightness(f64),
    /// Multiplies the difference from the picture's mean grey.
    Contrast(f64),
    /// Multiplies the difference from the pixel's grey.
    Saturation(f64),
    /// Adds this share of the colour circle to the hue.
    Hue(f64),
}

/// Numbers that are worked on together; the loops over them become vector instructions.
const LANES: usize = 16;

/// Changes the colour of a picture's three planes.
pub fn change(step: ColourStep, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    match step {
        ColourStep::Brightness(factor) => {
            for plane in [red, green, blue] {
                multiply(plane, factor as f32);
            }
        }
        ColourStep::Contrast(factor) => {
            let mean = mean_grey(red, green, blue);
            let rest = (1.0 - factor as f32) * mean;
            for plane in [red, green, blue] {
                for value in plane {
                    *value = (factor as f32 * *value + rest).clamp(0.0, 1.0);
                }
            }
        }
        ColourStep::Saturation(factor) => saturate(factor as f32, red, green, blue),
        ColourStep::Hue(shift) => turn_hue(shift as f32, red, green, blue),
    }
}

/// Multiplies, up to white.
pub fn multiply(plane: &mut [f32], factor: f32) {
    for value in plane {
        *value = (*value * factor).clamp(0.0, 1.0);
    }
}

/// Luma with the weights of ITU-R BT.601 as torchvision rounds them.
#[inline(always)]
fn grey(red: f32, green: f32, blue: f32) -> f32 {
    0.2989 * red + 0.587 * green + 0.114 * blue
}

fn mean_grey(red: &[f32], green: &[f32], blue: &[f32]) -> f32 {
    let row = |at: usize| {
        let end = red.len().min(at + 1024);
        let sum: f32 = red[at..end].iter().zip(&green[at..end]).zip(&blue[at..end]).map(|((r, g), b)| grey(*r, *g, *b)).sum();
        f64::from(sum)
    };
    let sum: f64 = (0..red.len()).step_by(1024).map(row).sum();
    (sum / red.len().max(1) as f64) as f32
}

fn saturate(factor: f32, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
        let rest = (1.0 - factor) * grey(*r, *g, *b);
        *r = (factor * *r + rest).clamp(0.0, 1.0);
        *g = (factor * *g + rest).clamp(0.0, 1.0);
        *b = (factor * *b + rest).clamp(0.0, 1.0);
    }
}

fn turn_hue(shift: f32, red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    let turned = |at: usize, r: &mut [f32], g: &mut [f32], b: &mut [f32]| {
        let mut block = [[0.0f32; LANES]; 3];
        for (to, from) in block.iter_mut().zip([&r[at..], &g[at..], &b[at..]]) {
            let count = from.len().min(LANES);
            to[..count].copy_from_slice(&from[..count]);
        }
        turn_hue_of_block(shift, &mut block);
        for (from, to) in block.iter().zip([&mut r[at..], &mut g[at..], &mut b[at..]]) {
            let count = to.len().min(LANES);
            to[..count].copy_from_slice(&from[..count]);
        }
    };
    for at in (0..red.len()).step_by(LANES) {
        turned(at, red, green, blue);
    }
}

/// To hue, saturation and value, and back with another hue. Without branches, so that the loop becomes vector instructions:
/// the sextant's case distinction is written as `value - chroma * clamp(min(k, 4 - k), 0, 1)`.
fn turn_hue_of_block(shift: f32, block: &mut [[f32; LANES]; 3]) {
    for i in 0..LANES {
        let (r, g, b) = (block[0][i], block[1][i], block[2][i]);
        let value = r.max(g).max(b);
        let chroma = value - r.min(g).min(b);
        let scale = if chroma > 0.0 { 1.0 / chroma } else { 0.0 };
        let from_red = (g - b) * scale;
        let from_green = (b - r) * scale + 2.0;
        let from_blue = (r - g) * scale + 4.0;
        let hue = if value == r {
            from_red
        } else if value == g {
            from_green
        } else {
            from_blue
        };
        // from -1 to 5, and the shift at most half a circle, 3: positive after adding two circles
        let hue = hue + 6.0 * shift + 12.0;
        for (channel, start) in [5.0, 3.0, 1.0].into_iter().enumerate() {
            let k = hue + start;
            let turns = (k * (1.0 / 6.0)) as i32 as f32;
            let k = k - 6.0 * turns;
            block[channel][i] = value - chroma * k.min(4.0 - k).clamp(0.0, 1.0);
        }
    }
}
