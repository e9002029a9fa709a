//! The program under test: started, watched through its test hook, used and closed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use serde::Deserialize;
use x11rb::protocol::xproto::Window;

use super::display::{Display, ESCAPE, RETURN};

/// A widget as the hook tells it.
#[derive(Clone, Debug, Deserialize)]
struct Widget {
    label: Option<String>,
    role: String,
    value: Option<String>,
    disabled: bool,
    focused: bool,
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

impl Widget {
    fn says(&self, words: &str) -> bool {
        [&self.label, &self.value].into_iter().flatten().any(|text| text.contains(words))
    }

    /// Whether this is the control of that name, and not a mere text.
    fn is_control(&self, name: &str) -> bool {
        self.label.as_deref() == Some(name) && !["Label", "Unknown"].contains(&self.role.as_str())
    }
}

/// A running program. Dropping it kills it.
pub struct Program<'a> {
    child: Child,
    display: &'a Display,
    window: Window,
    hook: PathBuf,
    log: PathBuf,
}

impl Drop for Program<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl<'a> Program<'a> {
    /// Starts the program with everything it keeps in `home`, and waits for its window.
    pub fn start(display: &'a Display, home: &Path) -> Self {
        Self::start_with(display, home, |_| ())
    }

    /// The same, in an environment that is changed before. Programs in `home/bin` go before the system's; there is no session bus.
    pub fn start_with(display: &'a Display, home: &Path, change: impl FnOnce(&mut Command)) -> Self {
        let (hook, log) = (home.join("widgets.json"), home.join("log.txt"));
        let _ = std::fs::remove_file(&hook);
        let mut path = home.join("bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        let mut command = Command::new(env!("CARGO_BIN_EXE_tuning-fork"));
        command
            .env("DISPLAY", display.name())
            .env("PATH", path)
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_RUNTIME_DIR", home)
            .env("HOME", home)
            .env("TUNING_FORK_STATE", home.join("state.ron"))
            .env("TUNING_FORK_RUNS", home.join("runs"))
            .env("TUNING_FORK_TEST_HOOK", &hook)
            .current_dir(home)
            .stderr(File::create(&log).expect("a log file"));
        change(&mut command);
        let child = command.spawn().expect("the program starts");
        let mut program = Self { child, display, window: 0, hook, log };
        let process = program.child.id();
        program.window = program.wait("the window", super::SOON, || display.window_of(process));
        program
    }

    /// Waits until `found` finds something.
    pub fn wait<T>(&mut self, what: &str, limit: Duration, mut found: impl FnMut() -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = found() {
                return found;
            }
            let exit = self.child.try_wait().expect("the program can be asked");
            if exit.is_some() || start.elapsed() > limit {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let said: Vec<_> = widgets(&self.hook).into_iter().filter_map(|w| w.label.or(w.value)).collect();
                panic!("waited for {what} in vain; exit {exit:?}; the window says {said:?}; the program says {log}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until something in the window says these words.
    pub fn wait_for(&mut self, words: &str, limit: Duration) {
        let hook = self.hook.clone();
        self.wait(words, limit, || widgets(&hook).into_iter().find(|widget| widget.says(words)));
    }

    /// Puts the tour of a first start away; a busy machine may miss a click of its first moments.
    pub fn skip_tour(&mut self) {
        self.wait_for("Welcome to Tuning Fork", super::SOON);
        for _ in 0..5 {
            if !self.shows("Skip the tour") {
                return;
            }
            self.click("Skip the tour");
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(3) {
                if !self.shows("Welcome to Tuning Fork") {
                    return;
                }
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        panic!("the tour stays");
    }

    /// Whether these words are in sight now.
    pub fn shows(&self, words: &str) -> bool {
        widgets(&self.hook).iter().any(|widget| widget.says(words))
    }

    /// Clicks a control, once it is there, enabled and stands still.
    pub fn click(&mut self, name: &str) {
        self.click_where(name, |label| label == name);
    }

    /// Gives a panel the whole window, and waits for it: controls of the same names were elsewhere before.
    pub fn enlarge(&mut self, panel: &str) {
        self.click(&format!("Enlarge {panel}"));
        self.wait_for("All panels", super::SOON);
    }

    /// Clicks a control until the window says these words: a busy machine may move it from under the mouse.
    pub fn click_until(&mut self, name: &str, words: &str) {
        for _ in 0..5 {
            self.click(name);
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(20) {
                if self.shows(words) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        panic!("clicks on {name} do not bring {words}");
    }

    /// Clicks the first control whose name holds these words.
    pub fn click_on(&mut self, words: &str) {
        self.click_where(words, |label| label.contains(words));
    }

    fn click_where(&mut self, name: &str, named: impl Fn(&str) -> bool) {
        let hook = self.hook.clone();
        let fits = |widget: &Widget| widget.label.as_deref().is_some_and(|label| named(label) && widget.is_control(label));
        let find = || widgets(&hook).into_iter().find(|widget| fits(widget) && !widget.disabled);
        let widget = self.wait(name, super::SOON, || {
            let before = find()?;
            std::thread::sleep(Duration::from_millis(200));
            find().filter(|now| (now.x, now.y) == (before.x, before.y))
        });
        self.display.click((widget.x + widget.width / 2.0) as i16, (widget.y + widget.height / 2.0) as i16);
    }

    /// The name of the first control whose name `wanted` likes most; controls that it scores `None` do not count.
    pub fn best(&mut self, what: &str, wanted: impl Fn(&str) -> Option<usize>) -> String {
        let hook = self.hook.clone();
        self.wait(what, super::SOON, || {
            let controls = widgets(&hook).into_iter().filter(|widget| !["Label", "Unknown"].contains(&widget.role.as_str()));
            let scored = controls.filter_map(|widget| widget.label.and_then(|label| Some((wanted(&label)?, label))));
            scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(_, label)| label)
        })
    }

    /// Presses a key, once the window has the keyboard.
    pub fn key(&self, symbol: impl Into<u32>) {
        self.display.focus(self.window);
        self.display.key(symbol.into());
    }

    /// Waits until something whose name begins so has the keyboard.
    pub fn wait_for_focus(&mut self, beginning: &str) {
        let hook = self.hook.clone();
        let has = |widget: &Widget| widget.focused && widget.label.as_deref().is_some_and(|label| label.starts_with(beginning));
        self.wait(&format!("the keyboard at {beginning}"), super::SOON, || widgets(&hook).into_iter().find(&has));
    }

    /// Clicks a field until it has the keyboard: what came above it in the meantime may have pushed it from under the mouse.
    fn focus(&mut self, name: &str) {
        let hook = self.hook.clone();
        for _ in 0..5 {
            self.click(name);
            self.display.focus(self.window);
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(3) {
                if widgets(&hook).iter().any(|widget| widget.focused && widget.is_control(name)) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        panic!("{name} does not take the keyboard: {:?}", widgets(&hook).into_iter().find(|widget| widget.is_control(name)));
    }

    /// Writes a text into an empty field, and goes on to the next letter only when the field shows the one before.
    pub fn write(&mut self, name: &str, text: &str) {
        // a field that has the keyboard already is not clicked: the mouse would move its caret, late on a busy machine
        if !widgets(&self.hook).iter().any(|widget| widget.focused && widget.is_control(name)) {
            self.focus(name);
        }
        self.display.focus(self.window);
        for (start, letter) in text.char_indices() {
            let (before, after) = (&text[..start], &text[..start + letter.len_utf8()]);
            let mut pressed: Option<Instant> = None;
            let hook = self.hook.clone();
            let display = self.display;
            self.wait(&format!("{after:?} in {name}"), super::SOON, || {
                let value = widgets(&hook).into_iter().find(|widget| widget.is_control(name))?.value.unwrap_or_default();
                if value == after {
                    return Some(());
                }
                // once more where a busy machine lost a key
                if value == before && pressed.is_none_or(|at| at.elapsed() > Duration::from_secs(15)) {
                    display.key(u32::from(letter));
                    pressed = Some(Instant::now());
                }
                None
            });
        }
    }

    /// Types a number into a field, once more where a busy machine lost a digit.
    pub fn enter(&mut self, name: &str, digits: &str) {
        let hook = self.hook.clone();
        let shows = |widget: &Widget| widget.is_control(name) && widget.value.as_deref().is_some_and(|value| value.starts_with(digits));
        for _ in 0..5 {
            self.focus(name);
            for symbol in digits.chars().map(u32::from).chain([RETURN]) {
                self.display.key(symbol);
            }
            let start = Instant::now();
            while start.elapsed() < Duration::from_secs(5) {
                if widgets(&hook).iter().any(&shows) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(30));
            }
            self.display.key(ESCAPE);
        }
        panic!("{digits} does not come into {name}: {:?}", self.value(name));
    }

    /// The value of a field.
    pub fn value(&self, name: &str) -> Option<String> {
        widgets(&self.hook).into_iter().find(|widget| widget.is_control(name))?.value
    }

    /// Drags files onto the window from another program, all at once.
    pub fn drop_files(&self, files: &[&Path]) {
        self.display.drop_files(self.window, files).expect("the window takes the files");
    }

    /// Pastes `bytes` of the type `kind` with the button, and waits until the window says `words`.
    pub fn paste(&mut self, kind: &str, bytes: &[u8], words: &str) {
        self.display.own_clipboard();
        self.click("Paste");
        let (hook, display) = (self.hook.clone(), self.display);
        self.wait(words, super::SOON, || {
            display.serve_clipboard(kind, bytes);
            widgets(&hook).into_iter().find(|widget| widget.says(words))
        });
    }

    /// Closes the window politely; the program must end well.
    pub fn close(mut self) {
        self.display.close(self.window);
        let start = Instant::now();
        let exit = loop {
            if let Some(exit) = self.child.try_wait().expect("the program can be asked") {
                break exit;
            }
            assert!(start.elapsed() < super::SOON, "the program does not close");
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(exit.success(), "{exit}: {}", std::fs::read_to_string(&self.log).unwrap_or_default());
    }
}

/// What the hook tells, or nothing while it is not there.
fn widgets(hook: &Path) -> Vec<Widget> {
    std::fs::read(hook).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}
