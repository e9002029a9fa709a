//! A connection whose every question waits for its answer, but never for ever: a server that takes what it is sent and says nothing more
//! would hold whoever asks, and neither the system's timeouts nor the server's own notice.

use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Config, Error, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::connect::Trouble;
use crate::search::Closing;

/// A farewell may take so long.
const FAREWELL: Duration = Duration::from_secs(1);

/// Whether somebody waits for the end is looked at this often.
const GLANCE: Duration = Duration::from_millis(50);

/// How long a server is waited for.
#[derive(Clone)]
pub(super) struct Patience {
    /// An answer may take so long.
    pub limit: Duration,
    /// Whether somebody waits for the end of the search.
    pub closing: Closing,
}

/// A value for a place in a statement.
type Value<'a> = (&'a (dyn ToSql + Sync), Type);

/// A connection to a server.
pub(super) struct Client {
    runtime: Runtime,
    /// `None` once the server was silent for too long: what it would say then is the answer to another question.
    asked: Option<tokio_postgres::Client>,
    /// What moves the bytes while somebody waits.
    connection: JoinHandle<()>,
    patience: Patience,
}

impl Client {
    /// Connects within `to_connect`; every answer from then on has `patience`.
    ///
    /// # Errors
    /// If the server cannot be reached, refuses, or is silent.
    pub fn connect(config: &Config, tls: Option<ClientConfig>, to_connect: Duration, patience: &Patience) -> Result<Self, Trouble> {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Trouble::System)?;
        let connecting = async {
            Ok(match tls {
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    (client, tokio::spawn(moved(connection)))
                }
                Some(tls) => {
                    let (client, connection) = config.connect(MakeRustlsConnect::new(tls)).await?;
                    (client, tokio::spawn(moved(connection)))
                }
            })
        };
        match runtime.block_on(within(&Patience { limit: to_connect, ..patience.clone() }, connecting)) {
            Ok((client, connection)) => Ok(Self { runtime, asked: Some(client), connection, patience: patience.clone() }),
            Err(trouble) => {
                // a name that nobody resolves would be waited for
                runtime.shutdown_background();
                Err(trouble)
            }
        }
    }

    /// Whether nothing more can be asked.
    pub fn is_closed(&self) -> bool {
        self.asked.as_ref().is_none_or(tokio_postgres::Client::is_closed)
    }

    /// The rows that a statement gives.
    pub fn query_typed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Trouble> {
        self.ask(async |client| client.query_typed(statement, values).await)
    }

    /// The only row that a statement gives.
    pub fn query_typed_one(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Row, Trouble> {
        self.ask(async |client| client.query_typed_one(statement, values).await)
    }

    /// The row that a statement gives, if any.
    pub fn query_typed_opt(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Option<Row>, Trouble> {
        self.ask(async |client| client.query_typed_opt(statement, values).await)
    }

    /// How many rows a statement changed.
    pub fn execute_typed(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, Trouble> {
        self.ask(async |client| client.execute_typed(statement, values).await)
    }

    /// Statements without values.
    pub fn batch_execute(&mut self, statements: &str) -> Result<(), Trouble> {
        self.ask(async |client| client.batch_execute(statements).await)
    }

    /// Begins a transaction.
    pub fn transaction(&mut self) -> Result<Transaction<'_>, Trouble> {
        self.batch_execute("BEGIN")?;
        Ok(Transaction { client: self, open: true })
    }

    fn ask<T>(&mut self, question: impl AsyncFnOnce(&tokio_postgres::Client) -> Result<T, Error>) -> Result<T, Trouble> {
        let Some(client) = &self.asked else { return Err(Trouble::Silent(self.patience.limit)) };
        let answer = self.runtime.block_on(within(&self.patience, question(client)));
        if matches!(answer, Err(Trouble::Silent(_))) {
            self.asked = None;
        }
        answer
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.asked.take().is_some() {
            // without its other end the connection says goodbye; a server that does not hear it finds out by itself
            let _ = self.runtime.block_on(async { timeout(FAREWELL, &mut self.connection).await });
        }
    }
}

/// A transaction; nothing of it stands unless it is committed.
pub(super) struct Transaction<'a> {
    client: &'a mut Client,
    open: bool,
}

