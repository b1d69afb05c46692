//! The last line of defence: what a text holds by mistake is masked before it gets out.
//!
//! No secret type of this crate can be formatted, so nothing here is needed where all goes well. It is for what others
//! print: libraries, servers, programs whose logs are passed on. A [`Redactor`] masks
//!
//! - the secrets that it was told of, wherever they stand: plain, percent-encoded, escaped for JSON, or in base64;
//! - what has the shape of a secret: fields by their names in JSON, forms, headers, addresses and the inspected maps of
//!   many languages; keys by the prefixes that providers give them; JWTs, PEM private keys, e-mail addresses.
//!
//! Every masked piece becomes [`MASK`]; the name of a field stays, and no part of a secret does.
//!
//! It reads bytes once, in pieces of any size, in linear time and bounded memory. Every shape is a short *opener*, found
//! by an automaton that cannot backtrack, and the *rest*, which has no bound: a secret of a gigabyte is masked wholly and
//! never kept. What is not UTF-8 passes through.
//!
//! Shapes are guesses. A secret that looks like an ordinary word is found only where its field has an unmistakable name,
//! and there in quotes, behind `=`, or with its name alone on a line: `invalid password: denied` is a sentence. A value
//! without quotes ends at the first white space or bracket. Register what is known.

mod live;
mod rest;
mod shapes;
mod stream;
mod writer;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::Result;
use crate::secret::Secret;

use live::Live;
use stream::Stream;

pub use writer::RedactingWriter;

/// What stands in the place of a secret.
pub const MASK: &str = "[redacted]";

/// Knows what to mask. Cheap to clone.
///
/// It holds copies of the secrets that it was told of, inside a searching automaton that is not wiped when dropped: make
/// it where such a copy does not matter.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Live>);

impl Redactor {
    /// One that masks `secrets`, and everything that has the shape of a secret. [`Redactor::default`] knows shapes alone.
    ///
    /// Each line of a secret is masked by itself, because logs indent and prefix lines. A line of fewer than four bytes is
    /// not looked for: it stands in ordinary text by chance.
    ///
    /// # Errors
    ///
    /// [`Usage`](crate::error::ErrorCode::Usage) if there are more secrets than an automaton can hold (two gigabytes).
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Result<Self> {
        Ok(Self(Arc::new(Live::new(secrets)?)))
    }

    /// `text` with every secret masked; borrowed where there is none.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut masked = Vec::with_capacity(text.len());
        let mut stream = Stream::new(self.clone());
        stream.push(text.as_bytes(), &mut masked);
        stream.finish(&mut masked);
        if masked == text.as_bytes() {
            return Cow::Borrowed(text);
        }
        // Openers and delimiters are ASCII and live secrets are texts, so no character is ever cut.
        Cow::Owned(String::from_utf8_lossy(&masked).into_owned())
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(elided)")
    }
}
