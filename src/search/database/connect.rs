//! A connection to a database that comes back after it was lost, and what its errors mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{DbError, Severity, SqlState};

use super::address::{Address, Trust, source};
use super::client::{Client, Patience};
use crate::search::{Closing, SearchError};

/// A server that cannot be reached for so long counts as away; its first words may take as long again.
const CONNECT: Duration = Duration::from_secs(10);
/// What is sent and not acknowledged for so long is lost.
const LOST: Duration = Duration::from_secs(20);
/// No statement of ours takes long, and no lock is held long: whoever waits so long waits for a process that hangs.
const LIMITS: &str = "SET lock_timeout = '20s'; SET statement_timeout = '40s'; SET idle_in_transaction_session_timeout = '60s'";
/// A server that keeps to those limits answers before this.
const SILENCE: Duration = Duration::from_secs(45);
/// What names, secrets and keys may take beyond the time of the connection itself.
const SHAKE: Duration = Duration::from_secs(3);

/// A connection that is made when it is needed.
pub(super) struct Connection {
    address: Address,
    client: Option<Client>,
    patience: Patience,
    /// Whether it was lost, or not reached, since it worked last.
    lost: bool,
    /// When it was reached again after that.
    back: Option<Instant>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Connection {
    /// The connection to an address; nothing is sent yet.
    pub fn new(address: &Address, closing: &Closing) -> Self {
        Self {
            address: address.clone(),
            client: None,
            patience: Patience { limit: SILENCE, closing: closing.clone() },
            lost: false,
            back: None,
        }
    }

    /// The limit for an answer, where a test cannot wait for it.
    #[cfg(test)]
    pub fn answers_within(&mut self, limit: Duration) {
        self.patience.limit = limit;
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Works with the connection; after an error that is no answer of the server the next call makes a new one.
    ///
    /// # Errors
    /// What went wrong, in words for the user.
    pub fn with<T>(&mut self, work: impl FnOnce(&mut Client) -> Result<T, Trouble>) -> Result<T, SearchError> {
        self.with_back(|client, _| work(client))
    }

    /// The same; `work` also hears when the database was reached again, if it was lost before.
    ///
    /// # Errors
    /// What went wrong, in words for the user.
    pub fn with_back<T>(&mut self, work: impl FnOnce(&mut Client, Option<Instant>) -> Result<T, Trouble>) -> Result<T, SearchError> {
        let done = match self.client() {
            Ok((client, back)) => work(client, back),
            Err(trouble) => {
                self.lost = true;
                Err(trouble)
            }
        };
        done.map_err(|trouble| {
            let answered = match &trouble {
                Trouble::Told(_) => true,
                // a fatal one is the last word of a connection
                Trouble::Database(error) => error.as_db_error().is_some_and(|db| !is_fatal(db)),
                Trouble::Silent(_) | Trouble::System(_) => false,
            };
            if !answered {
                self.client = None;
                self.lost = true;
            }
            let away = |message: String| SearchError::Away { place: self.address.to_string(), message };
            match trouble {
                Trouble::Told(error) => error,
                Trouble::Database(error) => told(&self.address, &error),
                Trouble::Silent(limit) => away(format!(
                    "the server did not answer for {} s. Look whether it hangs, and whether the network does",
                    limit.as_secs()
                )),
                Trouble::System(error) => away(format!("the system does not let us connect: {error}")),
            }
        })
    }

    fn client(&mut self) -> Result<(&mut Client, Option<Instant>), Trouble> {
        let had = self.client.take();
        self.lost |= had.as_ref().is_some_and(Client::is_closed);
        let client = match had.filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => connect(&self.address, &self.patience)?,
        };
        if std::mem::take(&mut self.lost) {
            self.back = Some(Instant::now());
        }
        Ok((self.client.insert(client), self.back))
    }
}

/// Why some work with a connection failed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The database or the way to it.
    Database(tokio_postgres::Error),
    /// The server, which did not answer for so long.
    Silent(Duration),
    /// The system, which has no room for a connection.
    System(std::io::Error),
    /// What the database holds; already in words.
    Told(SearchError),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<SearchError> for Trouble {
    fn from(error: SearchError) -> Self {
        Self::Told(error)
    }
}

impl Trouble {
    /// Whether two transactions were in each other's way, so that this one should simply be tried again.
    pub fn is_collision(&self) -> bool {
        let Self::Database(error) = self else { return false };
        matches!(error.code(), Some(code) if [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED, SqlState::UNIQUE_VIOLATION].contains(code))
    }

