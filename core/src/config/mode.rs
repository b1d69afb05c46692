//! `auth_mode` of a tier or a local provider, and its old spelling `use_oauth`.

use super::choice::AuthMode;
use super::origin::{Origin, Sourced};
use super::reader::{Fields, Reader};
use super::row::{Row, join};

/// What a table says of the kind of credential that it wants.
#[derive(Debug, Default)]
pub(super) struct Mode {
    /// The kind; `None` where it does not say.
    pub(super) wanted: Option<Sourced<AuthMode>>,
    /// What the old spelling says, where it stands beside the new one, which wins.
    pub(super) beside: Option<Sourced<AuthMode>>,
}

/// Reads the kind of credential that the table at `path` wants.
pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields, path: &str) -> Mode {
    let wanted = fields.take::<AuthMode>("auth_mode");
    let Some(use_oauth) = fields.take::<bool>("use_oauth") else { return Mode { wanted, beside: None } };
    let old = if *use_oauth { AuthMode::Oauth } else { AuthMode::ApiKey };
    let old = Sourced::new(old, use_oauth.origin);
    match wanted {
        Some(wanted) if wanted.origin != Origin::Default => {
            if *wanted != *old {
                reader.note(
                    fields.key_at("use_oauth"),
                    "`use_oauth` disagrees with `auth_mode`, and `auth_mode` wins",
                    "Take `use_oauth` out.",
                );
            }
            Mode { wanted: Some(wanted), beside: Some(old) }
        }
        _ => {
            reader.row(Row::new(join(path, "auth_mode"), old.as_str(), &old.origin, false));
            Mode { wanted: Some(old), beside: None }
        }
    }
}
