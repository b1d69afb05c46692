//! Keys that are kept for an account: what they are good for, what they are not, and what disconnecting leaves of them.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::sync::atomic::{AtomicUsize, Ordering};

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::auth::Auth;
use loomkin_auth::config::Config;
use loomkin_auth::environment::Environment;
use loomkin_auth::error::{Error, ErrorCode, Result};
use loomkin_auth::lifecycle::{Answer, DisconnectScope};
use loomkin_auth::secret::Secret;
use loomkin_auth::status::ConnectionState;
use loomkin_auth::store::vault::KeyOutcome;
use loomkin_auth::store::{Replace, StaticKind};
use tempfile::TempDir;

/// A directory with a store, in which a process may open it with any configuration.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    async fn open(&self, config: &str) -> Auth {
        self.open_with(config, &[]).await
    }

    async fn open_with(&self, config: &str, variables: &[(&str, &str)]) -> Auth {
        let store = "[auth.store]\npath = \"store/auth.db\"\nkey = \"env:STORE_KEY\"\n";
        let own = [("HOME", "/nowhere"), ("STORE_KEY", "canary-key-of-more-than-thirty-two-bytes")];
        let environment = Environment::new(own.iter().chain(variables).copied(), self.0.path());
        let path = self.0.path().join(".loomkin.toml");
        let config = Config::parse(&format!("{store}{config}"), &path, &environment).unwrap();
        Auth::open(config, &environment).await.unwrap()
    }
}

fn account(name: &str) -> AccountKey {
    name.parse().unwrap()
}

async fn set(auth: &Auth, name: &str, text: &str) -> KeyOutcome {
    auth.set_key(&account(name), StaticKind::ApiKey, Secret::new(text), Replace::No).await.unwrap()
}

/// The token that an account gives, to be compared.
async fn token(auth: &Auth, name: &str) -> Result<String> {
    Ok(auth.access_token(&account(name)).await?.secret().expose().to_owned())
}

#[tokio::test]
async fn a_stored_key_is_what_an_account_without_a_connection_gives() {
    let place = Place::new();
    let auth =
        place.open_with("[auth.zai]\napi_key = \"in-the-file\"", &[("ZAI_API_KEY", "in-the-env")]).await;
    let refused = token(&auth, "zai").await.unwrap_err();
    assert_eq!(refused.code(), ErrorCode::NotConnected, "neither the file nor the environment is looked at");
    assert_eq!(refused.advice(), "Run `loomkin-auth key set zai`.");

    assert_eq!(set(&auth, "zai", "canary-key").await, KeyOutcome::Stored);
    let given = auth.access_token(&account("zai")).await.unwrap();
    assert_eq!((given.static_kind(), given.expires_at()), (Some(StaticKind::ApiKey), None));
    assert!(!format!("{given:?}").contains("canary"));
    assert_eq!(
        token(&place.open("").await, "zai").await.unwrap(),
        "canary-key",
        "another process has it too"
    );
}

#[tokio::test]
async fn the_api_key_comes_before_the_auth_token() {
    let place = Place::new();
    let auth = place.open("").await;
    let (github, kind) = (account("github"), StaticKind::AuthToken);
    auth.set_key(&github, kind, Secret::new("a-token"), Replace::No).await.unwrap();
    assert_eq!(token(&auth, "github").await.unwrap(), "a-token");
    set(&auth, "github", "a-key").await;
    assert_eq!(token(&auth, "github").await.unwrap(), "a-key");
}

#[tokio::test]
async fn a_rejected_key_is_not_tried_twice() {
    let place = Place::new();
    let auth = place.open("").await;
    set(&auth, "openai", "a-key").await;
    let calls = AtomicUsize::new(0);
    let answer: Result<u16, Error> = auth
        .with_token(&account("openai"), async |_| {
            calls.fetch_add(1, Ordering::SeqCst);
            Ok(Answer::TokenRejected(401))
        })
        .await;
    assert_eq!((answer.unwrap(), calls.into_inner()), (401, 1));
}

