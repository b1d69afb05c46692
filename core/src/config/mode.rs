//! `auth_mode` of a tier or a local provider, and its old spelling `use_oauth`.

use super::choice::AuthMode;
use super::origin::{Origin, Sourced};
use super::reader::{Fields, Reader};
use super::row::{Row, join};

/// The kind of credential that the table at `path` wants; `None` where it does not say.
pub(super) fn read(reader: &mut Reader<'_>, fields: &mut Fields, path: &str) -> Option<Sourced<AuthMode>> {
    let said = fields.take::<AuthMode>("auth_mode");
    let Some(use_oauth) = fields.take::<bool>("use_oauth") else { return said };
    let old = if *use_oauth { AuthMode::Oauth } else { AuthMode::ApiKey };
    match said {
        Some(said) if said.origin != Origin::Default => {
            if *said != old {
                reader.note(
                    fields.key_at("use_oauth"),
                    "`use_oauth` disagrees with `auth_mode`, and `auth_mode` wins",
                    "Take `use_oauth` out.",
                );
            }
            Some(said)
        }
        _ => {
            let mode = Sourced::new(old, use_oauth.origin);
            reader.row(Row::new(join(path, "auth_mode"), old.as_str(), &mode.origin, false));
            Some(mode)
        }
    }
}
