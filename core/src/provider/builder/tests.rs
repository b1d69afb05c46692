//! How configuration, preset and metadata come together.

use super::*;
use crate::provider::fixture::builder;
use crate::provider::{SignatureAlgorithm, read_endpoint};

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
    assert_eq!(urls[0].as_str(), "https://auth.openai.com/.well-known/openid-configuration");
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

fn discovered(change: impl Fn(&mut ProviderBuilder), more: serde_json::Value) -> Result<Provider> {
    let issuer = "https://id.example.com";
    let mut document = serde_json::json!({
        "issuer": issuer,
        "authorization_endpoint": "https://id.example.com/a",
        "device_authorization_endpoint": "https://id.example.com/d",
        "token_endpoint": "https://id.example.com/t",
        "revocation_endpoint": "https://id.example.com/r",
        "jwks_uri": "https://id.example.com/k",
    });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let metadata = Metadata::read(document.to_string().as_bytes(), issuer).unwrap();
    let mut builder = builder(None);
    builder.issuer = Some(issuer.to_owned());
    change(&mut builder);
    builder.build(Some(&metadata))
}

#[test]
fn the_secret_is_presented_as_configured_else_as_offered_else_in_the_header() {
    let auth = |configured: Option<ClientAuth>, more: serde_json::Value| {
        let provider = discovered(|it| it.registration.client_auth = configured, more).unwrap();
        (provider.client_auth, provider.revocation_auth)
    };
    let (token, revocation) =
        ("token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported");
    let offers = |at_token: &[&str], at_revocation: &[&str]| serde_json::json!({ token: at_token, revocation: at_revocation });
    let (basic, body) = (ClientAuth::Basic, ClientAuth::Body);
    let (header, form) = (["client_secret_basic"], ["client_secret_post"]);
    assert_eq!(auth(None, serde_json::json!({})), (basic, basic));
    assert_eq!(auth(None, serde_json::json!({ token: form })), (body, body));
    assert_eq!(auth(None, offers(&form, &header)), (body, basic));
    assert_eq!(auth(None, offers(&header, &form)), (basic, body));
    // A revocation is tried as the token endpoint wants it, rather than not at all.
    assert_eq!(auth(None, offers(&form, &["private_key_jwt"])), (body, body));
    assert_eq!(auth(Some(body), offers(&header, &header)), (body, body));
    assert_eq!(auth(Some(basic), offers(&["none"], &form)), (basic, basic));
}

#[test]
fn a_secret_that_the_provider_does_not_take_is_said_with_what_it_offers() {
    let only = |methods: &[&str]| serde_json::json!({ "token_endpoint_auth_methods_supported": methods });
    for methods in [&["none"][..], &["private_key_jwt", "tls_client_auth"], &[]] {
        let error = discovered(|_| {}, only(methods)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert!(methods.iter().all(|method| error.message().contains(method)), "{error}");
        assert!(error.advice().contains("client_secret") && error.advice().contains("auth_method"));
        assert!(!format!("{error} {error:?}").contains("canary"));
        // A public client presents nothing, and many servers do not list that.
        for public in [None, Some(Secret::new(""))] {
            assert!(discovered(|it| it.registration.client_secret = public.clone(), only(methods)).is_ok());
        }
    }
}

#[test]
fn the_device_flow_is_offered_where_the_server_has_it_and_grants_it() {
    let flows = |more| discovered(|_| {}, more).unwrap().flows;
    let grants = |grants: &[&str]| serde_json::json!({ "grant_types_supported": grants });
    let (loopback, hosted, device) = (Flow::Loopback, Flow::Hosted, Flow::Device);
    assert_eq!(flows(serde_json::json!({})), [loopback, hosted, device]);
    let granted = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"];
    assert_eq!(flows(grants(&granted)), [loopback, hosted, device]);
    assert_eq!(flows(grants(&["authorization_code"])), [loopback, hosted]);
    assert_eq!(flows(serde_json::json!({ "device_authorization_endpoint": null })), [loopback, hosted]);
    let spelled_out = |it: &mut ProviderBuilder| {
        it.endpoints.device_authorization = url("https://id.example.com/mine");
    };
    let provider = discovered(spelled_out, grants(&["authorization_code"])).unwrap();
    assert_eq!(provider.flows, [loopback, hosted, device]);
}

#[test]
fn the_keys_are_where_the_configuration_says_else_the_metadata_else_the_preset() {
    let keys = |provider: Provider| provider.endpoints.keys.unwrap().to_string();
    assert_eq!(keys(discovered(|_| {}, serde_json::json!({})).unwrap()), "https://id.example.com/k");
    let mine = |it: &mut ProviderBuilder| it.endpoints.keys = url("https://keys.example.com/mine");
    assert_eq!(keys(discovered(mine, serde_json::json!({})).unwrap()), "https://keys.example.com/mine");
    let google = builder(Preset::find("google"));
    assert_eq!(keys(google.clone().build(None).unwrap()), "https://www.googleapis.com/oauth2/v3/certs");
    // Keys elsewhere are no other server, and no connection has to remember them.
    let mut moved = google.clone();
    mine(&mut moved);
    assert_eq!(moved.binding(), google.binding());
    assert_eq!(moved.build(None).unwrap().endpoints.token.unwrap().host_str(), Some("oauth2.googleapis.com"));
}

#[test]
fn a_server_that_names_no_algorithm_signs_by_any_but_our_secret() {
    use SignatureAlgorithm::{Es256, Hs256, Rs256};
    let signs_by = |names: Option<&[&str]>| {
        let more = match names {
            Some(names) => serde_json::json!({ "id_token_signing_alg_values_supported": names }),
            None => serde_json::json!({}),
        };
        let provider = discovered(|_| {}, more).unwrap();
        [Es256, Rs256, Hs256].map(|algorithm| provider.signs_by(algorithm))
    };
    assert_eq!(signs_by(None), [true, true, false]);
    assert_eq!(signs_by(Some(&["RS256"])), [false, true, false]);
    assert_eq!(signs_by(Some(&["RS256", "HS256"])), [false, true, false]);
    assert_eq!(signs_by(Some(&["HS256", "none"])), [false, false, true]);
    assert_eq!(signs_by(Some(&["ES512"])), [false, false, false]);
}

#[test]
fn what_nobody_could_check_is_said_before_a_login() {
    let check = |secret: Option<&str>, more: serde_json::Value| {
        let change = |it: &mut ProviderBuilder| it.registration.client_secret = secret.map(Secret::new);
        discovered(change, more).unwrap().check_signing()
    };
    let names = |names: &[&str]| serde_json::json!({ "id_token_signing_alg_values_supported": names });
    for good in [&["ES256"][..], &["HS256", "RS256"], &["ES512", "EdDSA"]] {
        assert!(check(None, names(good)).is_ok(), "{good:?}");
    }
    assert!(check(None, serde_json::json!({})).is_ok());
    assert!(check(Some("canary"), names(&["HS256"])).is_ok());
    for (secret, bad) in [(None, &["HS256"][..]), (None, &["ES512", "none"]), (Some("canary"), &["ES512"])] {
        let error = check(secret, names(bad)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ServerMisbehaved, "{bad:?}");
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
    // Without keys the claims alone count, whatever signs them.
    let mut keyless = names(&["ES512"]);
    keyless["jwks_uri"] = serde_json::Value::Null;
    assert!(check(None, keyless).is_ok());
}
