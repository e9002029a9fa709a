//! `tuning-fork predict`: the classes of pictures by a saved model, as a table, as files or JSON lines.
//!
//! Pictures are decoded a batch at a time, so any number of them fits into memory.

mod maps;
mod sink;

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use self::maps::Maps;
use self::sink::{Answer, Sink};
use super::device::{self, DeviceFlags};
use super::familiarity::familiarity;
use super::model::ModelFlags;
use super::output;
use super::rendering::RenderingFlags;
use crate::explain::{Classifier, ExplainError, Familiarity};
use crate::imaging::{self, Image, Rendering, Source};

/// What `predict` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Pictures (PNG, JPEG, TIFF, WebP, FITS), or folders that are searched for them with their subfolders. FITS files of one band whose
    /// names differ in g, r and z alone (m51-g.fits, m51-r.fits, m51-z.fits) make one picture
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelFlags,
    /// Write a CSV file (path, class, probability and the probability of every class) instead of the table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "top"])]
    csv: Option<PathBuf>,
    /// Write a `VOTable` with the same columns, for TOPCAT and the like, instead of the table; goes together with --csv
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "top"])]
    votable: Option<PathBuf>,
    /// Tell how far each picture is from the training pictures (between the network's features), and the share of the validation
    /// pictures that are nearer: pictures beyond 95 % are unusual, and their classes mean less. The first time this takes one look at all
    /// training and validation pictures; the run folder keeps what was seen
    #[arg(long)]
    distance: bool,
    /// The run's data set, if it has moved (for --distance)
    #[arg(long, value_name = "DIR|synthetic", requires = "distance")]
    data: Option<String>,
    /// Draw into this folder where the model looked at each picture
    #[arg(long, value_name = "DIR")]
    maps: Option<PathBuf>,
    /// Average over the eight flips and turns of each picture (eight times as slow)
    #[arg(long)]
    average: bool,
    #[command(flatten)]
    device: DeviceFlags,
    #[command(flatten)]
    rendering: RenderingFlags,
    /// Show the K most probable classes of each picture
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    /// Print one JSON object a picture instead of the table
    #[arg(long)]
    json: bool,
}

/// Classifies the pictures. Those that cannot be read are told on standard error and left out.
///
/// # Errors
/// If the model cannot be used, the output not written, or not one picture could be classified.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let model = arguments.model.path()?;
    let classifier = arguments.device.bring(Classifier::load(&model)?)?;
    let mut failures = Failures::default();
    let mut pictures = imaging::find_pictures(&arguments.paths, |path, reason| failures.report(path, reason));
    if let Some(folder) = &arguments.maps {
        let drawn = leave_out_maps(&mut pictures, folder, &arguments.paths);
        if drawn > 0 {
            output::note(format!("left out {drawn} pictures in {}: that is where maps are drawn", folder.display()));
        }
    }
    if pictures.is_empty() && failures.count == 0 {
        bail!("there are no pictures in these folders; name files or folders with PNG, JPEG, TIFF, WebP or FITS pictures");
    }
    let pictures = imaging::bands_by_header(&pictures).map_or_else(|| imaging::group_bands(&pictures), |three| vec![three]);
    let rendering = arguments.rendering.rendering();
    let how = maps::How { rendering, average: arguments.average };
    let mut maps = arguments.maps.as_deref().map(|folder| Maps::open(folder, &classifier, &pictures, how)).transpose()?;
    let known = arguments.distance.then(|| familiarity(&classifier, arguments.data.as_deref())).transpose()?;
    let names: Vec<String> = pictures.iter().map(|source| source.path().display().to_string()).collect();
    let mut sink = Sink::open(arguments, &classifier, &names)?;
    let (mut classified, mut undrawn) = (0, 0);
    for batch in pictures.chunks(classifier.batch()) {
        let (sources, images) = decode(&classifier, batch, &rendering, &mut failures);
        for (source, answer) in sources.iter().zip(answers(&classifier, known.as_ref(), &images, arguments.average)?) {
            sink.write(&source.path().display().to_string(), &answer)?;
            if let Some(maps) = &mut maps
                && let Err(reason) = maps.draw(source)?
            {
                output::note(format!("no map of {}: {reason}", source.path().display()));
                undrawn += 1;
            }
            classified += 1;
        }
    }
    if classified == 0 {
        bail!("none of the {} pictures could be read; the reasons are above", failures.count);
    }
    sink.close()?;
    device::tell_trouble(&classifier);
    if failures.count > 0 || undrawn > 0 {
        let maps = if undrawn > 0 { format!(", {undrawn} without a map") } else { String::new() };
        output::note(format!("{classified} pictures classified, {} skipped{maps}", failures.count));
    }
    Ok(())
}

/// Takes the drawings of an earlier time, in the folder of `maps` inside a searched folder, out of `pictures`; tells how many. Where
/// that folder, or something in it, was named itself, everything stays.
fn leave_out_maps(pictures: &mut Vec<PathBuf>, maps: &Path, named: &[PathBuf]) -> usize {
    let whole = |path: &Path| path.canonicalize().ok();
    let Some(maps) = whole(maps) else { return 0 };
    if named.iter().filter_map(|path| whole(path)).any(|path| path.starts_with(&maps)) {
        return 0;
    }
    let before = pictures.len();
    pictures.retain(|picture| whole(picture).is_none_or(|picture| !picture.starts_with(&maps)));
    before - pictures.len()
}

/// What the model says of each picture, in order.
fn answers(classifier: &Classifier, known: Option<&Familiarity>, images: &[Image], average: bool) -> Result<Vec<Answer>, ExplainError> {
    if known.is_none() && !average {
        let without = |probabilities| Answer { probabilities, nearness: None };
        return Ok(classifier.classify(images)?.into_iter().map(without).collect());
    }
    let readings = classifier.look(images, average)?;
    let answer = |reading: &crate::explain::Reading| Answer {
        probabilities: reading.probabilities.clone(),
        nearness: known.and_then(|known| known.nearness(&reading.features)),
    };
    Ok(readings.par_iter().map(answer).collect())
}

/// What could not be read; told at once, and counted.
#[derive(Default)]
struct Failures {
    count: usize,
}

impl Failures {
    fn report(&mut self, path: &Path, reason: &str) {
        self.count += 1;
        output::note(format!("skipped {}: {reason}", path.display()));
    }
}

/// Decodes and scales a batch on all threads; what cannot be read is reported and left out.
fn decode<'a>(
    classifier: &Classifier,
    batch: &'a [Source],
    rendering: &Rendering,
    failures: &mut Failures,
) -> (Vec<&'a Source>, Vec<Image>) {
    let open = |source: &Source| -> Result<Image, String> {
        let picture = source.open(rendering).map_err(|error| error.to_string())?;
        Ok(classifier.prepare(&picture))
    };
    let decoded: Vec<Result<Image, String>> = batch.par_iter().map(open).collect();
    let (mut sources, mut images) = (Vec::new(), Vec::new());
    for (source, image) in batch.iter().zip(decoded) {
        match image {
            Ok(image) => {
                sources.push(source);
                images.push(image);
            }
            Err(reason) => failures.report(source.path(), &reason),
        }
    }
    (sources, images)
}
