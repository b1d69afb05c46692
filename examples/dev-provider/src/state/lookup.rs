//! What a token stands for; looking never changes anything.

use std::time::SystemTime;

use super::State;
use crate::record::PresentedToken;

/// A token that works.
pub(crate) struct LiveToken {
    pub(crate) client_id: String,
    /// Absent for refresh tokens, which last as long as their grant.
    pub(crate) expires_at: Option<SystemTime>,
    pub(crate) scopes: Vec<String>,
    pub(crate) user: String,
}

impl State {
    /// The access token `token`, while it works.
    pub(crate) fn live_access_token(&self, token: &str, now: SystemTime) -> Option<LiveToken> {
        let known = self.access_tokens.get(token)?;
        let grant = &self.grants[known.grant];
        (grant.alive && known.alive && now < known.expires_at).then(|| LiveToken {
            client_id: grant.approval.client_id.clone(),
            expires_at: Some(known.expires_at),
            scopes: known.scopes.clone(),
            user: grant.approval.user.clone(),
        })
    }

    /// The refresh token `token`, while it can be used without harm.
    pub(crate) fn live_refresh_token(&self, token: &str) -> Option<LiveToken> {
        let known = self.refresh_tokens.get(token)?;
        let grant = &self.grants[known.grant];
        (grant.alive && known.spent.is_none()).then(|| LiveToken {
            client_id: grant.approval.client_id.clone(),
            expires_at: None,
            scopes: grant.approval.scopes.clone(),
            user: grant.approval.user.clone(),
        })
    }

    /// Whether `token` is a refresh token that was used, whatever became of its grant since.
    pub(crate) fn was_spent(&self, token: &str) -> bool {
        self.refresh_tokens.get(token).is_some_and(|known| known.spent.is_some())
    }

    /// Which grant and generation `token` is of, dead or alive; a record of requests may keep this.
    pub(crate) fn identify(&self, token: &str) -> Option<PresentedToken> {
        let known = self.refresh_tokens.get(token)?;
        Some(PresentedToken { generation: known.generation, grant: known.grant + 1 })
    }

    /// Every code and token that was ever made.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let tokens = self.access_tokens.keys().chain(self.refresh_tokens.keys());
        let codes = self.codes.keys().chain(self.device_logins.keys());
        codes.chain(tokens).chain(&self.id_tokens).cloned().collect()
    }
}
