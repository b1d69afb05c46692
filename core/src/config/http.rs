//! `[auth.http]`: how the network is reached.

use std::path::PathBuf;

use super::known::Section;
use super::origin::Sourced;
use super::reader::{Reader, Table};
use crate::secret::Secret;

/// `[auth.http]`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The URL of the proxy (http, https, socks5 or socks5h); secret, because it may hold a password.
    pub proxy: Option<Sourced<Secret>>,
    /// PEM certificates of authorities to trust besides those of the operating system.
    pub ca_file: Option<Sourced<PathBuf>>,
}

/// Reads `[auth.http]`.
pub(super) fn read(reader: &mut Reader<'_>, table: Table<'_, '_>) -> HttpConfig {
    let mut fields = reader.fields(Section::Http, table);
    HttpConfig { proxy: fields.take("proxy"), ca_file: fields.take("ca_file") }
}
