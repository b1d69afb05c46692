//! Stores and keys that are not as they should be: an exit code, a line of help, and nothing lost.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use loomkin_auth_scenarios::{Dev, Home, Ran, say_skipped, within};

const STORE: &str = "store/auth.db";

/// A home whose account `dev` is connected.
async fn connected() -> Dev {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
    dev
}

/// Checks that `ran` failed with `code`, exit 74, and an advice that contains `advice`.
#[track_caller]
fn refused(ran: Ran, code: &str, advice: &str) {
    let error = ran.exits(74).error();
    assert_eq!(error["code"], code, "{error}");
    assert!(error["advice"].as_str().unwrap().contains(advice), "{error}");
}

/// The connection is there as before.
async fn still_works(dev: &Dev) {
    let token = dev.home.run(&["token", "dev"]).await.token();
    assert!(dev.provider.is_active(&token));
    assert_eq!(dev.refreshes(), 0);
}

async fn token_with_key(dev: &Dev, key: Option<&str>) -> Ran {
    if let Some(key) = key.filter(|key| key.len() >= 8) {
        dev.home.canary().hide(key);
    }
    dev.home.call(&["token", "dev", "--json"]).variable("STORE_KEY", key).start().ended().await
}

#[tokio::test]
async fn an_unset_key_is_named() {
    let dev = connected().await;
    refused(token_with_key(&dev, None).await, "key_unavailable", "STORE_KEY");
    still_works(&dev).await;
}

#[tokio::test]
async fn a_short_key_is_refused() {
    let dev = connected().await;
    refused(token_with_key(&dev, Some("canary--short")).await, "key_unavailable", "STORE_KEY");
    still_works(&dev).await;
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let dev = connected().await;
    let wrong = "canary--another-key-of-more-than-thirty-two-bytes";
    refused(token_with_key(&dev, Some(wrong)).await, "key_unavailable", "STORE_KEY");
    still_works(&dev).await;
}

#[tokio::test]
async fn records_without_their_key_file_get_no_new_key() {
    let provider = "[auth.dev]\nclient_id = \"x\"\n\
        authorization_endpoint = \"http://127.0.0.1:9/a\"\n\
        token_endpoint = \"http://127.0.0.1:9/t\"\n";
    let home = Home::with_store("path = \"store/auth.db\"\nkey = \"auto\"", provider);
    home.run(&["status"]).await.exits(0);
    let key = fs::read(home.path("store/auth.db.key")).unwrap();
    home.canary().hide(key.trim_ascii());
    fs::remove_file(home.path("store/auth.db.key")).unwrap();
    for _ in 0..2 {
        refused(home.run(&["status", "--json"]).await, "key_unavailable", "estore");
        assert!(!home.path("store/auth.db.key").exists());
    }
    fs::write(home.path("store/auth.db.key"), key).unwrap();
    fs::set_permissions(home.path("store/auth.db.key"), Permissions::from_mode(0o600)).unwrap();
    home.run(&["status"]).await.exits(0);
}

#[tokio::test]
async fn a_directory_in_the_stores_place_is_refused() {
    let dev = Dev::start().await;
    fs::create_dir_all(dev.home.path(STORE)).unwrap();
    fs::set_permissions(dev.home.path("store"), Permissions::from_mode(0o700)).unwrap();
    refused(dev.home.run(&["status", "--json"]).await, "store_failed", "file");
}

#[tokio::test]
async fn a_truncated_store_is_refused_and_left_alone() {
    let dev = connected().await;
    let path = dev.home.path(STORE);
    let whole = fs::read(&path).unwrap();
    for length in [1, 100, 4096, whole.len() / 2] {
        fs::write(&path, &whole[..length]).unwrap();
        let ran = dev.home.run(&["token", "dev", "--json"]).await.exits(74);
        assert_eq!(ran.error()["code"], "store_failed", "{length} bytes");
        assert_eq!(fs::read(&path).unwrap(), whole[..length], "{length} bytes");
    }
    fs::write(&path, &whole).unwrap();
    still_works(&dev).await;
}

#[tokio::test]
async fn a_store_from_a_newer_version_is_refused_and_left_alone() {
    let dev = connected().await;
    let path = dev.home.path(STORE);
    let whole = fs::read(&path).unwrap();
    // `user_version` of the SQLite header (https://www.sqlite.org/fileformat.html §1.3).
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&u32::to_be_bytes(4711));
    fs::write(&path, &newer).unwrap();
    refused(dev.home.run(&["token", "dev", "--json"]).await, "store_failed", "pdate");
    assert_eq!(fs::read(&path).unwrap(), newer);
    fs::write(&path, &whole).unwrap();
    still_works(&dev).await;
}

#[tokio::test]
async fn a_store_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    let dev = connected().await;
    fs::set_permissions(dev.home.path(STORE), Permissions::from_mode(0o644)).unwrap();
    refused(dev.home.run(&["token", "dev", "--json"]).await, "store_failed", "chmod 600");
    fs::set_permissions(dev.home.path(STORE), Permissions::from_mode(0o600)).unwrap();
    still_works(&dev).await;
}

#[tokio::test]
async fn a_link_to_a_store_is_refused() {
    let dev = connected().await;
    fs::rename(dev.home.path(STORE), dev.home.path("store/elsewhere.db")).unwrap();
    symlink(dev.home.path("store/elsewhere.db"), dev.home.path(STORE)).unwrap();
    refused(dev.home.run(&["token", "dev", "--json"]).await, "store_failed", "link");
    fs::remove_file(dev.home.path(STORE)).unwrap();
    fs::rename(dev.home.path("store/elsewhere.db"), dev.home.path(STORE)).unwrap();
    still_works(&dev).await;
}

#[tokio::test]
async fn a_full_disk_loses_nothing() {
    let dev = Dev::start().await;
    let disk = dev.home.path("disk");
    fs::create_dir(&disk).unwrap();
    let mounted = tokio::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs"])
        .arg(&disk)
        .output()
        .await
        .is_ok_and(|mounted| mounted.status.success());
    if !mounted {
        say_skipped("a_full_disk_loses_nothing", "no small file system can be mounted here; that needs root");
        return;
    }
    let _unmount = Unmount(&disk);
    let config = fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    dev.home.write_config(&config.replace("store/auth.db", "disk/auth.db"));
    dev.expired().await.close().await;
    // Its log goes with the last connection, which another thread may still hold; what it takes is not free yet.
    within("the store to be closed", async {
        while disk.join("auth.db-wal").exists() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;

    fill(&disk.join("filler"));
    let full = dev.home.run(&["token", "dev", "--json"]).await;
    fs::remove_file(disk.join("filler")).unwrap();
    assert_eq!(full.exits(74).error()["code"], "store_failed");
    assert_eq!(dev.refreshes(), 0, "a claim that cannot be written down spends nothing");
    assert!(dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()));
    // Once the disk is unmounted, the home does not see it any more.
    assert_eq!(dev.home.leaks(), [""; 0]);
}

fn fill(path: &std::path::Path) {
    use std::io::Write as _;
    let mut file = File::create(path).unwrap();
    for size in [4096, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

struct Unmount<'a>(&'a std::path::Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        // Left behind, it would keep the home from being removed; there is nobody to tell.
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0).status();
    }
}
