//! `tuning-fork explain`: where a saved model looked at a picture, as a PNG file, and its map as numbers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::json;

use super::output;
use crate::explain::{Classifier, Content, Explainer, Method, Request, Scene, Style, faithfulness, npy};
use crate::imaging::{self, ColourMap, Fit, Frame, Image};

/// The class that stands for the most probable one.
const AUTO: &str = "auto";

/// What `explain` takes.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A picture (PNG, JPEG, TIFF, WebP or FITS)
    #[arg(value_name = "PATH")]
    path: PathBuf,
    /// A run folder: its best epoch is the model
    #[arg(long, value_name = "RUN_DIR", required_unless_present = "model", conflicts_with = "model")]
    run: Option<PathBuf>,
    /// A model file
    #[arg(long, value_name = "FILE.safetensors")]
    model: Option<PathBuf>,
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
    /// What the drawing shows
    #[arg(long, value_name = "WHAT", default_value = "figure", value_parser = parser::<5, Content>(Content::ALL.map(Content::name)))]
    content: Content,
    /// How much of the map covers the picture, from 0 to 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.55)]
    opacity: f32,
    /// The colours of positive evidence
    #[arg(long, value_name = "NAME", default_value = "viridis", value_parser = parser::<5, ColourMap>(ColourMap::ALL.map(ColourMap::name)))]
    colours: ColourMap,
    /// Lines around the cells that hold these shares of the evidence
    #[arg(long, value_name = "SHARE,...", value_delimiter = ',')]
    contours: Vec<f64>,
    /// Show the cells of the layer as they are
    #[arg(long)]
    cells: bool,
    /// Times the picture's size
    #[arg(long, value_name = "TIMES", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    zoom: u8,
    /// Write the bare map as 16-bit grey PNG
    #[arg(long, value_name = "FILE.png")]
    map: Option<PathBuf>,
    /// Write the cells of the map as .npy
    #[arg(long, value_name = "FILE.npy")]
    npy: Option<PathBuf>,
    /// Measure by deletion and insertion how far the map can be believed (about a hundred forward passes)
    #[arg(long)]
    faithfulness: bool,
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
    let model = arguments.run.as_ref().or(arguments.model.as_ref()).context("name a model with --run or --model")?;
    if !(0.0..=1.0).contains(&arguments.opacity) || arguments.contours.iter().any(|share| !(0.0..=1.0).contains(share)) {
        bail!("--opacity and --contours are shares from 0 to 1");
    }
    let classifier = Arc::new(Classifier::load(model)?);
    let picture = imaging::open(&arguments.path).with_context(|| arguments.path.display().to_string())?;
    let frame = frame(arguments, &picture, classifier.fit())?;
    let explainer = Explainer::new(Arc::clone(&classifier), &picture.crop(frame), arguments.average)?;
    let request = request(arguments, &explainer)?;
    let style = Style {
        opacity: arguments.opacity,
        colours: arguments.colours,
        contours: arguments.contours.clone(),
        cells: arguments.cells,
        zoom: usize::from(arguments.zoom),
        limit: None,
    };
    let name = arguments.path.file_name().unwrap_or_default().to_string_lossy();
    let scene = Scene { name: &name, picture: &picture, frame, explainer: &explainer };
    let explanation = explainer.explain(&request)?;
    write(&arguments.out, &scene.png(&request, &style, arguments.content)?)?;
    if let Some(path) = &arguments.map {
        write(path, &scene.grey16(&explanation)?)?;
    }
    if let Some(path) = &arguments.npy {
        write(path, &npy(&explanation)?)?;
    }
    let trust = if arguments.faithfulness { Some(faithfulness(&explainer, &explanation, 0)?) } else { None };
    if arguments.json {
        let (low, high) = explanation.map.range();
        let classes = &classifier.spec().classes;
        output::json(&json!({
            "path": arguments.path.display().to_string(), "class": classes[explanation.class],
            "against": explanation.against.map(|c| &classes[c]), "score": explanation.score,
            "probability": explainer.probabilities()[explanation.class], "method": explanation.method.id(),
            "layer": explanation.layer.name, "grid": [explanation.map.width, explanation.map.height],
            "lowest": low, "highest": high, "positive_evidence": explanation.has_positive(), "out": arguments.out.display().to_string(),
            "faithfulness": trust.map(|trust| json!({
                "deletion": trust.map.deleted(), "insertion": trust.map.inserted(),
                "random": [trust.random.deleted(), trust.random.inserted()], "sobel": [trust.sobel.deleted(), trust.sobel.inserted()],
            })),
        }))?;
    } else {
        for line in scene.legend(&explanation, &style) {
            output::line(line)?;
        }
        if let Some(trust) = trust {
            output::line(format!("Faithfulness: {}", trust.summary()))?;
        }
        output::note(format!("written: {}", arguments.out.display()));
    }
    Ok(())
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
