//! Header fields, in requests and answers and in what people copy from them.

use super::{Shape, after, behind};
use crate::redact::rest::Rest;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        after(format!(r"(?i){AUTHORIZATION}{TO_VALUE}{SCHEME}[ \t]+"), Rest::Bare),
        after(format!(r"(?i){AUTHORIZATION}{TO_VALUE}{SCHEME_WITH_PARAMETERS}[ \t]+"), Rest::Line),
        behind(r"(?i)\bauthorization[:=][ \t]*[a-z0-9._~+/-]{20}", b" \t:=", Rest::Bare),
        behind(r"(?i)\b(?:set-)?cookie:[ \t]*[a-z0-9!#$%^*+._|~-]+=", b" \t:", Rest::Line),
        // Without the name of the header, `Bearer` and `Basic` are words: what follows must not be one.
        behind(
            r"(?i)\b(?:bearer|dpop)[ \t]+(?:[a-z_.~+/-]{0,23}[0-9][a-z0-9_.~+/-]{7}|[a-z_.~+/-]{24})",
            b" \t",
            Rest::Bare,
        ),
        behind(r"(?i)\bbasic[ \t]+(?:[a-z+/]{0,23}[0-9][a-z0-9+/]{7}|[a-z+/]{24})", b" \t", Rest::Bare),
    ]
}

/// As a tuple it begins with its parenthesis, like the tuples of [`super::field`], which would match first otherwise.
const AUTHORIZATION: &str = r#"(?:[{(](?:<<)?[bu]?\\*["'](?:proxy-)?)?\bauthorization"#;

/// `: `, `": "`, `=[`, `" => "` and what else stands between the name of a header and its value.
const TO_VALUE: &str =
    r#"(?:\\*["'](?:>>)?,|\\*["'`]?(?:>>)?[ \t]*(?:=>|[:=]))[ \t]*\[?[ \t]*(?:<<|[bu])?\\*["'`]?"#;

/// Schemes of one token (RFC 9110 §11.4).
const SCHEME: &str = "(?:bearer|basic|dpop|token|apikey)";

const SCHEME_WITH_PARAMETERS: &str = "(?:digest|oauth|hawk|aws4-hmac-sha256|negotiate|ntlm|gnap|signature)";
