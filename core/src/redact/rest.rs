//! How a secret goes on behind its opener, for as long as it likes.

use std::ops::ControlFlow;

/// Which bytes belong to a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Rest {
    /// A value without quotes, to white space or a delimiter.
    Bare,
    /// All of a line, for headers whose values have delimiters of their own.
    Line,
    /// Nothing: what matched is ordinary although it looks like more.
    Nothing,
    /// Nothing more: what matched is the whole secret.
    Opener,
    /// A password in an address, to the `@`.
    Password,
    /// The inside of a PEM block: base64 on lines, or with escaped line ends on one.
    Pem,
    /// A value in the quotes that the opener ends with.
    Quoted,
    /// A key: letters, digits, `_`, `-`, and dots between them.
    Word,
}

/// A secret that is being read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body {
    rest: Rest,
    /// The last byte of what is kept of the opener.
    quote: u8,
    /// How many backslashes are before it: 1 in JSON that is a string of JSON, then 3, 7 and so on.
    depth: usize,
}

impl Body {
    pub(super) fn new(rest: Rest, opener: &[u8]) -> Self {
        let quote = opener.last().copied().unwrap_or_default();
        let depth = opener.iter().rev().skip(1).take_while(|byte| **byte == b'\\').count();
        Self { rest, quote, depth }
    }

    /// Where the secret ends that goes on at `start` of `text` (`Break`), or from where to look on once there is more text
    /// (`Continue`); all before that is secret.
    pub(super) fn end(self, text: &[u8], start: usize) -> ControlFlow<usize, usize> {
        let inside = &text[start..];
        let end = match self.rest {
            Rest::Bare => (start..text.len()).find(|at| !is_bare(text, *at)).map(|end| end - start),
            Rest::Line => inside.iter().position(|byte| matches!(byte, b'\r' | b'\n')),
            Rest::Nothing | Rest::Opener => Some(0),
            Rest::Password => inside.iter().position(|byte| *byte == b'@' || is_delimiter(*byte)),
            Rest::Pem => inside.iter().position(|byte| !is_pem(*byte)),
            Rest::Quoted => return self.closing_quote(text, start),
            Rest::Word => return end_of_word(text, start),
        };
        end.map_or(ControlFlow::Continue(text.len()), |end| ControlFlow::Break(start + end))
    }

    /// A quote is inside the value if it is escaped at the depth of the value. One more depth doubles the backslashes and
    /// adds one; what is escaped twice as deep is a backslash before a quote that closes.
    fn closing_quote(self, text: &[u8], start: usize) -> ControlFlow<usize, usize> {
        let escaped = 2 * self.depth + 1;
        let mut at = start;
        while let Some(ahead) = text[at..].iter().position(|byte| self.may_close(*byte)) {
            at += ahead;
            let run = text[at..].iter().take_while(|byte| **byte == b'\\').count();
            match text.get(at + run) {
                None => return ControlFlow::Continue(at),
                Some(b'\n') => return ControlFlow::Break(at + run),
                Some(byte) if *byte == self.quote && run % (escaped + 1) != escaped => {
                    return ControlFlow::Break(at + run - run.min(self.depth));
                }
                Some(_) => at += run + 1,
            }
        }
        ControlFlow::Continue(text.len())
    }

    fn may_close(self, byte: u8) -> bool {
        byte == self.quote || matches!(byte, b'\\' | b'\n')
    }
}

/// A dot belongs to a word only where the word goes on behind it: it may end a sentence.
fn end_of_word(text: &[u8], start: usize) -> ControlFlow<usize, usize> {
    let mut at = start;
    loop {
        at += text[at..].iter().take_while(|byte| is_word(**byte)).count();
        match (text.get(at), text.get(at + 1)) {
            (Some(b'.'), Some(next)) if is_word(*next) => at += 2,
            (None, _) | (Some(b'.'), None) => return ControlFlow::Continue(at),
            _ => return ControlFlow::Break(at),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// A `|` behind a digit is not the end of a value: numbered tokens have one.
fn is_bare(text: &[u8], at: usize) -> bool {
    let behind_number = || at.checked_sub(1).is_some_and(|before| text[before].is_ascii_digit());
    !is_delimiter(text[at]) || (text[at] == b'|' && behind_number())
}

fn is_delimiter(byte: u8) -> bool {
    let is_mark = matches!(
        byte,
        b'"' | b'\''
            | b'`'
            | b'&'
            | b';'
            | b','
            | b'('
            | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'<'
            | b'>'
            | b'\\'
            | b'|'
    );
    is_mark || byte.is_ascii_control() || byte == b' '
}

fn is_pem(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(rest: Rest, opener: &str, text: &str) -> ControlFlow<usize, usize> {
        Body::new(rest, opener.as_bytes()).end(text.as_bytes(), 0)
    }

    #[test]
    fn a_quote_that_is_escaped_is_inside_at_every_depth() {
        use ControlFlow::{Break, Continue};
        for (opener, text, expected) in [
            ("\"", r#"ab","#, Break(2)),
            ("\"", r#"a\"b""#, Break(4)),
            ("\"", r#"a\\","#, Break(3)),
            ("\"", "it's\"", Break(4)),
            ("'", "a\"b'", Break(3)),
            (r#"\""#, r#"ab\","#, Break(2)),
            (r#"\""#, r#"a\\\"b\""#, Break(6)),
            (r#"\""#, r#"a\\\\\","#, Break(5)),
            (r#"\""#, r#"ab""#, Break(2)),
            (r#"\\\""#, r#"ab\\\","#, Break(2)),
            ("\"", "ab\ncd\"", Break(2)),
            ("\"", "abc", Continue(3)),
            ("\"", r"ab\", Continue(2)),
        ] {
            assert_eq!(end(Rest::Quoted, opener, text), expected, "{opener} {text}");
        }
    }

    #[test]
    fn a_dot_that_ends_a_sentence_is_no_part_of_a_key() {
        assert_eq!(end(Rest::Word, "", "ab.cd. Then"), ControlFlow::Break(5));
        assert_eq!(end(Rest::Word, "", "ab."), ControlFlow::Continue(2));
    }
}
