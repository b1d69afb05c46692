//! The database: how it is made, recognised and opened.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::fault::{self, Explain};
use crate::error::Result;
use crate::random::Random;
use crate::store::StoreId;
use crate::store::files::{self, failed, private, remove_if_there, with_suffix};

/// Makes an empty store at `path`, which then has it as a whole or not at all: it is made under another name first,
/// so that a file which is empty or cut short is always a damaged store and never a new one.
///
/// The caller holds the store's lock, and has seen that nothing is at `path`.
pub(super) fn make(path: &Path, random: &dyn Random) -> Result<()> {
    let id: [u8; 16] = random.make_bytes()?;
    let draft = with_suffix(path, ".new");
    let unmade = |error| failed("the store", "made", path, &error);
    for suffix in ["", "-wal", "-shm"] {
        remove_if_there(&with_suffix(&draft, suffix)).map_err(unmade)?;
    }
    // SQLite gives its other files the mode of this one.
    private(fs::OpenOptions::new().write(true).create_new(true)).open(&draft).map_err(unmade)?;
    let fill = || {
        let database = connect(&draft)?;
        database.pragma_update(None, "journal_mode", "WAL")?;
        database.execute_batch(&format!("BEGIN; {} COMMIT", STEPS.concat()))?;
        database.execute("INSERT INTO store (id) VALUES (?1)", [id])?;
        database.pragma_update(None, "application_id", APPLICATION_ID)?;
        database.pragma_update(None, "user_version", VERSION)?;
        database.close().map_err(|(_, error)| error)
    };
    fill().explain(path)?;
    // What is left of a store that was removed, its log above all, is no part of this one.
    for suffix in ["-wal", "-shm"] {
        remove_if_there(&with_suffix(path, suffix)).map_err(unmade)?;
    }
    fs::rename(&draft, path).and_then(|()| files::sync_directory_of(path)).map_err(unmade)
}

/// Opens a connection to the store at `path`, and makes sure that it is one.
pub(super) fn open(path: &Path) -> Result<Connection> {
    let database = connect(path).explain(path)?;
    let number = |name| database.pragma_query_value(None, name, |row| row.get::<_, i64>(0)).explain(path);
    if number("application_id")? != i64::from(APPLICATION_ID) {
        return Err(fault::no_store(path));
    }
    match number("user_version")? {
        VERSION => {}
        ..VERSION => migrate(&database).explain(path)?,
        _ => return Err(fault::newer(path)),
    }
    Ok(database)
}

/// Brings a store of an earlier version up to date, as a whole or not at all. Of several processes that start at once
/// one does it, and the others wait.
fn migrate(database: &Connection) -> rusqlite::Result<()> {
    database.execute_batch("BEGIN IMMEDIATE")?;
    let migrated = (|| {
        let version = database.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))?;
        for (_, step) in (1..).zip(STEPS).filter(|(reached, _)| *reached > version) {
            database.execute_batch(step)?;
        }
        database.pragma_update(None, "user_version", version.max(VERSION))?;
        database.execute_batch("COMMIT")
    })();
    if migrated.is_err() {
        // What broke the migration is what the caller should hear of.
        let _ = database.execute_batch("ROLLBACK");
    }
    migrated
}

/// The store's own id.
pub(super) fn id(database: &Connection, path: &Path) -> Result<StoreId> {
    database.query_row("SELECT id FROM store", [], |row| row.get(0)).map(StoreId).explain(path)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Never `CREATE`: a store that vanishes must not come back empty.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(PATIENCE)?;
    // An acknowledged refresh must outlive a power cut, since the server has forgotten the old token.
    database.pragma_update(None, "synchronous", "FULL")?;
    // What is deleted is overwritten, sealed as it is.
    database.pragma_update(None, "secure_delete", "ON")?;
    database.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(database)
}

/// How long a writer waits for the writers before it. Each of them takes less than a millisecond.
const PATIENCE: Duration = Duration::from_secs(10);

