//! A key from a file that only its owner can read.

use std::io::{Read, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::source::SourceSecret;
use super::wrap::{MIN_SECRET, check_length};
use crate::error::{Error, ErrorCode, Result};
use crate::random::Random;
use crate::store::files::{self, quoted};

/// The raw bytes of the file at `path`.
///
/// # Errors
///
/// `key_unavailable` when it is not there, cannot be read, is a link, a directory or somebody else's, is open to
/// others, or is shorter than 32 or longer than 4096 bytes.
pub(super) fn read(path: &Path) -> Result<SourceSecret> {
    let file = files::open_private(path, "the key file").map_err(unavailable)?;
    let mut secret = Zeroizing::new(Vec::with_capacity(MOST));
    let read = file.take(MOST as u64).read_to_end(&mut secret);
    if read.is_err() {
        return Err(Error::new(ErrorCode::KeyUnavailable, "the key file cannot be read")
            .with_advice(format!("Check the disk that holds {}.", quoted(path))));
    }
    if secret.len() == MOST {
        return Err(Error::new(ErrorCode::KeyUnavailable, "the key file is longer than 4096 bytes")
            .with_advice("Name a file that holds the key alone."));
    }
    check_length("the key file", secret.len()).map_err(|error| {
        error.with_advice(format!("Put the key that the store is sealed with into {}.", quoted(path)))
    })?;
    Ok(secret)
}

/// Makes sure that there is a key file at `path`, with the key `text` where there was none. One that is there is
/// kept: somebody may have died between writing it and making the data key.
pub(super) fn read_or_make(path: &Path, text: &str) -> Result<()> {
    if path.symlink_metadata().is_err() {
        files::make_private(path, |file| file.write_all(text.as_bytes())).map_err(unavailable)?;
    }
    read(path).map(drop)
}

/// A random key, as one line of base64: so it can be copied by hand.
pub(super) fn make_text(random: &dyn Random) -> Result<Zeroizing<String>> {
    let mut secret = Zeroizing::new([0; MIN_SECRET]);
    random.fill(&mut *secret)?;
    let mut text = Zeroizing::new(String::with_capacity(64));
    STANDARD.encode_string(*secret, &mut text);
    text.push('\n');
    Ok(text)
}

/// For a store that has no key yet: how to make one where the trouble is that there is none, or a short one.
pub(super) fn with_recipe(error: Error, path: &Path) -> Error {
    if path.symlink_metadata().is_ok_and(|found| !found.is_file() || found.len() >= MIN_SECRET as u64) {
        return error;
    }
    let quoted = quoted(path);
    error.with_advice(format!(
        "Make a key: (umask 077; head -c {MIN_SECRET} /dev/urandom | base64 > {quoted})"
    ))
}

fn unavailable(error: Error) -> Error {
    Error::new(ErrorCode::KeyUnavailable, error.message()).with_advice(error.advice())
}

/// One byte more than a key file may have.
const MOST: usize = 4097;
