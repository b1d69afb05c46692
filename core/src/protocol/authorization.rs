//! The authorization request (RFC 6749 §4.1.1), and the login that waits for its answer.

use std::fmt;
use std::time::Duration;

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};

use super::pkce::CodeVerifier;
use super::state::StateDigest;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{Provider, asks_for_id_token, read_redirect_uri};
use crate::random::Random;
use crate::secret::Secret;

/// How long a login may take.
pub const LOGIN_DEADLINE: Duration = Duration::from_secs(600);

/// An authorization request that was made and not yet answered.
///
/// It is a value: any number can be open at once. It has no `Clone`, so that one redirect finishes it once.
pub struct PendingAuthorization {
    pub(super) account: AccountKey,
    pub(super) state: Secret,
    pub(super) nonce: Option<Secret>,
    pub(super) verifier: CodeVerifier,
    pub(super) redirect_uri: String,
    pub(super) deadline: Timestamp,
    pub(super) iss: IssRule,
}

impl PendingAuthorization {
    /// Whose login it is.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Brings the deadline forward to `moment`; a later moment changes nothing.
    #[must_use]
    pub fn finish_by(mut self, moment: Timestamp) -> Self {
        self.deadline = self.deadline.min(moment);
        self
    }

    /// Until when a redirect is accepted.
    pub fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// What names it where its `state` must not be.
    pub fn state_digest(&self) -> StateDigest {
        StateDigest::derive(&self.state)
    }

    /// Where the person comes back to.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }
}

/// What is expected of `iss` in the redirect (RFC 9207 §2.4).
#[derive(Clone, Debug)]
pub(super) struct IssRule {
    /// The issuer and its other names; without any, there is nothing to compare with.
    pub(super) accepted: Vec<String>,
    /// Whether the server promises it.
    pub(super) promised: bool,
    /// Whether its absence from an `error` redirect is to be borne.
    pub(super) errors_lack_it: bool,
}

/// Where to send the person. It holds the `state`: show it to the person alone, and do not log it.
#[derive(Clone)]
pub struct AuthorizationUrl(Secret);

impl AuthorizationUrl {
    /// The address, to open it or to show it to the person who logs in.
    pub fn expose(&self) -> &str {
        // Exposed to the caller, whose call says why.
        self.0.expose()
    }
}

/// Builds the authorization request of `account` at `provider` for `scopes`, answered at `redirect_uri`.
///
/// PKCE with S256 always; a `nonce` with the scope `openid`; `prompt=consent` with the scope `offline_access`, because
/// servers may ignore that scope otherwise (OpenID Connect Core §11).
///
/// # Errors
///
/// `config_invalid` where the provider has no authorization endpoint or the redirect URI is not one; as
/// [`Random::fill`] where there is no randomness.
pub fn request_authorization(
    provider: &Provider,
    account: AccountKey,
    scopes: &[String],
    redirect_uri: &str,
    now: Timestamp,
    random: &dyn Random,
) -> Result<(AuthorizationUrl, PendingAuthorization)> {
    let redirect_uri = read_redirect_uri(redirect_uri)?;
    let verifier = CodeVerifier::make(random)?;
    let state = random.make_secret()?;
    let is_openid = asks_for_id_token(scopes);
    let nonce = if is_openid { Some(random.make_secret()?) } else { None };

    let client = BasicClient::new(ClientId::new(provider.client_id.clone()))
        .set_auth_uri(AuthUrl::from_url(provider.authorization_endpoint()?.clone()))
        .set_redirect_uri(
            RedirectUrl::new(redirect_uri.clone())
                .map_err(|_| Error::new(ErrorCode::ConfigInvalid, "redirect_uri is not an absolute URI"))?,
        );
    // Exposed to be put into the address that only the person's browser sees.
    let mut request = client
        .authorize_url(|| CsrfToken::new(state.expose().to_owned()))
        .set_pkce_challenge(verifier.challenge())
        .add_scopes(scopes.iter().cloned().map(Scope::new));
    if let Some(nonce) = &nonce {
        request = request.add_extra_param("nonce", nonce.expose()); // as above
    }
    for (name, value) in &provider.params {
        request = request.add_extra_param(name, value);
    }
    if asks_for_consent(provider, scopes) {
        request = request.add_extra_param("prompt", "consent");
    }
    let (url, _) = request.url();

    let pending = PendingAuthorization {
        account,
        state,
        nonce,
        verifier,
        redirect_uri,
        deadline: now.plus(LOGIN_DEADLINE),
        iss: IssRule {
            accepted: accepted_issuers(provider),
            promised: provider.promises_iss,
            errors_lack_it: provider.quirks.error_redirects_lack_iss,
        },
    };
    Ok((AuthorizationUrl(Secret::new(url)), pending))
}

