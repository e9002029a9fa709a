//! The system's dialogs: a stand-in for the program that shows them where there is no desktop portal answers what a user would choose.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tuning_fork::imaging;

use super::display::RETURN;
use super::program::Program;
use super::{SOON, display, trained};
use crate::explain::noise;

/// Tells what it was asked for, and answers what lies in a file; without one the dialog was closed.
const STAND_IN: &str = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/asked\"\n[ -s \"$HOME/answer\" ] || exit 1\ncat \"$HOME/answer\"\n";

/// The stand-in of a home folder.
struct Dialogs<'a>(&'a Path);

impl<'a> Dialogs<'a> {
    fn new(home: &'a Path) -> Self {
        let program = home.join("bin/zenity");
        std::fs::create_dir(home.join("bin")).expect("a folder");
        std::fs::write(&program, STAND_IN).expect("a program");
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("it may run");
        Self(home)
    }

    /// The next dialogs choose this; nothing closes them.
    fn choose(&self, paths: &[&Path]) {
        let text = paths.iter().map(|path| path.to_str().expect("text")).collect::<Vec<_>>().join("|");
        std::fs::write(self.0.join("answer"), text).expect("a file");
    }

    /// What the last of so many dialogs was asked for.
    fn asked(&self, count: usize) -> Option<String> {
        let text = std::fs::read_to_string(self.0.join("asked")).unwrap_or_default();
        text.lines().nth(count - 1).map(str::to_owned)
    }
}

fn written(program: &mut Program<'_>, path: &Path) -> Vec<u8> {
    program.wait(&path.display().to_string(), SOON, || std::fs::read(path).ok().filter(|bytes| !bytes.is_empty()))
}

#[test]
fn files_and_folders_are_chosen_in_the_systems_dialogs() {
    let Some(display) = display() else { return };
    let home = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| home.path().join(name);
    let model = trained(&at("runs/a run")).join("best.safetensors");
    let pictures: Vec<PathBuf> = ["one é.png", "two.png"].map(at).into();
    for (number, picture) in (1..).zip(&pictures) {
        imaging::write_png(picture, &noise(number, 40, 40)).expect("a picture");
    }
    for number in 0..6 {
        let folder = at(["data/Round", "data/Spiral"][number % 2]);
        std::fs::create_dir_all(&folder).expect("folders");
        imaging::write_png(&folder.join(format!("{number}.png")), &noise(number as u64, 40, 40)).expect("a picture");
    }
    let dialogs = Dialogs::new(home.path());
    let mut program = Program::start(&display, home.path());
    program.skip_tour();

    // a data folder, a model
    dialogs.choose(&[&at("data")]);
    program.click("Folder…");
    program.wait_for("6 images, 2 classes", SOON);
    dialogs.choose(&[&model]);
    program.click("Model…");
    program.wait_for("32 x 32 px, 10 classes", SOON);
    assert!(dialogs.asked(1).is_some_and(|words| words.contains("--directory")));
    assert!(dialogs.asked(2).is_some_and(|words| words.contains("*.safetensors")));

    // the maps of all pictures of the data set go into a folder
    dialogs.choose(&[&at("maps")]);
    program.click("Maps…");
    for number in 0..6 {
        written(&mut program, &at(&format!("maps/image_{number:05}.png")));
    }

    // a dialog that is closed changes nothing; two pictures are a table, which is saved
    program.enlarge("Classify");
    dialogs.choose(&[]);
    program.click("Picture…");
    program.wait("the closed dialog", SOON, || dialogs.asked(4));
    program.wait_for("Drop a picture anywhere", SOON);
    dialogs.choose(&[&pictures[0], &pictures[1]]);
    program.click("Picture…");
    program.wait_for("2 of 2 pictures", SOON);
    assert!(dialogs.asked(5).is_some_and(|words| words.contains("--multiple") && words.contains("*.fits")));
    dialogs.choose(&[&at("classes.csv")]);
    program.click("Save CSV…");
    let table = String::from_utf8(written(&mut program, &at("classes.csv"))).expect("text");
    assert!(table.lines().count() == 3 && table.contains("one é.png"), "{table}");
    dialogs.choose(&[&at("classes.vot")]);
    program.click("Save VOTable…");
    assert!(written(&mut program, &at("classes.vot")).starts_with(b"<?xml"));

    // a map is saved where the user says, and a second model comes by a dialog too
    program.click_on("one é.png: ");
    program.wait_for("picture one é.png with map: CAM at ", SOON);
    dialogs.choose(&[&at("overlay.png")]);
    program.click("Save map…");
    program.click("Overlay alone (PNG)");
    let bytes = written(&mut program, &at("overlay.png"));
    let ((width, height), _, texts) = crate::explain::figures::read(&bytes);
    assert_eq!((width, height, texts["Content"].as_str()), (40, 40, "overlay"));
    assert!(dialogs.asked(8).is_some_and(|words| words.contains("--save") && words.contains("one é-overlay.png")));
    dialogs.choose(&[&model]);
    // asked for by name: what the map tells has pushed the button below the fold
    program.click("Command palette");
    program.wait_for_focus("Command");
    program.write("Command", "compare with a second model");
    program.key(RETURN);
    program.wait_for("map of a run: CAM at ", SOON);
    program.close();
}

/// Without a portal and without that program no dialog can come: the user is told, and told what to do instead.
#[test]
fn without_dialogs_the_window_says_so() {
    let Some(display) = display() else { return };
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut program = Program::start_with(&display, home.path(), |command| {
        command.env("PATH", home.path().join("nothing"));
    });
    program.skip_tour();
    program.click("Model…");
    program.wait_for("no file dialogs here", SOON);
    program.close();
}
