//! Who allowed what to whom, and the codes and tokens that came of it.

pub(crate) mod device;
pub(crate) mod grant;
pub(crate) mod lookup;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::endpoints::answer::OAuthError;
use crate::random::Tokens;
use crate::settings::Rotation;
use device::DeviceLogin;
use grant::{AccessToken, Approval, Code, Grant, Issued, RefreshToken};

/// Everything the server remembers. A grant is also its family of tokens: they end together.
pub(crate) struct State {
    access_tokens: HashMap<String, AccessToken>,
    codes: HashMap<String, Code>,
    device_logins: HashMap<String, DeviceLogin>,
    grants: Vec<Grant>,
    id_tokens: Vec<String>,
    /// One for each of the next access tokens, before `usual_lifetime` rules again.
    next_lifetimes: VecDeque<Duration>,
    refresh_tokens: HashMap<String, RefreshToken>,
    usual_lifetime: Duration,
}

/// What one request may draw on.
pub(crate) struct Terms<'a> {
    pub(crate) now: SystemTime,
    pub(crate) rotation: Rotation,
    pub(crate) tokens: &'a Tokens,
}

impl State {
    pub(crate) fn new(access_token_lifetime: Duration) -> Self {
        Self {
            access_tokens: HashMap::new(),
            codes: HashMap::new(),
            device_logins: HashMap::new(),
            grants: Vec::new(),
            id_tokens: Vec::new(),
            next_lifetimes: VecDeque::new(),
            refresh_tokens: HashMap::new(),
            usual_lifetime: access_token_lifetime,
        }
    }

    /// Remembers that a person said yes; returns the code for it.
    pub(crate) fn approve(&mut self, approval: Approval, lifetime: Duration, terms: &Terms<'_>) -> String {
        let code = terms.tokens.make("code");
        self.grants.push(Grant { alive: true, approval });
        let grant = self.grants.len() - 1;
        self.codes.insert(code.clone(), Code { expires_at: terms.now + lifetime, grant, used: false });
        code
    }

