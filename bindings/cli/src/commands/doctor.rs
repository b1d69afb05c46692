//! `doctor`: what is wrong, and which command mends it.

use std::path::PathBuf;

use loomkin_auth::auth::{Auth, DoctorOptions};
use loomkin_auth::credential::Source;
use loomkin_auth::doctor::{Diagnosis, Finding, Proof, Severity};

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::shapes::DoctorShape;

pub(super) async fn run(probe: bool, path: Option<&PathBuf>, context: &Context) -> Result<(), Failure> {
    let output = context.output;
    let mut options = DoctorOptions::default();
    options.config = path.cloned();
    options.probe = probe;
    options.program = std::env::current_exe().ok();
    let about = if probe { "Asking the providers …" } else { "Looking at everything …" };
    let diagnosis = output.while_waiting(about, Auth::doctor(&context.environment, options)).await;
    if output.json {
        output.json(&DoctorShape::from(&diagnosis))?;
    } else {
        output.write(text(&diagnosis, output))?;
    }
    match diagnosis.exit_code() {
        0 => Ok(()),
        exit_code => Err(Failure::Told(exit_code)),
    }
}

fn text(diagnosis: &Diagnosis, output: Output) -> String {
    let proofs = diagnosis.proofs.iter().map(|proof| proved(proof, output));
    let findings = diagnosis.findings.iter().map(|finding| found(finding, output));
    let end = match &diagnosis.findings[..] {
        [] => format!("{}\n", output.styled(Style::Good, "Everything is well.")),
        _ => String::new(),
    };
    proofs.chain(findings).chain([end]).collect()
}

fn proved(proof: &Proof, output: Output) -> String {
    let whose = match &proof.tier {
        Some(tier) => format!("{}, tier of {}", plain(tier), proof.account),
        None => proof.account.to_string(),
    };
    let ok = output.styled(Style::Good, "ok");
    match &proof.source {
        Source::Nowhere => format!("{ok}: {whose} needs no credential\n"),
        source => format!("{ok}: {whose} has its {} ({})\n", proof.kind.noun(), plain(&source.to_string())),
    }
}

fn found(finding: &Finding, output: Output) -> String {
    let severity = finding.code.severity();
    let style = match severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Warning,
        Severity::Note => Style::Dim,
    };
    let severity = output.styled(style, severity.as_str());
    let (message, remedy) = (plain(&finding.message), plain(&finding.remedy));
    format!("{severity}: {message} [{}]\n  help: {remedy}\n", finding.code)
}
