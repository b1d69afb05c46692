//! What a server wants a person to see: it reaches a terminal, and so it is checked before.

use url::Url;

use crate::config::is_loopback;

/// A code that a person can read and type in. It is kept as it came, or not at all: a code that was cleaned is another.
pub(super) fn user_code(text: &str) -> Option<String> {
    let is_short = text.chars().take(MAX_USER_CODE + 1).count() <= MAX_USER_CODE;
    (is_short && !text.trim().is_empty() && !text.chars().any(is_unseen)).then(|| text.to_owned())
}

/// An address that a person may be sent to: https, or http on this machine, and without credentials, which would make
/// one host look like another. As an address it holds no character that a terminal would act on.
pub(super) fn verification_uri(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| url.as_str().len() <= MAX_URI)?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    (is_safe && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// Control characters, and those that reorder a line or take no room in it.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

const MAX_URI: usize = 2048;
const MAX_USER_CODE: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_shown_as_it_is_or_not_at_all() {
        for good in ["WDJB-MJHT", "019-450-730", "a b", "КОД-42", &"x".repeat(64)] {
            assert_eq!(user_code(good).as_deref(), Some(good));
        }
        let long = "x".repeat(65);
        for bad in ["", " ", "A\u{1b}[2J", "A\nB", "A\u{7f}", "A\u{9b}1m", "\u{202e}A", "A\u{200b}B", &long] {
            assert_eq!(user_code(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_person_is_sent_to_https_or_to_this_machine() {
        for good in ["https://example.com/device", "http://127.0.0.1:8/d", "https://example.com/#/d?x"] {
            assert_eq!(verification_uri(good).unwrap().as_str(), good);
        }
        let long = format!("https://example.com/{}", "x".repeat(2048));
        for bad in [
            "http://example.com/device",
            "https://example.com@evil.example/",
            "https://:pw@example.com/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "example.com/device",
            "",
            &long,
        ] {
            assert_eq!(verification_uri(bad), None, "{bad}");
        }
        let shown = verification_uri("https://ex\u{e4}mple.com/\u{1b}[2J\u{202e}").unwrap();
        assert!(shown.as_str().is_ascii() && !shown.as_str().contains('\u{1b}'), "{shown}");
    }
}
