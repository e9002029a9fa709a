//! The drawings of `predict --maps`: where the model looked at each picture.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::explain::{Classifier, Content, Explainer, Request, Scene, Style};
use crate::imaging::{self, Rendering, Source};

/// How pictures are read and looked at.
#[derive(Clone, Copy, Default)]
pub struct How {
    /// How FITS numbers become pictures.
    pub rendering: Rendering,
    /// Whether answer and map are the mean over the eight flips and turns.
    pub average: bool,
}

/// A folder of drawings.
pub struct Maps<'a> {
    folder: &'a Path,
    classifier: &'a Arc<Classifier>,
    how: How,
    /// The names that are not free, so that pictures of the same name in two folders do not overwrite each other.
    taken: HashSet<String>,
}

impl<'a> Maps<'a> {
    /// Makes the folder if it is not there. Drawings get no name that one of the `pictures` has there.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn open(folder: &'a Path, classifier: &'a Arc<Classifier>, pictures: &[Source], how: How) -> anyhow::Result<Self> {
        let whole = std::fs::create_dir_all(folder).and_then(|()| folder.canonicalize());
        let whole = whole.with_context(|| format!("{} cannot be made; choose another folder", folder.display()))?;
        let own = pictures.iter().flat_map(Source::paths).filter_map(|path| {
            let beside = path.canonicalize().is_ok_and(|path| path.parent() == Some(&whole));
            beside.then(|| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        });
        Ok(Self { folder, classifier, how, taken: own.collect() })
    }

    /// Draws the map of the most probable class, as `explain` does. The picture is decoded again, whole: only one at a time is
    /// in memory. The inner error is the picture's: it may have gone since it was classified.
    ///
    /// # Errors
    /// If the network fails or the drawing cannot be written.
    pub fn draw(&mut self, source: &Source) -> anyhow::Result<Result<(), String>> {
        let picture = match source.open(&self.how.rendering) {
            Ok(picture) => picture,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let frame = self.classifier.fit().frame(picture.width(), picture.height());
        let explainer = Explainer::new(Arc::clone(self.classifier), &picture.crop(frame), self.how.average)?;
        let name = source.name();
        let scene = Scene { name: &name, picture: &picture, frame, explainer: &explainer };
        let bytes = scene.png(&Request::new(explainer.best_method()), &Style::default(), Content::Figure)?;
        let to = self.folder.join(self.free_name(source.path()));
        imaging::write_file(&to, &bytes)
            .with_context(|| format!("{} cannot be written; choose another place or make room", to.display()))?;
        Ok(Ok(()))
    }

    /// "galaxy.png", or "galaxy-2.png" if that is taken.
    fn free_name(&mut self, path: &Path) -> String {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let names = std::iter::once(format!("{stem}.png")).chain((2..).map(|number| format!("{stem}-{number}.png")));
        let mut names = names.skip_while(|name| self.taken.contains(name));
        let name = names.next().unwrap_or_default();
        self.taken.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::nn::{self, Architecture, Framing, ModelSpec, NetworkOptions, Normalisation, USUAL_WIDTH};

    /// A picture may go between its class and its map: the map is missing, and nothing else.
    #[test]
    fn a_picture_that_vanished_has_no_map() {
        let folder = tempfile::tempdir().expect("a folder");
        let spec = ModelSpec {
            network: NetworkOptions {
                architecture: Architecture::Compact,
                size: 32,
                channels: 3,
                classes: 2,
                width: USUAL_WIDTH,
                dropout: 0.0,
            },
            classes: ["a", "b"].map(str::to_owned).to_vec(),
            normalisation: Normalisation::default(),
            framing: Framing::default(),
            program_version: crate::VERSION.into(),
            epoch: None,
        };
        let (model, out) = (folder.path().join("model.safetensors"), folder.path().join("maps"));
        let network = nn::build(&spec.network, 1, &Device::Cpu).expect("a network");
        nn::weights::save(&model, network.as_ref(), &spec).expect("a file");
        let classifier = Arc::new(Classifier::load(&model).expect("a model"));
        let sources = ["gone.png", "there.png"].map(|name| Source::File(folder.path().join(name)));
        imaging::write_png(sources[1].path(), &imaging::Image::new(9, 9, vec![50; 243]).expect("a picture")).expect("a file");
        let mut maps = Maps::open(&out, &classifier, &sources, How::default()).expect("a folder");
        let reason = maps.draw(&sources[0]).expect("no fault of the network").expect_err("there is no picture");
        assert!(reason.contains("cannot be read"), "{reason}");
        maps.draw(&sources[1]).expect("a drawing").expect("a picture");
        let drawn: Vec<_> = std::fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").file_name()).collect();
        assert_eq!(drawn, ["there.png"]);
    }
}
