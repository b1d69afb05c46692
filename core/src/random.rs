//! Randomness, taken as an argument everywhere.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// Where random bytes come from.
pub trait Random: fmt::Debug + Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// `store_failed` when the operating system gives none; nothing weaker is ever used in its place.
    fn fill(&self, bytes: &mut [u8]) -> Result<()>;
}

impl dyn Random + '_ {
    /// 32 random bytes as 43 characters of base64url: a state, a nonce, a code verifier (RFC 7636 §4.1).
    ///
    /// # Errors
    ///
    /// As [`Random::fill`].
    pub fn make_secret(&self) -> Result<Secret> {
        let mut bytes = Zeroizing::new([0; 32]);
        self.fill(&mut *bytes)?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes.as_slice())))
    }

    /// `N` random bytes that are no secret: an id, a nonce of a cipher.
    ///
    /// # Errors
    ///
    /// As [`Random::fill`].
    pub fn make_bytes<const N: usize>(&self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// A duration between nothing and `most`, evenly spread ("full jitter").
    ///
    /// # Errors
    ///
    /// As [`Random::fill`].
    pub fn make_jitter(&self, most: Duration) -> Result<Duration> {
        let draw = u32::from_le_bytes(self.make_bytes()?);
        Ok(most.mul_f64(f64::from(draw) / f64::from(u32::MAX)))
    }
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system for randomness"
    )]
    fn fill(&self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            Error::new(ErrorCode::StoreFailed, "the operating system gave no random bytes")
                .with_advice("Check that /dev/urandom exists and is readable in this container or sandbox.")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Always(u8);

    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) -> Result<()> {
            bytes.fill(self.0);
            Ok(())
        }
    }

    #[test]
    fn a_made_secret_is_a_valid_code_verifier() {
        let random: &dyn Random = &SystemRandom;
        let verifier = random.make_secret().unwrap();
        let text = verifier.expose(); // a throw-away value of this test
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'));
        assert!(!verifier.matches(&random.make_secret().unwrap()));
    }

    #[test]
    fn jitter_covers_the_whole_range_and_no_more() {
        let most = Duration::from_secs(8);
        let (low, high): (&dyn Random, &dyn Random) = (&Always(0), &Always(0xff));
        assert_eq!(low.make_jitter(most).unwrap(), Duration::ZERO);
        assert_eq!(high.make_jitter(most).unwrap(), most);
    }
}
