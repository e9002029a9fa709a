//! Where a database is: `postgresql://user@host:port/database`, in the words of libpq and of SQLAlchemy.
//!
//! A password stays in memory: what is shown, compared or kept of an address never has it. Where the address has none it comes from
//! `PGPASSWORD` or from the file `.pgpass`, as with every program of PostgreSQL.

use std::cmp::Ordering;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_postgres::config::{Host, SslMode};

/// The address of a database, without doubt about what it means.
#[derive(Clone)]
pub struct Address {
    /// Without a password, as people may see it.
    shown: String,
    /// The study that it names, by `?study=NAME`.
    study: Option<String>,
    config: Arc<tokio_postgres::Config>,
    /// How much the connection is to be trusted.
    trust: Trust,
}

/// What the certificate of a server must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Anything, as libpq has it for `prefer` and `require`: what is sent is hidden, but the server may be another one.
    Any,
    /// One for this host, from an authority in this file, or from one that the system knows.
    Verified(Option<PathBuf>),
}

impl Address {
    /// Reads an address. `study` in its query names a study; `sslmode` is `disable`, `prefer` (usual), `require`, `verify-ca` or
    /// `verify-full`.
    ///
    /// # Errors
    /// If it is no address of a PostgreSQL database, in words for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_in(text.trim(), |name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// Whether a text is meant as an address, of whatever kind.
    #[must_use]
    pub fn is_meant(text: &str) -> bool {
        text.contains("://")
    }

    /// The study that it names, by `?study=NAME`.
    #[must_use]
    pub fn study(&self) -> Option<&str> {
        self.study.as_deref()
    }

    /// The same database, and this study of it.
    #[must_use]
    pub fn with_study(&self, name: &str) -> Self {
        Self { study: Some(name.into()), ..self.clone() }
    }

    pub(super) fn config(&self) -> &tokio_postgres::Config {
        &self.config
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    fn parse_in(text: &str, env: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or("an address begins with postgresql://")?;
        if !matches!(scheme.split('+').next(), Some("postgresql" | "postgres")) {
            return Err(format!(
                "{scheme}:// is no database that this program knows; give postgresql://USER@HOST/DATABASE, or the file of a journal"
            ));
        }
        let (place, query) = divided(rest);
        if !place.contains('@') && query.split('&').any(|part| part.contains('@') && !part.starts_with("study=")) {
            return Err("a sign @ in the query of an address, or a ? in its password, is written as %40 or %3F".into());
        }
        let mut study = None;
        let mut mode = env("PGSSLMODE");
        let mut root = env("PGSSLROOTCERT");
        let mut kept: Vec<&str> = Vec::new();
        let mut shown: Vec<&str> = Vec::new();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "study" => study = Some(decoded(value)),
                "sslmode" => mode = Some(decoded(value)),
                "sslrootcert" => root = Some(decoded(value)),
                _ => kept.push(part),
            }
            if !matches!(key, "password" | "study") {
                shown.push(part);
            }
        }
        let joined = |parts: &[&str]| if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
        // the crate's message names the key that is wrong, never a value
        let mut config: tokio_postgres::Config = format!("postgresql://{place}{}", joined(&kept)).parse().map_err(|e| {
            format!("the address cannot be read ({}); it is postgresql://USER@HOST:PORT/DATABASE, and signs such as @ or / in a password are written as %40 or %2F", source(&e))
        })?;
        complete(&mut config, &env);
        let root = root.filter(|root| root != "system").map(PathBuf::from);
        let (ssl, trust) = match mode.as_deref() {
            Some("disable") => (SslMode::Disable, Trust::Any),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Trust::Any),
            Some("require") if root.is_none() => (SslMode::Require, Trust::Any),
            Some("require" | "verify-ca" | "verify-full") => (SslMode::Require, Trust::Verified(root)),
            Some(other) => return Err(format!("sslmode={other} is unknown; choose disable, prefer, require or verify-full")),
        };
        config.ssl_mode(ssl);
        let shown = format!("postgresql://{}{}", without_password(place), joined(&shown));
        Ok(Self { shown, study: study.filter(|study| !study.is_empty()), config: Arc::new(config), trust })
    }
}

/// What is before the query, and the query. A password may hold a question mark, so the query begins behind the last @, unless that is
/// itself in a query of words that an address may have.
fn divided(rest: &str) -> (&str, &str) {
    const KEYS: [&str; 12] = [
        "study=",
        "sslmode=",
        "sslrootcert=",
        "user=",
        "password=",
        "dbname=",
        "options=",
        "application_name=",
        "host",
        "port=",
        "connect_timeout=",
        "target_session_attrs=",
    ];
    let known = rest.match_indices('?').map(|(at, _)| at).find(|&at| KEYS.iter().any(|key| rest[at + 1..].starts_with(key)));
    let behind = rest.rfind('@').map_or(0, |at| at + 1);
    let start = known.or_else(|| rest[behind..].find('?').map(|at| behind + at));
    start.map_or((rest, ""), |at| (&rest[..at], &rest[at + 1..]))
}

/// What libpq takes from the environment where the address says nothing.
fn complete(config: &mut tokio_postgres::Config, env: &impl Fn(&str) -> Option<String>) {
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        config.host(env("PGHOST").unwrap_or_else(|| "localhost".into()));
    }
    if let (true, Some(port)) = (config.get_ports().is_empty(), env("PGPORT").and_then(|port| port.parse().ok())) {
        config.port(port);
    }
    if let (None, Some(user)) = (config.get_user(), env("PGUSER")) {
        config.user(&user);
    }
    if let (None, Some(name)) = (config.get_dbname(), env("PGDATABASE")) {
        config.dbname(&name);
    }
    if config.get_password().is_none() {
        let kept = || {
            let home = || env("HOME").map(|home| Path::new(&home).join(".pgpass"));
            let file = env("PGPASSFILE").map(PathBuf::from).or_else(home)?;
            let user = config.get_user().map(str::to_owned).or_else(|| env("USER"))?;
            password_in(&file, config, &user)
        };
        if let Some(password) = env("PGPASSWORD").or_else(kept) {
            config.password(password);
        }
    }
}

