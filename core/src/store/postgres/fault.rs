//! What PostgreSQL reports, as a sentence of ours. Nothing of its own text is kept: it may quote a row or the URL.

use std::time::Duration;

use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorCode};
use crate::http::tls::is_distrust;

/// The error for what went wrong.
pub(super) fn explain(error: &tokio_postgres::Error) -> Error {
    if let Some(state) = error.code() {
        return of_state(state);
    }
    if is_distrust(error) {
        return failed("the database's certificate is not trusted").with_advice(
            "Check the host in `url`, or name the certificates of its authority: sslrootcert=PATH in `url`.",
        );
    }
    // The kinds have no names outside their crate but these texts.
    match error.to_string() {
        text if text.starts_with("error performing TLS handshake") => {
            failed("the database does not offer TLS, or not in a way that can be used").with_advice(
                "Switch TLS on at the server; where the network is trusted, add sslmode=disable to `url`.",
            )
        }
        text if text.starts_with("error connecting to server") => failed("the database cannot be reached")
            .with_advice("Check that the server runs and that `url` in [auth.store] names it."),
        text if text.starts_with("timeout waiting for server") => too_slow(),
        text if text.starts_with("authentication error") || text.starts_with("invalid configuration") => {
            failed("signing in to the database is not possible with what `url` says")
                .with_advice("Check the user and the password in `url` in [auth.store].")
        }
        _ => lost(),
    }
}

/// The error for a connection that did not come about.
pub(super) fn explain_refusal(error: &tokio_postgres::Error) -> Error {
    // What poolers answer when the server behind them is away, or does not know the user or the database.
    if is_loss(error) {
        return failed("the database, or the pooler before it, refuses the connection")
            .with_advice("Check the user, the password and the database in `url`, and the server's log.");
    }
    explain(error)
}

/// Whether the connection is gone, so that another one may have more luck.
pub(super) fn is_loss(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(state) => {
            let state = state.code();
            state.starts_with("08") || ["57P01", "57P02", "57P05", "25P03"].contains(&state)
        }
        None => error.is_closed() || error.to_string().starts_with("error communicating with the server"),
    }
}

/// The error for an answer that did not come in time.
pub(super) fn too_slow() -> Error {
    failed("the database does not answer in time")
        .with_advice("Check the load on the server, then try again.")
}

/// The error for a connection that broke.
pub(super) fn lost() -> Error {
    failed("the connection to the database was lost").with_advice("Try again; check the server if it stays.")
}

/// The error for a connection that broke when the database had been told to keep a change.
pub(super) fn unknown_commit() -> Error {
    failed("the connection to the database was lost while it stored a change, which may have been kept")
        .with_advice("Try again; check the server if it stays.")
}

/// The error for a pool that has no connection to give.
pub(super) fn busy() -> Error {
    failed("no connection to the database became free in time")
        .with_advice("Try again; where it stays, raise pool_size in `url`.")
}

/// The error for a row that does not have the form that this code writes.
pub(super) fn damaged() -> Error {
    failed("a record of the store is damaged").with_advice("Restore the database from a backup.")
}

/// The error for a store whose schema this code does not know yet.
pub(super) fn newer() -> Error {
    failed("the store was written by a newer version of Loomkin Auth")
        .with_advice("Update Loomkin Auth; this version leaves the database as it is.")
}

/// The error for a database that has not answered for longer than good tokens are served without it.
pub(super) fn outage(grace: Duration) -> Error {
    failed(format!("the database has not answered for {}", humantime::format_duration(grace)))
        .with_advice("Check that the server runs and can be reached.")
}

fn of_state(state: &SqlState) -> Error {
    let (message, advice) = match state.code() {
        "28000" | "28P01" => (
            "the database refuses the user or the password",
            "Check the user and the password in `url` in [auth.store], and the server's pg_hba.conf.",
        ),
        "3D000" => ("the database is not there", "Make it (createdb), or correct its name in `url`."),
        "42501" => (
            "the database's user may not use the store",
            "Grant the user CREATE on the database, or all rights on the schema loomkin_auth.",
        ),
        "25006" => (
            "the database accepts no changes: it is a standby, or read-only",
            "Name the primary server in `url` in [auth.store].",
        ),
        "53300" => (
            "the database has no free connections",
            "Raise max_connections at the server, lower pool_size in `url`, or use a pooler.",
        ),
        "53100" => ("the database's disk is full", "Free some space on the server's disk."),
        "57014" | "55P03" | "40P01" | "40001" => {
            return too_slow();
        }
        "57P03" => ("the database is starting or stopping", "Try again in a moment."),
        "42P01" | "42703" | "3F000" | "42883" => (
            "the store's tables are not there or damaged",
            "Restore the database from a backup, or name another one in `url`.",
        ),
        code if code.starts_with("08") || code.starts_with("57P") || code == "25P03" => return lost(),
        code if code.starts_with("53") => {
            ("the database is short of resources", "Check the server, then try again.")
        }
        code if code.starts_with("58") || code.starts_with("XX") => {
            ("the database is damaged or its disk fails", "Check the server's log.")
        }
        _ => ("the database failed", "Check the server's log."),
    };
    failed(message).with_advice(advice)
}

fn failed(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::StoreFailed, message)
}
