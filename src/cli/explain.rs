//! `tuning-fork explain`: where a saved model looked at a picture, as a PNG file, and its map as numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::device::{self, DeviceFlags};
use super::model::ModelFlags;
use super::output;
use super::rendering::RenderingFlags;
use crate::explain::{Classifier, Content, Explainer, Method, Request, Scale, Scene, Style, faithfulness, film, npy, sanity};
use crate::imaging::{self, ColourMap, Fit, Frame, Image, Rendering, Source};
use crate::train::RunFolder;

mod told;

use told::Told;

/// The class that stands for the most probable one.
const AUTO: &str = "auto";

/// What `explain` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A picture (PNG, JPEG, TIFF, WebP or FITS), or three FITS files of one band each: g, r and z by their names or headers, else in
    /// the order given
    #[arg(required = true, num_args = 1.., value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    model: ModelFlags,
    /// Write the drawing here
    #[arg(long, value_name = "FILE.png")]
    out: PathBuf,
    /// How the map is made
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = PossibleValuesParser::new(method_names()))]
    method: String,
    /// The class: auto (the most probable), its name, or its number from 0
    #[arg(long, value_name = "CLASS", default_value = AUTO)]
    class: String,
    /// Another class: why the one and not the other
    #[arg(long, value_name = "CLASS")]
    against: Option<String>,
    /// The layer, as `summary` names it; the method's best if it is left out
    #[arg(long, value_name = "NAME")]
    layer: Option<String>,
    /// Keep evidence against the class too
    #[arg(long)]
    signed: bool,
    /// Average over the eight flips and turns of the picture
    #[arg(long)]
    average: bool,
    /// How a picture that is not square becomes one; as the model was trained if it is left out
    #[arg(long, value_name = "FIT", value_parser = parser::<3, Fit>(Fit::ALL.map(Fit::name)))]
    fit: Option<Fit>,
    /// Only this part of the picture: left, top, width and height in pixels
    #[arg(long, value_name = "X,Y,W,H", value_delimiter = ',', conflicts_with = "fit", allow_negative_numbers = true)]
    crop: Option<Vec<i64>>,
    #[command(flatten)]
    device: DeviceFlags,
    #[command(flatten)]
    rendering: RenderingFlags,
    /// Which planes of three are g, r and z, counted from 1
    #[arg(long, value_name = "G,R,Z", value_delimiter = ',', help_heading = "FITS files")]
    planes: Option<Vec<usize>>,
    /// What the drawing shows
    #[arg(long, value_name = "WHAT", default_value = "figure", value_parser = parser::<5, Content>(Content::ALL.map(Content::name)))]
    content: Content,
    /// How much of the map covers the picture, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.55)]
    opacity: f32,
    /// The colours of positive evidence
    #[arg(long, value_name = "NAME", default_value = "viridis", value_parser = parser::<5, ColourMap>(ColourMap::ALL.map(ColourMap::name)))]
    colours: ColourMap,
    /// Whether maps share a scale: auto (a sheet of classes does), own, or common (the strongest of all classes)
    #[arg(long, value_name = "SCALE", default_value = "auto", value_parser = parser::<3, Scale>(Scale::ALL.map(Scale::name)))]
    scale: Scale,
    /// Lines around the cells that hold these shares of the evidence
    #[arg(long, value_name = "SHARE,...", value_delimiter = ',')]
    contours: Vec<f64>,
    /// Show the cells of the layer as they are
    #[arg(long)]
    cells: bool,
    /// Draw lines around the galaxy (white) and other sources (orange), between which the map's mass is shared
    #[arg(long)]
    regions: bool,
    /// Times the picture's size
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    zoom: u8,
    /// Write the bare map as 16-bit grey PNG
    #[arg(long, value_name = "FILE.png")]
    map: Option<PathBuf>,
    /// Write the cells of the map as .npy
    #[arg(long, value_name = "FILE.npy")]
    npy: Option<PathBuf>,
    /// Measure by ROAD, deletion and insertion how far the map can be believed (about 150 forward passes)
    #[arg(long)]
    faithfulness: bool,
    /// Check whether the model's maps show what it learned: replace its weights by random ones, from the last layer to the first. On
    /// this picture, or on up to eight of the named folder
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    sanity: Option<PathBuf>,
    /// Write how the map came to be: one small map for each epoch whose model the run keeps (see `train --snapshots`)
    #[arg(long, value_name = "FILE.png")]
    film: Option<PathBuf>,
    /// Print one JSON object instead of the text
    #[arg(long)]
    json: bool,
}

