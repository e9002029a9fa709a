//! Requests to a tracking server and what their answers mean.

use std::time::Duration;

use serde_json::Value;
use ureq::Agent;
use ureq::http::{Method, Request, StatusCode, Uri};

use crate::track::mlflow::MirrorError;

/// How long a server may take to let us in ...
const CONNECT: Duration = Duration::from_secs(5);
/// ... and to take a file, beside its patience for an answer.
const TAKE: Duration = Duration::from_mins(5);
/// From so many bytes on, a server is asked whether it takes them.
const LARGE: usize = 1 << 19;
/// The most bytes of an answer.
const LARGEST: u64 = 64 << 20;

/// Why a request was not granted.
#[derive(Debug)]
pub enum HttpError {
    /// There is no such thing.
    Missing(String),
    /// It is there already.
    Exists,
    /// It makes no sense to the server.
    Invalid(String),
    /// The server, or what stands before it, takes nothing so large.
    TooLarge(String),
    /// The server cannot be reached, or refuses everything.
    Mirror(MirrorError),
}

impl From<HttpError> for MirrorError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Mirror(error) => error,
            HttpError::Missing(words) | HttpError::Invalid(words) | HttpError::TooLarge(words) => Self::Refused(words),
            HttpError::Exists => Self::Refused("the MLflow server has this already".into()),
        }
    }
}

/// A tracking server.
pub struct Http {
    agent: Agent,
    address: String,
    /// What the header `Authorization` says, if anything.
    login: Option<String>,
    /// How long it may take for an answer.
    patience: Duration,
}

impl Http {
    /// The server at `address`. Name and password, or a token, come from the variables that MLflow's own client reads.
    pub fn new(address: &str, patience: Duration) -> Result<Self, MirrorError> {
        let uri: Uri =
            address.parse().map_err(|error| MirrorError::Refused(format!("{address} is no address ({error}); write http://host:5000")))?;
        let mut config = Agent::config_builder().http_status_as_error(false).timeout_connect(Some(CONNECT)).timeout_global(Some(patience));
        // a server on this machine is not behind a proxy
        if matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]" | "::1")) {
            config = config.proxy(None);
        }
        Ok(Self { agent: config.build().into(), address: address.to_owned(), login: login(), patience })
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks for something.
    pub fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, HttpError> {
        let query: Vec<String> = query.iter().map(|(name, value)| format!("{name}={}", escaped(value))).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        self.send(Method::GET, &format!("/api/2.0/mlflow/{path}{mark}{}", query.join("&")), None, self.patience)
    }

    /// Tells something.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, HttpError> {
        self.send(Method::POST, &format!("/api/2.0/mlflow/{path}"), Some(json(body)), self.patience)
    }

    /// Removes something.
    pub fn delete(&self, path: &str, body: &Value) -> Result<Value, HttpError> {
        self.send(Method::DELETE, &format!("/api/2.0/mlflow/{path}"), Some(json(body)), self.patience)
    }

    /// Stores a file among the artifacts that the server keeps.
    pub fn put_artifact(&self, path: &str, bytes: Vec<u8>) -> Result<(), HttpError> {
        let path: Vec<String> = path.split('/').map(escaped).collect();
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{}", path.join("/"));
        self.send(Method::PUT, &path, Some(("application/octet-stream", bytes)), TAKE + self.patience).map(|_| ())
    }

    fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>, patience: Duration) -> Result<Value, HttpError> {
        let (kind, bytes) = body.unwrap_or(("application/json", Vec::new()));
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.address)).header("Content-Type", kind);
        if bytes.len() > LARGE {
            // asks first, so that a refusal is heard before the line is cut
            request = request.header("Expect", "100-continue");
        }
        if let Some(login) = &self.login {
            request = request.header("Authorization", login);
        }
        let away = |why: &dyn std::fmt::Display| {
            let words = format!(
                "the MLflow server {} cannot be reached ({why}); it is tried again, the run folders keep what it lacks",
                self.address
            );
            HttpError::Mirror(MirrorError::Away(words))
        };
        let request = request.body(bytes).map_err(|error| HttpError::Invalid(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(patience)).build();
        let mut response = self.agent.run(request).map_err(|error| away(&error))?;
        let status = response.status();
        let text = response.body_mut().with_config().limit(LARGEST).read_to_string().map_err(|error| away(&error))?;
        let answer: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() { Ok(answer) } else { Err(self.refused(status, &answer)) }
    }

    fn refused(&self, status: StatusCode, answer: &Value) -> HttpError {
        let said: String = answer["message"].as_str().unwrap_or_default().chars().take(300).collect();
        let words = format!("the MLflow server {} answers {}: {said}", self.address, status.as_u16());
        match (status.as_u16(), answer["error_code"].as_str()) {
            (408 | 429 | 500.., _) => {
                HttpError::Mirror(MirrorError::Away(format!("{words}; it is tried again, the run folders keep what it lacks")))
            }
            (413, _) => HttpError::TooLarge(format!("{words}this is too large for it; let it, or the proxy before it, take larger files")),
            (401 | 403, _) => {
                let advice = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN";
                HttpError::Mirror(MirrorError::Refused(format!("{words}. The mirror is off; {advice}")))
            }
            (_, Some("RESOURCE_ALREADY_EXISTS")) => HttpError::Exists,
            (_, Some("RESOURCE_DOES_NOT_EXIST")) => HttpError::Missing(words),
            (400, Some(_)) => HttpError::Invalid(words),
            _ => {
                let advice = "The mirror is off; is this the address of an MLflow tracking server?";
                HttpError::Mirror(MirrorError::Refused(format!("{words} {advice}")))
            }
        }
    }
}

fn json(body: &Value) -> (&'static str, Vec<u8>) {
    ("application/json", body.to_string().into_bytes())
}

/// The header that lets us in.
fn login() -> Option<String> {
    use base64::Engine as _;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    if let Some(user) = variable("MLFLOW_TRACKING_USERNAME") {
        let password = variable("MLFLOW_TRACKING_PASSWORD").unwrap_or_default();
        return Some(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))));
    }
    variable("MLFLOW_TRACKING_TOKEN").map(|token| format!("Bearer {token}"))
}

/// Text as it may stand in an address.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if plain { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(escape).collect()
}
