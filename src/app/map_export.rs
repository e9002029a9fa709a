//! What can be saved of a map, as menus and files call it.

use std::path::Path;

use crate::explain::Content;

/// What can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Export {
    /// A drawing as PNG.
    Drawing(Content),
    /// The map as 16-bit grey PNG.
    Grey16,
    /// The cells of the map as .npy.
    Npy,
    /// The maps over the epochs of the run as PNG.
    Film,
}

impl Export {
    /// All of them, as a menu lists them.
    pub const ALL: [Self; 8] = [
        Self::Drawing(Content::Figure),
        Self::Drawing(Content::Overlay),
        Self::Drawing(Content::SideBySide),
        Self::Drawing(Content::Classes),
        Self::Drawing(Content::Methods),
        Self::Grey16,
        Self::Npy,
        Self::Film,
    ];

    /// What a menu calls it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Drawing(Content::Figure) => "Figure with legend (PNG)",
            Self::Drawing(Content::Overlay) => "Overlay alone (PNG)",
            Self::Drawing(Content::SideBySide) => "Picture and overlay (PNG)",
            Self::Drawing(Content::Classes) => "Sheet of all classes (PNG)",
            Self::Drawing(Content::Methods) => "Sheet of all methods (PNG)",
            Self::Grey16 => "Bare map, 16 bit (PNG)",
            Self::Npy => "Bare map, numbers (.npy)",
            Self::Film => "Film over the epochs (PNG)",
        }
    }

    /// The name that is proposed for a file.
    #[must_use]
    pub fn file_name(self, picture: &str) -> String {
        let stem: String = Path::new(picture).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match self {
            Self::Drawing(content) => format!("{stem}-{}.png", content.name()),
            Self::Grey16 => format!("{stem}-map.png"),
            Self::Npy => format!("{stem}-map.npy"),
            Self::Film => format!("{stem}-film.png"),
        }
    }
}
