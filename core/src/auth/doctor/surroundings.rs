//! The ports that logins need, and the programs on the path.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::account::AccountKey;
use crate::config::Config;
use crate::doctor::Finding;
use crate::doctor::surroundings::{OtherProgram, TakenPort, examine_ports, examine_programs};
use crate::environment::Environment;
use crate::error::ErrorCode;
use crate::flow::loopback::LoopbackListener;

/// What is taken, and what stands in front of or behind `program` on the path.
pub(super) async fn examine(
    config: &Config,
    environment: &Environment,
    program: Option<&Path>,
) -> Vec<Finding> {
    let mut findings = examine_ports(&taken_ports(config).await);
    let path = environment.variable("PATH").map(str::to_owned);
    if let (Some(program), Some(path)) = (program.map(Path::to_owned), path) {
        let looked = tokio::task::spawn_blocking(move || other_programs(&program, &path)).await;
        findings.extend(examine_programs(&looked.unwrap_or_default(), env!("CARGO_PKG_VERSION")));
    }
    findings
}

/// The fixed ports that cannot be listened on at this moment. Each is closed at once.
async fn taken_ports(config: &Config) -> Vec<TakenPort> {
    let mut taken = Vec::new();
    for provider in config.providers().values().filter(|provider| provider.client_id.is_some()) {
        let Some(redirect_uri) = provider.redirect_uri.as_ref().map(|uri| &uri.value) else { continue };
        if LoopbackListener::has_fixed_port(redirect_uri)
            && let Err(error) = LoopbackListener::bind(Some(redirect_uri)).await
            && error.code() == ErrorCode::Unavailable
        {
            let account = AccountKey::from(provider.id.clone());
            taken.push(TakenPort { account, redirect_uri: redirect_uri.clone(), error });
        }
    }
    taken
}

/// Files of the program's name in the directories of `path`, which are asked for their version. Blocks.
fn other_programs(program: &Path, path: &str) -> Vec<OtherProgram> {
    let Some(name) = program.file_name() else { return Vec::new() };
    let own = program.canonicalize().ok();
    let mut others: Vec<OtherProgram> = Vec::new();
    let mut is_behind = false;
    let mut seen = Vec::new();
    for candidate in std::env::split_paths(path).map(|directory| directory.join(name)) {
        let Ok(real) = candidate.canonicalize() else { continue };
        if Some(&real) == own.as_ref() {
            is_behind = true;
        } else if real.is_file() && !seen.contains(&real) {
            let version = version_of(&real);
            others.push(OtherProgram {
                path: candidate,
                version,
                comes_first: !is_behind && seen.is_empty(),
            });
            seen.push(real);
        }
    }
    others
}

/// The last word of what it says of itself. It gets nothing of the environment.
fn version_of(program: &PathBuf) -> Option<String> {
    let said = Command::new(program).arg("--version").env_clear().stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(said.stdout).ok()?;
    let version = text.lines().next()?.split_whitespace().last()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    (said.status.success() && version.len() <= LONGEST_VERSION && version.chars().all(is_plain))
        .then(|| version.to_owned())
}

const LONGEST_VERSION: usize = 64;
