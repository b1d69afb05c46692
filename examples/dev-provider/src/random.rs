//! Codes and tokens nobody can guess.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// A stream of tokens from one random seed: the system can fail to give randomness only while the server starts.
pub(crate) struct Tokens {
    seed: [u8; 32],
    drawn: AtomicU64,
    prefix: String,
}

impl Tokens {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system for randomness"
    )]
    pub(crate) fn new(prefix: String) -> io::Result<Self> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|_| io::Error::other("the system gave no random bytes"))?;
        Ok(Self { seed, drawn: AtomicU64::new(0), prefix })
    }

    /// The next code for a person to type: eight letters that cannot be mistaken for others and form no words (RFC 8628
    /// §6.1).
    pub(crate) fn make_user_code(&self) -> String {
        let mut code: String = self.draw()[..8]
            .iter()
            .map(|byte| char::from(USER_CODE_LETTERS[usize::from(*byte) % USER_CODE_LETTERS.len()]))
            .collect();
        code.insert(4, '-');
        code
    }

    /// The next token, `<prefix><kind>-<43 random characters>`.
    pub(crate) fn make(&self, kind: &str) -> String {
        format!("{}{kind}-{}", self.prefix, URL_SAFE_NO_PAD.encode(self.draw()))
    }

    fn draw(&self) -> [u8; 32] {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed);
        Sha256::new().chain_update(self.seed).chain_update(number.to_be_bytes()).finalize().into()
    }
}

/// Without the seed, from which every token follows.
impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_carry_the_prefix_and_never_repeat() {
        let tokens = Tokens::new("canary-".into()).unwrap();
        let (first, second) = (tokens.make("access"), tokens.make("access"));
        assert!(first.starts_with("canary-access-"), "{first}");
        assert_ne!(first, second);
        assert_ne!(first, Tokens::new("canary-".into()).unwrap().make("access"));
    }
}