impl Transaction<'_> {
    /// Makes everything stand.
    pub fn commit(mut self) -> Result<(), Trouble> {
        self.open = false;
        self.client.batch_execute("COMMIT")
    }

    /// Undoes everything.
    pub fn rollback(mut self) -> Result<(), Trouble> {
        self.open = false;
        self.client.batch_execute("ROLLBACK")
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            // what fails here ends the connection, and the transaction with it
            let _ = self.client.batch_execute("ROLLBACK");
        }
    }
}

impl Deref for Transaction<'_> {
    type Target = Client;

    fn deref(&self) -> &Client {
        self.client
    }
}

impl DerefMut for Transaction<'_> {
    fn deref_mut(&mut self) -> &mut Client {
        self.client
    }
}

/// Work that is given up once patience is at its end.
async fn within<T>(patience: &Patience, work: impl Future<Output = Result<T, Error>>) -> Result<T, Trouble> {
    let (start, mut work) = (Instant::now(), pin!(work));
    loop {
        if let Ok(done) = timeout(GLANCE.min(patience.limit), work.as_mut()).await {
            return Ok(done?);
        }
        if start.elapsed() >= patience.limit || patience.closing.is_over(start) {
            return Err(Trouble::Silent(start.elapsed()));
        }
    }
}

/// Moves the bytes of a connection; why it ended is told to whoever asks next.
async fn moved(connection: impl Future<Output = Result<(), Error>>) {
    if let Err(error) = connection.await {
        tracing::debug!("the connection to a database ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use super::*;
    use crate::search::SearchError;
    use crate::search::database::{Address, connect::Connection};

    /// What a server says to let somebody in: no password is wanted, it is ready.
    const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
    /// What it says to statements without an answer: done, it is ready.
    const DONE: &[u8] = b"C\0\0\0\x08SET\0Z\0\0\0\x05I";

    /// A server that lets in, answers the first question of each connection, and then says no more.
    fn server() -> Config {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                std::thread::spawn(move || serve(stream.expect("a connection")));
            }
        });
        let mut config = Config::new();
        config.host("127.0.0.1").port(port).user("tuner").ssl_mode(tokio_postgres::config::SslMode::Disable);
        config
    }

    fn serve(mut stream: TcpStream) {
        let mut bytes = [0; 4096];
        for answer in [WELCOME, DONE] {
            if stream.read(&mut bytes).expect("a question") == 0 {
                return;
            }
            stream.write_all(answer).expect("an answer");
        }
        // it listens until the other side goes
        while stream.read(&mut bytes).is_ok_and(|read| read > 0) {}
    }

    fn patience(limit: Duration) -> Patience {
        Patience { limit, closing: Closing::default() }
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_server_that_falls_silent_is_given_up_and_asked_no_more() {
        let config = server();
        let mut client = Client::connect(&config, None, HOUR, &patience(Duration::from_millis(300))).expect("it lets in");
        client.batch_execute("SET a = 1").expect("it answers once");
        assert!(!client.is_closed());
        assert!(matches!(client.batch_execute("SET a = 2"), Err(Trouble::Silent(_))));
        assert!(client.is_closed(), "its answer may still come, to another question");
        assert!(matches!(client.transaction().map(drop), Err(Trouble::Silent(_))));
    }

    #[test]
    fn nobody_waits_for_an_answer_while_somebody_waits_for_the_end() {
        let config = server();
        let patience = patience(HOUR);
        let mut client = Client::connect(&config, None, HOUR, &patience).expect("it lets in");
        client.batch_execute("SET a = 1").expect("it answers once");
        patience.closing.begin();
        assert!(matches!(client.batch_execute("SET a = 2"), Err(Trouble::Silent(waited)) if waited < HOUR / 2));
    }

    #[test]
    fn silence_is_told_as_being_away_and_a_new_connection_is_made() {
        let config = server();
        let port = config.get_ports()[0];
        let address = Address::parse(&format!("postgresql://tuner@127.0.0.1:{port}/d?sslmode=disable")).expect("an address");
        let mut connection = Connection::new(&address, &Closing::default());
        connection.answers_within(Duration::from_millis(300));
        for _ in 0..2 {
            // the limits are the question that is answered
            let error = connection.with(|client| client.batch_execute("SELECT 1")).expect_err("it is silent");
            assert!(matches!(&error, SearchError::Away { message, .. } if message.contains("did not answer")), "{error}");
        }
    }
}
