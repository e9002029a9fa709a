//! `tuning-fork data`: import, download, draw and inspect data sets. Results go to standard output, progress and notes to
//! standard error.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context as _;
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{STOPPED, output};
use crate::data::fetch::{FetchOptions, FetchProgress, fetch};
use crate::data::hdf5::{ImportReport, import};
use crate::data::{self, ACKNOWLEDGEMENT, DataError, FolderWriter, classes, synth};
use crate::train::Config;

/// What can be done with data sets.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Turn a Galaxy10 HDF5 file (DECaLS or SDSS) into a data folder
    #[command(after_help = "The file holds `images` (N,H,W,3) uint8 and `ans` (N,), and perhaps `ra`, `dec`, `redshift`, `pxscale`.")]
    Import {
        /// The HDF5 file
        file: PathBuf,
        /// The data folder to make
        dir: PathBuf,
    },
    /// Download Galaxy10 DECaLS (2.7 GB) from Zenodo and turn it into a data folder
    #[command(after_help = "A download that was interrupted goes on when the same command is run again.\n\
        The folder needs 3.5 GB; the downloaded file is kept in DIR.download and may then be deleted.")]
    Fetch {
        /// The data folder to make
        dir: PathBuf,
        /// Where to get the file instead of Zenodo
        #[arg(long, value_name = "U")]
        url: Option<String>,
        /// The SHA-256 of the file, if it is not that of Galaxy10 DECaLS
        #[arg(long, value_name = "H")]
        sha256: Option<String>,
    },
    /// Draw synthetic galaxies into a data folder
    Synth {
        /// The data folder to make
        dir: PathBuf,
        /// How many images
        #[arg(long, value_name = "N", default_value_t = Config::default().synthetic_images)]
        images: usize,
        /// Width and height in pixels
        #[arg(long, value_name = "S", default_value_t = Config::default().size)]
        size: usize,
        /// The seed: the same seed draws the same galaxies
        #[arg(long, value_name = "K", default_value_t = Config::default().seed)]
        seed: u64,
    },
    /// Show classes, split, sizes and duplicates of a data set
    Info {
        /// A data folder, a folder with one subfolder a class, or `synthetic`
        #[arg(value_name = "DIR|synthetic")]
        data: String,
        /// The seed of the split, if none came with the data
        #[arg(long, value_name = "K", default_value_t = Config::default().seed)]
        seed: u64,
        /// One JSON object instead of a table
        #[arg(long)]
        json: bool,
    },
    /// Write chosen images as a table: CSV or `VOTable`
    #[command(after_help = QUERY_HELP)]
    Export(super::export::Arguments),
}

/// How to choose images.
const QUERY_HELP: &str = "\
Words of a query (an image must pass all of them; ! before a word turns it round):
  class:5  class:\"Barred Spiral\"  class:5,6   by label; original:5 by the label of the data set
  split:test                                  train, valid, test or none
  pred:5  right  wrong                        what the model says (name one with --run or --model)
  conf>0.9  margin<0.1  loss>2                its certainty
  redshift<0.1  ra:150..152  dec:-1..1        catalogue columns
  image:0..99                                 by number
  relabelled  tagged  tag:merger              what was marked in the window
  sort:redshift  sort:-loss                   the order, with - the largest first";

/// Carries a `data` subcommand out.
pub fn run(command: &DataCommand) -> anyhow::Result<()> {
    match command {
        DataCommand::Import { file, dir } => run_import(file, dir),
        DataCommand::Fetch { dir, url, sha256 } => run_fetch(dir, url.as_deref(), sha256.as_deref()),
        DataCommand::Synth { dir, images, size, seed } => run_synth(dir, *images, *size, *seed),
        DataCommand::Info { data, seed, json } => run_info(data, *seed, *json),
        DataCommand::Export(arguments) => super::export::run(arguments),
    }
}

fn run_import(file: &Path, dir: &Path) -> anyhow::Result<()> {
    let bar = image_bar();
    let mut tell = |done, images| {
        bar.set_length(images as u64);
        bar.set_position(done as u64);
    };
    let report = import(file, dir, &mut tell, &AtomicBool::new(false));
    bar.finish_and_clear();
    tell_import(&report?, dir)
}

