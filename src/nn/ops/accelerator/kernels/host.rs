//! The kernels on the processor: the same source, compiled by the system's C++ compiler behind `host.hpp`, which gives it CUDA's words.
//! Slow, and right: tests and the self-test run on it where no device is.

#![allow(unsafe_code, reason = "a library is loaded and called; each block states its proof")]

use std::ffi::{CString, c_char, c_int, c_void};
use std::fmt::Write;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{Launch, Storage, names, source};

/// `tuning_fork_launch` of the library.
type Entry = unsafe extern "C" fn(*const c_char, *const u32, *const u32, *mut *mut c_void) -> c_int;

/// The compiled kernels for one storage type. It stays loaded until the program ends.
#[derive(Debug)]
pub struct Library {
    entry: Entry,
}

impl Library {
    /// The library, compiled at the first call of a machine and kept in the user's folder for caches.
    ///
    /// # Errors
    /// If there is no C++ compiler, or it does not compile the kernels: what to do.
    pub fn load(storage: Storage) -> Result<&'static Self, String> {
        static LOADED: [OnceLock<Result<Library, String>>; 3] = [const { OnceLock::new() }; 3];
        LOADED[storage as usize].get_or_init(|| Self::open(&compiled(&host_source(storage))?)).as_ref().map_err(Clone::clone)
    }

    fn open(path: &Path) -> Result<Self, String> {
        let file = CString::new(path.as_os_str().as_bytes()).map_err(|e| format!("{}: {e}", path.display()))?;
        // SAFETY: a path that ends with a nought. The library is the one just compiled: loading it runs nothing but the C++ library's start.
        let library = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if library.is_null() {
            return Err(format!(
                "{} cannot be loaded; delete it, or set XDG_CACHE_HOME to a folder that programs may run from",
                path.display()
            ));
        }
        // SAFETY: a loaded library, which is never closed.
        let entry = unsafe { libc::dlsym(library, c"tuning_fork_launch".as_ptr()) };
        if entry.is_null() {
            return Err(format!("{} is not the kernels' library; delete it and try again", path.display()));
        }
        // SAFETY: `host_source` defines a function of this name with these arguments.
        Ok(Self { entry: unsafe { std::mem::transmute::<*mut c_void, Entry>(entry) } })
    }

    /// Runs a kernel to its end. `arguments` are the addresses of the arguments' values, in order, as `cuLaunchKernel` takes them.
    ///
    /// # Errors
    /// If there is no kernel of this name.
    ///
    /// # Safety
    /// The arguments are those of the kernel, and their memory is what the kernel's comment says: as long, aligned to 16 bytes, and used by
    /// nobody else meanwhile.
    pub unsafe fn launch(&self, name: &str, launch: Launch, arguments: &mut [*mut c_void]) -> Result<(), String> {
        let missing = || format!("there is no kernel {name}");
        let text = CString::new(name).map_err(|_| missing())?;
        // SAFETY: the entry reads a name, twice three numbers, and what the caller promises.
        let code = unsafe { (self.entry)(text.as_ptr(), launch.grid.as_ptr(), launch.block.as_ptr(), arguments.as_mut_ptr()) };
        if code == 0 { Ok(()) } else { Err(missing()) }
    }
}

/// The kernels behind CUDA's words, and the function that launches them by name.
fn host_source(storage: Storage) -> String {
    let mut text = format!("{}{}\n", include_str!("host.hpp"), source(storage));
    text += "extern \"C\" __attribute__((visibility(\"default\")))\n";
    text += "int tuning_fork_launch(const char* name, const unsigned* grid, const unsigned* threads, void** arguments) {\n";
    for name in names() {
        let call = format!("host::launch(host::bind({name}), grid, threads, arguments)");
        let _ = writeln!(text, "    if (!std::strcmp(name, \"{name}\")) return {call}, 0;");
    }
    text + "    return 1;\n}\n"
}

/// What the compiler is told: the arithmetic as it is written, nothing joined; the symbols are nobody else's.
const FLAGS: &[&str] = &["-std=c++20", "-O2", "-ffp-contract=off", "-fno-strict-aliasing", "-fvisibility=hidden", "-w", "-shared", "-fPIC"];

