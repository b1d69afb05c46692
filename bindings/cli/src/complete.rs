//! What a shell is told when the person presses Tab.

use clap::CommandFactory;
use clap_complete::env::CompleteEnv;
use clap_complete::{ArgValueCandidates, CompletionCandidate};
use loomkin_auth::account::Owner;
use loomkin_auth::auth::{Auth, Names};
use loomkin_auth::environment::Environment;

use crate::arguments::Arguments;

/// The variable that a shell sets to be told.
pub(crate) const VARIABLE: &str = "LOOMKIN_AUTH_COMPLETE";

/// Answers a shell, and ends the process then; does nothing for anybody else.
pub(crate) fn answer_shell() {
    CompleteEnv::with_factory(Arguments::command).var(VARIABLE).complete();
}

/// The accounts that are configured or stored.
pub(crate) fn accounts() -> ArgValueCandidates {
    candidates(|names| names.accounts.iter().map(ToString::to_string).collect())
}

/// The accounts and the tiers.
pub(crate) fn accounts_and_tiers() -> ArgValueCandidates {
    candidates(|names| {
        let accounts = names.accounts.iter().map(ToString::to_string);
        names.tiers.iter().cloned().chain(accounts).collect()
    })
}

fn candidates(choose: fn(&Names) -> Vec<String>) -> ArgValueCandidates {
    ArgValueCandidates::new(move || {
        let environment = Environment::from_process();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return Vec::new();
        };
        let names = runtime.block_on(Auth::names(&environment, &Owner::default()));
        choose(&names).into_iter().map(CompletionCandidate::new).collect()
    })
}
