//! A pending authorization outside its process: what a store keeps, sealed, for whoever gets the redirect.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::authorization::{IssRule, PendingAuthorization};
use super::pkce::CodeVerifier;
use crate::account::AccountKey;
use crate::clock::Timestamp;
use crate::secret::Secret;

/// Everything of a [`PendingAuthorization`] but its account. It is as secret as that, and has no `Debug`: to serialize
/// it is the visible act of letting the state, the verifier and the nonce leave, to be sealed next.
#[derive(Deserialize, Serialize)]
pub(crate) struct KeptAuthorization<'a> {
    #[serde(borrow)]
    state: Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    nonce: Option<Cow<'a, str>>,
    #[serde(borrow)]
    verifier: Cow<'a, str>,
    #[serde(borrow)]
    redirect_uri: Cow<'a, str>,
    deadline_ms: i64,
    accepted_issuers: Cow<'a, [String]>,
    promises_iss: bool,
    errors_lack_iss: bool,
}

impl PendingAuthorization {
    /// What is kept of it.
    pub(crate) fn keep(&self) -> KeptAuthorization<'_> {
        KeptAuthorization {
            // They leave for a buffer that is sealed next, and wiped.
            state: self.state.expose().into(),
            nonce: self.nonce.as_ref().map(|nonce| nonce.expose().into()),
            verifier: self.verifier.secret().expose().into(),
            redirect_uri: self.redirect_uri.as_str().into(),
            deadline_ms: self.deadline.unix_millis(),
            accepted_issuers: self.iss.accepted.as_slice().into(),
            promises_iss: self.iss.promised,
            errors_lack_iss: self.iss.errors_lack_it,
        }
    }
}

impl KeptAuthorization<'_> {
    /// The login of `account` that was kept; `None` when the verifier is none.
    pub(crate) fn into_pending(self, account: AccountKey) -> Option<PendingAuthorization> {
        Some(PendingAuthorization {
            account,
            state: Secret::new(self.state.into_owned()),
            nonce: self.nonce.map(|nonce| Secret::new(nonce.into_owned())),
            verifier: CodeVerifier::read(Secret::new(self.verifier.into_owned())).ok()?,
            redirect_uri: self.redirect_uri.into_owned(),
            deadline: Timestamp::from_unix_millis(self.deadline_ms),
            iss: IssRule {
                accepted: self.accepted_issuers.into_owned(),
                promised: self.promises_iss,
                errors_lack_it: self.errors_lack_iss,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::authorization::request_authorization;
    use crate::protocol::fixture::NOW;
    use crate::provider::fixture::{example_provider, preset_provider};
    use crate::random::SystemRandom;

    #[test]
    fn a_login_comes_back_as_it_was_kept() {
        for mut provider in [example_provider(), preset_provider("github")] {
            provider.promises_iss = true;
            let account: AccountKey = "example/work".parse().unwrap();
            let uri = "https://app.example.com/auth/example/callback?tenant=\"a\"";
            let (_, login) =
                request_authorization(&provider, account.clone(), &provider.scopes, uri, NOW, &SystemRandom)
                    .unwrap();
            let text = serde_json::to_string(&login.keep()).unwrap();
            let kept: KeptAuthorization<'_> = serde_json::from_str(&text).unwrap();
            let back = kept.into_pending(account).unwrap();

            assert!(back.state.matches(&login.state));
            assert_eq!(back.nonce.is_some(), login.nonce.is_some());
            assert!(back.nonce.iter().zip(&login.nonce).all(|(back, nonce)| back.matches(nonce)));
            assert_eq!(back.verifier.derive_challenge(), login.verifier.derive_challenge());
            assert_eq!((&back.account, &back.redirect_uri), (&login.account, &login.redirect_uri));
            assert_eq!(back.deadline, login.deadline);
            assert_eq!(back.iss.accepted, login.iss.accepted);
            assert!(back.iss.promised && back.iss.errors_lack_it == login.iss.errors_lack_it);
        }
    }
}
