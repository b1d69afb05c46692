//! Fields: a name that says what the value is, in the notations of JSON, forms, environments and many languages.

use super::edge::{colour, edge, gap};
use super::{Kept, Shape, after, behind, ordinary, ordinary_before};
use crate::redact::rest::Rest;

pub(super) fn shapes() -> Vec<Shape> {
    let any = format!("(?:{TELLING}|{VAGUE})");
    vec![
        // An answer of an authorization server (RFC 6749 §4.1.2): its code is one, whatever it looks like.
        Shape {
            opener: format!("(?i)[?&]code=(?-i:{WORD})&state="),
            kept: Kept::ThroughEquals,
            rest: Rest::Bare,
        },
        after(format!("(?i)[?&]state=(?-i:{WORD})&code="), Rest::Bare),
        // `"code": "not_connected"`, `state=open`: words that a program chose are no secrets.
        ordinary(format!(r#"(?i){VAGUE}{TO_QUOTE}(?-i:{WORD})\\{{0,15}}["'`]"#)),
        ordinary_before(1, format!("(?i){VAGUE}{EQUALS}(?-i:{WORD}){END}")),
        ordinary_before(3, format!("(?i){VAGUE}{EQUALS}(?-i:{WORD})%26")),
        ordinary_before(1, format!("(?i){VAGUE}{SPACED}(?-i:{WORD}){END}")),
        ordinary(format!(r#"(?i){TUPLE}{VAGUE}{IN_TUPLE}(?-i:{WORD})\\{{0,15}}["'`]"#)),
        // `("access_token", "refresh_token")`
        ordinary(format!(
            r#"(?i){TUPLE}{TELLING}{IN_TUPLE}(?:{TELLING}|expires_in|scope|token_type)\\{{0,15}}["'`]"#
        )),
        // No value at all, or where one would come from.
        ordinary_before(1, format!("(?i){any}(?:{EQUALS}|{SPACED})(?:{NO_VALUE})")),
        ordinary_before(1, format!(r"(?i){LINE}{TELLING}{SPACED}(?:{NO_VALUE}|{TYPE}[\s,;=])")),
        after(format!(r"(?i)(?:{any}|{IN_QUOTES_ONLY}){TO_QUOTE}"), Rest::Quoted),
        after(format!(r"(?i){TUPLE}(?:{any}|{IN_QUOTES_ONLY}){IN_TUPLE}"), Rest::Quoted),
        after(format!(r"(?i)(?:{any}){EQUALS}"), Rest::Bare),
        after(format!(r"(?i){TELLING}>"), Rest::Bare),
        // `api_key: abc123` is a field; `password: too short` and `token: String` are not.
        behind(format!(r"(?i){TELLING}{SPACED}{NO_WORD}"), b" \t:=", Rest::Bare),
        behind(format!("(?i){VAGUE}{SPACED}{RANDOM}"), b" \t:=", Rest::Bare),
        // A word that has a line for itself is a setting.
        behind(
            format!(r"(?i){LINE}{TELLING}{SPACED}[a-z0-9_~/+.!@#$%^*?-]{{1,128}}\r?\n"),
            b" \t:=",
            Rest::Bare,
        ),
    ]
}

/// A piece of an error code in capitals: `ECONNREFUSED`, `HTTP2`, `E0277`, `23505`, `42P01`.
macro_rules! capitals {
    () => {
        "(?:[A-Z]{1,16}[0-9]{0,2}|[A-Z]{1,4}[0-9]{1,6}|[0-9]{1,10}|[A-Z0-9]{1,5})"
    };
}

/// Names that nothing else has. Longer names may end with them.
const TELLING: &str = "(?:\
    (?:access|refresh|id|auth|api|app|bot|session|bearer|subject|actor|personal|device|registration|security|[a-z0-9]_)[_-]?token|\
    (?:client|app|consumer|device|signing|webhook|shared|token|auth|[a-z0-9]_)[_-]?secret|\
    (?:api|auth|private|secret|signing|encryption|access|master|service|subscription)[_-]?key|\
    code[_-]?verifier|device[_-]?code|user[_-]?code|passw(?:or)?d|passphrase|client[_-]?assertion|session[_-]?id|\
    account[_-]?id|account[_-]?login|login[_-]?hint)";

/// Names that other things have too: their values count unless they are words.
const VAGUE: &str = concat!(edge!(), "(?:token|secret|assertion|code|state|jwt|email)");

/// Names of headers, whose values without quotes are read by the rules of headers.
const IN_QUOTES_ONLY: &str = concat!(edge!(), "(?:authorization|set-cookie|cookie)");

/// From a name to the value in quotes: `": "`, `: "`, `" => "`, `="`, `: Some("`, `" => <<"`, `: b'`, each also escaped.
const TO_QUOTE: &str = concat!(
    r#"\\{0,15}["'`]?\]?"#,
    gap!(),
    "(?::=|=>|[:=])",
    gap!(),
    r#"(?:Some\(|Optional\(|<<|\[|[bu])?\\{0,15}["'`]"#
);

/// `{"name", "value"}`, `('name', 'value')`: before the name, and from it to the value.
const TUPLE: &str = r#"[{(](?:<<)?[bu]?\\{0,15}["'][a-z0-9_-]{0,64}"#;
const IN_TUPLE: &str = r#"\\{0,15}["'](?:>>)?,[ \t]{0,40}(?:<<|[bu])?\\{0,15}["']"#;

/// Of forms, environments and inspected maps; `%3D` in an address within an address.
const EQUALS: &str = concat!("(?:", colour!(), "){0,3}(?:=|%3D)(?:", colour!(), "){0,3}");

/// Of YAML, headers and settings.
const SPACED: &str = concat!(r#"["'`]?(?:(?:"#, colour!(), "){0,3}:", gap!(), "|", gap!(), "=", gap!(), ")");

/// The beginning of a line, and of the name on it.
const LINE: &str = concat!("(?m:^)", gap!(), "(?:- )?[a-z0-9_.-]{0,64}");

/// An error code or a state: `not_connected`, `ERR_TIMED_OUT`, `P2002`, `rate-limit`, `oauth.denied`, `404`, `0x80070005`.
/// Capitals and digits in any order are none, unless they are few.
const WORD: &str = concat!(
    "(?:[A-Z]?[a-z]{1,24}(?:[_.-](?:[a-z]{1,24}|[0-9]{1,3})){0,8}|0x[0-9A-Fa-f]{1,8}|",
    capitals!(),
    "(?:_",
    capitals!(),
    "){0,8})"
);

/// What a word ends before: white space or a delimiter, behind the marks of a sentence. Secrets go on behind other marks.
const END: &str = r#"[.:!?|]{0,3}[\x00-\x20"'`&;,()\[\]{}<>\\]"#;

/// The beginning of a value that is no word of a language or a program: it has a digit, or is very long.
const NO_WORD: &str = "(?:[a-z_~/+-]{0,23}[0-9]|[a-z_~/+-]{24})";

/// A value that no program chose as a word: it is long and has a digit.
const RANDOM: &str = "[a-z_~/+.-]{0,23}[0-9][0-9a-z_~/+.|-]{15}";

/// What a declaration has where a setting has its value.
const TYPE: &str = "(?:string|str|bytes|boolean|bool|integer|int|object|any)[!?]?";

/// What stands where a value would: nothing, a type, a masked one, a variable that will be filled in. Nothing may follow, or
/// it is a secret that begins like that.
const NO_VALUE: &str = r#"(?:nil|null|none|undefined|true|false|[iu](?:8|16|32|64|128)|f32|f64|secret\(elided\)|self\.[a-z_.]{1,64}|\*{3,16}|(?-i:\$[A-Z_][A-Z0-9_]{0,63}))[\s"'`,;&()\[\]{}<>|\\]|\$[{(]"#;
