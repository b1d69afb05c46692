//! Header fields, in requests and answers and in what people copy from them.

use super::edge::{edge, gap};
use super::{Shape, after, behind};
use crate::redact::rest::Rest;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        // `Token token="…"` has parameters under the name of a scheme of one token.
        behind(
            format!(
                r#"(?i){AUTHORIZATION}{TO_VALUE}token[ \t]{{1,40}}(?-i:[a-z_]{{1,16}})=\\{{0,15}}["'a-z0-9]"#
            ),
            b" \t",
            Rest::Line,
        ),
        // `Bearer "…"`; `"Bearer " + token` ends a text of a program there.
        behind(
            format!(r#"(?i){AUTHORIZATION}{TO_VALUE}{SCHEME}{SPACE}\\{{0,15}}["'][a-z0-9._~+/-]"#),
            b"\"'",
            Rest::Quoted,
        ),
        after(format!("(?i){AUTHORIZATION}{TO_VALUE}{SCHEME}{SPACE}"), Rest::Bare),
        after(format!("(?i){AUTHORIZATION}{TO_VALUE}{SCHEME_WITH_PARAMETERS}{SPACE}"), Rest::Line),
        behind(
            concat!("(?i)", edge!(), "authorization[:=]", gap!(), "[a-z0-9._~+/-]{20}"),
            b" \t:=",
            Rest::Bare,
        ),
        behind(
            concat!("(?i)", edge!(), "(?:set-)?cookie:", gap!(), "[a-z0-9!#$%^*+._|~-]{1,128}="),
            b" \t:",
            Rest::Line,
        ),
        // Without the name of the header, `Bearer` and `Basic` are words: what follows must not be one.
        behind(
            concat!(
                "(?i)",
                edge!(),
                r"(?:bearer|dpop)[ \t]{1,40}(?:[a-z_.~+/-]{0,23}[0-9][a-z0-9_.~+/-]{7}|[a-z_.~+/-]{24})"
            ),
            b" \t",
            Rest::Bare,
        ),
        behind(
            concat!("(?i)", edge!(), r"basic[ \t]{1,40}(?:[a-z+/]{0,23}[0-9][a-z0-9+/]{7}|[a-z+/]{24})"),
            b" \t",
            Rest::Bare,
        ),
    ]
}

/// As a tuple it begins with its parenthesis, like the tuples of [`super::field`], which would match first otherwise.
const AUTHORIZATION: &str =
    concat!(r#"(?:[{(](?:<<)?[bu]?\\{0,15}["'](?:proxy-)?)?"#, edge!(), "authorization");

/// `: `, `": "`, `=[`, `" => "` and what else stands between the name of a header and its value.
const TO_VALUE: &str = concat!(
    r#"(?:\\{0,15}["'](?:>>)?,|\\{0,15}["'`]?(?:>>)?"#,
    gap!(),
    "(?:=>|[:=]|%3A))",
    gap!(),
    r#"\[?[ \t]{0,40}(?:<<|[bu])?\\{0,15}["'`]?"#
);

/// Schemes of one token (RFC 9110 §11.4).
const SCHEME: &str = "(?:bearer|basic|dpop|token|apikey)";

/// Behind a scheme.
const SPACE: &str = r"(?:[ \t]|%20){1,40}";

const SCHEME_WITH_PARAMETERS: &str = "(?:digest|oauth|hawk|aws4-hmac-sha256|negotiate|ntlm|gnap|signature)";
