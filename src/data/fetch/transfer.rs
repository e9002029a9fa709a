//! One connection: asks for the missing bytes and appends what comes. When to try again is decided elsewhere.

use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, Uri, header};
use ureq::{Agent, Body};

use super::part::Part;
use super::{FetchOptions, FetchProgress, check};
use crate::data::DataError;

/// The connection failed in a way that may pass.
#[derive(Debug)]
pub struct Broken {
    /// What went wrong, in words for the user.
    pub reason: String,
    /// The pause that the server asks for.
    pub retry_after: Option<Duration>,
}

impl Broken {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retry_after: None }
    }
}

/// Downloads one file, in as many attempts as it takes.
pub struct Transfer<'a> {
    options: &'a FetchOptions,
    agent: Agent,
}

impl<'a> Transfer<'a> {
    /// Nothing is sent yet.
    pub fn new(options: &'a FetchOptions) -> Self {
        let silence = Some(options.patience.silence);
        let config = Agent::config_builder()
            .user_agent(concat!("tuning-fork/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity") // byte ranges and lengths are those of the file itself
            .http_status_as_error(false)
            .timeout_resolve(silence)
            .timeout_connect(silence)
            .timeout_recv_response(silence)
            .timeout_per_read(silence);
        let config = if is_loopback(&options.url) { config.proxy(None) } else { config };
        Self { options, agent: config.build().new_agent() }
    }

    /// Asks for what `part` lacks and appends it. `None`: the file is complete.
    ///
    /// # Errors
    /// What another attempt would not mend.
    pub fn attempt(
        &self,
        part: &mut Part,
        progress: &mut dyn FnMut(FetchProgress),
        stop: &AtomicBool,
    ) -> Result<Option<Broken>, DataError> {
        check(stop)?;
        match self.options.bytes {
            Some(bytes) if part.length() == bytes => return Ok(None),
            Some(bytes) if part.length() > bytes => part.restart(None)?,
            _ => {}
        }
        let response = match self.request(part).call() {
            Ok(response) => response,
            Err(error) => return self.sort_out(&error).map(Some),
        };
        let headers = response.headers();
        let total = match response.status() {
            StatusCode::OK => {
                // Whatever was asked for, this is the file from its first byte.
                let total = response.body().content_length();
                self.check_total(total)?;
                part.restart(strong_etag(headers))?;
                total
            }
            StatusCode::PARTIAL_CONTENT => match content_range(headers) {
                Some((first, total)) if first == part.length() => {
                    self.check_total(total)?;
                    total
                }
                _ => {
                    part.restart(None)?;
                    return Ok(Some(Broken::new("the server sent another part of the file than it was asked for")));
                }
            },
            StatusCode::RANGE_NOT_SATISFIABLE => return self.nothing_left(part, headers),
            _ => return self.refused(&response).map(Some),
        };
        self.receive(response.into_body(), total.or(self.options.bytes), part, progress, stop)
    }

    fn request(&self, part: &Part) -> ureq::RequestBuilder<ureq::typestate::WithoutBody> {
        let request = self.agent.get(&self.options.url);
        if part.length() == 0 {
            return request;
        }
        let request = request.header(header::RANGE, format!("bytes={}-", part.length()));
        match part.etag() {
            Some(etag) => request.header(header::IF_RANGE, etag),
            None => request,
        }
    }

    fn receive(
        &self,
        body: Body,
        total: Option<u64>,
        part: &mut Part,
        progress: &mut dyn FnMut(FetchProgress),
        stop: &AtomicBool,
    ) -> Result<Option<Broken>, DataError> {
        let mut reader = body.into_reader();
        let mut buffer = vec![0; 256 << 10];
        progress(FetchProgress::Downloading { done: part.length(), total });
        loop {
            check(stop)?;
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => return self.sort_out(&error.into()).map(Some),
            };
            if total.is_some_and(|total| part.length() + count as u64 > total) {
                part.restart(None)?;
                return Err(self.wrong("the server sends more bytes than the file has; give another --url"));
            }
            part.append(&buffer[..count])?;
            progress(FetchProgress::Downloading { done: part.length(), total });
        }
        let cut = total.is_some_and(|total| part.length() < total);
        Ok(cut.then(|| Broken::new("the connection was cut")))
    }

    /// The server has nothing after the bytes that are here: either all is here, or they belong to another file.
    fn nothing_left(&self, part: &mut Part, headers: &HeaderMap) -> Result<Option<Broken>, DataError> {
        let total = text(headers, &header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes */")?.parse().ok());
        if total == Some(part.length()) && self.options.bytes.is_none() {
            return Ok(None);
        }
        self.check_total(total)?;
        part.restart(None)?;
        Ok(Some(Broken::new("what is here does not belong to the server's file; beginning again")))
    }

    fn check_total(&self, total: Option<u64>) -> Result<(), DataError> {
        match (total, self.options.bytes) {
            (Some(total), Some(bytes)) if total != bytes => Err(self.wrong(&format!(
                "the server offers {total} bytes, but the file has {bytes}: this is another file, or a page about it; check \
                 --url (and pass --sha256 if you want another file)"
            ))),
            _ => Ok(()),
        }
    }

    fn refused(&self, response: &Response<Body>) -> Result<Broken, DataError> {
        let status = response.status();
        let reason = format!("the server answers {status}");
        if status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT) {
            let seconds = text(response.headers(), &header::RETRY_AFTER).and_then(|seconds| seconds.parse().ok());
            return Ok(Broken { reason, retry_after: seconds.map(Duration::from_secs) });
        }
        Err(self.wrong(&format!("{reason}: the file is not to be had there; check the address or give another with --url")))
    }

    /// Whether a failed connection is worth another attempt.
    fn sort_out(&self, error: &ureq::Error) -> Result<Broken, DataError> {
        let silence = self.options.patience.silence.as_secs_f64();
        match error {
            ureq::Error::Timeout(_) => Ok(Broken::new(format!("the server sent nothing for {silence} s"))),
            ureq::Error::HostNotFound => Ok(Broken::new("the server's name is not known; check the address and the network connection")),
            ureq::Error::Io(error) => Ok(Broken::new(format!("the connection failed ({error})"))),
            ureq::Error::Protocol(_) | ureq::Error::ConnectionFailed => Ok(Broken::new(format!("the connection failed ({error})"))),
            other => Err(self.wrong(&format!("{other}; check the address (--url) and the proxy settings"))),
        }
    }

    fn wrong(&self, message: &str) -> DataError {
        DataError::Download { url: self.options.url.clone(), message: message.to_owned() }
    }
}

/// A server on this machine is never behind a proxy.
fn is_loopback(url: &str) -> bool {
    let uri = url.parse::<Uri>();
    let host = uri.as_ref().ok().and_then(Uri::host);
    host.is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."))
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// First byte and length of the whole file (`None` if the server does not know it) of `bytes FIRST-LAST/TOTAL`.
fn content_range(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, total) = text(headers, &header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    let total = if total == "*" { None } else { Some(total.parse().ok()?) };
    Some((first.parse().ok()?, total))
}

/// The server's mark of this version of the file; a weak one does not vouch for single bytes.
fn strong_etag(headers: &HeaderMap) -> Option<&str> {
    text(headers, &header::ETAG).filter(|etag| !etag.starts_with("W/"))
}
