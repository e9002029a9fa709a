//! A run as one file: a ZIP archive of what is needed to look at the run, to classify with it and to compare it: the
//! configuration, the split, what it told, the best model with what belongs to it, the probabilities, the user's notes. What
//! a resumed run needs and the models of single epochs stay behind.
//!
//! `capsule.json` in it lists each file with its size and SHA-256. An archive is a stranger's file: only what is listed is
//! taken, under a name inside the run's folder, no longer than listed, and the whole may not be out of all proportion to the
//! archive; the folder appears only when everything is there.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::TrackError;
use crate::files;
use crate::train::RunFolder;

const MANIFEST: &str = "capsule.json";
const FORMAT: u32 = 1;
/// How many times larger than the archive its contents may be, ...
const PROPORTION: u64 = 200;
/// ... with this many bytes free for small ones.
const FREE: u64 = 16 << 20;

/// What stands in `capsule.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The run's folder.
    run: String,
    /// The program that wrote it.
    version: String,
    files: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    bytes: u64,
    sha256: String,
}

/// Writes the run in `run` as one file at `out`; a file of that name is replaced.
///
/// # Errors
/// If there is no run, it trains now, or a file cannot be read or written; then nothing is written.
pub fn export(run: &Path, out: &Path) -> Result<(), TrackError> {
    let folder = RunFolder::open(run)?;
    if folder.is_busy() {
        return Err(crate::train::RunError::Busy { path: run.into() }.into());
    }
    let mut names = Vec::new();
    collect(run, "", &mut names).map_err(|error| TrackError::io(run, error))?;
    names.sort();
    let name = run.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
    files::replace_by(out, |partial| pack(run, &names, name.as_deref().unwrap_or("run"), partial))
        .map_err(|error| TrackError::io(out, error))
}

/// The files that go into a capsule, with `/` between their parts.
fn collect(folder: &Path, above: &str, names: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file_name = entry.file_name();
        // what is hidden is half written, or not ours
        if file_name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let name = format!("{above}{}", file_name.to_string_lossy());
        let kind = entry.file_type()?;
        if kind.is_dir() && above.is_empty() && name != "snapshots" {
            collect(&entry.path(), &format!("{name}/"), names)?;
        } else if kind.is_file() && !["lock", "last.safetensors", MANIFEST].contains(&name.as_str()) {
            names.push(name);
        }
    }
    Ok(())
}

fn pack(run: &Path, names: &[String], folder: &str, partial: &Path) -> io::Result<()> {
    let mut archive = ZipWriter::new(File::create(partial)?);
    let mut listed = Vec::new();
    for name in names {
        // weights and probabilities are noise to a compressor, and large
        let method = if name.ends_with(".safetensors") { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        archive.start_file(name, SimpleFileOptions::default().compression_method(method).large_file(true))?;
        let (bytes, sha256) = copy(&mut File::open(run.join(name))?, &mut archive, u64::MAX)?;
        listed.push(Entry { name: name.clone(), bytes, sha256 });
    }
    let manifest = Manifest { format: FORMAT, run: folder.to_owned(), version: crate::VERSION.into(), files: listed };
    archive.start_file(MANIFEST, SimpleFileOptions::default())?;
    archive.write_all(&serde_json::to_vec_pretty(&manifest)?)?;
    archive.finish()?.flush()
}

/// Copies at most `most` bytes; gives how many there were (one more than `most` if there were more) and their SHA-256.
pub(super) fn copy(from: &mut impl Read, to: &mut impl Write, most: u64) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut from = from.take(most.saturating_add(1));
    let mut block = vec![0; 1 << 16];
    let mut total = 0;
    loop {
        let read = from.read(&mut block)?;
        if read == 0 {
            break;
        }
        total += read as u64;
        hash.update(&block[..read]);
        to.write_all(&block[..read])?;
    }
    let digits = hash.finalize().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok((total, digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()))
}