fn method_names() -> Vec<&'static str> {
    std::iter::once(AUTO).chain(Method::ALL.map(Method::id)).collect()
}

/// Reads one of a few names.
fn parser<const N: usize, T>(names: [&'static str; N]) -> impl TypedValueParser<Value = T>
where
    T: std::str::FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(names).try_map(|name| name.parse::<T>())
}

/// Draws the map and tells what it is.
///
/// # Errors
/// If the model or the picture cannot be used, the method does not fit the network, or a file cannot be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let model = arguments.model.path()?;
    if !(0.0..=1.0).contains(&arguments.opacity) || arguments.contours.iter().any(|share| !(0.0..=1.0).contains(share)) {
        bail!("--opacity and --contours are shares from 0 to 1");
    }
    check_names(arguments)?;
    let classifier = arguments.device.bring(Classifier::load(&model)?)?;
    let source = source(&arguments.paths)?;
    let picture = source.open(&rendering(arguments)?).with_context(|| source.path().display().to_string())?;
    let frame = frame(arguments, &picture, classifier.fit())?;
    let explainer = Explainer::new(Arc::clone(&classifier), &picture.crop(frame), arguments.average)?;
    let request = request(arguments, &explainer)?;
    let style = Style {
        opacity: arguments.opacity,
        colours: arguments.colours,
        contours: arguments.contours.clone(),
        cells: arguments.cells,
        regions: arguments.regions,
        zoom: usize::from(arguments.zoom),
        scale: arguments.scale,
        limit: None,
    };
    let name = source.name();
    let scene = Scene { name: &name, picture: &picture, frame, explainer: &explainer };
    let explanation = explainer.explain(&request)?;
    write(&arguments.out, &scene.png(&request, &style, arguments.content)?)?;
    if let Some(path) = &arguments.map {
        write(path, &scene.grey16(&explanation)?)?;
    }
    if let Some(path) = &arguments.npy {
        write(path, &npy(&explanation)?)?;
    }
    if let Some(path) = &arguments.film {
        let run = RunFolder::of_model(classifier.path());
        let run = run.context("a film needs the models of a run's epochs; this model does not lie in the folder of a run")?;
        let request = Request { class: Some(explanation.class), ..request.clone() };
        let models = run.snapshots()?;
        let stills = film(&models, &picture.crop(frame), arguments.average, &request, || true)?.unwrap_or_default();
        write(path, &scene.film_png(&request, &style, &stills)?)?;
    }
    let trust = if arguments.faithfulness { Some(faithfulness(&explainer, &explanation, 0)?) } else { None };
    let checked = match &arguments.sanity {
        Some(folder) => Some(sanity(&classifier, &checked_pictures(folder, &picture.crop(frame))?, &request, 0)?),
        None => None,
    };
    let drawn = scene.settled(&request, &style)?;
    let told = Told {
        arguments,
        source: &source,
        scene: &scene,
        explanation: &explanation,
        style: &drawn,
        trust: trust.as_ref(),
        checked: checked.as_ref(),
    };
    if arguments.json {
        output::json(&told.json())?;
    } else {
        told.text()?;
    }
    device::tell_trouble(&classifier);
    Ok(())
}

