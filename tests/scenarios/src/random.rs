//! The system's randomness, overheard: what the core makes of it as text is a secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use loomkin_auth::error::Result;
use loomkin_auth::random::{Random, SystemRandom};

use crate::canary::Canary;

/// Hides every state, nonce and code verifier before anybody has used it.
#[derive(Debug)]
pub(crate) struct OverheardRandom(pub(crate) Canary);

impl Random for OverheardRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        SystemRandom.fill(bytes)?;
        if bytes.len() == SECRET_BYTES {
            self.0.hide(URL_SAFE_NO_PAD.encode(&*bytes));
        }
        Ok(())
    }
}

/// A salt is as long, and no secret; but a salt is never written in base64url.
const SECRET_BYTES: usize = 32;