    /// Exchanges a code (RFC 6749 §4.1.3, RFC 7636 §4.6). A code that comes twice ends what it gave (§4.1.2).
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        client_id: &str,
        redirect_uri: &str,
        verifier: &str,
        terms: &Terms<'_>,
    ) -> Result<Issued, OAuthError> {
        let known = self.codes.get_mut(code).ok_or_else(|| OAuthError::invalid_grant("unknown code"))?;
        let grant = &mut self.grants[known.grant];
        // Checked before anything changes: a code in the wrong hands must not spoil the right ones.
        if grant.approval.client_id != client_id {
            return Err(OAuthError::invalid_grant("the code was given to another client"));
        }
        if known.used {
            grant.alive = false;
            return Err(OAuthError::invalid_grant("the code was used before; the grant is revoked"));
        }
        if known.expires_at <= terms.now || !grant.alive {
            return Err(OAuthError::invalid_grant("the code has expired"));
        }
        if grant.approval.redirect_uri != redirect_uri {
            return Err(OAuthError::invalid_grant(
                "redirect_uri is not the one of the authorization request",
            ));
        }
        if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) != grant.approval.code_challenge {
            return Err(OAuthError::invalid_grant("code_verifier does not match the challenge"));
        }
        known.used = true;
        let grant = known.grant;
        let refresh_token = self.add_refresh_token(grant, 1, terms);
        Ok(self.issue(grant, refresh_token, None, terms))
    }

    /// Spends a refresh token (RFC 6749 §6).
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        scope: Option<&str>,
        terms: &Terms<'_>,
    ) -> Result<Issued, OAuthError> {
        let known = self
            .refresh_tokens
            .get(token)
            .ok_or_else(|| OAuthError::invalid_grant("unknown refresh token"))?
            .clone();
        let grant = &self.grants[known.grant];
        if grant.approval.client_id != client_id {
            return Err(OAuthError::invalid_grant("the refresh token was given to another client"));
        }
        if !grant.alive {
            return Err(OAuthError::invalid_grant("the grant has ended"));
        }
        let scopes = grant.approval.narrowed_to(scope)?;
        let refresh_token = match (terms.rotation, &known.spent) {
            (Rotation::Off, _) => token.to_owned(),
            (_, None) => {
                let successor = self.add_refresh_token(known.grant, known.generation + 1, terms);
                if let Some(presented) = self.refresh_tokens.get_mut(token) {
                    presented.spent = Some((terms.now, successor.clone()));
                }
                successor
            }
            (Rotation::Forgiving { grace }, Some((at, successor)))
                if terms.now < *at + grace && self.is_unspent(successor) =>
            {
                successor.clone()
            }
            (_, Some(_)) => {
                // Two parties hold the token, and nothing tells the thief from the owner (RFC 9700 §4.14.2).
                self.grants[known.grant].alive = false;
                return Err(OAuthError::invalid_grant(
                    "the refresh token was used before; the grant is revoked",
                ));
            }
        };
        Ok(self.issue(known.grant, refresh_token, scopes, terms))
    }

    /// Ends a token (RFC 7009 §2.1): a refresh token takes its grant along, an access token goes alone.
    pub(crate) fn revoke(&mut self, token: &str, client_id: &str) -> Result<(), OAuthError> {
        let refresh = self.refresh_tokens.get(token).map(|known| known.grant);
        let access = self.access_tokens.get(token).map(|known| known.grant);
        let Some(grant) = refresh.or(access) else {
            // An unknown token is as good as revoked (RFC 7009 §2.2).
            return Ok(());
        };
        if self.grants[grant].approval.client_id != client_id {
            return Err(OAuthError::invalid_grant("the token was given to another client"));
        }
        if refresh.is_some() {
            self.grants[grant].alive = false;
        } else if let Some(known) = self.access_tokens.get_mut(token) {
            known.alive = false;
        }
        Ok(())
    }

    /// Ends every grant, as a person does who withdraws the app's access at the provider.
    pub(crate) fn revoke_all(&mut self) {
        for grant in &mut self.grants {
            grant.alive = false;
        }
    }

    /// How long every access token works from now on.
    pub(crate) fn set_lifetime(&mut self, lifetime: Duration) {
        self.usual_lifetime = lifetime;
        self.next_lifetimes.clear();
    }

    /// How long the next access tokens work, one each.
    pub(crate) fn add_lifetimes(&mut self, lifetimes: impl IntoIterator<Item = Duration>) {
        self.next_lifetimes.extend(lifetimes);
    }

    /// Keeps `id_token` for [`State::secrets`] alone.
    pub(crate) fn remember(&mut self, id_token: String) {
        self.id_tokens.push(id_token);
    }

    /// Ends every access token; the grants stay.
    pub(crate) fn expire_access_tokens(&mut self) {
        for known in self.access_tokens.values_mut() {
            known.alive = false;
        }
    }

    fn is_unspent(&self, token: &str) -> bool {
        self.refresh_tokens.get(token).is_some_and(|known| known.spent.is_none())
    }

    fn add_refresh_token(&mut self, grant: usize, generation: u32, terms: &Terms<'_>) -> String {
        let token = terms.tokens.make("refresh");
        self.refresh_tokens.insert(token.clone(), RefreshToken { generation, grant, spent: None });
        token
    }

    fn issue(
        &mut self,
        grant: usize,
        refresh_token: String,
        scopes: Option<Vec<String>>,
        terms: &Terms<'_>,
    ) -> Issued {
        let approval = self.grants[grant].approval.clone();
        let scopes = scopes.unwrap_or_else(|| approval.scopes.clone());
        let access_token = terms.tokens.make("access");
        let lifetime = self.next_lifetimes.pop_front().unwrap_or(self.usual_lifetime);
        let expires_at = terms.now + lifetime;
        self.access_tokens.insert(
            access_token.clone(),
            AccessToken { alive: true, expires_at, grant, scopes: scopes.clone() },
        );
        Issued { access_token, approval, lifetime, refresh_token, scopes }
    }
}
