//! A PostgreSQL server of a test's own, in a temporary folder, on a free port of the loopback. Where there is none the test is skipped
//! with a word. The packaged cluster of a distribution is never touched.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The password of the only user.
pub const PASSWORD: &str = "s3cret-of-the-test";
const USER: &str = "tuner";

/// A server that ends with the test.
pub struct Server {
    folder: TempDir,
    programs: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Server {
    /// Starts one; `None`, and a word, where there is no PostgreSQL that could be started.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            eprintln!("skipped: no PostgreSQL (apt-get install postgresql)");
            return None;
        };
        if is_root() && !quiet(Command::new("setpriv").args(["--reuid=postgres", "true"])) {
            eprintln!("skipped: PostgreSQL does not run as root, and there is no user postgres or no setpriv");
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("password"), PASSWORD).expect("a file");
        if is_root() {
            assert!(quiet(Command::new("chown").args(["-R", "postgres"]).arg(folder.path())), "the folder becomes that of postgres");
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port").port();
        let mut server = Self { folder, programs, port, child: None };
        let mut initdb = server.command("initdb");
        initdb.args(["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]);
        initdb.arg("-D").arg(server.path("data")).arg("--pwfile").arg(server.path("password"));
        let output = initdb.output().expect("initdb");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        server.resume();
        Some(server)
    }

    /// Starts the server, which is at rest.
    pub fn resume(&mut self) {
        let mut postgres = self.command("postgres");
        postgres.arg("-D").arg(self.path("data")).args(["-h", "127.0.0.1", "-F", "-c", "unix_socket_directories="]);
        postgres.args(["-p", &self.port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(postgres.spawn().expect("postgres"));
        let start = Instant::now();
        while !self.run("psql", "postgres", &["-c", "SELECT 1"]).is_ok_and(|output| output.status.success()) {
            assert!(start.elapsed() < Duration::from_mins(1), "the server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Ends the server at once, connections and all.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_err(), "nobody listens any more");
    }

    /// The address of a new database.
    pub fn database(&self, name: &str) -> String {
        let output = self.run("createdb", name, &[]).expect("createdb");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.address(name)
    }

    /// The address of a database, with the password.
    pub fn address(&self, name: &str) -> String {
        format!("postgresql://{USER}:{PASSWORD}@127.0.0.1:{}/{name}", self.port)
    }

    /// What `psql` prints for some SQL.
    pub fn sql(&self, name: &str, sql: &str) -> String {
        let output = self.run("psql", name, &["-At", "-v", "ON_ERROR_STOP=1", "-c", sql]).expect("psql");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A `psql` that takes commands until its standard input ends.
    pub fn console(&self, name: &str) -> Child {
        let mut command = Command::new(self.programs.join("psql"));
        command.args(["-h", "127.0.0.1", "-U", USER, "-p", &self.port.to_string(), "-q", "-v", "ON_ERROR_STOP=1", name]);
        command.env("PGPASSWORD", PASSWORD).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("psql")
    }

    /// The tables of a database, as `pg_dump` tells them, in an order that does not depend on who made them.
    pub fn schema(&self, name: &str) -> Vec<String> {
        let output = self.run("pg_dump", name, &["--schema-only"]).expect("pg_dump");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let mut statements: Vec<String> =
            text.split(";\n").map(|part| part.lines().filter(|line| !line.starts_with(['-', '\\'])).collect()).collect();
        statements.sort();
        statements
    }

    fn run(&self, program: &str, database: &str, arguments: &[&str]) -> std::io::Result<std::process::Output> {
        let mut command = Command::new(self.programs.join(program));
        command.args(["-h", "127.0.0.1", "-U", USER, "-p", &self.port.to_string()]).args(arguments).arg(database);
        command.env("PGPASSWORD", PASSWORD).stdin(Stdio::null()).output()
    }

    /// A program of the server, as a user who may run it.
    fn command(&self, program: &str) -> Command {
        let path = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null()).env("LC_ALL", "C");
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args(["-QUIT", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }
}

/// The folder of the server's programs: that of `PATH`, or the newest where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let whole = |folder: &Path| ["initdb", "postgres", "psql", "createdb", "pg_dump"].iter().all(|name| folder.join(name).is_file());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).find(|folder| whole(folder));
    let debian = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten();
        let version = |folder: &PathBuf| folder.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
        versions.map(|entry| entry.path().join("bin")).filter(|folder| whole(folder)).max_by_key(version)
    };
    found.or_else(debian)
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn quiet(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
