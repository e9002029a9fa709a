//! The classes of the two published Galaxy10 data sets, in label order, and whom to thank for them.
//! Only a name for what a file says: nothing in the program depends on there being ten classes, or these.

/// Galaxy10 `DECaLS` (Leung & Bovy 2019; Walmsley et al. 2022), 256 x 256 pixels.
pub const GALAXY10: [&str; 10] = [
    "Disturbed",
    "Merging",
    "Round Smooth",
    "In-between Round Smooth",
    "Cigar Shaped Smooth",
    "Barred Spiral",
    "Unbarred Tight Spiral",
    "Unbarred Loose Spiral",
    "Edge-on without Bulge",
    "Edge-on with Bulge",
];

/// Images in each class of Galaxy10 `DECaLS`, 17,736 in all.
pub const GALAXY10_COUNTS: [usize; 10] = [1_081, 1_853, 2_645, 2_027, 334, 2_043, 1_829, 2_628, 1_423, 1_873];

/// Galaxy10 SDSS, the older data set of 69 x 69 pixels.
pub const GALAXY10_SDSS: [&str; 10] = [
    "Disk, Face-on, No Spiral",
    "Smooth, Completely round",
    "Smooth, in-between round",
    "Smooth, Cigar shaped",
    "Disk, Edge-on, Rounded Bulge",
    "Disk, Edge-on, Boxy Bulge",
    "Disk, Edge-on, No Bulge",
    "Disk, Face-on, Tight Spiral",
    "Disk, Face-on, Medium Spiral",
    "Disk, Face-on, Loose Spiral",
];

/// What everybody who uses Galaxy10 is to be shown, and is to cite in a paper.
pub const ACKNOWLEDGEMENT: &str = "\
Galaxy10 was made by Henry Leung and Jo Bovy (Leung & Bovy 2019, MNRAS 483, 3255; Zenodo record 10845026).
Its labels come from the volunteers of Galaxy Zoo (Lintott et al. 2008, MNRAS 389, 1179; Lintott et al. 2011,
MNRAS 410, 166; Walmsley et al. 2022, MNRAS 509, 3966), its pictures from the DESI Legacy Imaging Surveys
(Dey et al. 2019, AJ 157, 168; www.legacysurvey.org/acknowledgment) and, for the older data set, from the SDSS.
Please cite them in what you publish.";
