//! The database that a URL names, and how the way to it is protected.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

/// What a URL says. It holds the password, and has no `Debug` for that reason.
pub(super) struct Target {
    pub(super) config: Config,
    /// The certificates of a private authority, trusted beside the system's.
    pub(super) authorities: Option<PathBuf>,
    pub(super) pool_size: usize,
}

impl Target {
    /// Reads `url`: what `tokio_postgres` knows, and `sslmode`, `sslrootcert` and `pool_size`.
    ///
    /// # Errors
    ///
    /// `config_invalid`. No part of the URL is in the text.
    pub(super) fn parse(url: &Secret) -> Result<Self> {
        // It is taken apart here, and goes to the database's client.
        let (base, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
        let (mut mode, mut authorities, mut pool_size) = (None, None, DEFAULT_POOL_SIZE);
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match name {
                "sslmode" => mode = Some(Mode::parse(value)?),
                "sslrootcert" => authorities = Some(PathBuf::from(decoded(value))),
                "pool_size" => pool_size = read_pool_size(value)?,
                "channel_binding" if value == "require" => {
                    return Err(invalid("channel binding is not supported").with_advice(
                        "Leave channel_binding out of `url`; the server's certificate is always verified.",
                    ));
                }
                _ => rest.push(pair),
            }
        }
        let plain = format!("{base}?{}", rest.join("&"));
        let mut config: Config =
            plain.parse().map_err(|_| invalid("`url` is not the address of a PostgreSQL database"))?;
        config.ssl_mode(mode.unwrap_or_else(|| Mode::default_for(&config)).to_ssl_mode(&config));
        set_bounds(&mut config);
        if config.get_application_name().is_none() {
            config.application_name("loomkin-auth");
        }
        if config.get_hosts().len() > 1 {
            // After a fail-over one of them is a standby, and which one is not known beforehand.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        Ok(Self { config, authorities, pool_size })
    }

    /// Whether certificates may have to be verified.
    pub(super) fn may_use_tls(&self) -> bool {
        self.config.get_ssl_mode() != SslMode::Disable
    }
}

/// How the way to the database is protected. Wherever there is TLS, the certificate and the host name are verified:
/// libpq's modes that encrypt for whoever answers are read as the next stronger one.
#[derive(Clone, Copy)]
enum Mode {
    Disable,
    Prefer,
    Verify,
}

impl Mode {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "disable" => Ok(Self::Disable),
            "allow" | "prefer" => Ok(Self::Prefer),
            "require" | "verify-ca" | "verify-full" => Ok(Self::Verify),
            _ => Err(invalid("`url` has an unknown sslmode")
                .with_advice("Use sslmode=disable, prefer, require or verify-full.")),
        }
    }

    /// A database elsewhere is reached by TLS unless the URL says otherwise; on this machine nobody listens in.
    fn default_for(config: &Config) -> Self {
        if config.get_hosts().iter().all(is_this_machine) { Self::Disable } else { Self::Verify }
    }

    fn to_ssl_mode(self, config: &Config) -> SslMode {
        match self {
            // Servers do not speak TLS on Unix sockets.
            _ if config.get_hosts().iter().all(|host| !matches!(host, Host::Tcp(_))) => SslMode::Disable,
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Verify => SslMode::Require,
        }
    }
}

/// Bounds what the URL leaves open, so that a host that vanished is noticed.
fn set_bounds(config: &mut Config) {
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(PATIENCE);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(10));
    }
    if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
        config.keepalives_idle(Duration::from_secs(30));
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1", "[::1]"].contains(&name.as_str()),
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn read_pool_size(text: &str) -> Result<usize> {
    text.parse().ok().filter(|size| (1..=MOST_CONNECTIONS).contains(size)).ok_or_else(|| {
        invalid("`url` has a pool_size that is no number from 1 to 64")
            .with_advice("Leave pool_size out, or name a small number: no connection is held for long.")
    })
}

fn decoded(value: &str) -> String {
    // One pair without a name; a plus sign is itself in a path.
    let value = value.replace('+', "%2B");
    url::form_urlencoded::parse(format!("={value}").as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

fn invalid(message: &str) -> Error {
    Error::new(ErrorCode::ConfigInvalid, message)
        .with_advice("Correct `url` in [auth.store]: postgres://user:password@host/database.")
}

/// The certificates in the file that `sslrootcert` names.
pub(super) fn read_authorities(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).map_err(|_| {
        invalid("the file that sslrootcert names cannot be read")
            .with_advice("Correct sslrootcert in `url`, or make the file readable.")
    })
}

/// How long anybody waits for a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Enough: no connection is held while HTTP runs, and a transaction takes about a millisecond.
const DEFAULT_POOL_SIZE: usize = 4;
const MOST_CONNECTIONS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> Result<Target> {
        Target::parse(&Secret::new(url))
    }

    #[test]
    fn a_database_elsewhere_is_reached_by_tls_unless_the_url_says_otherwise() {
        for (url, expected) in [
            ("postgres://ada:canary@db.example.com/auth", SslMode::Require),
            ("postgres://db.example.com/auth?sslmode=prefer", SslMode::Prefer),
            ("postgres://db.example.com/auth?sslmode=disable", SslMode::Disable),
            ("postgres://localhost/auth", SslMode::Disable),
            ("postgres://localhost/auth?sslmode=verify-full", SslMode::Require),
            ("postgres://localhost,db.example.com/auth", SslMode::Require),
            ("postgres:///auth?host=/run/postgresql&sslmode=require", SslMode::Disable),
        ] {
            assert_eq!(target(url).unwrap().config.get_ssl_mode(), expected, "{url}");
        }
    }

    #[test]
    fn what_the_url_says_is_kept() {
        let url = "postgres://ada:canary@a:5433,b/auth?pool_size=2&sslrootcert=/etc/my%20ca+1.pem&connect_timeout=3";
        let target = target(url).unwrap();
        assert_eq!(target.pool_size, 2);
        assert_eq!(target.authorities.unwrap(), Path::new("/etc/my ca+1.pem"));
        assert_eq!(target.config.get_ports(), [5433, 5432]);
        assert_eq!(target.config.get_connect_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(target.config.get_target_session_attrs(), TargetSessionAttrs::ReadWrite);
    }

    #[test]
    fn a_url_that_cannot_be_used_is_refused_and_not_shown() {
        for url in [
            "mysql://ada:canary@db/auth",
            "postgres://ada:canary@db/auth?sslmode=canary",
            "postgres://ada:canary@db/auth?pool_size=0",
            "postgres://ada:canary@db/auth?pool_size=canary",
            "postgres://ada:canary@db/auth?canary=1",
            "postgres://ada:canary@db/auth?channel_binding=require",
            "postgres://ada:canary@db:port/auth",
        ] {
            let error = target(url).err().unwrap();
            assert_eq!(error.code(), ErrorCode::ConfigInvalid, "{url}");
            let shown = format!("{error} {error:?} {}", error.advice());
            assert!(!shown.contains("canary"), "{shown}");
        }
    }
}
