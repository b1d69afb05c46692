//! Metadata and keys over time: a process that lives long sees what its server says now, and does without when it says
//! nothing.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_dev_provider::{DevProvider, Endpoint, Fault, Forgery, Settings};
use loomkin_auth_scenarios::{App, Dev, MovedClock, within};

async fn with_clock(dev: &Dev) -> (App, Arc<MovedClock>) {
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    (App::open_at(&dev.home, clock.clone()).await.unwrap(), clock)
}

/// The statuses of the answers at the path that ends with `path`.
fn statuses(provider: &DevProvider, path: &str) -> Vec<Option<u16>> {
    let requests = provider.requests();
    requests.iter().filter(|request| request.path.ends_with(path)).map(|request| request.status).collect()
}

/// Completes once `count` requests at such a path have been answered.
async fn answered(provider: &DevProvider, path: &str, count: usize) {
    within("a renewal", async {
        while statuses(provider, path).iter().flatten().count() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn an_old_document_is_asked_for_on_condition() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    app.connect("dev", "ada").await.unwrap();
    assert_eq!(statuses(&dev.provider, METADATA), [Some(200)]);
    assert_eq!(statuses(&dev.provider, "/jwks"), [Some(200)]);

    dev.advance(&clock, HOUR);
    app.connect("dev", "ada").await.unwrap();
    for path in [METADATA, "/jwks"] {
        answered(&dev.provider, path, 2).await;
        assert_eq!(statuses(&dev.provider, path), [Some(200), Some(304)]);
    }
}

#[tokio::test]
async fn a_refresh_does_not_wait_for_metadata_to_be_read_again() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    dev.advance(&clock, 2 * HOUR);
    let gate = dev.provider.hold(Endpoint::Metadata, loomkin_auth_dev_provider::Moment::BeforeAnswering);
    let token = app.token("dev").await.unwrap();
    assert!(dev.provider.is_active(&token));
    assert_eq!(dev.refreshes(), 1);
    gate.release();
    answered(&dev.provider, METADATA, 2).await;
}

#[tokio::test]
async fn a_server_whose_documents_cannot_be_had_costs_no_refresh_and_no_login() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    for (round, fault) in [
        Fault::HtmlError { status: 503 },
        Fault::Redirect { to: "https://elsewhere.example".into() },
        Fault::field("issuer", "https://elsewhere.example"),
        Fault::ResetBeforeProcessing,
    ]
    .into_iter()
    .enumerate()
    {
        dev.provider.clear_faults();
        dev.provider.fault(Endpoint::Metadata, fault.clone()).until_cleared();
        dev.provider.fault(Endpoint::Jwks, Fault::HtmlError { status: 503 }).until_cleared();
        dev.advance(&clock, 25 * HOUR);
        assert!(dev.provider.is_active(&app.token("dev").await.unwrap()), "{fault:?}");
        assert_eq!(dev.refreshes(), round + 1);
        app.connect("dev", "ada").await.unwrap();
    }
}

#[tokio::test]
async fn endpoints_that_the_issuer_moves_are_followed_without_a_new_login() {
    let (dev, other) = (Dev::start().await, DevProvider::start(Settings::default()).await.unwrap());
    let (app, clock) = with_clock(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    let moved = Fault::field("token_endpoint", other.url("/token"));
    dev.provider.fault(Endpoint::Metadata, moved).until_cleared();
    within("the new endpoint", async {
        while other.count_token_requests("refresh_token") == 0 {
            dev.advance(&clock, 2 * HOUR);
            // The other server knows no such client; until its address is known, this one answers.
            let _either = app.token("dev").await;
        }
    })
    .await;
    dev.provider.clear_faults();
    within("the old endpoint", async {
        while app.token("dev").await.is_err() {
            dev.advance(&clock, 2 * HOUR);
        }
    })
    .await;
    assert!(dev.provider.is_active(&app.token("dev").await.unwrap()));
    other.stop().await;
}

#[tokio::test]
async fn a_bad_id_token_from_a_refresh_costs_neither_the_account_nor_the_earlier_one() {
    let dev = Dev::start().await;
    let (app, clock) = with_clock(&dev).await;
    app.connect("dev", "ada").await.unwrap();
    for fault in [
        Fault::IdTokenSignature { forgery: Forgery::AlgNone },
        Fault::IdTokenSignature { forgery: Forgery::AnotherKey },
        Fault::IdTokenSignature { forgery: Forgery::UnknownKeyId },
        Fault::id_token_claim("iss", "https://elsewhere.example"),
        Fault::id_token_claim("exp", 1_000_000_000),
        Fault::field("id_token", "not-a-token"),
    ] {
        dev.provider.fault(Endpoint::Token, fault.clone()).once();
        dev.advance(&clock, HOUR + HOUR / 2);
        assert!(dev.provider.is_active(&app.token("dev").await.unwrap()), "{fault:?}");
    }
    // The subject of the login is remembered through all of that.
    dev.provider.fault(Endpoint::Token, Fault::OtherAccount { user: "mallory".into() }).once();
    dev.advance(&clock, HOUR + HOUR / 2);
    app.token("dev").await.unwrap_err();
}

const HOUR: Duration = Duration::from_secs(3600);
const METADATA: &str = "/.well-known/openid-configuration";
