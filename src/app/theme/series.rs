//! How many kinds of things are told apart in one plot: by colour, and where colours are used again, by another form.

use egui::{Color32, Sense, Stroke, Ui, vec2};

use super::Palette;

/// The number of colours that every kind of colour vision tells apart.
pub const COLOURS: usize = 6;

/// How one of many kinds looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Its colour.
    pub colour: Color32,
    /// The colour is used for the second time: lines are dashed, dots are rings.
    pub again: bool,
}

/// The look of kind `number`. Beyond twice the colours there are hues that are far from those before, and some will look alike.
#[must_use]
pub fn look(palette: &Palette, number: usize) -> Look {
    let hue = || egui::epaint::Hsva::new((number as f32 * 0.618_034).fract(), 0.55, 0.8, 1.0).into();
    let colour = if number < 2 * COLOURS { palette.series[number % COLOURS] } else { hue() };
    Look { colour, again: (number / COLOURS) % 2 == 1 }
}

/// A dot before a name in a legend, or a ring.
pub fn mark(ui: &mut Ui, look: Look) {
    let (rect, _) = ui.allocate_exact_size(vec2(9.0, 9.0), Sense::hover());
    if look.again {
        ui.painter().circle_stroke(rect.center(), 3.5, Stroke::new(2.0, look.colour));
    } else {
        ui.painter().circle_filled(rect.center(), 4.5, look.colour);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DARK, LIGHT};
    use super::*;

    type Linear = [f64; 3];

    fn linear(colour: Color32) -> Linear {
        [colour.r(), colour.g(), colour.b()].map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        })
    }

    fn times(matrix: &[Linear; 3], v: Linear) -> Linear {
        matrix.map(|row| row.iter().zip(v).map(|(m, v)| m * v).sum())
    }

    /// `OKLab` (Ottosson 2020) of linear sRGB.
    fn oklab(rgb: Linear) -> Linear {
        const CONES: [Linear; 3] = [
            [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
            [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
            [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
        ];
        const LAB: [Linear; 3] = [
            [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
            [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
            [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
        ];
        times(&LAB, times(&CONES, rgb).map(f64::cbrt))
    }

    /// What is seen without one of the three cones, and with all (Machado et al. 2009, severity 1).
    const VISIONS: [(&str, [Linear; 3]); 4] = [
        ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        ("protanopia", [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]]),
        ("deuteranopia", [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]]),
        ("tritanopia", [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]]),
    ];

    #[test]
    fn every_kind_of_colour_vision_tells_the_colours_apart() {
        for palette in [DARK, LIGHT] {
            for (vision, matrix) in VISIONS {
                let seen = palette.series.map(|colour| oklab(times(&matrix, linear(colour)).map(|c| c.clamp(0.0, 1.0))));
                for a in 0..COLOURS {
                    for b in 0..a {
                        let distance = seen[a].iter().zip(seen[b]).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
                        // blue and orange of the two lines of a plot are 0.25 apart
                        assert!(distance > 0.12, "{vision}: {:?} and {:?}, {distance:.3}", palette.series[a], palette.series[b]);
                    }
                }
            }
        }
    }

    #[test]
    fn twice_as_many_kinds_as_colours_look_different() {
        let looks: Vec<Look> = (0..2 * COLOURS).map(|number| look(&DARK, number)).collect();
        for (a, look) in looks.iter().enumerate() {
            assert!(!looks[..a].contains(look), "{a}");
        }
        assert_eq!((looks[0].again, looks[COLOURS].again), (false, true));
        assert_ne!(look(&LIGHT, 2 * COLOURS).colour, look(&LIGHT, 2 * COLOURS + 1).colour);
    }
}
