//! How configuration, preset and metadata come together.

use super::*;
use crate::provider::fixture::builder;
use crate::provider::read_endpoint;

fn url(text: &str) -> Option<Url> {
    Some(read_endpoint("x", text).unwrap())
}

#[test]
fn a_preset_is_enough_beside_a_client_id() {
    let provider = builder(Preset::find("google")).build(None).unwrap();
    assert_eq!(provider.token_endpoint.as_str(), "https://oauth2.googleapis.com/token");
    assert_eq!(provider.scopes, ["openid", "email"]);
    assert!(
        provider.is_issued_by("https://accounts.google.com") && provider.is_issued_by("accounts.google.com")
    );
    assert!(!provider.is_issued_by("https://accounts.google.com/"));
    assert!(!format!("{provider:?}").contains("canary"));
}

#[test]
fn endpoints_of_another_server_bring_none_of_the_presets_along() {
    let mut ours = builder(Preset::find("gitlab"));
    ours.endpoints.token = url("https://git.example.com/oauth/token");
    ours.endpoints.authorization = url("https://git.example.com/oauth/authorize");
    let provider = ours.build(None).unwrap();
    assert_eq!(provider.endpoints.user, None);
    assert_eq!(provider.endpoints.revocation, None);
    assert_eq!(provider.revocation, RevocationMethod::None);
    assert_eq!(provider.issuer, None);
    assert_eq!(provider.identity, IdentitySource::GitLabUser);

    let mut same = builder(Preset::find("gitlab"));
    same.endpoints.token = url("https://gitlab.com/oauth/token2");
    let provider = same.build(None).unwrap();
    assert_eq!(provider.token_endpoint.path(), "/oauth/token2");
    assert_eq!(provider.endpoints.user.unwrap().path(), "/api/v4/user");
}

#[test]
fn spelled_out_endpoints_win_over_discovered_ones() {
    let document = br#"{"issuer":"https://id.example.com","token_endpoint":"https://id.example.com/t",
        "revocation_endpoint":"https://id.example.com/r"}"#;
    let metadata = Metadata::read(document, "https://id.example.com").unwrap();
    let mut ours = builder(None);
    ours.issuer = Some("https://id.example.com".to_owned());
    assert_eq!(ours.discovery_urls().unwrap().len(), 2);
    ours.endpoints.revocation = url("https://id.example.com/mine");
    let provider = ours.build(Some(&metadata)).unwrap();
    assert_eq!(provider.token_endpoint.path(), "/t");
    assert_eq!(provider.endpoints.revocation.unwrap().path(), "/mine");
    assert_eq!(provider.revocation, RevocationMethod::Rfc7009);
    assert_eq!(provider.issuer.as_deref(), Some("https://id.example.com"));
}

#[test]
fn a_preset_may_leave_its_endpoints_to_its_metadata() {
    let ours = builder(Preset::find("openai"));
    let urls = ours.discovery_urls().unwrap();
    assert_eq!(urls[1].as_str(), "https://auth.openai.com/.well-known/openid-configuration");
    let document = br#"{"issuer":"https://auth.openai.com","token_endpoint":"https://auth.openai.com/t",
        "revocation_endpoint":"https://auth.openai.com/r"}"#;
    let metadata = Metadata::read(document, ours.issuer_to_discover().unwrap()).unwrap();
    assert_eq!(ours.clone().build(Some(&metadata)).unwrap().revocation, RevocationMethod::Rfc7009);
    assert!(ours.build(None).is_err());
    assert!(builder(Preset::find("google")).discovery_urls().unwrap().is_empty());
}

#[test]
fn what_is_missing_or_malformed_is_said() {
    let refused = |change: fn(&mut ProviderBuilder)| {
        let mut builder = builder(Preset::find("github"));
        change(&mut builder);
        let error = builder.build(None).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        error.message().to_owned()
    };
    assert_eq!(refused(|it| it.preset = None), "the provider has no token endpoint");
    assert_eq!(refused(|it| it.preset = Preset::find("zai")), "the provider takes API keys only");
    assert_eq!(refused(|it| it.registration.client_id.clear()), "the provider has no client_id");
    assert_eq!(
        refused(|it| it.registration.scopes = Some(vec!["two words".to_owned()])),
        "scopes has an entry that is not a scope"
    );
    assert_eq!(
        refused(|it| it.registration.params = vec![("state".to_owned(), "x".to_owned())]),
        "params may not set state"
    );
    assert!(refused(|it| it.registration.redirect_uri = Some("/x".to_owned())).starts_with("redirect_uri"));
}

#[test]
fn our_params_replace_the_presets() {
    let mut ours = builder(Preset::find("google"));
    ours.registration.params = vec![("prompt".to_owned(), "select_account".to_owned())];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(
        ours.build(None).unwrap().params,
        [pair("access_type", "offline"), pair("prompt", "select_account")]
    );
}

#[test]
fn an_empty_secret_is_a_public_client() {
    let mut ours = builder(Preset::find("github"));
    ours.registration.client_secret = Some(Secret::new(""));
    assert!(ours.build(None).unwrap().client_secret.is_none());
}
