//! Addresses: of people, whom a log should not name, and of servers with a password in them.

use super::{Shape, after, ordinary, ordinary_before, whole};
use crate::redact::rest::Rest;

pub(super) fn shapes() -> Vec<Shape> {
    vec![
        ordinary(r"\bgit@"),
        // `getty@tty1.service` is a unit of systemd, `logo@2x.png` a file.
        ordinary(format!(
            r"{LOCAL}@{LABELS}(?:service|socket|timer|slice|scope|target|mount|png|jpe?g|gif|svg|webp)\b"
        )),
        whole(format!("{LOCAL}@{LABELS}[A-Za-z]{{2,24}}")),
        // `http://localhost:4200/` has a port, and `http://{host}:{port}` will have one.
        ordinary_before(
            1,
            format!(r"{HOST}:(?:[0-9]{{1,5}}(?:[^0-9A-Za-z@:%_.~!$*+-]|\.[^0-9A-Za-z])|\$?[{{<(])"),
        ),
        after(format!("{HOST}:"), Rest::Password),
    ]
}

/// The common part of RFC 5321 §4.1.2, in the length of §4.5.3.1.1.
const LOCAL: &str = "[A-Za-z0-9._%+-]{1,64}";

/// As long as RFC 1035 §2.3.4 has a label, and as many as any name of a mail server.
const LABELS: &str = r"(?:[A-Za-z0-9-]{1,63}\.){1,8}";

/// `scheme://host`, or the user before a password (RFC 3986 §3.2.1).
const HOST: &str = r#"[A-Za-z0-9]://[^/?#\s:@"'`\[\]<>\\(){}|^*,;]{0,255}"#;
