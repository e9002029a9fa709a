//! The slow work on the picture that is classified: its answer, its map, files of it. Runs on task threads.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::map_export::Export;
use super::tiles::film_png;
use crate::explain::{Classifier, Content, Explainer, Explanation, Request, Scene, Style, fitted, npy};
use crate::files;
use crate::imaging::{self, Frame, Image};
use crate::train::RunFolder;

/// The folder beside a model that drawings are exported to.
const EXPORTS: &str = "exports";
/// The longer side of a map on the screen, pixels: lines on a small picture would be as coarse as its pixels, and a large one slow.
const DRAWN_SIDES: std::ops::RangeInclusive<usize> = 512..=1024;

/// A map that was made and drawn.
pub struct Drawn {
    /// What was asked for.
    pub request: Request,
    /// The map.
    pub explanation: Explanation,
    /// How it was to be drawn.
    pub style: Style,
    /// How it was drawn: with the scale worked out.
    pub scaled: Style,
    /// The overlay.
    pub image: Image,
    /// What it is, in a few lines.
    pub legend: Vec<String>,
    /// What it was made from.
    pub explainer: Arc<Explainer>,
}

/// The picture inside the network, and class names with probabilities, the most probable first.
pub struct Answered {
    /// The picture inside the network.
    pub explainer: Arc<Explainer>,
    /// The part of the picture that it saw.
    pub frame: Frame,
    /// Names with probabilities.
    pub bars: Vec<(String, f32)>,
}

/// Runs a part of a picture through the network.
pub fn answer(classifier: &Arc<Classifier>, image: &Image, frame: Frame, average: bool) -> Result<Answered, String> {
    let explainer = Explainer::new(Arc::clone(classifier), &image.crop(frame), average).map_err(|error| error.to_string())?;
    let classes = &classifier.spec().classes;
    let bars = explainer.ranking().into_iter().map(|c| (classes[c].clone(), explainer.probabilities()[c])).collect();
    Ok(Answered { explainer: Arc::new(explainer), frame, bars })
}

/// What a map is made and drawn from.
pub struct Subject {
    /// What the picture is called.
    pub name: String,
    /// The picture.
    pub image: Arc<Image>,
    /// The part of it that the network saw.
    pub frame: Frame,
    /// The picture inside the network.
    pub explainer: Arc<Explainer>,
}

impl Subject {
    /// It as figures take it.
    pub fn scene(&self) -> Scene<'_> {
        Scene { name: &self.name, picture: &self.image, frame: self.frame, explainer: &self.explainer }
    }

    /// Makes a map (or takes `known`, if it is the one) and draws it.
    pub fn draw(&self, request: Request, style: Style, known: Option<(Request, Explanation)>) -> Result<Drawn, String> {
        let explanation = match known {
            Some((same, explanation)) if same == request => explanation,
            _ => self.explainer.explain(&request).map_err(|error| error.to_string())?,
        };
        let longer = self.image.width().max(self.image.height());
        let (picture, frame) = fitted(&self.image, self.frame, longer.clamp(*DRAWN_SIDES.start(), *DRAWN_SIDES.end()));
        let scaled = self.scene().settled(&request, &style).map_err(|error| error.to_string())?;
        let image = self.scene().over(&picture, frame, &explanation, &Style { zoom: 1, ..scaled.clone() });
        let legend = self.scene().legend(&explanation, &scaled);
        Ok(Drawn { request, explanation, style, scaled, image, legend, explainer: Arc::clone(&self.explainer) })
    }

    /// Writes the figure into the folder of exports beside the model, under a name that is free there.
    pub fn export(&self, request: &Request, style: &Style) -> Result<PathBuf, String> {
        let model = self.explainer.classifier().path();
        // the models of single epochs lie in a folder of the run
        let folder = RunFolder::of_model(model).map_or_else(|| model.with_file_name(EXPORTS), |run| run.path().join(EXPORTS));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}. Save it elsewhere with \"Save map…\".", folder.display()))?;
        let export = Export::Drawing(Content::Figure);
        let name = export.file_name(&self.name.replace(['/', '\\'], "_"));
        let path = files::free_place(&folder, name.trim_end_matches(".png"), "png");
        self.save(export, request, style, &path)
    }

    /// Writes a file; the same bytes as the command line's.
    pub fn save(&self, export: Export, request: &Request, style: &Style, path: &Path) -> Result<PathBuf, String> {
        let scene = self.scene();
        let bytes = match export {
            Export::Drawing(content) => scene.png(request, style, content),
            Export::Grey16 => self.explainer.explain(request).and_then(|explanation| scene.grey16(&explanation)),
            Export::Npy => self.explainer.explain(request).and_then(|explanation| npy(&explanation)),
            Export::Film => film_png(self, request, style),
        };
        let bytes = bytes.map_err(|error| error.to_string())?;
        imaging::write_file(path, &bytes).map_err(|error| format!("{}: {error}. Choose another place or make room.", path.display()))?;
        Ok(path.to_owned())
    }
}
