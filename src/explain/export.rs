//! Maps as files: PNG with text chunks that say what they are, 16-bit PNG and .npy. The same for the window and the command
//! line, to the byte.

use ndarray::Array2;
use ndarray_npy::WriteNpyExt;

use super::figure::Scene;
use super::style::{Scale, Style};
use super::{ExplainError, Explanation, Method, Request};
use crate::imaging::{self, MAX_PIXELS};

/// What a PNG file shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Content {
    /// The overlay with its colour bar and legend.
    #[default]
    Figure,
    /// The overlay alone, `zoom` times as large as the picture.
    Overlay,
    /// Picture and overlay side by side, with colour bar and legend.
    SideBySide,
    /// One map for every class, on one scale.
    Classes,
    /// One map for every method that the network has, each on its own scale. Score-CAM, which is slow, is left out.
    Methods,
}

impl Content {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Figure, Self::Overlay, Self::SideBySide, Self::Classes, Self::Methods];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Figure => "figure",
            Self::Overlay => "overlay",
            Self::SideBySide => "side-by-side",
            Self::Classes => "classes",
            Self::Methods => "methods",
        }
    }
}

impl std::str::FromStr for Content {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|content| content.name() == text).ok_or_else(|| format!("there is no {text}; there are {}", known()))
    }
}

impl Scene<'_> {
    /// The map that `request` asks for as a PNG file.
    ///
    /// # Errors
    /// If the map cannot be made, or the drawing would be too large.
    pub fn png(&self, request: &Request, style: &Style, content: Content) -> Result<Vec<u8>, ExplainError> {
        let explanation = self.explainer.explain(request)?;
        let style = &self.settled(request, style)?;
        let image = match content {
            Content::Figure => self.figure(&explanation, style, false),
            Content::SideBySide => self.figure(&explanation, style, true),
            Content::Classes => {
                let heading = format!("{} at {}", explanation.method, explanation.layer.name);
                self.sheet(&heading, &self.tiles(request, content)?, style, content)
            }
            Content::Methods => self.sheet(&format!("For {}", self.target(&explanation)), &self.tiles(request, content)?, style, content),
            Content::Overlay => {
                let zoom = style.zoom.clamp(1, 4) as u64;
                if self.picture.width() as u64 * self.picture.height() as u64 * zoom * zoom > MAX_PIXELS {
                    return Err(ExplainError::Refused("the overlay would be too large; choose a smaller zoom, or the figure".into()));
                }
                self.over(self.picture, self.frame, &explanation, style)
            }
        };
        let mut texts = self.texts(&explanation);
        texts.push(("Content", content.name().into()));
        Ok(imaging::encode_png(&image, &texts)?)
    }

    /// `style` with the number that gets the strongest colour: if all classes are to have the same scale, that of the strongest.
    ///
    /// # Errors
    /// If a map of a class cannot be made.
    pub fn settled(&self, request: &Request, style: &Style) -> Result<Style, ExplainError> {
        if style.scale != Scale::Common || !request.method.knows_classes() {
            return Ok(Style { limit: None, ..style.clone() });
        }
        Ok(style.for_sheet(Content::Classes, &self.classes(request)?).0)
    }

    /// The small maps of a sheet: of all classes, or ([`Content::Methods`]) by all methods.
    ///
    /// # Errors
    /// If a map cannot be made.
    pub fn tiles(&self, request: &Request, content: Content) -> Result<Vec<(String, Explanation)>, ExplainError> {
        if content == Content::Methods { self.methods(request) } else { self.classes(request) }
    }

    /// One map a class, the most probable first.
    ///
    /// # Errors
    /// If a map cannot be made.
    pub fn classes(&self, request: &Request) -> Result<Vec<(String, Explanation)>, ExplainError> {
        let one = |class: usize| {
            let request = Request { class: Some(class), against: None, ..request.clone() };
            let name = &self.explainer.classifier().spec().classes[class];
            let probability = 100.0 * self.explainer.probabilities()[class];
            Ok((format!("{name}, {probability:.1} %"), self.explainer.explain(&request)?))
        };
        self.explainer.ranking().into_iter().map(one).collect()
    }

    /// One map a method, each at its best layer.
    ///
    /// # Errors
    /// If a map cannot be made.
    pub fn methods(&self, request: &Request) -> Result<Vec<(String, Explanation)>, ExplainError> {
        let fits = |method: &Method| *method != Method::ScoreCam && method.best_layer(self.explainer.layers()).is_some();
        let one = |method: Method| {
            let request = Request { method, layer: None, ..request.clone() };
            Ok((method.name().to_owned(), self.explainer.explain(&request)?))
        };
        Method::ALL.into_iter().filter(fits).map(one).collect()
    }

    /// The map as 16-bit grey PNG, smooth, on the pixels that the network saw; the texts "Lowest" and "Highest" are the numbers
    /// that 0 and 65535 stand for.
    ///
    /// # Errors
    /// If the map cannot be encoded.
    pub fn grey16(&self, explanation: &Explanation) -> Result<Vec<u8>, ExplainError> {
        let map = explanation.map.upsample(self.frame.width, self.frame.height);
        let (low, high) = explanation.map.range();
        let span = if high > low { high - low } else { 1.0 };
        let values: Vec<u16> = map.values.iter().map(|v| ((v - low) / span * 65535.0).round() as u16).collect();
        let mut texts = self.texts(explanation);
        texts.extend([("Lowest", low.to_string()), ("Highest", high.to_string())]);
        Ok(imaging::encode_grey16(map.width, map.height, &values, &texts)?)
    }

    /// What the file is about, as keys and texts.
    pub(super) fn texts(&self, explanation: &Explanation) -> Vec<imaging::TextChunk> {
        let layer = &explanation.layer;
        let mut texts = vec![
            ("Software", format!("Tuning Fork {}", crate::VERSION)),
            ("Model", self.explainer.classifier().title()),
            ("Picture", self.name.to_owned()),
            ("Class", self.target(explanation)),
            ("Method", explanation.method.name().into()),
            ("Layer", format!("{} ({} x {} cells, {} maps)", layer.name, layer.width, layer.height, layer.channels)),
            ("Score", explanation.score.to_string()),
            ("Probability", self.explainer.probabilities()[explanation.class].to_string()),
            ("Evidence", if explanation.signed { "signed".into() } else { "positive".into() }),
        ];
        if explanation.averaged {
            texts.push(("Averaged", "eight flips and turns".into()));
        }
        if !explanation.signed && !explanation.has_positive() {
            texts.push(("Note", "No positive evidence for this class.".into()));
        }
        texts
    }
}

/// The cells of a map as a .npy file of height x width f32.
///
/// # Errors
/// If the map is not as large as it says.
pub fn npy(explanation: &Explanation) -> Result<Vec<u8>, ExplainError> {
    let map = &explanation.map;
    let failed = |error: String| ExplainError::Refused(format!("the map cannot be written as .npy ({error})"));
    let array = Array2::from_shape_vec((map.height, map.width), map.values.clone()).map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).map_err(|e| failed(e.to_string()))?;
    Ok(bytes)
}