/// Whether `prompt=consent` has to be sent: with the scope `offline_access`, unless the configuration has a `prompt`.
pub(super) fn asks_for_consent(provider: &Provider, scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == "offline_access")
        && !provider.params.iter().any(|(name, _)| name == "prompt")
}

fn accepted_issuers(provider: &Provider) -> Vec<String> {
    match &provider.issuer {
        Some(issuer) => {
            let aliases = provider.quirks.issuer_aliases.iter().map(|alias| (*alias).to_owned());
            std::iter::once(issuer.clone()).chain(aliases).collect()
        }
        None => Vec::new(),
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization")
            .field("account", &self.account.to_string())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthorizationUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationUrl(elided)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use url::Url;

    use super::*;
    use crate::protocol::fixture::NOW;
    use crate::provider::fixture::{example_provider, preset_provider};
    use crate::random::SystemRandom;

    const REDIRECT_URI: &str = "http://127.0.0.1:1455/cb";

    fn request(provider: &Provider) -> (HashMap<String, String>, PendingAuthorization) {
        let account = "example/work".parse().unwrap();
        let (url, pending) =
            request_authorization(provider, account, &provider.scopes, REDIRECT_URI, NOW, &SystemRandom)
                .unwrap();
        assert_eq!(format!("{url:?}"), "AuthorizationUrl(elided)");
        let pairs: Vec<_> = Url::parse(url.expose()).unwrap().query_pairs().into_owned().collect();
        let map: HashMap<_, _> = pairs.iter().cloned().collect();
        assert_eq!(map.len(), pairs.len(), "no parameter is there twice");
        (map, pending)
    }

    #[test]
    fn the_request_carries_state_challenge_nonce_and_consent() {
        let (query, pending) = request(&example_provider());
        let expected = [
            ("response_type", "code"),
            ("client_id", "app id"),
            ("redirect_uri", REDIRECT_URI),
            ("scope", "openid offline_access"),
            ("code_challenge_method", "S256"),
            ("prompt", "consent"),
        ];
        for (name, value) in expected {
            assert_eq!(query[name], value);
        }
        assert_eq!(query["code_challenge"], pending.verifier.derive_challenge());
        assert!(pending.state.matches(&Secret::new(query["state"].as_str())));
        assert!(pending.nonce.as_ref().unwrap().matches(&Secret::new(query["nonce"].as_str())));
        assert_eq!(pending.deadline(), NOW.plus(LOGIN_DEADLINE));
        assert_eq!(query.len(), expected.len() + 3);
    }

    #[test]
    fn without_openid_there_is_no_nonce_and_without_offline_access_no_consent() {
        let (query, pending) = request(&preset_provider("github"));
        assert!(pending.nonce.is_none());
        assert!(!query.contains_key("nonce") && !query.contains_key("prompt"));
    }

    #[test]
    fn the_presets_params_are_sent() {
        let (query, _) = request(&preset_provider("google"));
        assert_eq!((query["access_type"].as_str(), query["prompt"].as_str()), ("offline", "consent"));
    }

    #[test]
    fn the_scopes_of_this_login_are_asked_for_and_bring_what_belongs_to_them() {
        let provider = preset_provider("github");
        let (account, scopes) = ("example".parse().unwrap(), ["openid", "offline_access"].map(str::to_owned));
        let (url, pending) =
            request_authorization(&provider, account, &scopes, REDIRECT_URI, NOW, &SystemRandom).unwrap();
        let query: HashMap<_, _> = Url::parse(url.expose()).unwrap().query_pairs().into_owned().collect();
        assert_eq!((query["scope"].as_str(), query["prompt"].as_str()), ("openid offline_access", "consent"));
        assert!(pending.nonce.is_some() && query.contains_key("nonce"));
    }

    #[test]
    fn two_logins_share_nothing() {
        let provider = example_provider();
        let ((one, _), (two, _)) = (request(&provider), request(&provider));
        for name in ["state", "nonce", "code_challenge"] {
            assert_ne!(one[name], two[name]);
        }
    }

    #[test]
    fn a_pending_login_shows_nothing_secret() {
        let (query, pending) = request(&example_provider());
        let shown = format!("{pending:?}");
        assert!(shown.contains("example/work"));
        for name in ["state", "nonce"] {
            assert!(!shown.contains(&query[name]));
        }
    }
}
