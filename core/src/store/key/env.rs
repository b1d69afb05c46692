//! A key from an environment variable.

use zeroize::Zeroizing;

use super::source::SourceSecret;
use super::wrap::{MIN_SECRET, check_length};
use crate::environment::Environment;
use crate::error::{Error, ErrorCode, Result};

/// The raw bytes of the variable `name`.
///
/// # Errors
///
/// `key_unavailable` when it is not set or shorter than 32 bytes.
pub(super) fn read(name: &str, environment: &Environment) -> Result<SourceSecret> {
    let advice = || format!("Set {name} to the key that the store is sealed with.");
    let Some(value) = environment.variable(name) else {
        return Err(Error::new(ErrorCode::KeyUnavailable, format!("the variable {name} is not set"))
            .with_advice(advice()));
    };
    check_length(&format!("the key in {name}"), value.len()).map_err(|error| error.with_advice(advice()))?;
    Ok(Zeroizing::new(value.as_bytes().to_vec()))
}

/// For a store that has no key yet: how to make one.
pub(super) fn with_recipe(error: Error, name: &str) -> Error {
    error.with_advice(format!("Make a key: export {name}=\"$(head -c {MIN_SECRET} /dev/urandom | base64)\""))
}
