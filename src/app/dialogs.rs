//! Whether the system can show file dialogs. Where it cannot, asking for one would look as if the user had closed it at once.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// What the user is told where there are none.
pub const NO_DIALOGS: &str = "The system has no file dialogs here: neither a desktop portal (on the session bus) nor the program zenity, \
                              which can be installed. Drop files and folders on the window, or write their paths into a panel's field; \
                              \"Export\" writes without asking.";

/// Whether a dialog can come.
#[must_use]
pub fn possible() -> bool {
    let variable = std::env::var_os;
    cfg!(not(target_os = "linux"))
        || bus(variable("DBUS_SESSION_BUS_ADDRESS").as_deref(), variable("XDG_RUNTIME_DIR").map(PathBuf::from).as_deref())
        || zenity(variable("PATH").as_deref())
}

/// Whether there is a session bus, where the desktop's portal would answer.
fn bus(address: Option<&OsStr>, runtime: Option<&Path>) -> bool {
    address.is_some_and(|address| !address.is_empty()) || runtime.is_some_and(|runtime| runtime.join("bus").exists())
}

/// Whether one of the folders of a PATH has the program that is taken where there is no portal.
fn zenity(path: Option<&OsStr>) -> bool {
    path.is_some_and(|path| std::env::split_paths(path).any(|folder| folder.join("zenity").is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bus_or_a_program_is_needed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = std::env::join_paths([Path::new("/nowhere"), folder.path()]).expect("a PATH");
        assert!(!bus(None, None) && !bus(Some(OsStr::new("")), Some(folder.path())) && !zenity(None) && !zenity(Some(&path)));
        for name in ["bus", "zenity"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        assert!(bus(Some(OsStr::new("unix:path=/run/bus")), None) && bus(None, Some(folder.path())) && zenity(Some(&path)));
    }
}
