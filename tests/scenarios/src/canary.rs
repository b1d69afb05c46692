//! Proof that no secret got out: what must stay hidden, what could be seen, and the comparison of the two.

use std::collections::{BTreeSet, HashMap};
use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use loomkin_auth::error::Error;
use url::form_urlencoded;

/// The secrets of a scenario and everything it let anybody see. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Canary(Arc<Mutex<Cage>>);

#[derive(Default)]
struct Cage {
    /// In every spelling that is looked for.
    secrets: BTreeSet<Vec<u8>>,
    seen: Vec<(String, Vec<u8>)>,
}

impl Canary {
    /// What every secret begins with that a scenario can choose. None may show, not even the beginning of one.
    pub const PREFIX: &str = "canary--";

    /// `secret` must not be seen anywhere: not plain, not form-encoded, not in base64.
    ///
    /// # Panics
    ///
    /// When it is so short that it would be found by chance.
    pub fn hide(&self, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= SHORTEST, "a secret of {} bytes would be found by chance", secret.len());
        // The last characters of base64 depend on what follows; those of whole groups do not.
        let groups = &secret[..secret.len() / 3 * 3];
        let spellings = [
            secret.to_vec(),
            form_urlencoded::byte_serialize(secret).collect::<String>().into_bytes(),
            STANDARD_NO_PAD.encode(groups).into_bytes(),
            URL_SAFE_NO_PAD.encode(groups).into_bytes(),
        ];
        self.lock().secrets.extend(spellings);
    }

    /// Somebody could see `bytes` at `place`.
    pub fn see(&self, place: &str, bytes: impl AsRef<[u8]>) {
        self.lock().seen.push((place.to_owned(), bytes.as_ref().to_vec()));
    }

    /// Somebody could print `value` in a log line of their own.
    pub fn see_debug(&self, place: &str, value: &impl Debug) {
        self.see(place, format!("{value:?} {value:#?}"));
    }

    /// Somebody could print everything that `error` has to say, its sources included.
    pub fn see_error(&self, error: &Error) {
        let mut text = format!("{error} {error:?} {error:#?} {} {:?}", error.advice(), error.details());
        let mut source = error.source();
        while let Some(cause) = source {
            // Writing to a string does not fail.
            let _ = write!(text, " {cause} {cause:?}");
            source = cause.source();
        }
        self.see("an error", text);
        self.see("an error's text from the server", error.server_text().unwrap_or_default());
    }

    /// Where a secret was seen; the texts do not repeat it.
    pub fn leaks(&self) -> Vec<String> {
        let cage = self.lock();
        let mut wanted: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
        for secret in cage.secrets.iter().map(Vec::as_slice).chain([Self::PREFIX.as_bytes()]) {
            wanted.entry(&secret[..SHORTEST]).or_default().push(secret);
        }
        let mut leaks = Vec::new();
        for (place, bytes) in &cage.seen {
            for (offset, beginning) in bytes.windows(SHORTEST).enumerate() {
                let Some(candidates) = wanted.get(beginning) else { continue };
                if let Some(secret) = candidates.iter().find(|secret| bytes[offset..].starts_with(secret)) {
                    leaks.push(format!("{place}: a secret of {} bytes at byte {offset}", secret.len()));
                }
            }
        }
        leaks
    }

    fn lock(&self) -> MutexGuard<'_, Cage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A failing scenario may print its canary.
impl Debug for Cage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cage({} spellings, {} places)", self.secrets.len(), self.seen.len())
    }
}

const SHORTEST: usize = Canary::PREFIX.len();
