//! Files that must not be used, each with its sentence, and each left as it was.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::process::Command;

use super::*;
use crate::store::{Columns, SealedTokens, TombstoneId};

#[tokio::test]
async fn every_file_is_private_from_the_start() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    claim(&store).await;
    let directory = place.path().parent().unwrap().to_owned();
    assert_eq!(mode(&directory), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&directory).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), if path.is_dir() { 0o700 } else { 0o600 }, "{path:?}");
        names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
    }
    names.sort();
    let expected = ["", "-shm", "-wal", ".changes", ".holders", ".lock"].map(|end| format!("auth.db{end}"));
    assert_eq!(names, expected);
}

#[tokio::test]
async fn what_is_open_to_others_is_refused_with_the_command_that_mends_it() {
    for (suffix, wide, command) in
        [("", 0o644, "chmod 600"), ("-wal", 0o640, "chmod 600"), (".changes", 0o606, "chmod 600")]
    {
        let place = Place::new();
        let store = place.open().await;
        store.connect(login()).await.unwrap();
        let path = with_suffix(&place.path(), suffix);
        fs::set_permissions(&path, Permissions::from_mode(wide)).unwrap();
        let error = place.try_open().await.unwrap_err();
        assert!(error.message().ends_with("is open to other users"), "{error}");
        assert_eq!(error.advice(), format!("Run: {command} '{}'", path.display()));
        assert_eq!(mode(&path), wide, "it is not mended silently");
    }
    let place = Place::new();
    place.open().await;
    let directory = place.path().parent().unwrap().to_owned();
    fs::set_permissions(&directory, Permissions::from_mode(0o750)).unwrap();
    let error = place.try_open().await.unwrap_err();
    assert_eq!(error.message(), "the store's directory is open to other users");
    assert!(error.advice().starts_with(&format!("Run: chmod 700 '{}'", directory.display())));
}

#[tokio::test]
async fn links_directories_and_the_files_of_others_are_refused() {
    let place = Place::new();
    place.open().await;
    let real = place.path().with_file_name("real.db");
    fs::rename(place.path(), &real).unwrap();
    symlink(&real, place.path()).unwrap();
    assert_eq!(place.try_open().await.unwrap_err().message(), "the store is a link");

    fs::remove_file(place.path()).unwrap();
    fs::create_dir(place.path()).unwrap();
    assert_eq!(place.try_open().await.unwrap_err().message(), "the store is not a file");

    fs::remove_dir(place.path()).unwrap();
    fs::rename(&real, place.path()).unwrap();
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can give a file to another user");
        return;
    }
    chown(place.path(), Some(65_534), None).unwrap();
    assert_eq!(place.try_open().await.unwrap_err().message(), "the store belongs to another user");
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_as_it_was() {
    type Spoil = fn(&Path);
    let cases: [(&str, Spoil); 6] = [
        ("the file is not a store of Loomkin Auth, or is damaged", |path| fs::write(path, "").unwrap()),
        ("the file is not a store of Loomkin Auth, or is damaged", |path| {
            fs::write(path, "garbage ".repeat(1000)).unwrap();
        }),
        ("the file is not a store of Loomkin Auth, or is damaged", |path| {
            Connection::open(path).unwrap().pragma_update(None, "application_id", 7).unwrap();
        }),
        ("the store is damaged", |path| {
            let half = fs::metadata(path).unwrap().len() / 2;
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(half).unwrap();
        }),
        ("the store is damaged", |path| {
            fs::OpenOptions::new().write(true).open(path).unwrap().set_len(100).unwrap();
        }),
        ("the store was written by a newer version of Loomkin Auth", |path| {
            Connection::open(path).unwrap().pragma_update(None, "user_version", 1000).unwrap();
        }),
    ];
    for (message, spoil) in cases {
        let place = Place::new();
        place.open().await.connect(login()).await.unwrap();
        spoil(&place.path());
        let before = fs::read(place.path()).unwrap();
        let error = place.try_open().await.unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::StoreFailed, message));
        assert!(!error.advice().is_empty());
        assert_eq!(fs::read(place.path()).unwrap(), before, "{message}");
    }
}

