//! The answer of `import`.

use loomkin_auth::auth::Imported;
use serde::Serialize;

/// An entry that is kept by now, or was before.
#[derive(Debug, Serialize)]
pub(crate) struct ImportShape<'a> {
    pub(super) provider: &'a str,
    pub(super) account: &'a str,
    pub(super) kind: &'static str,
    pub(super) outcome: &'static str,
}

impl<'a> From<&'a Imported> for ImportShape<'a> {
    fn from(entry: &'a Imported) -> Self {
        Self {
            provider: entry.account.provider.as_str(),
            account: entry.account.account.as_str(),
            kind: entry.kind.as_str(),
            outcome: entry.outcome.as_str(),
        }
    }
}
