//! ID tokens of a real server, as they are and with somebody between who changes them.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_scenarios::{
    App, Browser, Change, Choice, MovedClock, Oidc, OidcProvider, Peer as _, Tamper, with_claims,
};

/// Puts `change` between the app and the token endpoint. The endpoints are spelled out, the address of the keys too.
async fn tampered(oidc: &Oidc, change: Change) -> Tamper {
    let issuer = oidc.server.issuer();
    let tamper = Tamper::start(format!("{issuer}/token"), change).await.unwrap();
    oidc.home.write_config(&format!(
        "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:STORE_KEY\"\n\n\
         [auth.idp]\n\
         issuer = \"{issuer}\"\n\
         client_id = \"{}\"\n\
         scopes = [\"openid\", \"offline_access\", \"email\"]\n\
         authorization_endpoint = \"{issuer}/auth\"\n\
         token_endpoint = \"{}\"\n\
         userinfo_endpoint = \"{issuer}/me\"\n\
         jwks_uri = \"{issuer}/jwks\"\n",
        OidcProvider::CLIENT,
        tamper.url(),
    ));
    tamper
}

async fn outcome(oidc: &Oidc) -> String {
    let app = App::open(&oidc.home).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    match app.connect_with("idp", &mut browser).await.0 {
        Ok(connected) => connected.account_id.unwrap_or_default(),
        Err(error) => {
            assert_eq!(app.token("idp").await.unwrap_err().code().as_str(), "not_connected");
            error.code().to_string()
        }
    }
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn what_nobody_changed_is_accepted() {
    let oidc = Oidc::start().await;
    assert_eq!(outcome(&oidc).await, "ada", "by its metadata");
    let oidc = Oidc::start().await;
    let _tamper = tampered(&oidc, Arc::new(|_| {})).await;
    assert_eq!(outcome(&oidc).await, "ada", "by endpoints that are spelled out");
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn what_somebody_changed_is_refused_and_nothing_is_kept() {
    let oidc = Oidc::start().await;
    let changes: [(&str, Change); 4] = [
        (
            "another subject",
            Arc::new(|parts| with_claims(&mut parts[1], |claims| claims["sub"] = "mallory".into())),
        ),
        (
            "a later end",
            Arc::new(|parts| with_claims(&mut parts[1], |claims| claims["exp"] = 4_000_000_000_u64.into())),
        ),
        (
            "no algorithm",
            Arc::new(|parts| {
                with_claims(&mut parts[0], |header| header["alg"] = "none".into());
                parts[2].clear();
            }),
        ),
        ("another signature", Arc::new(|parts| parts[2] = parts[2].chars().rev().collect())),
    ];
    for (what, change) in changes {
        let _tamper = tampered(&oidc, change).await;
        assert_eq!(outcome(&oidc).await, "server_misbehaved", "{what}");
    }
}

#[tokio::test]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn what_somebody_changed_in_a_refresh_costs_no_account() {
    let oidc = Oidc::start().await;
    let is_login_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let flag = is_login_over.clone();
    let change = move |parts: &mut [String; 3]| {
        if flag.load(std::sync::atomic::Ordering::SeqCst) {
            parts[2] = parts[2].chars().rev().collect();
        }
    };
    let _tamper = tampered(&oidc, Arc::new(change)).await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let app = App::open_at(&oidc.home, clock.clone()).await.unwrap();
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    app.connect_with("idp", &mut browser).await.0.unwrap();
    is_login_over.store(true, std::sync::atomic::Ordering::SeqCst);
    let before = app.token("idp").await.unwrap();
    // Only the app's clock: its token looks old, and the server gives another.
    clock.advance(Duration::from_secs(3600));
    let after = app.token("idp").await.unwrap();
    assert_ne!(before, after);
    assert!(oidc.server.is_active(&after).await.unwrap());
    assert_eq!(oidc.refreshes().await, 1);
}
