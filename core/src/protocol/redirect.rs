//! The authorization response (RFC 6749 §4.1.2), checked before anything else happens.

use std::fmt;

use url::{Url, form_urlencoded};

use super::authorization::PendingAuthorization;
use super::pkce::CodeVerifier;
use super::state::StateDigest;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, OauthError, Result, ServerText};
use crate::secret::Secret;

/// What came back in a redirect, not yet compared with any login. It holds the code: its `Debug` shows nothing.
pub struct AuthorizationResponse {
    pub(super) state: Option<Secret>,
    pub(super) code: Option<Secret>,
    pub(super) iss: Option<String>,
    pub(super) error: Option<(OauthError, Option<ServerText>)>,
    pub(super) form: ResponseForm,
}

/// In which form the response came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ResponseForm {
    /// `code#state`, copied from the provider's own page, which has no place for `iss`.
    CodeAndState,
    /// All the parameters of a redirect.
    Parameters,
}

impl AuthorizationResponse {
    /// Reads the query of a redirect, with or without what stands before and including its `?`. A fragment is cut off.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when one of the parameters is there twice (RFC 6749 §3.1) or the text is too long.
    pub fn read(text: &str) -> Result<Self> {
        if text.len() > MAX_REDIRECT {
            return Err(rejected("the redirect is too long"));
        }
        let text = text.split('#').next().unwrap_or_default();
        let query = query_of(text);
        let mut found: [Option<String>; PARAMS.len()] = Default::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(place) = PARAMS.iter().position(|param| *param == name) else { continue };
            if found[place].replace(value.into_owned()).is_some() {
                return Err(rejected("the redirect has a parameter twice"));
            }
        }
        let [code, error, description, iss, state] = found;
        let text = description.as_deref().and_then(ServerText::new);
        Ok(Self {
            state: state.map(Secret::new),
            code: code.map(Secret::new),
            iss,
            error: error.map(|word| (OauthError::from_wire(&word), text)),
            form: ResponseForm::Parameters,
        })
    }

    /// What names the login that this claims to answer; `None` without a `state`.
    pub fn state_digest(&self) -> Option<StateDigest> {
        self.state.as_ref().map(StateDigest::derive)
    }
}

impl PendingAuthorization {
    /// Whether `response` carries this login's state, compared in constant time.
    pub fn is_answered_by(&self, response: &AuthorizationResponse) -> bool {
        response.state.as_ref().is_some_and(|state| state.matches(&self.state))
    }

    /// Checks `response` in the order state, deadline, `iss`, `error`, code, and turns this login into its grant.
    ///
    /// # Errors
    ///
    /// [`NotGranted::Rejected`] with `callback_rejected` gives the login back: a stray or forged redirect neither
    /// finishes nor cancels it. [`NotGranted::Closed`] ends it: `login_closed` after the deadline, `access_denied`,
    /// `unavailable` or `client_rejected` by the server's `error`.
    pub fn accept(
        self,
        response: AuthorizationResponse,
        now: Timestamp,
    ) -> Result<AuthorizationGrant, NotGranted> {
        if !self.is_answered_by(&response) {
            return Err(self.reject("the redirect does not carry this login's state"));
        }
        if now > self.deadline {
            let error = Error::new(ErrorCode::LoginClosed, "the login took too long");
            return Err(NotGranted::Closed(error.with_account(&self.account)));
        }
        if !self.iss_is_right(&response) {
            return Err(self.reject("the redirect does not come from the server that was asked"));
        }
        if let Some((error, text)) = response.error {
            return Err(NotGranted::Closed(error_of(error, text).with_account(&self.account)));
        }
        match response.code {
            Some(code) if !code.is_empty() => Ok(AuthorizationGrant {
                account: self.account,
                code,
                state: self.state,
                verifier: self.verifier,
                nonce: self.nonce,
                redirect_uri: self.redirect_uri,
            }),
            _ => Err(self.reject("the redirect carries neither a code nor an error")),
        }
    }

    /// RFC 9207 §2.4. Without a known issuer there is nothing to compare an `iss` with; the state then stands alone.
    fn iss_is_right(&self, response: &AuthorizationResponse) -> bool {
        match &response.iss {
            Some(iss) => self.iss.accepted.is_empty() || self.iss.accepted.contains(iss),
            // A page of the provider's own is a redirect URI that no other server sends anybody to, which is the
            // other defence against mix-up (RFC 9700 §4.4.2.2).
            None if response.form == ResponseForm::CodeAndState => true,
            None => !self.iss.promised || (response.error.is_some() && self.iss.errors_lack_it),
        }
    }

    fn reject(self, message: &str) -> NotGranted {
        let error = rejected(message).with_account(&self.account);
        NotGranted::Rejected { pending: Box::new(self), error }
    }
}

/// A verified authorization response: the grant of RFC 6749 §1.3, to be exchanged once.
pub struct AuthorizationGrant {
    pub(super) account: AccountKey,
    pub(super) code: Secret,
    pub(super) state: Secret,
    pub(super) verifier: CodeVerifier,
    pub(super) nonce: Option<Secret>,
    pub(super) redirect_uri: String,
}

impl AuthorizationGrant {
    /// Whose login it is.
    pub fn account(&self) -> &AccountKey {
        &self.account
    }

    /// Whether its login asked for an ID token.
    pub(crate) fn asked_for_id_token(&self) -> bool {
        self.nonce.is_some()
    }
}