#[tokio::test]
async fn a_read_only_store_is_refused_before_a_token_is_spent() {
    let place = Place::new();
    place.open().await.connect(login()).await.unwrap();
    let path = place.path();
    // Mode bits do not stop root; the immutable flag does, where the file system has it.
    let _mutable_again = if rustix::process::geteuid().is_root() {
        if !chattr("+i", &path) {
            eprintln!("skipped: this file system has no immutable flag, and mode bits do not stop root");
            return;
        }
        Some(Immutable(path.clone()))
    } else {
        fs::set_permissions(&path, Permissions::from_mode(0o400)).unwrap();
        None
    };
    let error = place.try_open().await.unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::StoreFailed, "the store is read-only"));
}

/// SQLite's own page limit stands for the end of the disk: both are `SQLITE_FULL`.
#[tokio::test]
async fn on_a_full_disk_nothing_is_lost() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    let limit = |pages: u32| {
        let writer = locked(&store.0.writer);
        writer.as_ref().unwrap().pragma_update(None, "max_page_count", pages).unwrap();
    };
    limit(1); // SQLite raises it to what is in use already.
    let mut large = login();
    large.sealed = SealedTokens(vec![7; 100_000]);
    let mark = store.change_mark().unwrap();

    let error = store.connect(large.clone()).await.unwrap_err();

    assert_eq!((error.code(), error.message()), (ErrorCode::StoreFailed, "the disk is full"));
    assert_eq!(store.load(&large.account).await.unwrap().unwrap().sealed, login().sealed);
    assert_eq!(store.change_mark().unwrap(), mark);
    limit(1_000_000);
    store.connect(large.clone()).await.unwrap();
    assert_eq!(store.load(&large.account).await.unwrap().unwrap().sealed, large.sealed);
}

#[tokio::test]
async fn what_a_maker_left_that_died_halfway_is_no_obstacle() {
    let place = Place::new();
    crate::store::files::private_directory(place.path().parent().unwrap()).unwrap();
    fs::write(with_suffix(&place.path(), ".new"), "half").unwrap();
    place.open().await.connect(login()).await.unwrap();
    assert!(!with_suffix(&place.path(), ".new").exists());
}

#[tokio::test]
async fn a_store_that_vanishes_does_not_come_back_empty() {
    let place = Place::new();
    place.open().await;
    fs::remove_file(place.path()).unwrap();
    let error = schema::open(&place.path()).unwrap_err();
    assert_eq!(error.message(), "the store cannot be read or written");
    assert!(!place.path().exists());
}

#[tokio::test]
async fn a_tombstone_lasts_thirty_days() {
    let place = Place::new();
    let store = place.open().await;
    store.connect(login()).await.unwrap();
    let end = Disconnect { tombstone: TombstoneId([1; 16]), revocation: None };
    store.disconnect(&login().account, end).await.unwrap();
    let rows = || {
        locked(&store.0.reader)
            .query_row("SELECT count(*), count(account_login) FROM connection", [], |row| {
                Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
            })
            .unwrap()
    };
    let mut other = login();
    other.account = "google".parse().unwrap();
    place.advance(Duration::from_secs(29 * 86_400));
    store.connect(other.clone()).await.unwrap();
    assert_eq!(rows(), (2, 1), "one tombstone, without names, and one login");
    place.advance(Duration::from_secs(2 * 86_400));
    store.connect(other).await.unwrap();
    assert_eq!(rows(), (1, 1));
}

struct Immutable(PathBuf);

impl Drop for Immutable {
    fn drop(&mut self) {
        chattr("-i", &self.0);
    }
}

fn chattr(flag: &str, path: &Path) -> bool {
    Command::new("chattr").arg(flag).arg(path).output().is_ok_and(|output| output.status.success())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn login() -> NewConnection {
    let mut columns = Columns::new(Timestamp::from_unix_seconds(1), Timestamp::from_unix_seconds(1));
    columns.account_login = Some("ada".to_owned());
    NewConnection {
        account: "github".parse().unwrap(),
        connection: ConnectionId([1; 16]),
        columns,
        sealed: SealedTokens(vec![1; 6000]),
        refresh_digest: Some(TokenDigest([1; 32])),
        begun_after: None,
    }
}

async fn claim(store: &SqliteStore) {
    let outcome = store
        .claim(
            &login().account,
            ConnectionId([1; 16]),
            TokenDigest([1; 32]),
            AttemptId([1; 16]),
            Duration::from_secs(60),
        )
        .await
        .unwrap();
    assert!(matches!(outcome, ClaimOutcome::Claimed { .. }));
}
