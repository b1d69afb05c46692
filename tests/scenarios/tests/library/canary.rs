//! The canary itself: it finds what is planted, wherever it is, and stays silent otherwise.

use std::fs;

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth_scenarios::{Canary, Dev, Home};

#[test]
fn a_secret_is_found_in_every_spelling() {
    for text in ["x secret+value y", "secret%2Bvalue", "c2VjcmV0K3ZhbHVl", "\"secret+value\""] {
        let canary = Canary::default();
        canary.hide("secret+value");
        canary.see("here", text);
        assert_eq!(canary.leaks().len(), 1, "{text}");
    }
}

#[test]
fn the_beginning_of_a_chosen_secret_is_enough() {
    let canary = Canary::default();
    canary.see("here", "token=canary--acc…");
    assert_eq!(canary.leaks(), ["here: a secret of 8 bytes at byte 6"]);
}

#[test]
fn what_is_no_secret_is_not_found() {
    let canary = Canary::default();
    canary.hide("secret+value");
    canary.see("here", "a canary sings of secrets and values");
    assert!(canary.leaks().is_empty());
}

#[test]
fn a_leak_in_a_file_an_error_or_a_debug_text_fails_the_scenario() {
    let plant: [fn(&Home); 4] = [
        |home| fs::write(home.path("left-over"), format!("key={}", Home::KEY)).unwrap(),
        |home| {
            fs::create_dir(home.path("deep")).unwrap();
            fs::write(home.path("deep/auth.db-wal"), Home::CLIENT_SECRET).unwrap();
        },
        |home| home.canary().see_error(&Error::new(ErrorCode::Usage, Home::KEY)),
        |home| home.canary().see_debug("a value", &Some(Home::KEY)),
    ];
    for plant in plant {
        let home = Home::new("");
        plant(&home);
        let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(home)));
        assert!(dropped.is_err());
    }
}

#[test]
fn a_leak_in_a_log_line_fails_the_scenario() {
    let home = Home::new("");
    // Without the prefix: the log is that of the whole process, and every other scenario looks for it.
    home.canary().hide("planted-4711");
    tracing::trace!(target: "loomkin_auth::planted", secret = "planted-4711");
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(home)));
    assert!(dropped.is_err());
}

#[tokio::test]
async fn a_leaked_token_fails_the_scenario() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    let token = app.token("dev").await.unwrap();
    dev.home.canary().see("a page", format!("<p>{token}</p>"));
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(dev)));
    assert!(dropped.is_err());
}
