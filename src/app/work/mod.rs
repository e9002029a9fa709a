//! The slow work: opening data sets, decoding pictures, reading models, classifying, setting up runs. Runs on task
//! threads; knows no egui. Errors are in words for the user.

pub mod explore;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Waker;

use super::inspect::Pasted;
use super::state::{Data, DataKey, is_synthetic};
use crate::data::{self, Dataset, Part};
use crate::explain::Classifier;
use crate::imaging::{Bands, Image, ImagingError, Rendering, Source};
use crate::train::{self, Config, DeviceChoice, Handle, Job, RunFolder, Session, Status, device};

/// Opens a data set. `open` is the data set that is open already; it is
/// used again if only the split changes.
pub fn open_data(key: &DataKey, open: Option<(DataKey, Arc<Dataset>)>) -> Result<Box<Data>, String> {
    let same = |old: &DataKey| old.data == key.data && old.synthetic == key.synthetic;
    let set = match open {
        Some((old, set)) if same(&old) => set,
        _ => {
            let (images, size, seed) = key.synthetic.unwrap_or_default();
            Arc::new(data::load(&key.data, images, size, seed).map_err(|error| error.to_string())?)
        }
    };
    describe(key, set)
}

/// Works out everything the window shows of a data set.
pub fn describe(key: &DataKey, set: Arc<Dataset>) -> Result<Box<Data>, String> {
    let split = set.split(key.split_seed).map_err(|error| error.to_string())?;
    let mut parts = vec![None; set.len()];
    let mut balance = vec![[0; 3]; set.classes.len()];
    for (place, part) in [Part::Train, Part::Valid, Part::Test].into_iter().enumerate() {
        for &index in split.part(part) {
            parts[index as usize] = Some(part);
            balance[set.labels[index as usize] as usize][place] += 1;
        }
    }
    Ok(Box::new(Data { set, key: key.clone(), split, parts, balance, generation: 0 }))
}

/// A run that is on its way.
pub struct StartedRun {
    /// The run.
    pub handle: Handle,
    /// Where it is kept.
    pub folder: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// What it told before, if it goes on.
    pub session: Session,
}

/// The path of a data folder from any working directory; what is no path stays.
pub fn absolute(data: &str) -> String {
    let path = std::path::absolute(data).ok().filter(|_| !is_synthetic(data));
    path.map_or_else(|| data.to_owned(), |path| path.display().to_string())
}

/// Makes a run folder in `parent` and starts the run.
pub fn start_run(parent: &Path, config: &Config, set: Arc<Dataset>, waker: Waker) -> Result<Box<StartedRun>, String> {
    // it must find its data again from any folder
    let config = Config { data: absolute(&config.data), ..config.clone() };
    let folder = RunFolder::unique(parent, &config).map_err(|error| error.to_string())?;
    let path = folder.path().to_owned();
    let handle = train::spawn(Job { config: config.clone(), dataset: set, folder }, Some(waker));
    Ok(Box::new(StartedRun { handle, folder: path, config, session: Session::default() }))
}

/// Goes on with a run that ended or was interrupted before its last epoch, on another device if one is named. Its data are `open`, if those
/// are the same, also where its own cannot be read any more.
pub fn go_on(
    path: &Path,
    device: Option<DeviceChoice>,
    open: Option<(DataKey, Arc<Dataset>)>,
    waker: Waker,
) -> Result<Box<StartedRun>, String> {
    let folder = RunFolder::open(path).map_err(|error| error.to_string())?;
    let mut config = folder.config().map_err(|error| error.to_string())?;
    config.device = device.unwrap_or(config.device);
    let mut session = folder.session().map_err(|error| error.to_string())?;
    (session.status, session.message) = (Status::Waiting, None);
    let set = data_of(&folder, &mut config, open)?;
    let handle = train::spawn(Job { config: config.clone(), dataset: set, folder }, Some(waker));
    Ok(Box::new(StartedRun { handle, folder: path.to_owned(), config, session }))
}

