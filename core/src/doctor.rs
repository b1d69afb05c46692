//! Whether the set-up works, and which command mends what does not.
//!
//! Everything here is a pure check over facts that somebody else has gathered: the configuration, a few facts of the
//! [environment](crate::credential::EnvironmentFacts), what [the store](store) and its [connections](connection) look
//! like, what lies [around](surroundings) the program, and what a [probe] of the network came to. `auth::doctor`
//! gathers them, also where the configuration cannot be read or the store cannot be opened, for that is when a doctor is
//! called.

pub mod config;
pub mod connection;
pub mod credential;
pub mod environment;
mod finding;
pub mod probe;
pub mod store;
pub mod surroundings;

pub use credential::Proof;
pub use finding::{Finding, FindingCode, Severity};

use crate::error::ErrorCode;

/// What a doctor says: what is wrong, and which credentials are proved to be there.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What was found, the worst first.
    pub findings: Vec<Finding>,
    /// The credential of each tier, then of each provider that no tier names, as far as there is one that can be used.
    pub proofs: Vec<Proof>,
}

impl Diagnosis {
    /// The findings sorted by severity; those of one severity stay in the order in which they were found.
    pub fn new(mut findings: Vec<Finding>, proofs: Vec<Proof>) -> Self {
        findings.sort_by_key(|finding| finding.code.severity());
        Self { findings, proofs }
    }

    /// The exit code of a command that shows this: that of the first error; 1 where there are warnings alone; else 0.
    pub fn exit_code(&self) -> u8 {
        match self.findings.first().map(|finding| (finding.code.severity(), finding.cause)) {
            Some((Severity::Error, cause)) => cause.map_or(WARNED, ErrorCode::exit_code),
            Some((Severity::Warning, _)) => WARNED,
            Some((Severity::Note, _)) | None => 0,
        }
    }
}

const WARNED: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_worst_decides_the_exit_code() {
        let note = Finding::new(FindingCode::StoreNew, "x", "y");
        let warning = Finding::new(FindingCode::PortTaken, "x", "y");
        let error = |code, cause| Finding::of_error(code, &Error::new(cause, "x"));
        let key = error(FindingCode::KeyUnavailable, ErrorCode::KeyUnavailable);
        let missing = error(FindingCode::CredentialMissing, ErrorCode::NotConnected);
        let code = |findings| Diagnosis::new(findings, Vec::new()).exit_code();
        assert_eq!(code(Vec::new()), 0);
        assert_eq!(code(vec![note.clone()]), 0);
        assert_eq!(code(vec![note.clone(), warning.clone()]), 1);
        assert_eq!(code(vec![note, warning, key, missing]), 74);
    }
}
