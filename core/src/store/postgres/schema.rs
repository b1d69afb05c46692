//! The tables: how they are made, recognised and brought up to date.

use tokio_postgres::types::Type;

use super::changes::COUNT;
use super::fault;
use super::pool::{Pool, Transaction};
use super::rows::{bytes, get};
use crate::error::Result;
use crate::random::Random;
use crate::store::StoreId;

/// Makes sure that the database has a store that this version understands. Returns its id and its count of changes.
///
/// Many nodes may do this at once: the first makes the tables, and the others wait for it. A store of a newer version
/// is refused, and left as it is.
pub(super) async fn prepare(pool: &Pool, random: &dyn Random) -> Result<(StoreId, i64)> {
    if !is_up_to_date(&pool.read(IS_THERE, &[]).await?, || pool.read(VERSION, &[])).await? {
        migrate(pool.begin().await?, random).await?;
    }
    let id = pool.read("SELECT id FROM loomkin_auth.store", &[]).await?;
    let id = StoreId(bytes(id.first().ok_or_else(fault::damaged)?, "id")?);
    let count = pool.read(COUNT, &[]).await?;
    Ok((id, count.first().and_then(|row| row.try_get(0).ok()).ok_or_else(fault::damaged)?))
}

/// Takes the lock that [`lock_keys`](crate::store::TokenStore::lock_keys) means, until the transaction ends.
pub(super) const LOCK_KEYS: &str = "
    SET LOCAL idle_in_transaction_session_timeout = '60s';
    SELECT pg_catalog.pg_advisory_xact_lock(1282228597, 2)";

async fn migrate(mut transaction: Transaction, random: &dyn Random) -> Result<()> {
    transaction.query("SELECT pg_catalog.pg_advisory_xact_lock(1282228597, 1)", &[]).await?;
    // Whoever had the lock before may have done it all.
    let is_there = transaction.query(IS_THERE, &[]).await?;
    if is_up_to_date(&is_there, || transaction.query(VERSION, &[])).await? {
        return Ok(());
    }
    let is_there = is_there.first().ok_or_else(fault::damaged)?;
    if !get::<bool>(is_there, "store")? {
        // Not "if not exists": that asks for the right to make a schema even where there is one.
        if !get::<bool>(is_there, "schema")? {
            transaction.batch("CREATE SCHEMA loomkin_auth").await?;
        }
        transaction.batch(FIRST).await?;
        let id: [u8; 16] = random.make_bytes()?;
        transaction
            .execute(
                "INSERT INTO loomkin_auth.store (id, version) VALUES ($1, 1)",
                &[(&id.as_slice(), Type::BYTEA)],
            )
            .await?;
    }
    let version = transaction.query(VERSION, &[]).await?;
    let version = get::<i32>(version.first().ok_or_else(fault::damaged)?, "version")?;
    for (_, step) in (2..).zip(LATER).filter(|(reached, _)| *reached > version) {
        transaction.batch(step).await?;
    }
    transaction.execute("UPDATE loomkin_auth.store SET version = $1", &[(&NEWEST, Type::INT4)]).await?;
    transaction.commit().await.map(drop)
}

async fn is_up_to_date<Read: Future<Output = Result<Vec<tokio_postgres::Row>>>>(
    is_there: &[tokio_postgres::Row],
    version: impl FnOnce() -> Read,
) -> Result<bool> {
    if !get::<bool>(is_there.first().ok_or_else(fault::damaged)?, "store")? {
        return Ok(false);
    }
    let rows = version().await?;
    match get::<i32>(rows.first().ok_or_else(fault::damaged)?, "version")? {
        NEWEST => Ok(true),
        1..NEWEST => Ok(false),
        ..1 => Err(fault::damaged()),
        _ => Err(fault::newer()),
    }
}

/// From the catalogue's tables and not by `to_regclass`, which answers from a cache: one that has waited for the lock
/// would not see what was made meanwhile.
const IS_THERE: &str = "SELECT
    EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'loomkin_auth') AS schema,
    EXISTS (SELECT FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace
        ON pg_namespace.oid = relnamespace WHERE nspname = 'loomkin_auth' AND relname = 'store') AS store";
const VERSION: &str = "SELECT version FROM loomkin_auth.store";

/// The version of the schema; a store of a higher one is refused.
const NEWEST: i32 = 4;

