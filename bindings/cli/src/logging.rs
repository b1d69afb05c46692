//! Log lines on stderr, off unless `LOOMKIN_AUTH_LOG` asks for them.

use loomkin_auth::environment::Environment;
use loomkin_auth::redact::{RedactingWriter, Redactor};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use crate::output::Output;

/// Starts logging as the variable says.
///
/// Only our own lines are ever shown, whatever the filter says: libraries log headers and addresses at `trace`, and
/// those hold tokens and codes. Ours hold none; what has the looks of a secret all the same is masked.
pub(crate) fn start(environment: &Environment, output: Output) {
    let Some(directives) = environment.variable(VARIABLE) else { return };
    let filter = match EnvFilter::try_new(directives) {
        Ok(filter) => filter,
        Err(_) => {
            output.note(&format!("{VARIABLE} is not understood and ignored; write it like `debug`"));
            return;
        }
    };
    let ours = filter_fn(|metadata| is_ours(metadata.target()));
    let lines =
        tracing_subscriber::fmt::layer().with_writer(writer(environment)).with_filter(filter.and(ours));
    // It fails where a subscriber is there already, and then that one logs.
    let _already_started = tracing_subscriber::registry().with(lines).try_init();
}

fn writer(environment: &Environment) -> BoxMakeWriter {
    // A leak that is masked is one that no test finds. No release listens to this.
    if cfg!(debug_assertions) && environment.variable(UNMASKED).is_some() {
        return BoxMakeWriter::new(std::io::stderr);
    }
    let redactor = Redactor::default();
    BoxMakeWriter::new(move || RedactingWriter::new(redactor.clone(), std::io::stderr()))
}

fn is_ours(target: &str) -> bool {
    let (root, _) = target.split_once("::").unwrap_or((target, ""));
    matches!(root, "loomkin_auth" | "loomkin_auth_cli")
}

const VARIABLE: &str = "LOOMKIN_AUTH_LOG";
const UNMASKED: &str = "LOOMKIN_AUTH_TEST_UNMASKED_LOG";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_library_logs() {
        for target in ["loomkin_auth", "loomkin_auth::lifecycle::refresh", "loomkin_auth_cli"] {
            assert!(is_ours(target), "{target}");
        }
        for target in ["hyper::client", "reqwest", "h2::codec", "rustls", "loomkin_author", ""] {
            assert!(!is_ours(target), "{target}");
        }
    }
}