#[tokio::test]
async fn what_is_stored_stays_until_it_is_to_be_replaced() {
    let place = Place::new();
    let auth = place.open("").await;
    set(&auth, "openai", "first").await;
    let since = auth.stored_key(&account("openai"), StaticKind::ApiKey).await.unwrap();
    assert_eq!(set(&auth, "openai", "second").await, KeyOutcome::Kept(since.unwrap()));
    assert_eq!(token(&auth, "openai").await.unwrap(), "first");
    let replaced =
        auth.set_key(&account("openai"), StaticKind::ApiKey, Secret::new("third"), Replace::Yes).await;
    assert_eq!(replaced.unwrap(), KeyOutcome::Replaced);
    assert_eq!(token(&auth, "openai").await.unwrap(), "third");
    assert!(auth.remove_key(&account("openai"), StaticKind::ApiKey).await.unwrap());
    assert!(!auth.remove_key(&account("openai"), StaticKind::ApiKey).await.unwrap());
    assert_eq!(auth.stored_key(&account("openai"), StaticKind::ApiKey).await.unwrap(), None);
}

#[tokio::test]
async fn what_cannot_be_a_key_is_refused_with_its_reason_and_not_stored() {
    let place = Place::new();
    let auth = place.open("").await;
    let long = "k".repeat(64 * 1024);
    for text in
        ["", " canary", "canary\n", "ca nary", "\"canary\"", "\u{feff}canary", &long, "OPENAI_API_KEY"]
    {
        let refused = auth
            .set_key(&account("openai"), StaticKind::ApiKey, Secret::new(text), Replace::Yes)
            .await
            .unwrap_err();
        assert_eq!(refused.code(), ErrorCode::Usage);
        let printed = format!("{refused} {refused:?} {}", refused.advice());
        assert!(
            printed.contains("that is no API key of openai: it ") && !printed.contains("canary"),
            "{printed}"
        );
    }
    assert_eq!(auth.stored_key(&account("openai"), StaticKind::ApiKey).await.unwrap(), None);
}

#[tokio::test]
async fn a_slip_in_the_providers_name_stores_and_removes_nothing() {
    let place = Place::new();
    let auth = place.open("[provider.endpoints.vllm]\nurl = \"http://localhost:8000/v1\"").await;
    assert_eq!(set(&auth, "vllm", "a-key").await, KeyOutcome::Stored);
    for (name, advice) in [("opnai", "Did you mean `openai`?"), ("vlm", "Did you mean `vllm`?")] {
        let refused = auth
            .set_key(&account(name), StaticKind::ApiKey, Secret::new("a-key"), Replace::No)
            .await
            .unwrap_err();
        assert_eq!((refused.code(), refused.advice()), (ErrorCode::Usage, advice));
        let refused = auth.remove_key(&account(name), StaticKind::ApiKey).await.unwrap_err();
        assert_eq!((refused.code(), refused.advice()), (ErrorCode::Usage, advice));
    }
}

#[tokio::test]
async fn a_key_of_a_provider_that_is_configured_no_more_can_be_removed() {
    let place = Place::new();
    set(&place.open("[auth.mine]\napi_key_env = \"X\"").await, "mine", "a-key").await;
    let auth = place.open("").await;
    assert!(auth.status(&Owner::default()).await.unwrap().iter().any(|row| row.account == account("mine")));
    assert!(auth.remove_key(&account("mine"), StaticKind::ApiKey).await.unwrap());
}

#[tokio::test]
async fn a_configuration_with_another_server_is_not_given_the_key() {
    let place = Place::new();
    let ours = "[auth.openai]\nbase_url = \"https://api.openai.com/v1\"\n[provider.endpoints.vllm]\nurl = \"http://localhost:8000/v1\"";
    let auth = place.open(ours).await;
    set(&auth, "openai", "canary-key").await;
    set(&auth, "vllm", "canary-local").await;
    let theirs = "[auth.openai]\nbase_url = \"https://example.net\"\n[provider.endpoints.vllm]\nurl = \"https://example.net\"";
    for checkout in [theirs, ""] {
        let checkout = place.open(checkout).await;
        for name in ["openai", "vllm"] {
            let refused = token(&checkout, name).await.unwrap_err();
            assert_eq!(refused.code(), ErrorCode::NotConnected, "{name}");
            assert!(refused.message().contains("another server"), "{refused}");
            assert!(refused.advice().contains("--replace"), "{}", refused.advice());
        }
        let refused = checkout.resolve(&Owner::default(), "openai").await.unwrap_err();
        assert!(refused.message().contains("another server"), "it is never passed over: {refused}");
        let status = checkout.status(&Owner::default()).await.unwrap();
        let row = status.iter().find(|row| row.account == account("openai")).unwrap();
        assert_eq!(row.state, ConnectionState::Disconnected);
        assert!(row.note.as_ref().unwrap().contains("another server"));
    }
    assert_eq!(token(&place.open(ours).await, "openai").await.unwrap(), "canary-key");
}

