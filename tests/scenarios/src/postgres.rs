//! A throw-away PostgreSQL server; `tests/servers/README.md` describes it.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A running server with pgbouncer in front of it; both end with this value, and with this process.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    pipes: Mutex<Option<(ChildStdin, BufReader<ChildStdout>)>>,
    port: u16,
    pooler_port: u16,
    databases: AtomicU32,
}

/// A database of a [`Postgres`], made for one scenario.
#[derive(Debug)]
pub struct Database {
    server: Arc<Postgres>,
    name: String,
    /// By how many milliseconds its store's clock is ahead.
    ahead: AtomicU64,
}

impl Postgres {
    /// The password in every URL. The server does not ask for it, and nobody may see it.
    pub const PASSWORD: &str = "canary--database-password";

    /// Starts the server; it can be asked as soon as this returns.
    ///
    /// # Panics
    ///
    /// When PostgreSQL or pgbouncer is not installed.
    pub fn start() -> Arc<Self> {
        Self::start_with("")
    }

    /// As [`Postgres::start`], with TLS for the name `localhost`. Also returns where the certificate of its private
    /// authority is.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn start_with_tls() -> (Arc<Self>, String) {
        let server = Self::start_by(|command| command.env("TLS", "1"));
        let authority = server.order("authority");
        (server, authority)
    }

    /// As [`Postgres::start`], with more of the server's own options.
    ///
    /// # Panics
    ///
    /// As there.
    pub fn start_with(options: &str) -> Arc<Self> {
        Self::start_by(|command| command.env("OPTIONS", options))
    }

    fn start_by(change: impl FnOnce(&mut Command) -> &mut Command) -> Arc<Self> {
        let (port, pooler_port) = (free_port(), free_port());
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../servers/postgres/server"));
        let mut child = change(&mut command)
            .env("PORT", port.to_string())
            .env("POOLER_PORT", pooler_port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (orders, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let server = Self {
            child,
            pipes: Mutex::new(Some((orders, BufReader::new(answers)))),
            port,
            pooler_port,
            databases: AtomicU32::new(0),
        };
        assert_eq!(server.order(""), "ready", "install the packages postgresql and pgbouncer");
        Arc::new(server)
    }

    /// Ends the server as a crash does.
    pub fn stop(&self) {
        self.order("stop");
    }

    /// Starts the server again.
    pub fn resume(&self) {
        self.order("start");
    }

    /// Ends the server as a crash does, and starts it again.
    pub fn restart(&self) {
        self.order("restart");
    }

    /// Gives the server a standby, without which it commits nothing from now on.
    pub fn add_standby(&self) {
        self.order("standby");
    }

    /// Ends the server as a crash does, and lets its standby take its place.
    pub fn fail_over(&self) {
        self.order("fail-over");
    }

    /// A new, empty database.
    pub fn database(self: &Arc<Self>) -> Database {
        let name = format!("scenario_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.order(&format!("sql postgres CREATE DATABASE {name}"));
        Database { server: Arc::clone(self), name, ahead: AtomicU64::new(0) }
    }

    fn order(&self, order: &str) -> String {
        let mut pipes = self.pipes.lock().unwrap_or_else(PoisonError::into_inner);
        let (orders, answers) = pipes.as_mut().unwrap();
        let mut line = String::new();
        writeln!(orders, "{order}").unwrap();
        answers.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the PostgreSQL server has ended");
        line.trim().to_owned()
    }
}

impl Database {
    /// The server that it is in.
    pub fn server(&self) -> &Postgres {
        &self.server
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its URL.
    pub fn url(&self) -> String {
        self.url_at(self.server.port)
    }

    /// Its URL behind pgbouncer, which gives a connection to whoever has a transaction, and takes it away after it.
    pub fn url_of_pooler(&self) -> String {
        self.url_at(self.server.pooler_port)
    }

    /// Runs one statement.
    pub fn sql(&self, statement: &str) -> String {
        let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
        self.server.order(&format!("sql {} {statement}", self.name))
    }

    /// Takes connections for `user` until the server gives no more; dropping them gives them back.
    ///
    /// # Panics
    ///
    /// When the server does not answer.
    pub fn take_connections(&self, user: &str) -> Vec<TcpStream> {
        std::iter::from_fn(|| self.take_connection(user)).collect()
    }

    /// A session of which nobody asks anything; `None` when the server refuses it.
    fn take_connection(&self, user: &str) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.server.port)).unwrap();
        // The start-up message of protocol 3.0: its length, the version, and parameters that each end with a zero.
        let mut message = PROTOCOL.to_be_bytes().to_vec();
        for text in ["user", user, "database", &self.name, ""] {
            message.extend_from_slice(text.as_bytes());
            message.push(0);
        }
        let length = u32::try_from(message.len() + 4).unwrap();
        stream.write_all(&[&length.to_be_bytes(), message.as_slice()].concat()).unwrap();
        // The server's messages: a byte for the kind, the length of all but that, and the rest.
        let mut head = [0; 5];
        loop {
            stream.read_exact(&mut head).unwrap();
            let length = u64::from(u32::from_be_bytes([head[1], head[2], head[3], head[4]])) - 4;
            match head[0] {
                b'Z' => return Some(stream),
                b'E' => return None,
                _ => io::copy(&mut (&stream).take(length), &mut io::sink()).unwrap(),
            };
        }
    }

    /// Moves the clock of the store that it holds.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap();
        let ahead = self.ahead.fetch_add(by, Ordering::Relaxed) + by;
        self.sql(&format!(
            "CREATE OR REPLACE FUNCTION loomkin_auth.clock() RETURNS BIGINT LANGUAGE sql VOLATILE AS
             'SELECT floor(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8 + {ahead}'"
        ));
    }

    fn url_at(&self, port: u16) -> String {
        format!("postgres://test:{}@127.0.0.1:{port}/{}", Postgres::PASSWORD, self.name)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // The server ends with its standard input.
        drop(self.pipes.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        let _ = self.child.wait();
    }
}

const PROTOCOL: u32 = 196_608;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
