//! What lies around the program: ports, and other versions of it.

use std::path::PathBuf;

use super::{Finding, FindingCode};
use crate::account::AccountKey;
use crate::error::Error;

/// A fixed redirect URI whose port cannot be listened on.
#[derive(Clone, Debug)]
pub struct TakenPort {
    /// The account whose logins need it.
    pub account: AccountKey,
    /// The redirect URI.
    pub redirect_uri: String,
    /// What stands in the way.
    pub error: Error,
}

/// Another program of the same name on the path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OtherProgram {
    /// Where it is.
    pub path: PathBuf,
    /// Its version, where it says.
    pub version: Option<String>,
    /// Whether a shell would start it, and not the program that asks.
    pub comes_first: bool,
}

/// What a login would find taken.
pub fn examine_ports(ports: &[TakenPort]) -> Vec<Finding> {
    ports
        .iter()
        .map(|port| {
            let message = format!("{} ({})", port.error.message(), port.redirect_uri);
            Finding::new(FindingCode::PortTaken, message, port.error.advice()).about(&port.account)
        })
        .collect()
}

/// Programs of another version than `own`. A second copy of one version does no harm.
pub fn examine_programs(programs: &[OtherProgram], own: &str) -> Vec<Finding> {
    programs
        .iter()
        .filter(|program| program.version.as_deref() != Some(own))
        .map(|program| {
            let path = program.path.display().to_string();
            let quoted = path.replace('\'', r"'\''");
            let version = match program.version.as_deref() {
                Some(version) if is_older(version, own) => format!("the older version {version}"),
                Some(version) => format!("version {version}"),
                None => "a version that does not say which".to_owned(),
            };
            let order = if program.comes_first { ", which shells start first" } else { "" };
            let message = format!("{path} is {version}{order}; this is {own}");
            Finding::new(FindingCode::VersionOther, message, format!("Update it, or run: rm '{quoted}'"))
        })
        .collect()
}

/// By the numbers of `1.22.3`; what follows them does not count.
fn is_older(version: &str, own: &str) -> bool {
    let numbers = |text: &str| {
        let core = text.split(['-', '+']).next().unwrap_or_default();
        core.split('.').map(|part| part.parse::<u64>().ok()).collect::<Option<Vec<_>>>()
    };
    matches!((numbers(version), numbers(own)), (Some(version), Some(own)) if version < own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    fn program(version: Option<&str>, comes_first: bool) -> OtherProgram {
        OtherProgram {
            path: "/usr/bin/loomkin-auth".into(),
            version: version.map(str::to_owned),
            comes_first,
        }
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_older("0.9.0", "0.10.0"));
        assert!(is_older("1.2.3-rc.1", "1.2.4"));
        assert!(!is_older("1.2.3", "1.2.3"));
        assert!(!is_older("2.0.0", "1.9.9"));
        assert!(!is_older("unknown", "1.0.0"));
    }

    #[test]
    fn another_version_is_told_and_a_copy_is_not() {
        assert_eq!(examine_programs(&[program(Some("0.2.0"), true)], "0.2.0"), []);
        let findings = examine_programs(&[program(Some("0.1.0"), true), program(None, false)], "0.2.0");
        assert_eq!(
            findings[0].message,
            "/usr/bin/loomkin-auth is the older version 0.1.0, which shells start first; this is 0.2.0"
        );
        assert_eq!(findings[0].remedy, "Update it, or run: rm '/usr/bin/loomkin-auth'");
        assert_eq!(findings.len(), 2);
    }

    #[test]
    fn a_taken_port_names_its_redirect_uri() {
        let port = TakenPort {
            account: "openai".parse().unwrap(),
            redirect_uri: "http://localhost:1455/callback".to_owned(),
            error: Error::new(ErrorCode::Unavailable, "the port is in use"),
        };
        let findings = examine_ports(&[port]);
        assert_eq!(findings[0].code, FindingCode::PortTaken);
        assert!(findings[0].message.contains(":1455"), "{findings:?}");
    }
}
