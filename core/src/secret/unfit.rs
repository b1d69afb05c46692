//! Which texts cannot be an API key or a bearer token, because of how they were copied.

/// Why a text cannot be a static credential. It holds nothing of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unfit {
    /// What is wrong with it, to follow "…: ".
    pub(crate) reason: &'static str,
    /// What to do, in one or two sentences.
    pub(crate) help: &'static str,
}

/// Says why `text` cannot be a static credential. One that passes is visible ASCII, at most 16 KiB of it, so that it can
/// stand in a header field (RFC 9110 §5.5).
pub(crate) fn unfit(text: &str) -> Option<Unfit> {
    let copied = "Copy it again from the provider's page; look for quotes and spaces around it.";
    let (reason, help) = if text.is_empty() {
        ("it is empty", "Copy it again from the provider's page.")
    } else if text.len() > LONGEST {
        ("it is longer than 16 KiB", "Copy the key alone, and not the file or the page that it stands in.")
    } else if text.starts_with('\u{feff}') {
        ("it begins with a byte order mark", "Save the file that it comes from as UTF-8 without one.")
    } else if text.chars().any(char::is_control) {
        (
            "it has a line break or another control character",
            "Take it out; a trailing line break often comes from how a variable was filled.",
        )
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        ("it has a space or a character outside ASCII", copied)
    } else if text.starts_with(QUOTES) || text.ends_with(QUOTES) {
        ("it has quotes around it", copied)
    } else if is_reference(text) {
        (
            "it is the name of a variable, and not what that holds",
            "Write `${NAME}` in the configuration file, or give what the variable holds.",
        )
    } else {
        return None;
    };
    Some(Unfit { reason, help })
}

/// `$NAME`, `${NAME}`, `%NAME%`, or a name that only a variable has.
fn is_reference(text: &str) -> bool {
    let inside = |before: &str, after: &str| text.strip_prefix(before)?.strip_suffix(after);
    let marked = inside("${", "}").or(inside("%", "%")).or(inside("$", ""));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let is_shouted = |name: &str| is_name(name) && !name.contains(|c: char| c.is_ascii_lowercase());
    marked.is_some_and(is_name) || is_shouted(text) && ENDS.iter().any(|end| text.ends_with(end))
}

const LONGEST: usize = 16 * 1024;
const QUOTES: [char; 3] = ['"', '\'', '`'];
const ENDS: [&str; 4] = ["_KEY", "_PAT", "_SECRET", "_TOKEN"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_give_out_passes() {
        for text in [
            "sk-proj-aB3_x-9",
            "ghp_0123456789abcdefABCDEF",
            "glpat-x.01.y",
            "AIzaSy-_09",
            "1|laravel",
            "a.b~c+d/e==",
            "OPENAI",
            "ABC_DEF",
            "$ecret!",
            &"k".repeat(LONGEST),
        ] {
            assert_eq!(unfit(text), None, "{text}");
        }
    }

    #[test]
    fn what_was_copied_badly_is_told_with_its_reason() {
        let long = "k".repeat(64 * 1024);
        for (text, reason) in [
            ("", "it is empty"),
            (&*long, "it is longer than 16 KiB"),
            ("\u{feff}sk-a", "it begins with a byte order mark"),
            ("sk-a\n", "it has a line break or another control character"),
            ("sk\r\n-a", "it has a line break or another control character"),
            (" sk-a", "it has a space or a character outside ASCII"),
            ("sk a", "it has a space or a character outside ASCII"),
            ("“sk-a”", "it has a space or a character outside ASCII"),
            ("sk-\u{200b}a", "it has a space or a character outside ASCII"),
            ("\"sk-a\"", "it has quotes around it"),
            ("'sk-a", "it has quotes around it"),
            ("OPENAI_API_KEY", "it is the name of a variable, and not what that holds"),
            ("$key", "it is the name of a variable, and not what that holds"),
            ("${OPENAI_API_KEY}", "it is the name of a variable, and not what that holds"),
            ("%KEY%", "it is the name of a variable, and not what that holds"),
        ] {
            assert_eq!(unfit(text).map(|unfit| unfit.reason), Some(reason), "{}", text.len());
        }
    }
}
