//! The records behind codes and tokens.

use std::time::{Duration, SystemTime};

use crate::endpoints::answer::OAuthError;

/// What a person allowed.
#[derive(Clone)]
pub(crate) struct Approval {
    pub(crate) client_id: String,
    pub(crate) code_challenge: String,
    pub(crate) nonce: Option<String>,
    pub(crate) redirect_uri: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) user: String,
}

impl Approval {
    /// The scopes that a refresh asks for, which may only be fewer (RFC 6749 §6); `None` when it asks for none.
    pub(crate) fn narrowed_to(&self, scope: Option<&str>) -> Result<Option<Vec<String>>, OAuthError> {
        let Some(scope) = scope else {
            return Ok(None);
        };
        let asked: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        if asked.iter().all(|one| self.scopes.contains(one)) {
            Ok(Some(asked))
        } else {
            Err(OAuthError::invalid_scope("a refresh cannot ask for more than was granted"))
        }
    }
}

pub(super) struct Grant {
    pub(super) alive: bool,
    pub(super) approval: Approval,
}

pub(super) struct Code {
    pub(super) expires_at: SystemTime,
    pub(super) grant: usize,
    /// A used code is kept, so that its second use is noticed.
    pub(super) used: bool,
}

#[derive(Clone)]
pub(super) struct RefreshToken {
    pub(super) generation: u32,
    pub(super) grant: usize,
    /// When it was used first, and what it was replaced by. Kept, so that reuse is noticed.
    pub(super) spent: Option<(SystemTime, String)>,
}

pub(super) struct AccessToken {
    pub(super) alive: bool,
    pub(super) expires_at: SystemTime,
    pub(super) grant: usize,
    pub(super) scopes: Vec<String>,
}

/// What a token request earns.
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) approval: Approval,
    pub(crate) lifetime: Duration,
    pub(crate) refresh_token: String,
    pub(crate) scopes: Vec<String>,
}
