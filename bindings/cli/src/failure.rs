//! How a run that does not succeed is told, and the exit code it ends with.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::redact::Redactor;

use crate::output::{Output, Style, plain, to_json};
use crate::shapes::ErrorShape;
use crate::words;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line itself is wrong, or asks for help.
    Arguments(Box<clap::Error>),
    /// The core says no.
    Error(Error),
    /// A signal came; the exit code that shells give it.
    Interrupted(u8),
    /// Whoever read stdout has gone away, content with what came.
    OutputClosed,
    /// The command has told it on stdout itself; with this exit code.
    Told(u8),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Failure {
    /// Tells it on stderr, and gives the exit code.
    pub(crate) fn tell(&self, output: Output) -> u8 {
        match self {
            Self::Arguments(error) => tell_arguments(error, output),
            Self::Error(error) => {
                if output.json {
                    tell_json(&ErrorShape::from(error), output);
                } else {
                    tell_person(error, output);
                }
                error.code().exit_code()
            }
            Self::Interrupted(exit_code) => *exit_code,
            Self::OutputClosed => 0,
            Self::Told(exit_code) => *exit_code,
        }
    }
}

fn tell_person(error: &Error, output: Output) {
    output.aside(format_args!("{} {}", output.styled_aside(Style::Bad, "error:"), error.message()));
    for line in error.details() {
        output.aside(line);
    }
    if let Some(text) = error.server_text() {
        output.aside(format_args!("the server says: {}", plain(text)));
    }
    if let Some(wait) = error.retry_after() {
        output.aside(format_args!("the next attempt may be made in {}", words::duration(wait)));
    }
    output.aside(format_args!("{} {}", output.styled_aside(Style::Strong, "help:"), error.advice()));
}

fn tell_json(shape: &ErrorShape, output: Output) {
    if let Ok(line) = to_json(shape) {
        output.aside(line);
    }
}

/// Help and version were asked for, so they go to stdout; everything else is `usage`.
fn tell_arguments(error: &clap::Error, output: Output) -> u8 {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _best_effort = error.print();
        return 0;
    }
    let text = error.render().to_string();
    let masked = Redactor::default().redact(&text);
    if output.json {
        tell_json(&ErrorShape::from(&as_usage(error)), output);
    } else if output.colours_errors() && masked == text {
        output.aside(error.render().ansi());
    } else {
        output.aside(masked);
    }
    ErrorCode::Usage.exit_code()
}

/// The first line of clap's text says what is wrong; its suggestion, where it has one, is the advice. clap repeats what was
/// typed, and that may be a key.
fn as_usage(error: &clap::Error) -> Error {
    let text = error.render().to_string();
    let text = Redactor::default().redact(&text);
    let message = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => "no command is given",
        _ => text.lines().next().unwrap_or_default().trim_start_matches("error: "),
    };
    let suggested =
        [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let suggestion = suggested.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(name) => Some(name.clone()),
        // clap sorts them by likeness, the nearest last.
        ContextValue::Strings(names) => names.last().cloned(),
        _ => None,
    });
    let tip = text.lines().find_map(|line| line.strip_prefix("  tip: "));
    let advice = match (suggestion, tip) {
        (Some(name), _) => format!("Did you mean `{name}`?"),
        (None, Some(tip)) => tip.to_owned(),
        (None, None) => "Run `loomkin-auth --help`.".to_owned(),
    };
    Error::new(ErrorCode::Usage, message).with_advice(advice)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn a_slip_on_the_command_line_is_usage_with_what_was_meant() {
        let error = Arguments::try_parse_from(["loomkin-auth", "conect"]).unwrap_err();
        let error = as_usage(&error);
        assert_eq!(error.code(), ErrorCode::Usage);
        assert_eq!(error.message(), "unrecognized subcommand 'conect'");
        assert_eq!(error.advice(), "Did you mean `connect`?");
    }

    #[test]
    fn a_name_that_cannot_be_one_keeps_its_advice() {
        let error = Arguments::try_parse_from(["loomkin-auth", "token", "GitHub"]).unwrap_err();
        assert!(as_usage(&error).advice().starts_with("Use 1 to 64"));
    }

    #[test]
    fn a_key_that_was_typed_is_not_repeated() {
        let key = "sk-proj-canary0123456789abcdefABCDEF0123456789";
        for line in [["loomkin-auth", "token", "openai", key], ["loomkin-auth", "key", "set", key]] {
            let error = as_usage(&Arguments::try_parse_from(line).unwrap_err());
            assert!(!format!("{} {}", error.message(), error.advice()).contains("canary"), "{line:?}");
        }
    }

    #[test]
    fn a_bare_call_is_usage() {
        let error = Arguments::try_parse_from(["loomkin-auth"]).unwrap_err();
        assert_eq!(as_usage(&error).message(), "no command is given");
    }
}