/// "LmAu".
const APPLICATION_ID: i32 = 0x4c6d_4175;

/// The version of the schema; a store of a higher one is refused.
const VERSION: i64 = 4;

/// What brings a store from each version to the next.
const STEPS: [&str; 4] = [FIRST, SECOND, THIRD, FOURTH];

/// Claims and failures have tables of their own, so that writing one does not write the tokens anew. A connection
/// without `sealed` is a tombstone. Times are milliseconds since the epoch.
const FIRST: &str = "
CREATE TABLE store (
    id BLOB NOT NULL
) STRICT;
CREATE TABLE data_key (
    position INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    source TEXT NOT NULL,
    salt BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE connection (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    connection BLOB NOT NULL,
    sealed BLOB,
    refresh_digest BLOB,
    issued_at INTEGER,
    expires_at INTEGER,
    scopes TEXT,
    account_login TEXT,
    account_id TEXT,
    base_url TEXT,
    created_at INTEGER,
    updated_at INTEGER,
    disconnected_at INTEGER,
    UNIQUE (owner, provider, account)
) STRICT;
CREATE INDEX tombstone ON connection (disconnected_at) WHERE disconnected_at IS NOT NULL;
CREATE TABLE claim (
    connection_id INTEGER PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
    attempt BLOB NOT NULL,
    presented BLOB NOT NULL,
    deadline INTEGER NOT NULL,
    holder BLOB NOT NULL
) STRICT;
CREATE TABLE failure (
    connection_id INTEGER PRIMARY KEY REFERENCES connection (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    presented BLOB NOT NULL,
    in_a_row INTEGER NOT NULL,
    at INTEGER NOT NULL,
    next_attempt_at INTEGER
) STRICT;
CREATE TABLE setting (
    owner TEXT PRIMARY KEY,
    active_provider TEXT NOT NULL,
    active_account TEXT NOT NULL
) STRICT, WITHOUT ROWID;
";

/// - `revision` is what a commit's fence looks at.
/// - `keeps_grant` says of a tombstone that the grant was to live on at the server. A tombstone's `connection` is an id
///   of its own.
/// - `expiring` lists what is to be renewed next.
/// - `revocation` has the connections that were disconnected here and may still live at the server: the columns of
///   `connection`, and when to try again. One connection is in it once.
/// - `event` is what happened, in order; the oldest are forgotten.
const SECOND: &str = "
ALTER TABLE connection ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE connection ADD COLUMN keeps_grant INTEGER NOT NULL DEFAULT 0;
CREATE INDEX expiring ON connection (expires_at, owner, provider, account)
    WHERE refresh_digest IS NOT NULL AND expires_at IS NOT NULL;
CREATE TABLE revocation (
    connection BLOB PRIMARY KEY,
    owner TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    sealed BLOB NOT NULL,
    refresh_digest BLOB,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER,
    scopes TEXT NOT NULL,
    account_login TEXT,
    account_id TEXT,
    base_url TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX next_revocation ON revocation (next_attempt_at);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    provider TEXT,
    account TEXT,
    kind TEXT NOT NULL,
    detail TEXT,
    at INTEGER NOT NULL
) STRICT;
";

/// - `pending_login` has the hosted logins between their begin and their redirect, by the digest of their state, in the order
///   in which they came. One without `sealed` is closed.
const THIRD: &str = "
CREATE TABLE pending_login (
    number INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    begun_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    sealed BLOB
) STRICT;
CREATE INDEX pending_login_of_owner ON pending_login (owner);
CREATE INDEX pending_login_deadline ON pending_login (deadline);
";

/// `credential` has what nobody refreshes: of each kind one for an account.
const FOURTH: &str = "
CREATE TABLE credential (
    owner TEXT NOT NULL,
    provider TEXT NOT NULL,
    account TEXT NOT NULL,
    kind TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (owner, provider, account, kind)
) STRICT, WITHOUT ROWID;
";