#[tokio::test]
async fn a_disconnect_leaves_the_keys_and_says_which() {
    let place = Place::new();
    let auth = place.open("").await;
    set(&auth, "openai", "a-key").await;
    let disconnected = auth.disconnect(&account("openai"), DisconnectScope::Everywhere).await.unwrap();
    assert!(!disconnected.was_connected);
    assert_eq!(disconnected.kept, [StaticKind::ApiKey]);
    assert_eq!(token(&auth, "openai").await.unwrap(), "a-key");
}

#[tokio::test]
async fn an_account_with_a_key_alone_can_be_the_active_one_until_the_key_is_removed() {
    let (place, local) = (Place::new(), Owner::default());
    let auth = place.open("").await;
    let refused = auth.use_provider(&account("zai")).await.unwrap_err();
    assert_eq!(refused.advice(), "Run `loomkin-auth key set zai`.");
    set(&auth, "zai", "a-key").await;
    assert_eq!(auth.active(&local).await.unwrap_err().code(), ErrorCode::NoActiveProvider);
    auth.use_provider(&account("zai")).await.unwrap();
    assert_eq!(auth.active(&local).await.unwrap(), account("zai"));
    let nobody = auth.me(&local).await.unwrap_err();
    assert_eq!(nobody.code(), ErrorCode::NotConnected);
    assert!(nobody.message().contains("a key does not say whose it is"), "{nobody}");
    auth.remove_key(&account("zai"), StaticKind::ApiKey).await.unwrap();
    assert_eq!(auth.active(&local).await.unwrap_err().code(), ErrorCode::NoActiveProvider);
}

#[tokio::test]
async fn the_status_shows_where_every_credential_comes_from() {
    let config =
        "[auth.openai]\nclient_id = \"x\"\n[auth.zai]\n[auth.anthropic]\nauth_token = \"canary-token\"\n";
    let variables = [("OPENAI_API_KEY", "canary-env"), ("ANTHROPIC_API_KEY", "canary with spaces")];
    let place = Place::new();
    let auth = place.open_with(config, &variables).await;
    set(&auth, "openai", "canary-stored").await;
    set(&auth, "openai/work", "canary-work").await;
    let rows = auth.status(&Owner::default()).await.unwrap();
    assert!(!format!("{rows:?} {:?}", rows[0].credentials).contains("canary"));
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            let from = |found: &loomkin_auth::credential::Present| {
                let source = found.source.as_ref().map_or("unusable".to_owned(), ToString::to_string);
                format!("{} {source}", found.kind)
            };
            let from: Vec<_> = row.credentials.iter().map(from).collect();
            (row.account.to_string(), row.state.as_str(), from.join(", "), row.next_step.clone())
        })
        .collect();
    let row = |name: &str, state, from: &str, next: Option<&str>| {
        (name.to_owned(), state, from.to_owned(), next.map(str::to_owned))
    };
    assert_eq!(
        told,
        [
            row("anthropic", "disconnected", "api_key unusable, auth_token .loomkin.toml:8", None),
            row("openai", "connected", "api_key variable OPENAI_API_KEY, api_key store", None),
            row("openai/work", "connected", "api_key store", None),
            row("zai", "disconnected", "", Some("Run `loomkin-auth key set zai`.")),
        ]
    );
}

#[tokio::test]
async fn every_owner_has_keys_of_their_own() {
    let place = Place::new();
    let auth = place.open("").await;
    let (ada, grace) = (Owner::new("ada").unwrap(), Owner::new("grace").unwrap());
    let hers = account("openai").for_owner(ada.clone());
    auth.set_key(&hers, StaticKind::ApiKey, Secret::new("of-ada"), Replace::No).await.unwrap();
    assert_eq!(auth.resolve(&ada, "openai").await.unwrap().secret().unwrap().expose(), "of-ada");
    assert_eq!(auth.resolve(&grace, "openai").await.unwrap_err().code(), ErrorCode::NotConnected);
    assert!(token(&auth, "openai").await.is_err());
}

#[tokio::test]
async fn a_key_that_another_process_has_stored_is_found_at_once() {
    let place = Place::new();
    let (reader, writer) = (place.open("").await, place.open("").await);
    assert!(reader.resolve(&Owner::default(), "openai").await.is_err());
    let mark = reader.change_mark().unwrap();
    set(&writer, "openai", "a-key").await;
    assert_ne!(reader.change_mark().unwrap(), mark);
    assert_eq!(reader.resolve(&Owner::default(), "openai").await.unwrap().source.to_string(), "store");
}