fn run_fetch(dir: &Path, url: Option<&str>, sha256: Option<&str>) -> anyhow::Result<()> {
    // An attempt that writes nothing: whether the folder can be made is to be known before 2.7 GB have come.
    drop(FolderWriter::create(dir, 1, 1)?);
    let mut downloads = dir.as_os_str().to_owned();
    downloads.push(".download");
    let mut options = FetchOptions::galaxy10(downloads.into());
    if let Some(url) = url {
        options = options.from_mirror(url.to_owned());
    }
    if let Some(sha256) = sha256 {
        options = options.with_sha256(sha256.to_owned());
    }
    // What has arrived is on disk at any moment, so there is nothing to wait for.
    ctrlc::set_handler(|| {
        output::note("\nstopped; what has arrived is kept: run the same command again to go on from there");
        std::process::exit(i32::from(STOPPED));
    })
    .context("Ctrl-C cannot be caught")?;
    output::note(format!("getting {}", options.url));
    let file = download(&options)?;
    run_import(&file, dir).with_context(|| format!("{} is complete, but cannot be imported", file.display()))?;
    output::line(format!("\nThe downloaded file is kept as {}; it is no longer needed.", file.display()))?;
    Ok(())
}

/// Downloads with a bar of bytes, and tells what goes wrong on the way.
fn download(options: &FetchOptions) -> Result<PathBuf, DataError> {
    let bar = ProgressBar::new(0);
    let mut started = false;
    let done = fetch(
        options,
        &mut |progress| match progress {
            FetchProgress::Downloading { done, total } => {
                if !started {
                    bar.set_style(byte_style(total.is_some()));
                    bar.set_length(total.unwrap_or(0));
                }
                bar.set_position(done);
                if !started {
                    bar.reset_eta(); // what an earlier attempt brought says nothing about the speed of this one
                    started = true;
                }
            }
            FetchProgress::Waiting { reason, pause } => {
                let text = format!("{reason}; trying again in {} s", pause.as_secs_f64().ceil());
                bar.suspend(|| output::note(text));
                started = false;
            }
            FetchProgress::Checking { done, total } => {
                bar.set_style(style("checking  {bar:30.cyan/blue} {percent:>3} %"));
                bar.set_length(total);
                bar.set_position(done);
            }
        },
        &AtomicBool::new(false),
    );
    bar.finish_and_clear();
    done
}

fn run_synth(dir: &Path, images: usize, size: usize, seed: u64) -> anyhow::Result<()> {
    let bar = image_bar();
    bar.set_length(images as u64);
    let written = synth::write(dir, images, size, seed, &mut |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    written?;
    output::line(format!("{}: {images} synthetic galaxies of {size} x {size} pixels (seed {seed})", dir.display()))?;
    Ok(())
}

fn run_info(choice: &str, seed: u64, json: bool) -> anyhow::Result<()> {
    let Config { synthetic_images, size, .. } = Config::default();
    let dataset = data::load(choice, synthetic_images, size, seed)?;
    let split = dataset.split(seed);
    if split.is_err() && !json {
        tell_counts(&dataset.classes, &dataset.class_counts())?; // they show what stands in the way of a split
    }
    let split = split?;
    let spinner = ProgressBar::new_spinner().with_message("looking at every picture");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let info = data::info(&dataset, &split);
    spinner.finish_and_clear();
    let shown = if json { output::json(&info?) } else { output::line(info?) };
    Ok(shown?)
}

/// What was imported, and whom to thank for it.
fn tell_import(report: &ImportReport, dir: &Path) -> anyhow::Result<()> {
    let ImportReport { images, height, width, .. } = report;
    output::line(format!("{}: {images} images of {width} x {height} pixels", dir.display()))?;
    tell_counts(&report.classes, &report.class_counts)?;
    let columns = if report.columns.is_empty() { "none".to_owned() } else { report.columns.join(", ") };
    output::line(format!("Catalogue columns: {columns}"))?;
    if report.classes == classes::GALAXY10 || report.classes == classes::GALAXY10_SDSS {
        output::line(format!("\n{ACKNOWLEDGEMENT}"))?;
    }
    Ok(())
}

fn tell_counts(classes: &[String], counts: &[usize]) -> std::io::Result<()> {
    let mut lines = classes.iter().zip(counts).enumerate();
    lines.try_for_each(|(label, (name, count))| output::line(format!("{count:>8}  {label} {name}")))
}

fn image_bar() -> ProgressBar {
    ProgressBar::new(0).with_style(image_style())
}

/// How a bar that counts images looks.
pub(super) fn image_style() -> ProgressStyle {
    style("{bar:30.cyan/blue} {percent:>3} %  {pos}/{len} images, {eta} left")
}

fn byte_style(total_is_known: bool) -> ProgressStyle {
    if total_is_known {
        style("{bar:30.cyan/blue} {percent:>3} %  {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left")
    } else {
        style("{spinner} {bytes}, {bytes_per_sec}")
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
