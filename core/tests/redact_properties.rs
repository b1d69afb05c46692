//! Whatever stands in a text, and in whatever pieces it comes: no secret gets out, and nothing else is lost.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::io::Write;

use loomkin_auth::redact::{MASK, RedactingWriter, Redactor};
use loomkin_auth::secret::Secret;
use proptest::prelude::*;
use url::form_urlencoded;

/// Pieces that are near to secrets, so that openers, rests and what ends them meet in every order.
const PIECES: &[&str] = &[
    "access_token",
    "code",
    "state",
    "password",
    "Authorization",
    "Bearer ",
    "Basic ",
    "Cookie: ",
    "ghp_",
    "sk-ant-",
    "eyJhbGci",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "ada@example.com",
    "https://",
    "ada:",
    "password: hunter",
    "?code=plainword&state=",
    "Token token=",
    "1|",
    "\\n",
    "%20",
    "\u{1b}[32m",
    "A1b2C3d4E5f6G7h8I9j0K1l2",
    "not_connected",
    "\"",
    "'",
    "\\",
    "\\\"",
    "=",
    ": ",
    " => ",
    "&",
    ".",
    ",",
    "{",
    "(",
    " ",
    "\n",
    "\r\n",
    "é",
    "\u{2028}",
    MASK,
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

/// Secrets of any characters but those of the mask, which would be masks of themselves.
fn secret() -> impl Strategy<Value = String> {
    "[A-Z0-9!-@\\\\~é]{8,60}"
}

fn knowing(secret: &str) -> Redactor {
    Redactor::new([&Secret::new(secret)]).unwrap()
}

fn in_pieces(redactor: &Redactor, bytes: &[u8], sizes: &[usize]) -> Vec<u8> {
    let mut masked = Vec::new();
    let mut writer = RedactingWriter::new(redactor.clone(), &mut masked);
    let mut rest = bytes;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at(rest.len().min(*size));
        writer.write_all(now).unwrap();
        writer.flush().unwrap();
        rest = later;
    }
    writer.finish().unwrap();
    drop(writer);
    masked
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_give_the_same_result(
        text in text(),
        secret in secret(),
        sizes in prop::collection::vec(1usize..50, 1..8),
    ) {
        let redactor = knowing(&secret);
        let text = format!("{text}{secret}{text}");
        let whole = redactor.redact(&text);
        prop_assert_eq!(whole.as_bytes(), in_pieces(&redactor, text.as_bytes(), &sizes));
    }

    #[test]
    fn what_is_masked_stays_as_it_is(text in text()) {
        let redactor = Redactor::default();
        let once = redactor.redact(&text).into_owned();
        prop_assert_eq!(redactor.redact(&once), once.as_str());
    }

    #[test]
    fn a_known_secret_never_gets_out(before in text(), secret in secret(), after in text()) {
        let masked = knowing(&secret).redact(&format!("{before}{secret}{after}")).into_owned();
        prop_assert!(!masked.contains(&secret), "{}", masked);
    }

    #[test]
    fn a_known_secret_is_found_in_every_encoding(secret in secret(), client in "[a-z0-9-]{0,12}") {
        use base64::Engine;
        use base64::engine::general_purpose::STANDARD;

        let redactor = knowing(&secret);
        let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let json = serde_json::to_string(&secret).unwrap();
        let json = &json[1..json.len() - 1];
        for form in [encoded.as_str(), json, &json.replace('/', "\\/")] {
            let masked = redactor.redact(&format!("<{form}>")).into_owned();
            prop_assert_eq!(masked, format!("<{}>", MASK));
        }
        // Only the characters that the neighbours have a part in may remain.
        let basic = STANDARD.encode(format!("{client}:{secret}:"));
        let masked = redactor.redact(&format!("<{basic}>")).into_owned();
        prop_assert!(masked.contains(MASK), "{}", masked);
        prop_assert!(masked.len() <= 2 + MASK.len() + (client.len() + 1) * 4 / 3 + 6, "{}", masked);
    }

    #[test]
    fn ordinary_text_around_a_secret_is_kept(before in "[a-z ]{0,30}", secret in secret(), after in "[a-z ]{0,30}") {
        let masked = knowing(&secret).redact(&format!("{before} <{secret}> {after}")).into_owned();
        prop_assert_eq!(masked, format!("{} <{}> {}", before, MASK, after));
    }

    #[test]
    fn bytes_that_are_no_text_pass_through(bytes in prop::collection::vec(128u8.., 0..300), sizes in prop::collection::vec(1usize..50, 1..4)) {
        prop_assert_eq!(in_pieces(&Redactor::default(), &bytes, &sizes), bytes);
    }
}