/// The data of a run. If they are not where they were and those that are open have the same images, labels and classes, these are taken, and
/// the run finds them there from now on.
fn data_of(folder: &RunFolder, config: &mut Config, open: Option<(DataKey, Arc<Dataset>)>) -> Result<Arc<Dataset>, String> {
    // its own split is kept in its folder, whatever the window's is
    let wanted = DataKey { data: absolute(&config.data), ..DataKey::of(config) };
    let open = open.map(|(key, set)| (DataKey { data: absolute(&key.data), split_seed: wanted.split_seed, ..key }, set));
    if let Some((_, set)) = open.as_ref().filter(|(key, _)| *key == wanted) {
        return Ok(Arc::clone(set));
    }
    let error = match data::load(&config.data, config.synthetic_images, config.size, config.seed) {
        Ok(set) => return Ok(Arc::new(set)),
        Err(error) => error,
    };
    let split = folder.split().map_err(|error| error.to_string())?;
    match open {
        Some((key, set)) if key.synthetic.is_none() && split.difference(&set).is_none() && split.labels == set.labels => {
            config.data = key.data;
            Ok(set)
        }
        _ => Err(format!(
            "Its data, {}, cannot be read: {error}. If they are elsewhere now, open them on the Train panel and go on again.",
            config.data
        )),
    }
}

/// Reads a model file or the best model of a run folder; with `latest` the one of the last epoch that the run keeps, if it keeps one. Many
/// pictures at once go to the device of `choice`, if it names one.
pub fn load_model(path: &Path, latest: bool, choice: DeviceChoice) -> Result<Arc<Classifier>, String> {
    let kept = RunFolder::open(path).and_then(|folder| folder.snapshots()).unwrap_or_default();
    let last = kept.last().filter(|_| latest).map_or(path, |(_, last)| last);
    let classifier = Classifier::load(last).map_err(|error| error.to_string())?;
    let elsewhere = match choice {
        // a device that nobody named keeps its memory for training
        DeviceChoice::Cpu | DeviceChoice::Auto => false,
        DeviceChoice::Cuda(_) => cfg!(feature = "cuda"),
        DeviceChoice::Host(_) => true,
    };
    Ok(Arc::new(if elsewhere { classifier.with_device(Box::new(move || device::open(choice))) } else { classifier }))
}

/// Decodes a picture; of FITS files the numbers too.
pub fn open_picture(source: &Source, rendering: &Rendering) -> Result<(Image, Option<Arc<Bands>>), String> {
    let said = |error: ImagingError| format!("{}: {error}", source.path().display());
    match source.bands() {
        Ok(bands) => Ok((bands.render(rendering), Some(Arc::new(bands)))),
        Err(ImagingError::Format) => Ok((source.open(rendering).map_err(said)?, None)),
        Err(error) => Err(said(error)),
    }
}

/// The picture, or the paths of files, on the clipboard.
pub fn paste() -> Result<Pasted, String> {
    let failed = |error: arboard::Error| format!("The clipboard cannot be read ({error}); drop the picture on the window instead.");
    let mut clipboard = arboard::Clipboard::new().map_err(failed)?;
    if let Ok(picture) = clipboard.get_image() {
        let pixels = picture.bytes.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
        let image = Image::new(picture.width, picture.height, pixels).map_err(|error| error.to_string())?;
        return Ok(Pasted::Picture(Box::new(image)));
    }
    let mut paths = copied_paths(&clipboard.get_text().unwrap_or_default());
    paths.retain(|path| path.exists());
    if paths.is_empty() {
        return Err("There is neither a picture nor the path of a file on the clipboard; copy one first.".into());
    }
    Ok(Pasted::Paths(paths))
}

/// The paths in a text, one a line: as they are, or as file managers copy them, `file:///a%20galaxy.png`.
fn copied_paths(text: &str) -> Vec<PathBuf> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(copied_path).collect()
}

fn copied_path(line: &str) -> PathBuf {
    let Some(encoded) = line.strip_prefix("file://") else { return line.into() };
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = |digits: &[u8]| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        let byte = after.get(..2).filter(|_| first == b'%').and_then(code);
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Reads a picture of a data set.
pub fn read_picture(set: &Dataset, index: usize) -> Result<Image, String> {
    set.images.image(index).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_off_what_file_managers_copy() {
        for (text, paths) in [
            ("/data/m51.png", &["/data/m51.png"][..]),
            ("\n  /data/a galaxy é.png \nmore", &["/data/a galaxy é.png", "more"]),
            ("file:///data/a%20galaxy%20%C3%A9.png\r\nfile:///b.png\r\n", &["/data/a galaxy é.png", "/b.png"]),
            ("file:///100%.png", &["/100%.png"]),
            ("file:///a%2", &["/a%2"]),
            ("", &[]),
        ] {
            let expected: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
            assert_eq!(copied_paths(text), expected, "{text}");
        }
    }
}