/// The library that `text` compiles to. It appears whole or not at all, so several programs may compile it at once.
fn compiled(text: &str) -> Result<PathBuf, String> {
    let failed = |what: &dyn std::fmt::Display| format!("the kernels cannot be compiled for the processor: {what}");
    let cache = dirs::cache_dir().map(|cache| cache.join("tuning-fork"));
    // a home that cannot be written to is none
    let folder = match cache.filter(|folder| DirBuilder::new().recursive(true).mode(0o700).create(folder).is_ok()) {
        Some(folder) => folder,
        None => fresh_folder().map_err(|e| failed(&e))?,
    };
    private(&folder).map_err(|e| failed(&e))?;
    let mut hash = DefaultHasher::new();
    (text, FLAGS, std::env::var_os("CXX")).hash(&mut hash);
    let name = format!("kernels-{:016x}", hash.finish());
    let library = folder.join(format!("{name}.so"));
    if ours(&library) {
        return Ok(library);
    }
    // names that nobody guesses, and files that were not there before
    let own = format!("{name}-{:016x}", random());
    let (input, output) = (folder.join(format!("{own}.cpp")), folder.join(format!("{own}.so")));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&input).map_err(|e| failed(&at(&input, &e)))?;
    let result = file.write_all(text.as_bytes()).map_err(|e| at(&input, &e)).and_then(|()| compile(&input, &output));
    let _ = std::fs::remove_file(&input);
    let renamed = result.and_then(|()| {
        // compilers heed the umask, which may let others write
        std::fs::set_permissions(&output, Permissions::from_mode(0o700)).map_err(|e| at(&output, &e))?;
        std::fs::rename(&output, &library).map_err(|e| at(&library, &e))
    });
    if renamed.is_err() {
        let _ = std::fs::remove_file(&output);
    }
    renamed.map_err(|e| failed(&e))?;
    if ours(&library) { Ok(library) } else { Err(failed(&format!("{} is another user's; delete it", library.display()))) }
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

/// Refuses a folder that another user may write to.
fn private(folder: &Path) -> Result<(), String> {
    let found = std::fs::symlink_metadata(folder).map_err(|e| at(folder, &e))?;
    if found.is_dir() && found.uid() == user() && found.mode() & 0o022 == 0 {
        return Ok(());
    }
    Err(format!(
        "others may write to {}; let its owner alone do so (chmod go-w), or set XDG_CACHE_HOME to a folder of your own",
        folder.display()
    ))
}

/// A folder for temporary files of this program alone.
fn fresh_folder() -> Result<PathBuf, String> {
    let folder = std::env::temp_dir().join(format!("tuning-fork-{:016x}", random()));
    DirBuilder::new().mode(0o700).create(&folder).map_err(|e| at(&folder, &e))?;
    Ok(folder)
}

/// Whether this is a file of this user that nobody else may change.
fn ours(file: &Path) -> bool {
    std::fs::symlink_metadata(file).is_ok_and(|file| file.is_file() && file.uid() == user() && file.mode() & 0o022 == 0)
}

/// Another number each time: the standard library's hash maps begin with random keys of the system.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Whose files are loaded: no other user's.
fn user() -> u32 {
    // SAFETY: asks the system for a number and cannot fail.
    unsafe { libc::geteuid() }
}

/// Runs the first compiler that is there.
fn compile(input: &Path, output: &Path) -> Result<(), String> {
    let chosen = std::env::var("CXX").ok().filter(|name| !name.is_empty());
    let compilers = chosen.iter().map(String::as_str).chain(["c++", "g++", "clang++"]);
    for compiler in compilers {
        let Ok(out) = Command::new(compiler).args(FLAGS).arg("-o").arg(output).arg(input).output() else { continue };
        if out.status.success() {
            return Ok(());
        }
        return Err(format!("{compiler} says {}", String::from_utf8_lossy(&out.stderr).lines().next().unwrap_or("nothing")));
    }
    Err("no C++ compiler; install g++ or clang, or name one in CXX".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_write_to_is_not_loaded() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = parent.path().join("cache");
        DirBuilder::new().mode(0o700).create(&folder).expect("a new folder");
        private(&folder).expect("a folder of our own");
        let file = folder.join("kernels.so");
        std::fs::write(&file, "x").expect("a file");
        for (mode, good) in [(0o700, true), (0o755, true), (0o720, false), (0o702, false)] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).expect("permissions");
            assert_eq!(ours(&file), good, "{mode:o}");
            std::fs::set_permissions(&folder, Permissions::from_mode(mode)).expect("permissions");
            assert_eq!(private(&folder).is_ok(), good, "{mode:o}");
        }
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700)).expect("permissions");
        let link = folder.join("link.so");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        assert!(!ours(&link) && !ours(&folder.join("nothing.so")));
        assert_ne!(random(), random());
    }
}
