//! An X server without a screen, and a client of it that plays mouse, keyboard, window manager and drag source.

use std::io::Read as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask,
    InputFocus, KEY_PRESS_EVENT, KEY_RELEASE_EVENT, MOTION_NOTIFY_EVENT, MapState, PropMode, SELECTION_NOTIFY_EVENT, SelectionNotifyEvent,
    SelectionRequestEvent, Window, WindowClass,
};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use x11rb::{COPY_DEPTH_FROM_PARENT, CURRENT_TIME};

/// Between two acts of a hand.
const PAUSE: Duration = Duration::from_millis(80);
/// The keysym of the Return key.
pub const RETURN: u32 = 0xff0d;
/// The keysym of the Escape key.
pub const ESCAPE: u32 = 0xff1b;
/// The keysym of the left Shift key.
const SHIFT: u32 = 0xffe1;

/// The server and the client.
pub struct Display {
    server: Child,
    // the server writes to it when it stops; a closed pipe would kill it
    _pipe: ChildStdout,
    name: String,
    client: RustConnection,
    root: Window,
    visual: u32,
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Display {
    /// Starts a server of 1280 x 800; `None` if there is no Xvfb.
    pub fn start() -> Option<Self> {
        let arguments = ["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"];
        let mut server = Command::new("Xvfb").args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
        let mut pipe = server.stdout.take()?;
        // the server chooses a free number itself and writes it in a line
        let (mut number, mut byte) = (String::new(), [0]);
        while pipe.read(&mut byte).is_ok_and(|n| n == 1) && byte[0] != b'\n' {
            number.push(char::from(byte[0]));
        }
        assert!(!number.is_empty(), "Xvfb did not start");
        let name = format!(":{number}");
        let (client, screen) = RustConnection::connect(Some(&name)).expect("the server listens");
        let (root, visual) = (client.setup().roots[screen].root, client.setup().roots[screen].root_visual);
        Some(Self { server, _pipe: pipe, name, client, root, visual })
    }

    /// The value of `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The window of a process, once it is shown.
    pub fn window_of(&self, process: u32) -> Option<Window> {
        let key = self.atom("_NET_WM_PID");
        let windows = self.client.query_tree(self.root).ok()?.reply().ok()?.children;
        windows.into_iter().find(|&window| {
            let owner = self.client.get_property(false, window, key, AtomEnum::CARDINAL, 0, 1).ok().and_then(|cookie| cookie.reply().ok());
            let owner = owner.and_then(|reply| reply.value32()?.next());
            let state = self.client.get_window_attributes(window).ok().and_then(|cookie| cookie.reply().ok());
            owner == Some(process) && state.is_some_and(|state| state.map_state == MapState::VIEWABLE)
        })
    }

    /// Clicks at a place of the screen.
    pub fn click(&self, x: i16, y: i16) {
        self.fake(MOTION_NOTIFY_EVENT, 0, x, y);
        std::thread::sleep(PAUSE);
        for kind in [BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT] {
            self.fake(kind, 1, 0, 0);
            std::thread::sleep(PAUSE);
        }
    }

    /// Gives a window the keyboard: without a window manager nobody else does.
    pub fn focus(&self, window: Window) {
        self.client.set_input_focus(InputFocus::PARENT, window, CURRENT_TIME).expect("a request");
        self.client.sync().expect("the server answers");
        std::thread::sleep(PAUSE);
    }

    /// Presses and releases the key of a symbol (for letters, digits and signs their code point), with Shift where it needs that.
    pub fn key(&self, symbol: u32) {
        let (code, shifted) = self.key_code(symbol);
        let shift = shifted.then(|| self.key_code(SHIFT).0);
        let strokes =
            [(KEY_PRESS_EVENT, shift), (KEY_PRESS_EVENT, Some(code)), (KEY_RELEASE_EVENT, Some(code)), (KEY_RELEASE_EVENT, shift)];
        for (kind, code) in strokes {
            if let Some(code) = code {
                self.fake(kind, code, 0, 0);
                std::thread::sleep(PAUSE / 4);
            }
        }
    }

    /// The key of a symbol, and whether Shift must be held for it.
    fn key_code(&self, symbol: u32) -> (u8, bool) {
        let (first, last) = (self.client.setup().min_keycode, self.client.setup().max_keycode);
        let map = self.client.get_keyboard_mapping(first, last - first + 1).expect("a request").reply().expect("a mapping");
        let mut keys = map.keysyms.chunks(usize::from(map.keysyms_per_keycode)).zip(first..);
        let found = keys.find_map(|(symbols, code)| Some((code, symbols.iter().take(2).position(|s| *s == symbol)? == 1)));
        found.expect("a key for the symbol")
    }

    fn fake(&self, kind: u8, detail: u8, x: i16, y: i16) {
        self.client.xtest_fake_input(kind, detail, 0, self.root, x, y, 0).expect("a request");
        self.client.sync().expect("the server answers");
    }

    /// Asks a window to close, as a window manager does.
    pub fn close(&self, window: Window) {
        self.message(window, "WM_PROTOCOLS", [self.atom("WM_DELETE_WINDOW"), 0, 0, 0, 0]);
    }

    /// Drags files onto a window and lets them go there: the source's side of XDND, version 5.
    pub fn drop_files(&self, target: Window, files: &[&Path]) -> Result<(), String> {
        let source = self.client.generate_id().expect("an id");
        let aux = CreateWindowAux::new();
        self.client
            .create_window(COPY_DEPTH_FROM_PARENT, source, self.root, 0, 0, 1, 1, 0, WindowClass::INPUT_OUTPUT, self.visual, &aux)
            .expect("a request");
        let lines: Vec<String> = files.iter().map(|file| format!("file://{}\r\n", percent_encoded(file))).collect();
        let payload = lines.concat();
        self.client.set_selection_owner(source, self.atom("XdndSelection"), CURRENT_TIME).expect("a request");
        self.message(target, "XdndEnter", [source, 5 << 24, self.atom("text/uri-list"), 0, 0]);
        // x in the upper half, y in the lower
        let place = (0x258 << 16) | 0x190;
        self.message(target, "XdndPosition", [source, 0, place, CURRENT_TIME, self.atom("XdndActionCopy")]);
        if self.serve_until("XdndStatus", &payload)?[1] & 1 == 0 {
            return Err("the window does not take files".into());
        }
        self.message(target, "XdndDrop", [source, 0, CURRENT_TIME, 0, 0]);
        self.serve_until("XdndFinished", &payload).map(|_| ())
    }

    /// Puts something on the clipboard; [`Self::serve_clipboard`] hands it over.
    pub fn own_clipboard(&self) {
        let owner = self.client.generate_id().expect("an id");
        let aux = CreateWindowAux::new();
        self.client
            .create_window(COPY_DEPTH_FROM_PARENT, owner, self.root, 0, 0, 1, 1, 0, WindowClass::INPUT_OUTPUT, self.visual, &aux)
            .expect("a request");
        self.client.set_selection_owner(owner, self.atom("CLIPBOARD"), CURRENT_TIME).expect("a request");
        self.client.sync().expect("the server answers");
    }

    /// Hands `bytes` of the type `kind` to everybody who asked for that type so far, and nothing to who asked for another.
    pub fn serve_clipboard(&self, kind: &str, bytes: &[u8]) {
        let kind = self.atom(kind);
        while let Some(event) = self.client.poll_for_event().expect("the server answers") {
            if let Event::SelectionRequest(request) = event {
                self.answer(&request, (request.target == kind).then_some(bytes));
            }
        }
    }

    /// Hands the payload to whoever asks, until a message of a kind comes.
    fn serve_until(&self, kind: &str, payload: &str) -> Result<[u32; 5], String> {
        let (wanted, start) = (self.atom(kind), Instant::now());
        while start.elapsed() < Duration::from_secs(20) {
            match self.client.poll_for_event().map_err(|error| error.to_string())? {
                Some(Event::SelectionRequest(request)) => self.answer(&request, Some(payload.as_bytes())),
                Some(Event::ClientMessage(message)) if message.type_ == wanted => return Ok(message.data.as_data32()),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        Err(format!("no {kind} came"))
    }

    /// Gives the bytes to who asks, or says that there are none of this type.
    fn answer(&self, request: &SelectionRequestEvent, bytes: Option<&[u8]>) {
        let (to, target) = (request.requestor, request.target);
        let property = if bytes.is_some() { request.property } else { AtomEnum::NONE.into() };
        if let Some(bytes) = bytes {
            self.client.change_property8(PropMode::REPLACE, to, property, target, bytes).expect("a request");
        }
        let notify = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: to,
            selection: request.selection,
            target,
            property,
        };
        self.client.send_event(false, to, EventMask::NO_EVENT, notify).expect("a request");
        self.client.sync().expect("the server answers");
    }

    fn message(&self, window: Window, kind: &str, data: [u32; 5]) {
        let event = ClientMessageEvent::new(32, window, self.atom(kind), data);
        self.client.send_event(false, window, EventMask::NO_EVENT, event).expect("a request");
        self.client.sync().expect("the server answers");
    }

    fn atom(&self, name: &str) -> Atom {
        self.client.intern_atom(false, name.as_bytes()).expect("a request").reply().expect("an atom").atom
    }
}

/// A path as it stands in a URI.
fn percent_encoded(path: &Path) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    path.to_string_lossy().bytes().map(encode).collect()
}
