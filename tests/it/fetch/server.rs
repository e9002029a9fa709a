//! A web server on the loopback address that answers a fixed list of requests, well or badly, and then goes away.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// No server waits longer for a request, and no connection is held longer: a fault in a test ends it.
const LIMIT: Duration = Duration::from_secs(20);

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// All bytes asked for; a range is honoured.
    Good,
    /// The headers of `Good`, so many bytes, and the connection is cut.
    Cut(usize),
    /// The headers of `Good`, so many bytes, and silence.
    Stall(usize),
    /// The whole file with status 200, whatever range was asked for.
    WholeFile,
    /// A range that was not asked for.
    OtherRange,
    /// This status line and header lines, and an empty body.
    Status(&'static str),
    /// Silence from the start.
    Silence,
}

/// A request as it came in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The `Range` header.
    pub range: Option<String>,
    /// The `If-Range` header.
    pub if_range: Option<String>,
}

/// The SHA-256 of a file, in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// A running server.
pub struct Server {
    /// The address of its one file.
    pub url: String,
    thread: JoinHandle<Vec<Request>>,
}

impl Server {
    /// Serves `content` under the mark `etag`, one answer a request, in this order.
    pub fn start(content: Vec<u8>, etag: &'static str, answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/files/Galaxy10_DECals.h5?download=1", listener.local_addr().unwrap());
        listener.set_nonblocking(true).unwrap();
        let thread = thread::spawn(move || {
            let serve = |answer: &Answer| Some(reply(accept(&listener)?, &content, etag, answer));
            answers.iter().map_while(serve).collect()
        });
        Self { url, thread }
    }

    /// Waits until all answers are given, and tells what was asked.
    pub fn requests(self) -> Vec<Request> {
        self.thread.join().unwrap()
    }
}

fn accept(listener: &TcpListener) -> Option<TcpStream> {
    let start = Instant::now();
    while start.elapsed() < LIMIT {
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(LIMIT)).unwrap();
            return Some(stream);
        }
        thread::sleep(Duration::from_millis(2));
    }
    None
}

fn reply(mut stream: TcpStream, content: &[u8], etag: &str, answer: &Answer) -> Request {
    let request = read_request(&mut stream);
    let first = asked_for(&request, etag);
    let out = match answer {
        Answer::Status(head) => format!("HTTP/1.1 {head}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes(),
        Answer::Silence => Vec::new(),
        Answer::WholeFile => response(content, None, etag, content.len()),
        Answer::OtherRange => response(content, Some(first.map_or(1, |first| first + 1)), etag, content.len()),
        Answer::Good => response(content, first, etag, content.len()),
        Answer::Cut(bytes) | Answer::Stall(bytes) => response(content, first, etag, *bytes),
    };
    // A client that has seen enough may have gone.
    let _ = stream.write_all(&out);
    if matches!(answer, Answer::Silence | Answer::Stall(_)) {
        let _ = stream.read(&mut [0; 1]);
    }
    request
}

/// The first byte of the range asked for, if the range is to be honoured.
fn asked_for(request: &Request, etag: &str) -> Option<usize> {
    let range = request.range.as_ref()?;
    let same = request.if_range.as_ref().is_none_or(|mark| mark == etag);
    same.then(|| range.strip_prefix("bytes=").and_then(|r| r.strip_suffix('-')).unwrap().parse().unwrap())
}

fn response(content: &[u8], first: Option<usize>, etag: &str, at_most: usize) -> Vec<u8> {
    let total = content.len();
    let head = match first {
        Some(first) if first >= total => {
            return format!("HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\r\n")
                .into_bytes();
        }
        Some(first) => format!("206 Partial Content\r\nContent-Range: bytes {first}-{}/{total}", total - 1),
        None => "200 OK".to_owned(),
    };
    let body = &content[first.unwrap_or(0)..];
    let mark = if etag.is_empty() { String::new() } else { format!("ETag: {etag}\r\n") };
    let head = format!("HTTP/1.1 {head}\r\n{mark}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), &body[..at_most.min(body.len())]].concat()
}

fn read_request(stream: &mut TcpStream) -> Request {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    Request { range: header("range"), if_range: header("if-range") }
}