/// What brings a store from each version to the next, the first being there.
const LATER: [&str; 3] = [SECOND, THIRD, FOURTH];

/// The tables of the SQLite store, in a schema of their own and with all names spelt out: behind a pooler the search
/// path is somebody else's. A connection without `sealed` is a tombstone. Times are milliseconds since the epoch.
///
/// `clock` is the one clock of all hosts. Unlike `now()` it goes on inside a transaction that had to wait.
const FIRST: &str = r#"
CREATE TABLE loomkin_auth.store (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one),
    id BYTEA NOT NULL,
    version INT NOT NULL
);
CREATE FUNCTION loomkin_auth.clock() RETURNS BIGINT LANGUAGE sql VOLATILE AS
    'SELECT floor(extract(epoch FROM pg_catalog.clock_timestamp()) * 1000)::int8';
CREATE TABLE loomkin_auth.change (
    shard INT PRIMARY KEY,
    count BIGINT NOT NULL
) WITH (fillfactor = 50);
INSERT INTO loomkin_auth.change SELECT shard, 0 FROM pg_catalog.generate_series(0, 15) AS shard;
CREATE TABLE loomkin_auth.data_key (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    source TEXT NOT NULL,
    salt BYTEA NOT NULL,
    wrapped BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE loomkin_auth.connection (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    connection BYTEA NOT NULL,
    sealed BYTEA,
    refresh_digest BYTEA,
    issued_at BIGINT,
    expires_at BIGINT,
    scopes TEXT,
    account_login TEXT,
    account_id TEXT,
    base_url TEXT,
    created_at BIGINT,
    updated_at BIGINT,
    disconnected_at BIGINT,
    UNIQUE (owner, provider, account)
);
CREATE INDEX tombstone ON loomkin_auth.connection (disconnected_at) WHERE disconnected_at IS NOT NULL;
CREATE TABLE loomkin_auth.claim (
    connection_id BIGINT PRIMARY KEY REFERENCES loomkin_auth.connection (id) ON DELETE CASCADE,
    attempt BYTEA NOT NULL,
    presented BYTEA NOT NULL,
    deadline BIGINT NOT NULL
);
CREATE TABLE loomkin_auth.failure (
    connection_id BIGINT PRIMARY KEY REFERENCES loomkin_auth.connection (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    presented BYTEA NOT NULL,
    in_a_row BIGINT NOT NULL,
    at BIGINT NOT NULL,
    next_attempt_at BIGINT
);
CREATE TABLE loomkin_auth.setting (
    owner TEXT COLLATE "C" PRIMARY KEY,
    active_provider TEXT NOT NULL,
    active_account TEXT NOT NULL
);
"#;

/// See the second version of the SQLite store. The row of `event` that a transaction writes may be numbered before that
/// of one which commits earlier.
const SECOND: &str = r#"
ALTER TABLE loomkin_auth.connection ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE loomkin_auth.connection ADD COLUMN keeps_grant BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX expiring ON loomkin_auth.connection (expires_at, owner, provider, account)
    WHERE refresh_digest IS NOT NULL AND expires_at IS NOT NULL;
CREATE TABLE loomkin_auth.revocation (
    connection BYTEA PRIMARY KEY,
    owner TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    refresh_digest BYTEA,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT,
    scopes TEXT NOT NULL,
    account_login TEXT,
    account_id TEXT,
    base_url TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT NOT NULL,
    until BIGINT NOT NULL
);
CREATE INDEX next_revocation ON loomkin_auth.revocation (next_attempt_at);
CREATE TABLE loomkin_auth.event (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    owner TEXT NOT NULL,
    provider TEXT,
    account TEXT,
    kind TEXT NOT NULL,
    detail TEXT,
    at BIGINT NOT NULL
);
"#;

/// See the third version of the SQLite store.
const THIRD: &str = r#"
CREATE TABLE loomkin_auth.pending_login (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id BYTEA NOT NULL UNIQUE,
    owner TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    begun_at BIGINT NOT NULL,
    deadline BIGINT NOT NULL,
    sealed BYTEA
);
CREATE INDEX pending_login_of_owner ON loomkin_auth.pending_login (owner);
CREATE INDEX pending_login_deadline ON loomkin_auth.pending_login (deadline);
"#;

/// See the fourth version of the SQLite store.
const FOURTH: &str = r#"
CREATE TABLE loomkin_auth.credential (
    owner TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    account TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (owner, provider, account, kind)
);
"#;
