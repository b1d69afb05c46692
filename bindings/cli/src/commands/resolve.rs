//! `resolve`: which credential is used, and why; never the credential itself.

use loomkin_auth::account::Owner;
use loomkin_auth::auth::Auth;
use loomkin_auth::config::Config;
use loomkin_auth::credential::{CredentialKind, Resolution, Source};
use loomkin_auth::environment::Environment;

use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::shapes::ResolveShape;

pub(super) async fn run(
    config: Config,
    environment: &Environment,
    name: &str,
    output: Output,
) -> Result<(), Failure> {
    let resolution = Auth::resolve_once(config, environment, &Owner::default(), name).await?;
    if output.json {
        return output.json(&ResolveShape::from(&resolution));
    }
    output.write(text(&resolution, output))
}

fn text(resolution: &Resolution, output: Output) -> String {
    let asked = match &resolution.tier {
        Some(tier) => format!("{}, tier of {}", plain(tier), resolution.account),
        None => resolution.account.to_string(),
    };
    let mut text = format!("{}: {}\n", output.styled(Style::Strong, &asked), answer(resolution));
    for passed_over in &resolution.passed_over {
        let line = plain(&format!("  passed over: {passed_over}"));
        text.push_str(&output.styled(Style::Dim, &line));
        text.push('\n');
    }
    for limit in resolution.limits {
        text.push_str(&format!("  to be known: {limit}\n"));
    }
    text
}

fn answer(resolution: &Resolution) -> String {
    let noun = resolution.kind.noun();
    match (resolution.kind, &resolution.source) {
        (CredentialKind::None, _) => "no credential is needed".to_owned(),
        (_, Source::Environment(name)) => format!("{noun} in the variable {name}"),
        (_, Source::Store) => format!("{noun} in the store"),
        (_, source) => format!("{noun} at {}", plain(&source.to_string())),
    }
}
