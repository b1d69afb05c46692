//! The suite of every store, and what is particular to files.

mod bad_files;
mod events;
mod full_disk;
mod holders;
mod keys;
mod marks;
mod migration;
mod replaced;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::error::ErrorCode;
use crate::random::SystemRandom;
use crate::store::conformance::{Subject, conformance};
use crate::testing::ManualClock;

/// A directory as the store wants it, with a clock.
struct Place {
    directory: TempDir,
    clock: Arc<ManualClock>,
}

impl Place {
    fn new() -> Self {
        let clock = ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000));
        Self { directory: tempfile::tempdir().unwrap(), clock: Arc::new(clock) }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("store").join("auth.db")
    }

    fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    async fn try_open(&self) -> Result<SqliteStore> {
        SqliteStore::open(self.path(), self.clock.clone(), Arc::new(SystemRandom)).await
    }

    async fn open(&self) -> SqliteStore {
        self.try_open().await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_keeps_every_promise_of_a_store() {
    conformance(|| async {
        let place = Place::new();
        let (store, other) = (Arc::new(place.open().await), Arc::new(place.open().await));
        // The place as a whole goes along: its directory must stay for as long as the store is used.
        let advance = move |by| Place::advance(&place, by);
        Subject { store, other, advance: Box::new(advance) }
    })
    .await;
}
