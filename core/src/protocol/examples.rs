//! The examples of the RFCs, verbatim: what they print is what is sent, and what is read. Answers stand with the other
//! vectors, and those of device logins in `device/tests.rs`.

use http::header::AUTHORIZATION;
use url::form_urlencoded;

use super::authorization::{IssRule, PendingAuthorization};
use super::fixture::NOW;
use super::message::Request;
use super::pkce::CodeVerifier;
use super::redirect::{AuthorizationGrant, AuthorizationResponse, NotGranted};
use super::refresh::refresh_request;
use super::revocation::Revocation;
use super::token_set::TokenSet;
use crate::error::{ErrorCode, Result};
use crate::provider::Provider;
use crate::provider::fixture::example_provider;
use crate::secret::Secret;

/// The client of RFC 6749: `s6BhdRkqt3`, with the secret `gX1fBAt3bV` (§2.3.1).
fn client() -> Provider {
    let mut provider = example_provider();
    provider.client_id = "s6BhdRkqt3".to_owned();
    provider.client_secret = Some(Secret::new("gX1fBAt3bV"));
    provider
}

/// Its login, with the verifier of RFC 7636 Appendix B.
fn login(state: &str, issuer: Option<&str>) -> PendingAuthorization {
    PendingAuthorization {
        account: "example".parse().unwrap(),
        state: Secret::new(state),
        nonce: None,
        verifier: CodeVerifier::read(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).unwrap(),
        redirect_uri: "https://client.example.com/cb".to_owned(),
        deadline: NOW,
        iss: IssRule {
            accepted: issuer.into_iter().map(str::to_owned).collect(),
            promised: issuer.is_some(),
            errors_lack_it: false,
        },
    }
}

fn accept(login: PendingAuthorization, location: &str) -> Result<AuthorizationGrant, NotGranted> {
    login.accept(AuthorizationResponse::read(location).unwrap(), NOW)
}

/// That `request` carries the registration as RFC 6749 §2.3.1 prints it, and `form`, in whatever order.
#[track_caller]
fn assert_sent(request: &Request, form: &str) {
    assert_eq!(request.headers[AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQkF0M2JW");
    let sorted = |form: &[u8]| {
        let mut fields: Vec<_> = form_urlencoded::parse(form).into_owned().collect();
        fields.sort();
        fields
    };
    assert_eq!(sorted(&request.body), sorted(form.as_bytes()));
}

/// RFC 6749 §4.1.2 and §4.1.3, with the verifier that RFC 7636 §4.5 adds (Appendix B).
#[test]
fn a_code_is_read_and_redeemed() {
    let location = "https://client.example.com/cb?code=SplxlOBeZQQYbYS6WxSbIA&state=xyz";
    let grant = accept(login("xyz", None), location).unwrap();
    assert_sent(
        &grant.into_request(&client()).unwrap().request,
        "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
         &redirect_uri=https%3A%2F%2Fclient%2Eexample%2Ecom%2Fcb\
         &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
}

/// RFC 6749 §4.1.2.1.
#[test]
fn a_refusal_is_read() {
    let location = "https://client.example.com/cb?error=access_denied&state=xyz";
    let NotGranted::Closed(error) = accept(login("xyz", None), location).unwrap_err() else {
        panic!("a refusal ends the login");
    };
    assert_eq!(error.code(), ErrorCode::AccessDenied);
}

/// RFC 6749 §6.
#[test]
fn a_refresh_token_is_presented() {
    let request = refresh_request(&client(), &Secret::new("tGzv3JOkF0XG5Qx2TlKWIA")).unwrap();
    assert_sent(&request, "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA");
}

/// RFC 7009 §2.1.
#[test]
fn a_refresh_token_is_revoked() {
    let mut tokens = TokenSet::new(Secret::new("an access token"), NOW);
    tokens.refresh_token = Some(Secret::new("45ghiukldjahdnhzdauz"));
    let Revocation::Send(request) = Revocation::plan(&client(), &tokens).unwrap() else {
        panic!("there is an endpoint for it");
    };
    assert_sent(&request, "token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token");
}

/// RFC 9207 §2.1 and §2.2; and the same from the server whose name it does not bear.
#[test]
fn an_answer_says_which_server_it_comes_from() {
    let granted = "https://client.example/cb?code=x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58\
                   &state=ZWVlNDBlYzA1NjdkMDNhYjg3ZjUxZjAyNGQzMTM2NzI&iss=https%3A%2F%2Fhonest.as.example";
    let denied = "https://client.example/cb?error=access_denied\
                  &state=N2JjNGJhY2JiZjRhYzA3MGJkMzNmMDE5OWJhZmJhZjA&iss=https%3A%2F%2Fhonest.as.example";
    let at = |issuer, location: &str| {
        let state = location.split(['=', '&']).nth(3).unwrap();
        accept(login(state, Some(issuer)), location)
    };
    let code = Secret::new("x1848ZT64p4IirMPT0R-X3141MFPTuBX-VFL_cvaplMH58");
    assert!(at("https://honest.as.example", granted).unwrap().code.matches(&code));
    let refusal = at("https://honest.as.example", denied).unwrap_err();
    assert_eq!(refusal.error().code(), ErrorCode::AccessDenied);
    for location in [granted, denied] {
        let mixed_up = at("https://attacker.example", location).unwrap_err();
        assert!(matches!(mixed_up, NotGranted::Rejected { .. }), "{mixed_up:?}");
    }
}
