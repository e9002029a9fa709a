//! The drawings of `predict --maps`: where the model looked at each picture.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;

use crate::explain::{Classifier, Content, Explainer, Request, Scene, Style};
use crate::imaging::{self, Rendering, Source};

/// A folder of drawings.
pub struct Maps<'a> {
    folder: &'a Path,
    classifier: &'a Arc<Classifier>,
    /// The names that were given, so that pictures of the same name in two folders do not overwrite each other.
    taken: HashSet<String>,
}

impl<'a> Maps<'a> {
    /// Makes the folder if it is not there.
    ///
    /// # Errors
    /// If that cannot be done.
    pub fn open(folder: &'a Path, classifier: &'a Arc<Classifier>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made; choose another folder", folder.display()))?;
        Ok(Self { folder, classifier, taken: HashSet::new() })
    }

    /// Draws the map of the most probable class, as `explain` does. The picture is decoded again, whole: only one at a time is
    /// in memory. The inner error is the picture's: it may have gone since it was classified.
    ///
    /// # Errors
    /// If the network fails or the drawing cannot be written.
    pub fn draw(&mut self, source: &Source) -> anyhow::Result<Result<(), String>> {
        let picture = match source.open(&Rendering::default()) {
            Ok(picture) => picture,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let frame = self.classifier.fit().frame(picture.width(), picture.height());
        let explainer = Explainer::new(Arc::clone(self.classifier), &picture.crop(frame), false)?;
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