/// That no file has a name that says something else than what is written.
fn check_names(arguments: &Arguments) -> anyhow::Result<()> {
    let named = [
        ("out", Some(&arguments.out), "png"),
        ("map", arguments.map.as_ref(), "png"),
        ("npy", arguments.npy.as_ref(), "npy"),
        ("film", arguments.film.as_ref(), "png"),
    ];
    for (option, path, ending) in named {
        if let Some(path) = path.filter(|path| !path.extension().is_some_and(|other| other.eq_ignore_ascii_case(ending))) {
            bail!("--{option} {}: this writes {}; choose a name that ends with .{ending}", path.display(), ending.to_uppercase());
        }
    }
    Ok(())
}

/// The one picture that the files make.
fn source(paths: &[PathBuf]) -> anyhow::Result<Source> {
    match paths {
        [path] => Ok(Source::File(path.clone())),
        _ => imaging::three_bands(paths).with_context(|| {
            let count = paths.len();
            format!("these {count} files are not one picture; name one file, or three FITS files of one band and one size each")
        }),
    }
}

/// The most pictures that a model is checked on.
const CHECKED: usize = 8;

/// Pictures spread over a folder, or (without one) the picture itself.
fn checked_pictures(folder: &Path, picture: &Image) -> anyhow::Result<Vec<Image>> {
    if folder.as_os_str().is_empty() {
        return Ok(vec![picture.clone()]);
    }
    let paths = imaging::find_pictures(&[folder.to_owned()], |path, why| output::note(format!("{}: {why}", path.display())));
    let count = CHECKED.min(paths.len());
    (0..count)
        .map(|i| &paths[i * paths.len() / count])
        .map(|path| imaging::open(path).with_context(|| path.display().to_string()))
        .collect()
}

/// How FITS numbers become a picture.
fn rendering(arguments: &Arguments) -> anyhow::Result<Rendering> {
    let chosen = arguments.rendering.rendering();
    let Some(planes) = &arguments.planes else { return Ok(chosen) };
    let mut sorted = planes.clone();
    sorted.sort_unstable();
    match planes.as_slice() {
        &[g, r, z] if sorted == [1, 2, 3] => Ok(Rendering { order: [g - 1, r - 1, z - 1], ..chosen }),
        _ => bail!("--planes takes the numbers 1, 2 and 3 in the order of g, r and z, such as 3,2,1"),
    }
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    imaging::write_file(path, bytes).with_context(|| format!("{} cannot be written; choose another place or make room", path.display()))
}

/// The part of the picture that the network is to see.
fn frame(arguments: &Arguments, picture: &Image, trained: Fit) -> anyhow::Result<Frame> {
    let Some(crop) = &arguments.crop else { return Ok(arguments.fit.unwrap_or(trained).frame(picture.width(), picture.height())) };
    let &[x, y, width, height] = crop.as_slice() else { bail!("--crop takes four numbers: left, top, width, height") };
    let side = |length: i64| usize::try_from(length).ok().filter(|length| (1..=30_000).contains(length));
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok(Frame { x, y, width, height }),
        _ => bail!("--crop needs a width and a height from 1 to 30000 pixels, not {width} and {height}"),
    }
}

fn request(arguments: &Arguments, explainer: &Explainer) -> anyhow::Result<Request> {
    let classes = &explainer.classifier().spec().classes;
    let class = |text: &str| {
        let named = classes.iter().position(|name| name.eq_ignore_ascii_case(text));
        let found = named.or_else(|| text.parse().ok().filter(|number| *number < classes.len()));
        found.with_context(|| format!("there is no class {text}; the model has {}", classes.join(", ")))
    };
    let method = if arguments.method == AUTO { explainer.best_method() } else { arguments.method.parse().map_err(anyhow::Error::msg)? };
    Ok(Request {
        method,
        layer: arguments.layer.clone(),
        class: if arguments.class == AUTO { None } else { Some(class(&arguments.class)?) },
        against: arguments.against.as_deref().map(class).transpose()?,
        signed: arguments.signed,
    })
}
