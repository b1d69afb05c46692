//! The secrets that a process knows, in the forms in which they may turn up.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, Input};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use url::form_urlencoded;

use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// Finds all forms of some secrets in one pass.
#[derive(Default)]
pub(super) struct Live(Option<AhoCorasick>);

impl Live {
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Result<Self> {
        // They leave to be looked for, and so to stay inside.
        let forms: BTreeSet<String> =
            secrets.into_iter().flat_map(|secret| secret.expose().lines()).flat_map(forms_of_line).collect();
        if forms.is_empty() {
            return Ok(Self(None));
        }
        let automaton = AhoCorasick::new(&forms).map_err(|_| {
            Error::new(ErrorCode::Usage, "these are more secrets than can be looked for at once")
                .with_advice("Register fewer secrets.")
        })?;
        Ok(Self(Some(automaton)))
    }

    /// The length of the longest form, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.0.as_ref().map_or(0, AhoCorasick::max_pattern_len)
    }

    /// Every form that begins within `range` of `text`, overlapping ones too, in the order of their ends.
    pub(super) fn find(&self, text: &[u8], range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        self.0
            .iter()
            .flat_map(move |automaton| automaton.find_overlapping_iter(Input::new(text).range(range.start..)))
            .map(|found| found.range())
            .filter(move |found| found.start < range.end)
    }
}

fn forms_of_line(line: &str) -> Vec<String> {
    let line = line.trim_matches('\r');
    if line.len() < SHORTEST {
        return Vec::new();
    }
    let in_form: String = form_urlencoded::byte_serialize(line.as_bytes()).collect();
    let in_path = in_form.replace('+', "%20").replace("%7E", "~");
    let in_json = escaped(line, false);
    let mut forms = vec![
        line.to_owned(),
        with_small_digits(&in_form),
        with_small_digits(&in_path),
        in_form,
        in_path,
        in_json.replace('/', "\\/"),
        in_json,
        escaped(line, true),
    ];
    forms.extend(in_base64(line));
    forms
}

/// Percent-encoding with `a` to `f` in place of `A` to `F`; both are in use (RFC 3986 §2.1).
fn with_small_digits(encoded: &str) -> String {
    let mut pieces = encoded.split('%');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at(piece.len().min(2));
        text.extend(["%", &digits.to_ascii_lowercase(), rest]);
    }
    text
}

/// The inside of a JSON string (RFC 8259 §7), in `ascii` alone where an encoder is so careful.
fn escaped(line: &str, ascii: bool) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            '\t' => text.push_str("\\t"),
            c if c.is_control() || (ascii && !c.is_ascii()) => {
                text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
            }
            c => text.push(c),
        }
    }
    text
}

/// What of the base64 of a text is the same wherever `line` stands in it, for each of the three places that a byte can have
/// in a group. So the secret is found in a `Basic` header, behind a client id of any length.
fn in_base64(line: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for (before, shared) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&[0; 2][..before], line.as_bytes()].concat();
        for alphabet in [STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let encoded = alphabet.encode(&bytes);
            let whole = bytes.len() * 8 / 6;
            let form = encoded.get(shared..whole).unwrap_or_default();
            if form.len() >= SHORTEST_IN_BASE64 {
                forms.push(form.to_owned());
            }
        }
    }
    forms
}

const SHORTEST: usize = 4;
const SHORTEST_IN_BASE64: usize = 8;
