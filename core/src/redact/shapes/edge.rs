//! Where a word begins, and what may stand between words: logs are coloured, and texts are escaped within texts.
//!
//! Literals that constants are put together from, so each is a macro.

/// A colour or another look (ECMA-48 §8.3.117), as it is and escaped.
macro_rules! colour {
    () => {
        r"(?:\x1b|\\u001[Bb]|\\x1[Bb]|\\e|\\033)\[[0-9;]{0,12}m"
    };
}

/// What stands before a word and would be taken for a part of it: `\nstate`, `\u0026state`, `%26state`, also percent-encoded
/// again, and the `m` at the end of a colour, which comes first: it may begin like another.
macro_rules! escape {
    () => {
        concat!(
            "(?:",
            $crate::redact::shapes::edge::colour!(),
            r"|\\[nrt]|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%(?:25){0,3}[0-9A-Fa-f]{2})"
        )
    };
}

/// The beginning of a name.
macro_rules! edge {
    () => {
        concat!("(?:", $crate::redact::shapes::edge::escape!(), r"|\b)")
    };
}

/// White space, or none, in any colour.
macro_rules! gap {
    () => {
        concat!(
            "(?:",
            $crate::redact::shapes::edge::colour!(),
            r"){0,3}(?:[ \t]|%20){0,40}(?:",
            $crate::redact::shapes::edge::colour!(),
            "){0,3}"
        )
    };
}

pub(in crate::redact) use {colour, edge, escape, gap};