    /// Whether somebody else made the tables at the same time.
    pub fn is_made_already(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let codes = [SqlState::UNIQUE_VIOLATION, SqlState::DUPLICATE_TABLE, SqlState::DUPLICATE_OBJECT];
        matches!(error.code(), Some(code) if codes.contains(code))
    }
}

fn connect(address: &Address, patience: &Patience) -> Result<Client, Trouble> {
    let mut config = address.config().clone();
    config.application_name("tuning-fork").keepalives_idle(LOST).tcp_user_timeout(LOST);
    config.keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
    let reach = *config.get_connect_timeout().unwrap_or(&CONNECT);
    config.connect_timeout(reach);
    let tls = if config.get_ssl_mode() == SslMode::Disable { None } else { Some(tls(address)?) };
    // that timeout is one address's, and ends with the TCP connection; a name may have two addresses
    let hosts = u32::try_from(config.get_hosts().len()).unwrap_or(1).clamp(1, 100);
    let mut client = Client::connect(&config, tls, reach.saturating_mul(2 * hosts) + SHAKE, patience)?;
    client.batch_execute(LIMITS)?;
    Ok(client)
}

fn is_fatal(error: &DbError) -> bool {
    matches!(error.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// An error in words that say what to do.
fn told(address: &Address, error: &tokio_postgres::Error) -> SearchError {
    let place = address.to_string();
    let refused = |message: String| SearchError::Database { place: place.clone(), message };
    let Some(db) = error.as_db_error() else {
        // wrong words for a password or a certificate do not become right by waiting
        let words = source(error);
        if words.contains("password") || words.contains("certificate") || words.contains("TLS") {
            let advice = "set PGPASSWORD, add a line to ~/.pgpass, or look at sslmode and sslrootcert of the address";
            return refused(format!("the server refused the connection: {words}; {advice}"));
        }
        let message = format!("{error}: {words}. Look whether the server runs and can be reached from this machine");
        return SearchError::Away { place, message };
    };
    let (code, words) = (db.code(), db.message());
    let passing = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::QUERY_CANCELED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::DISK_FULL,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    if passing.contains(code) {
        return SearchError::Away { place, message: format!("{words}. Look at the server's log if this goes on") };
    }
    let advice = if [SqlState::INVALID_PASSWORD, SqlState::INVALID_AUTHORIZATION_SPECIFICATION].contains(code) {
        "look at the user's name in the address; the password comes from PGPASSWORD, ~/.pgpass or the address"
    } else if *code == SqlState::INVALID_CATALOG_NAME {
        "make it with createdb, or correct the name behind the last / of the address"
    } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
        "ask for the right to read, write and make tables in its schema"
    } else if *code == SqlState::READ_ONLY_SQL_TRANSACTION {
        "this server is a copy that only reads; give the address of the main server"
    } else {
        "look at the server's log"
    };
    refused(format!("{words}; {advice}"))
}

/// How a connection is hidden from others.
fn tls(address: &Address) -> Result<ClientConfig, SearchError> {
    let refused = |message: String| SearchError::Database { place: address.to_string(), message };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match address.trust() {
        Trust::Any => Arc::new(Unchecked(Arc::clone(&provider))),
        Trust::Verified(file) => {
            let mut roots = RootCertStore::empty();
            let certificates = match file {
                Some(file) => {
                    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                    read.map_err(|e| refused(format!("sslrootcert={}: {e}; give a file of certificates in PEM", file.display())))?
                }
                None => rustls_native_certs::load_native_certs().certs,
            };
            roots.add_parsable_certificates(certificates);
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build();
            built.map_err(|e| refused(format!("no certificate to trust was found ({e}); name a file with sslrootcert")))?
        }
    };
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(rustls::DEFAULT_VERSIONS);
    let builder = builder.map_err(|e| refused(format!("no hidden connection can be made: {e}; try sslmode=disable")))?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// Takes every certificate, as libpq does unless it is told to look: `sslmode=verify-full` looks.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
