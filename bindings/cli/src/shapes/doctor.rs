//! The answer of `doctor`.

use loomkin_auth::doctor::{Diagnosis, Finding, Proof};
use serde::Serialize;

/// The whole answer.
#[derive(Debug, Serialize)]
pub(crate) struct DoctorShape<'a> {
    pub(super) findings: Vec<FindingShape<'a>>,
    pub(super) proofs: Vec<ProofShape<'a>>,
}

/// Something that was found, the worst first.
#[derive(Debug, Serialize)]
pub(super) struct FindingShape<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    remedy: &'a str,
    provider: Option<&'a str>,
    account: Option<&'a str>,
}

/// A tier or a provider that has a credential.
#[derive(Debug, Serialize)]
pub(super) struct ProofShape<'a> {
    pub(super) tier: Option<&'a str>,
    pub(super) provider: &'a str,
    pub(super) account: &'a str,
    pub(super) kind: &'static str,
    pub(super) source: String,
}

impl<'a> From<&'a Diagnosis> for DoctorShape<'a> {
    fn from(diagnosis: &'a Diagnosis) -> Self {
        Self {
            findings: diagnosis.findings.iter().map(FindingShape::from).collect(),
            proofs: diagnosis.proofs.iter().map(ProofShape::from).collect(),
        }
    }
}

impl<'a> From<&'a Finding> for FindingShape<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            severity: finding.code.severity().as_str(),
            message: &finding.message,
            remedy: &finding.remedy,
            provider: finding.account.as_ref().map(|key| key.provider.as_str()),
            account: finding.account.as_ref().map(|key| key.account.as_str()),
        }
    }
}

impl<'a> From<&'a Proof> for ProofShape<'a> {
    fn from(proof: &'a Proof) -> Self {
        Self {
            tier: proof.tier.as_deref(),
            provider: proof.account.provider.as_str(),
            account: proof.account.account.as_str(),
            kind: proof.kind.as_str(),
            source: proof.source.to_string(),
        }
    }
}
