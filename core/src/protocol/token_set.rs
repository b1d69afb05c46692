//! What a login or a refresh yields: the tokens and what the server said about them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::clock::Timestamp;
use crate::secret::Secret;

/// The tokens of one answer (RFC 6749 §5.1), read and checked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TokenSet {
    /// What resource servers want to see.
    pub access_token: Secret,
    /// What the token endpoint wants to see next time; absent where the provider gives none.
    pub refresh_token: Option<Secret>,
    /// `Bearer` unless the server says otherwise (RFC 6749 §7.1).
    pub token_type: String,
    /// When the request was *sent*: a lifetime counts from here, so that a slow answer cannot lengthen it.
    pub issued_at: Timestamp,
    /// When the access token ends; `None` means that it is good until a resource server says no.
    pub expires_at: Option<Timestamp>,
    /// What was granted; `None` where the answer was silent, which means what was asked for (RFC 6749 §5.1).
    pub scopes: Option<Vec<String>>,
    /// The ID token (OpenID Connect Core §3.1.3.3).
    pub id_token: Option<Secret>,
    /// Objects that some servers add and apps want: `user`, `organization`. Identifiers, so never logged.
    pub extra: Extra,
}

impl TokenSet {
    /// An access token alone, of type `Bearer`, that nobody has said anything about.
    pub fn new(access_token: Secret, issued_at: Timestamp) -> Self {
        Self {
            access_token,
            refresh_token: None,
            token_type: "Bearer".to_owned(),
            issued_at,
            expires_at: None,
            scopes: None,
            id_token: None,
            extra: Extra::default(),
        }
    }

    /// Takes over from `earlier` what a refresh answer left out: the refresh token, the scopes, the ID token and
    /// the extra objects stay as they were (RFC 6749 §6).
    #[must_use]
    pub fn or_from(mut self, earlier: &Self) -> Self {
        self.refresh_token = self.refresh_token.or_else(|| earlier.refresh_token.clone());
        self.scopes = self.scopes.or_else(|| earlier.scopes.clone());
        self.id_token = self.id_token.or_else(|| earlier.id_token.clone());
        for (name, object) in &earlier.extra.0 {
            self.extra.0.entry(name.clone()).or_insert_with(|| object.clone());
        }
        self
    }
}

/// Named JSON objects from a token answer. Its `Debug` shows the names alone.
#[derive(Clone, Default)]
pub struct Extra(pub BTreeMap<String, Value>);

impl std::fmt::Debug for Extra {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_answer_keeps_what_it_does_not_replace() {
        let now = Timestamp::from_unix_seconds(0);
        let mut earlier = TokenSet::new(Secret::new("a1"), now);
        earlier.refresh_token = Some(Secret::new("r1"));
        earlier.scopes = Some(vec!["repo".to_owned()]);
        earlier.extra.0.insert("user".to_owned(), Value::from("ada"));

        let answer = TokenSet::new(Secret::new("a2"), now).or_from(&earlier);

        assert!(answer.access_token.matches(&Secret::new("a2")));
        assert!(answer.refresh_token.unwrap().matches(&Secret::new("r1")));
        assert_eq!(answer.scopes.unwrap(), ["repo"]);
        assert_eq!(format!("{:?}", answer.extra), r#"{"user"}"#);
    }
}