/// The password of the first line of a `.pgpass` that fits.
fn password_in(file: &Path, config: &tokio_postgres::Config, user: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    if !is_private(file) {
        tracing::warn!("{} is not used: others may read it; chmod 600 it", file.display());
        return None;
    }
    let host = match config.get_hosts().first()? {
        Host::Tcp(host) => host.clone(),
        #[cfg(unix)]
        Host::Unix(_) => "localhost".into(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432).to_string();
    let wanted = [host.as_str(), &port, config.get_dbname().unwrap_or(user), user];
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = fields(line);
        let [own @ .., password] = fields.as_slice() else { return None };
        let fits = own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| own == "*" || own == wanted);
        fits.then(|| password.clone())
    })
}

#[cfg(unix)]
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|facts| facts.permissions().mode().trailing_zeros() >= 6)
}

#[cfg(not(unix))]
fn is_private(_file: &Path) -> bool {
    true
}

/// The five fields of a line of `.pgpass`; a backslash takes the meaning from a colon or a backslash.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if fields.len() < 5 => fields.push(String::new()),
            '\\' => fields.last_mut().into_iter().for_each(|field| field.extend(chars.next())),
            _ => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields
}

/// `user:password@host/name` without the password.
fn without_password(place: &str) -> String {
    match place.rsplit_once('@') {
        Some((who, place)) => format!("{}@{place}", who.split(':').next().unwrap_or_default()),
        None => place.to_owned(),
    }
}

/// A text with its `%40` read as `@`, and so on.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten().and_then(|two| std::str::from_utf8(two).ok());
        if let Some(byte) = code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(if first == b'+' { b' ' } else { first });
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The innermost words of an error of the crate.
pub(super) fn source(error: &tokio_postgres::Error) -> String {
    std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.shown == other.shown
    }
}

impl Eq for Address {}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Self) -> Ordering {
        self.shown.cmp(&other.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str, variables: &[(&str, &str)]) -> Result<Address, String> {
        Address::parse_in(text, |name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_password_is_used_and_never_shown() {
        let address =
            address("postgresql+psycopg2://ann:s%40fe@db.example:6432/galaxies?study=my%20study&sslmode=require", &[]).expect("one");
        assert_eq!(address.config().get_password(), Some(&b"s@fe"[..]));
        assert_eq!((address.config().get_user(), address.config().get_dbname()), (Some("ann"), Some("galaxies")));
        assert_eq!((address.study(), address.config().get_ports()), (Some("my study"), &[6432][..]));
        for words in [address.to_string(), format!("{address:?}")] {
            assert_eq!(words, "postgresql://ann@db.example:6432/galaxies?sslmode=require");
        }
        let query = super::Address::parse("postgres://ann@h/d?password=secret").expect("one");
        assert!(!query.to_string().contains("secret") && query.config().get_password() == Some(b"secret"));
        let marked = super::Address::parse("postgresql://ann:se?cret@h/d?study=a@b").expect("one");
        assert_eq!((marked.to_string().as_str(), marked.study()), ("postgresql://ann@h/d", Some("a@b")));
        assert_eq!(marked.config().get_password(), Some(&b"se?cret"[..]));
        let refused = super::Address::parse("postgresql://ann:se?user=cret@h/d").expect_err("no way to tell");
        assert!(refused.contains("%3F") && !refused.contains("cret"), "{refused}");
        assert_eq!(super::Address::parse("postgresql://h/d?study=a@b").expect("one").study(), Some("a@b"));
        let broken = super::Address::parse("postgres://ann:secret@h:port/d").expect_err("no port");
        assert!(!broken.contains("secret") && broken.contains("%40"), "{broken}");
    }

    #[test]
    fn what_the_address_leaves_out_comes_from_the_environment_and_from_pgpass() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pass");
        std::fs::write(&file, "# mine\nother:*:*:*:no\nh\\:1:*:*:*:no\n*:5432:d:ann:pa\\:ss\\\\word:x\n").expect("a file");
        let name = file.display().to_string();
        let variables = [("PGHOST", "h"), ("PGUSER", "ann"), ("PGDATABASE", "d"), ("PGPASSFILE", name.as_str())];
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("mine");
            assert_eq!(address("postgresql://", &variables).expect("one").config().get_password(), None, "others may read it");
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("mine");
        }
        let address = address("postgresql://", &[&variables[..], &[("PGSSLMODE", "verify-full")]].concat()).expect("one");
        assert_eq!(address.config().get_password(), Some(&b"pa:ss\\word:x"[..]));
        assert_eq!((address.config().get_hosts().len(), address.trust()), (1, &Trust::Verified(None)));
    }

    #[test]
    fn what_is_no_address_is_told() {
        for (text, words) in [
            ("mysql://h/d", "postgresql://"),
            ("sqlite:///study.db", "journal"),
            ("postgresql://h/d?sslmode=maybe", "sslmode=maybe"),
            ("postgresql://h/d?wrong=1", "wrong"),
        ] {
            let message = address(text, &[]).expect_err(text);
            assert!(message.contains(words), "{text}: {message}");
        }
        assert!(!Address::is_meant("galaxies") && Address::is_meant("sqlite:///x"));
    }
}
