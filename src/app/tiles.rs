//! Small maps side by side on the Classify panel: one picture and all classes, one class and all methods, or how the map came to be over
//! the epochs of the model's run. State as plain data, and the slow work on it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use egui::TextureHandle;

use super::inspect::Subject;
use crate::explain::{Content, ExplainError, Explainer, Explanation, Request, Still, Style, film, fitted, overlay};
use crate::imaging::Image;
use crate::train::RunFolder;

/// The longer side of a small map, pixels.
const SIDE: usize = 150;

/// What is shown side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All classes.
    Classes,
    /// All methods.
    Methods,
    /// The epochs of the run that keeps the model.
    Film,
}

/// The sheet that is shown.
#[derive(Default)]
pub struct Sheet {
    /// What is shown side by side; `None` shows no sheet.
    pub wanted: Option<Side>,
    /// The small maps.
    pub tiles: Vec<Tile>,
    /// What they were made from.
    pub made: Option<Made>,
    /// In words, whether they share a scale.
    pub scale: &'static str,
    /// Whether they are being drawn, and whether something changed meanwhile.
    pub drawing: bool,
    /// Whether they must be drawn again after the present ones.
    pub outdated: bool,
    /// Tells the task that draws them that nobody waits for it any more.
    pub unwanted: Arc<AtomicBool>,
    /// Why they could not be made.
    pub failed: Option<String>,
}

impl Sheet {
    /// The maps that are there, if they are those that `request` asks for.
    #[must_use]
    pub fn known(&self, side: Side, request: &Request, explainer: &Arc<Explainer>) -> Option<Vec<Small>> {
        let made = self.made.as_ref()?;
        let same = made.side == side && made.request == *request && Arc::ptr_eq(&made.explainer, explainer);
        same.then(|| self.tiles.iter().map(|tile| tile.small.clone()).collect())
    }
}

/// What a sheet was made from.
pub struct Made {
    /// What is shown side by side.
    pub side: Side,
    /// What was asked for.
    pub request: Request,
    /// How it is drawn.
    pub style: Style,
    /// The picture inside the network.
    pub explainer: Arc<Explainer>,
}

/// A small map as numbers.
#[derive(Clone)]
pub struct Small {
    /// What stands below it.
    pub caption: String,
    /// Its map.
    pub explanation: Explanation,
    /// The model that made it, if it is not the present one.
    pub model: Option<PathBuf>,
}

/// A small map on the screen.
pub struct Tile {
    /// It as numbers.
    pub small: Small,
    /// The overlay.
    pub texture: TextureHandle,
}

/// A sheet that was drawn.
pub struct DrawnSheet {
    /// The small maps with their overlays.
    pub tiles: Vec<(Small, Image)>,
    /// What they were made from.
    pub made: Made,
    /// In words, whether they share a scale.
    pub scale: &'static str,
}

/// A sheet that is to be drawn.
pub struct Order {
    /// What is shown side by side.
    pub side: Side,
    /// What is asked for.
    pub request: Request,
    /// How it is drawn.
    pub style: Style,
    /// The maps, if they are known.
    pub known: Option<Vec<Small>>,
    /// Set once nobody waits for it.
    pub unwanted: Arc<AtomicBool>,
}

/// Draws the small maps of `subject`; `None` if it was given up.
pub fn draw(subject: &Subject, order: Order) -> Result<Option<DrawnSheet>, String> {
    let Order { side, request, style, known, unwanted } = order;
    let smalls = match known {
        Some(smalls) => smalls,
        None => match maps(subject, side, &request, &unwanted).map_err(|error| error.to_string())? {
            Some(smalls) => smalls,
            None => return Ok(None),
        },
    };
    let content = if side == Side::Methods { Content::Methods } else { Content::Classes };
    let pairs: Vec<(String, Explanation)> = smalls.iter().map(|small| (small.caption.clone(), small.explanation.clone())).collect();
    let (drawn, scale) = style.for_sheet(content, &pairs);
    let (picture, frame) = fitted(&subject.image, subject.frame, SIDE);
    let small_style = Style { zoom: 1, ..drawn };
    let tile = |small: Small| {
        let image = overlay(&picture, frame, &small.explanation, &small_style);
        (small, image)
    };
    let tiles = smalls.into_iter().map(tile).collect();
    Ok(Some(DrawnSheet { tiles, made: Made { side, request, style, explainer: Arc::clone(&subject.explainer) }, scale }))
}

fn maps(subject: &Subject, side: Side, request: &Request, unwanted: &AtomicBool) -> Result<Option<Vec<Small>>, ExplainError> {
    let content = match side {
        Side::Classes => Content::Classes,
        Side::Methods => Content::Methods,
        Side::Film => {
            let models = models(&subject.explainer)?;
            let stills = stills(subject, &models, request, || !unwanted.load(Ordering::Relaxed))?;
            let small = |(still, (_, path)): (Still, (usize, PathBuf))| Small {
                caption: still.caption(),
                explanation: still.explanation,
                model: Some(path),
            };
            return Ok(stills.map(|stills| stills.into_iter().zip(models).map(small).collect()));
        }
    };
    let tiles = subject.scene().tiles(request, content)?;
    Ok(Some(tiles.into_iter().map(|(caption, explanation)| Small { caption, explanation, model: None }).collect()))
}

/// The models that are kept of the epochs of the run that the present model belongs to.
fn models(explainer: &Explainer) -> Result<Vec<(usize, PathBuf)>, ExplainError> {
    let folder = RunFolder::of_model(explainer.classifier().path())
        .ok_or_else(|| ExplainError::Refused("The model does not lie in the folder of a run; choose the model of a run.".into()))?;
    folder.snapshots().map_err(|error| ExplainError::Refused(error.to_string()))
}

/// The maps over the epochs, for the class that is asked for, or the present model's most probable one.
fn stills(
    subject: &Subject,
    models: &[(usize, PathBuf)],
    request: &Request,
    wanted: impl Fn() -> bool,
) -> Result<Option<Vec<Still>>, ExplainError> {
    let class = request.class.unwrap_or_else(|| subject.explainer.ranking()[0]);
    let request = Request { class: Some(class), ..request.clone() };
    film(models, &subject.image.crop(subject.frame), subject.explainer.averaged(), &request, wanted)
}

/// The film as a PNG file; the same bytes as the command line's.
pub fn film_png(subject: &Subject, request: &Request, style: &Style) -> Result<Vec<u8>, ExplainError> {
    let stills = stills(subject, &models(&subject.explainer)?, request, || true)?.unwrap_or_default();
    subject.scene().film_png(request, style, &stills)
}
