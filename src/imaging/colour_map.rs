//! Colour maps: numbers from 0 to 1 to colours that colour-blind people can read and that grow evenly lighter.
//!
//! The tables are those of matplotlib at 33 even steps, mixed linearly between them (at most five levels of 255 from its own
//! 256 steps): viridis and inferno (Smith & van der Walt 2015), cividis (Nuñez, Anderton & Renslow 2018) and, for numbers of
//! both signs, berlin (Crameri 2018), which is dark at 0.

use std::fmt;
use std::str::FromStr;

/// A colour map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ColourMap {
    /// Violet to green to yellow.
    #[default]
    Viridis,
    /// Black to red to pale yellow.
    Inferno,
    /// Blue to yellow.
    Cividis,
    /// Black to white.
    Grey,
    /// Blue to black to red, for numbers of both signs: 0 is at the middle.
    Diverging,
}

impl ColourMap {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Viridis, Self::Inferno, Self::Cividis, Self::Grey, Self::Diverging];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Viridis => "viridis",
            Self::Inferno => "inferno",
            Self::Cividis => "cividis",
            Self::Grey => "grey",
            Self::Diverging => "diverging",
        }
    }

    /// The colour of `value` from 0 to 1; values outside are clamped, NaN counts as 0.
    #[must_use]
    pub fn at(self, value: f32) -> [u8; 3] {
        let value = if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) };
        let table = match self {
            Self::Viridis => &VIRIDIS,
            Self::Inferno => &INFERNO,
            Self::Cividis => &CIVIDIS,
            Self::Diverging => &BERLIN,
            Self::Grey => return [(value * 255.0).round() as u8; 3],
        };
        let at = value * (table.len() - 1) as f32;
        let left = (at as usize).min(table.len() - 2);
        let mix = at - left as f32;
        let channel = |shift: u32| {
            let level = |colour: u32| ((colour >> shift) & 0xff) as f32;
            (level(table[left]) * (1.0 - mix) + level(table[left + 1]) * mix).round() as u8
        };
        [channel(16), channel(8), channel(0)]
    }
}

impl fmt::Display for ColourMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ColourMap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|m| m.name() == text).ok_or_else(|| format!("there is no colour map {text}; there are {}", known()))
    }
}

#[rustfmt::skip]
const VIRIDIS: [u32; 33] = [
    0x44_0154, 0x47_0d60, 0x48_186a, 0x48_2374, 0x47_2d7b, 0x45_3781, 0x42_4086, 0x3e_4989, 0x3b_528b, 0x37_5b8d, 0x33_638d,
    0x2f_6b8e, 0x2c_728e, 0x29_7a8e, 0x26_828e, 0x23_898e, 0x21_918c, 0x1f_988b, 0x1f_a088, 0x22_a785, 0x28_ae80, 0x32_b67a,
    0x3f_bc73, 0x4e_c36b, 0x5e_c962, 0x70_cf57, 0x84_d44b, 0x98_d83e, 0xad_dc30, 0xc2_df23, 0xd8_e219, 0xec_e51b, 0xfd_e725,
];

#[rustfmt::skip]
const INFERNO: [u32; 33] = [
    0x00_0004, 0x04_0312, 0x0b_0724, 0x15_0b37, 0x21_0c4a, 0x2f_0a5b, 0x3d_0965, 0x4a_0c6b, 0x57_106e, 0x64_156e, 0x71_196e,
    0x7d_1e6d, 0x8a_226a, 0x97_2766, 0xa3_2c61, 0xb0_315b, 0xbc_3754, 0xc7_3e4c, 0xd2_4644, 0xdb_503b, 0xe4_5a31, 0xeb_6628,
    0xf1_731d, 0xf6_8013, 0xf9_8e09, 0xfb_9d07, 0xfc_ac11, 0xfb_bc21, 0xf9_cb35, 0xf5_db4c, 0xf2_ea69, 0xf3_f68a, 0xfc_ffa4,
];

#[rustfmt::skip]
const CIVIDIS: [u32; 33] = [
    0x00_224e, 0x00_285b, 0x00_2e6a, 0x05_3371, 0x1a_386f, 0x27_3e6e, 0x32_436d, 0x3b_496c, 0x43_4e6c, 0x4b_546c, 0x53_5a6d,
    0x5a_5f6e, 0x61_656f, 0x68_6a71, 0x6f_7073, 0x76_7676, 0x7d_7c78, 0x84_8279, 0x8c_8878, 0x93_8e78, 0x9b_9476, 0xa3_9a74,
    0xab_a072, 0xb4_a76f, 0xbc_ae6c, 0xc4_b468, 0xcd_bb63, 0xd5_c25e, 0xde_c958, 0xe7_d150, 0xf0_d846, 0xf9_e03a, 0xfe_e838,
];

#[rustfmt::skip]
const BERLIN: [u32; 33] = [
    0x9e_b0ff, 0x8c_aef6, 0x79_abed, 0x65_a7e2, 0x51_9fd3, 0x41_94c1, 0x36_85ad, 0x2e_7699, 0x28_6886, 0x22_5973, 0x1d_4b61,
    0x18_3d4f, 0x14_303e, 0x11_242e, 0x11_1a20, 0x12_1214, 0x19_0c09, 0x22_0c02, 0x2b_0e01, 0x35_1000, 0x41_1201, 0x4d_1602,
    0x5b_1d08, 0x6c_2711, 0x7d_341e, 0x8e_422e, 0x9e_513f, 0xae_6051, 0xbe_6f63, 0xce_7f76, 0xdf_8f89, 0xf0_9f9c, 0xff_adad,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// `matplotlib.colormaps[name](x, bytes=True)` at x = 0.1, 0.37, 0.5, 0.83.
    #[test]
    fn colours_are_those_of_matplotlib() {
        let expected = [
            (ColourMap::Viridis, [[72, 35, 116], [44, 112, 142], [32, 144, 140], [141, 214, 68]]),
            (ColourMap::Inferno, [[22, 11, 57], [134, 33, 106], [187, 55, 84], [251, 179, 24]]),
            (ColourMap::Cividis, [[8, 51, 112], [95, 99, 110], [124, 123, 120], [208, 190, 96]]),
            (ColourMap::Diverging, [[98, 166, 224], [20, 51, 66], [25, 11, 8], [165, 88, 71]]),
            (ColourMap::Grey, [[25, 25, 25], [94, 94, 94], [128, 128, 128], [211, 211, 211]]),
        ];
        for (map, colours) in expected {
            for (value, colour) in [0.1, 0.37, 0.5, 0.83].into_iter().zip(colours) {
                let ours = map.at(value);
                assert!(ours.iter().zip(colour).all(|(&a, b)| a.abs_diff(b) <= 5), "{map} at {value}: {ours:?}, not {colour:?}");
            }
        }
    }

    #[test]
    fn maps_of_one_sign_grow_lighter_all_the_way() {
        for map in ColourMap::ALL.into_iter().filter(|map| *map != ColourMap::Diverging) {
            let luminance = |i: u8| {
                let [r, g, b] = map.at(f32::from(i) / 100.0).map(|c| (f32::from(c) / 255.0).powf(2.2));
                0.2126 * r + 0.7152 * g + 0.0722 * b
            };
            assert!((1..=100).all(|i| luminance(i) >= luminance(i - 1)), "{map}");
        }
        assert_eq!(ColourMap::Viridis.at(f32::NAN), ColourMap::Viridis.at(-3.0));
        assert_eq!(ColourMap::Grey.at(2.0), [255; 3]);
    }
}