/// Unpacks a capsule into a new folder in `runs`, and gives that.
///
/// # Errors
/// If the file is no capsule, is damaged, or wants to write outside its folder or far more than its size: then there is no new
/// folder.
pub fn import(capsule: &Path, runs: &Path) -> Result<PathBuf, TrackError> {
    let refuse = |why: String| TrackError::Request(format!("{}: {why}", capsule.display()));
    let no_capsule = |why: &dyn std::fmt::Display| {
        refuse(format!("this is no run that was exported here ({why}); choose the file that Export run wrote"))
    };
    let file = File::open(capsule).map_err(|error| TrackError::io(capsule, error))?;
    let allowed = file.metadata().map_err(|error| TrackError::io(capsule, error))?.len().saturating_mul(PROPORTION).saturating_add(FREE);
    let mut archive = ZipArchive::new(file).map_err(|error| no_capsule(&error))?;
    let manifest = manifest(&mut archive).map_err(|why| no_capsule(&why))?;
    if manifest.format != FORMAT {
        return Err(refuse(format!("it was written by program {}; use that or a later one", manifest.version)));
    }
    check(&manifest, allowed).map_err(refuse)?;
    fs::create_dir_all(runs).map_err(|error| TrackError::io(runs, error))?;
    let partial = tempdir(runs)?;
    let unpacked = unpack(&mut archive, &manifest, &partial).map_err(refuse).and_then(|()| {
        // what is in it must be a run
        RunFolder::open(&partial)?.config()?;
        let place = files::free_folder(runs, &manifest.run);
        fs::rename(&partial, &place).map_err(|error| TrackError::io(&place, error))?;
        Ok(place)
    });
    if unpacked.is_err() {
        // the error that matters is the one that stopped it
        let _ = fs::remove_dir_all(&partial);
    }
    unpacked
}

/// Whether a file says that it is a capsule; reads only the list at its end.
#[must_use]
pub fn is_capsule(path: &Path) -> bool {
    let archive = File::open(path).ok().and_then(|file| ZipArchive::new(file).ok());
    archive.is_some_and(|archive| archive.index_for_name(MANIFEST).is_some())
}

fn manifest(archive: &mut ZipArchive<File>) -> Result<Manifest, String> {
    let entry = archive.by_name(MANIFEST).map_err(|_| format!("it has no {MANIFEST}"))?;
    let mut text = Vec::new();
    entry.take(FREE).read_to_end(&mut text).map_err(|error| error.to_string())?;
    serde_json::from_slice(&text).map_err(|error| format!("{MANIFEST}: {error}"))
}

/// Refuses names that lead elsewhere and sizes that no run has.
fn check(manifest: &Manifest, allowed: u64) -> Result<(), String> {
    let plain = |name: &str| {
        !name.is_empty() && Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) && !name.contains('\\')
    };
    if let Some(entry) = manifest.files.iter().find(|entry| !plain(&entry.name)) {
        return Err(format!("its file {:?} would lie outside the run's folder; do not trust it", entry.name));
    }
    if Path::new(&manifest.run).components().count() != 1 || !plain(&manifest.run) || manifest.run.starts_with('.') {
        return Err(format!("its run is called {:?}, which is no folder's name; do not trust it", manifest.run));
    }
    let total = manifest.files.iter().fold(0_u64, |sum, entry| sum.saturating_add(entry.bytes));
    if total > allowed {
        return Err(format!("it claims to hold {total} bytes, far more than its size allows; do not trust it"));
    }
    Ok(())
}

fn unpack(archive: &mut ZipArchive<File>, manifest: &Manifest, partial: &Path) -> Result<(), String> {
    for listed in &manifest.files {
        let Entry { name, bytes, sha256 } = listed;
        let mut entry = archive.by_name(name).map_err(|error| format!("{name} is not in it ({error}); export the run again"))?;
        let place = partial.join(name);
        let written = (|| {
            fs::create_dir_all(place.parent().unwrap_or(partial))?;
            let mut file = File::create_new(&place)?;
            let copied = copy(&mut entry, &mut file, *bytes)?;
            file.sync_all()?;
            Ok::<_, io::Error>(copied)
        })();
        let (count, digest) = written.map_err(|error| format!("{name} cannot be unpacked ({error})"))?;
        if (count, &digest) != (*bytes, sha256) {
            return Err(format!("{name} is not what was exported; the file is damaged, get it again"));
        }
    }
    Ok(())
}

/// A new folder that the index does not see.
fn tempdir(runs: &Path) -> Result<PathBuf, TrackError> {
    let path = files::free_folder(runs, &format!(".import-{}", std::process::id()));
    fs::create_dir(&path).map_err(|error| TrackError::io(&path, error))?;
    Ok(path)
}