/// Why a redirect yields no grant.
#[derive(Debug)]
pub enum NotGranted {
    /// The login is over.
    Closed(Error),
    /// The redirect does not answer this login, which stays open.
    Rejected {
        /// The login, as it was.
        pending: Box<PendingAuthorization>,
        /// What to tell whoever brought the redirect.
        error: Error,
    },
}

impl NotGranted {
    /// The error, whichever it is.
    pub fn error(&self) -> &Error {
        match self {
            Self::Closed(error) | Self::Rejected { error, .. } => error,
        }
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizationResponse(elided)")
    }
}

impl fmt::Debug for AuthorizationGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AuthorizationGrant({})", self.account)
    }
}

/// What stands behind the `?` of an address, or all of a text that is a query by itself. That may have a `?` in it
/// (RFC 3986 §3.4), but not before its first `=`; an address may have an `=` in its path.
fn query_of(text: &str) -> &str {
    let is_address = |text: &str| text.starts_with('/') || Url::parse(text).is_ok();
    match text.split_once('?') {
        Some((before, query)) if !before.contains('=') || is_address(before) => query,
        // An address without a query has no parameters.
        None if is_address(text) => "",
        _ => text,
    }
}

/// RFC 6749 §4.1.2.1.
fn error_of(error: OauthError, text: Option<ServerText>) -> Error {
    let (code, message) = match error {
        OauthError::AccessDenied => (ErrorCode::AccessDenied, "the access was denied"),
        OauthError::ServerError | OauthError::TemporarilyUnavailable => {
            (ErrorCode::Unavailable, "the server cannot log anyone in now")
        }
        _ => (ErrorCode::ClientRejected, "the server refuses the authorization request"),
    };
    Error::new(code, message).with_oauth_error(error, text)
}

fn rejected(message: &str) -> Error {
    Error::new(ErrorCode::CallbackRejected, message)
}

const MAX_REDIRECT: usize = 64 * 1024;
const PARAMS: [&str; 5] = ["code", "error", "error_description", "iss", "state"];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::protocol::authorization::IssRule;
    use crate::protocol::fixture::NOW;

    fn login(differs: &Value) -> PendingAuthorization {
        let flag = |name: &str| differs[name] == Value::Bool(true);
        let known = differs.get("issuer").is_none();
        PendingAuthorization {
            account: "example".parse().unwrap(),
            state: Secret::new("S1"),
            nonce: None,
            verifier: CodeVerifier::read(Secret::new("canary-".repeat(7))).unwrap(),
            redirect_uri: "http://127.0.0.1/".to_owned(),
            deadline: if flag("late") { NOW.minus(std::time::Duration::from_secs(1)) } else { NOW },
            iss: IssRule {
                accepted: if known { vec!["https://id.example.com".to_owned()] } else { Vec::new() },
                promised: flag("promised"),
                errors_lack_it: flag("errors_lack_it"),
            },
        }
    }

    /// What became of it, and whether the login is still open.
    fn outcome(case: &Value) -> (&'static str, bool) {
        let response = match case["kind"].as_str().unwrap() {
            "pasted" => AuthorizationResponse::read_pasted(case["pasted"].as_str().unwrap()),
            _ => AuthorizationResponse::read(case["redirect"].as_str().unwrap()),
        };
        let response = match response {
            Ok(response) => response,
            Err(error) => return (error.code().as_str(), true),
        };
        match login(&case["login"]).accept(response, NOW) {
            Ok(grant) => {
                assert!(grant.code.matches(&Secret::new("C1")));
                ("granted", false)
            }
            Err(NotGranted::Closed(error)) => (error.code().as_str(), false),
            Err(NotGranted::Rejected { pending, error }) => {
                assert_eq!(error.code(), ErrorCode::CallbackRejected);
                let answer =
                    AuthorizationResponse::read("code=C1&state=S1&iss=https://id.example.com").unwrap();
                assert!(pending.is_answered_by(&answer));
                (error.code().as_str(), true)
            }
        }
    }

    #[test]
    fn the_shared_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/redirects.json")).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let (outcome, open) = outcome(case);
            assert_eq!(outcome, case["expect"], "{}", case["name"]);
            if let Some(stays_open) = case["stays_open"].as_bool() {
                assert_eq!(open, stays_open, "{}", case["name"]);
            }
        }
    }

    #[test]
    fn nothing_of_a_redirect_is_shown() {
        let text = "https://x/?code=canary1&state=S1&error_description=canary2&error=canary3&iss=canary4";
        let response = AuthorizationResponse::read(text).unwrap();
        let shown = format!("{response:?}");
        let refused = login(&Value::Null).accept(response, NOW).unwrap_err();
        assert!(!format!("{shown} {refused:?} {}", refused.error()).contains("canary"));
        let grant =
            login(&Value::Null).accept(AuthorizationResponse::read("code=canary&state=S1").unwrap(), NOW);
        assert_eq!(format!("{grant:?}"), "Ok(AuthorizationGrant(example))");
    }

    #[test]
    fn an_endless_redirect_is_not_read() {
        assert!(AuthorizationResponse::read(&"x=1&".repeat(20_000)).is_err());
        assert!(AuthorizationResponse::read_pasted(&format!("{}#S1", "x".repeat(9000))).is_err());
    }
}
