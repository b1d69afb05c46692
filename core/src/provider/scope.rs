//! Scopes: their syntax (RFC 6749 §3.3), and what was granted of those that were asked for.

use std::collections::BTreeSet;

/// A granted scope together with those that come with it, which a server leaves out of its answer, or other names for it.
pub type Covers = (&'static str, &'static [&'static str]);

/// Whether `text` is one scope: `scope-token = 1*( %x21 / %x23-5B / %x5D-7E )` (RFC 6749 §3.3).
pub fn is_scope(text: &str) -> bool {
    let allowed = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    !text.is_empty() && text.bytes().all(allowed)
}

/// Whether who asks for `scopes` asks for an ID token (OpenID Connect Core §3.1.2.1).
pub fn asks_for_id_token(scopes: &[String]) -> bool {
    scopes.iter().any(|scope| scope == "openid")
}

/// All scopes of `lists`, each once, in the order in which they first come.
pub fn join_scopes<'a>(lists: impl IntoIterator<Item = &'a [String]>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    lists.into_iter().flatten().filter(|scope| seen.insert(scope.as_str())).cloned().collect()
}

/// Those of `asked` that are not in `granted`, nor come with anything in it by `covers`.
///
/// Where nothing is known to be granted, nothing is known to be missing: there are servers, and kinds of registrations, that
/// give rights without scopes. `openid` and `offline_access` are never missing: servers leave them out of the answer, and
/// what they ask for is there or not without them, an ID token and a refresh token.
pub fn missing_scopes(asked: &[String], granted: &[String], covers: &[Covers]) -> Vec<String> {
    if granted.is_empty() {
        return Vec::new();
    }
    let mut there: BTreeSet<_> = ["offline_access", "openid"].into_iter().collect();
    for scope in granted {
        there.insert(scope);
        there.extend(covers.iter().filter(|(broad, _)| broad == scope).flat_map(|(_, others)| *others));
    }
    asked.iter().filter(|scope| !there.contains(scope.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn a_scope_has_no_white_space_no_quotes_and_no_backslash() {
        for scope in ["repo", "read:user", "https://www.googleapis.com/auth/drive", "!", "~", "a#b"] {
            assert!(is_scope(scope), "{scope}");
        }
        for other in ["", "a b", "a\"b", "a\\b", "é", "a\tb", "a\n", "\u{7f}"] {
            assert!(!is_scope(other), "{other:?}");
        }
    }

    #[test]
    fn joined_lists_have_each_scope_once_and_keep_their_order() {
        let (one, two) = (list("openid repo"), list("gist openid"));
        assert_eq!(join_scopes([&one[..], &two, &one]), list("openid repo gist"));
    }

    #[test]
    fn what_was_asked_for_and_not_granted_is_missing() {
        const COVERS: &[Covers] = &[("user", &["read:user", "user:email"])];
        for (asked, granted, missing) in [
            ("repo gist", "repo", "gist"),
            ("repo gist", "gist repo more", ""),
            ("openid offline_access repo", "repo", ""),
            ("read:user repo", "user repo", ""),
            ("user", "read:user", "user"),
            ("repo", "", ""),
        ] {
            assert_eq!(
                missing_scopes(&list(asked), &list(granted), COVERS),
                list(missing),
                "{asked} of {granted}"
            );
        }
    }
}
