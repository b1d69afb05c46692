//! Which credential every tier and every provider has, and whether it can be used.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::remove_command;
use super::{Finding, FindingCode};
use crate::account::{AccountKey, Owner};
use crate::config::Config;
use crate::credential::{
    self, CredentialKind, EnvironmentFacts, Holdings, Present, Resolution, Source, Target,
};
use crate::error::{Error, ErrorCode};
use crate::status::ConnectionState;
use crate::store::StaticKind;

/// A credential that can be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Proof {
    /// The tier; `None` for a provider that was looked at by itself.
    pub tier: Option<String>,
    /// Whose credential it is.
    pub account: AccountKey,
    /// Its kind.
    pub kind: CredentialKind,
    /// Where it comes from.
    pub source: Source,
}

/// What is known of credentials.
#[derive(Debug)]
pub struct CredentialFacts<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The variables.
    pub environment: &'a EnvironmentFacts,
    /// Whose credentials are looked at.
    pub owner: &'a Owner,
    /// What the store holds, by account; `None` where it could not be opened. Then nothing is called missing.
    pub held: Option<&'a BTreeMap<AccountKey, Holdings>>,
}

/// Looks at every tier, then at every provider and every stored account.
pub fn examine(facts: &CredentialFacts<'_>) -> (Vec<Proof>, Vec<Finding>) {
    let mut proofs = Vec::new();
    let mut findings = Vec::new();
    let mut used: BTreeMap<AccountKey, Vec<Present>> = BTreeMap::new();
    let mut named = BTreeSet::new();
    for name in facts.config.tiers().keys() {
        let target = match Target::find(facts.config, name, facts.owner) {
            Ok(target) => target,
            Err(error) => {
                findings.push(Finding::of_error(FindingCode::ConfigInvalid, &error));
                continue;
            }
        };
        named.insert(target.account.clone());
        match facts.resolve(&target) {
            Ok(found) => {
                used.entry(found.account.clone()).or_default().push(Present::of(&found));
                proofs.push(Proof::of(found));
            }
            Err(error) => findings.extend(facts.trouble(&target, &error)),
        }
    }
    for account in facts.accounts() {
        let target = Target::of_account(facts.config, account.clone());
        let resolved = facts.resolve(&target);
        if let Ok(found) = &resolved {
            used.entry(account.clone()).or_default().push(Present::of(found));
            findings.extend(facts.shadowed(&account, found, &used));
        }
        match resolved {
            _ if named.contains(&account) => {}
            Ok(found) => proofs.push(Proof::of(found)),
            Err(error) => findings.extend(facts.trouble(&target, &error)),
        }
    }
    (proofs, findings)
}

impl CredentialFacts<'_> {
    fn held(&self, account: &AccountKey) -> Holdings {
        self.held.and_then(|held| held.get(account)).cloned().unwrap_or_default()
    }

    fn resolve(&self, target: &Target) -> Result<Resolution, Error> {
        credential::resolve(self.config, self.environment, target, &self.held(&target.account))
    }

    /// Every account that could have a credential: one of each provider, and those of the store.
    fn accounts(&self) -> BTreeSet<AccountKey> {
        let providers = self.config.providers().keys().chain(self.config.endpoints().keys());
        let unnamed = providers.map(|id| AccountKey::from(id.clone()).for_owner(self.owner.clone()));
        let stored = self.held.into_iter().flat_map(BTreeMap::keys).cloned();
        unnamed.chain(stored).collect()
    }

    /// Why `target` has no credential; `None` where that is told by the connection, or cannot be known.
    fn trouble(&self, target: &Target, error: &Error) -> Option<Finding> {
        if error.code() == ErrorCode::NotConnected && self.held.is_none() {
            return None;
        }
        if self.is_told_by_connection(&target.account, error) {
            return None;
        }
        let is_missing = self.is_missing(target);
        let code = match (is_missing, &target.tier) {
            (true, Some(_)) => FindingCode::CredentialMissing,
            (true, None) => FindingCode::ProviderUnused,
            (false, _) => FindingCode::CredentialUnusable,
        };
        let finding = Finding::of_error(code, error);
        // To have a provider and not to use it stops nothing.
        Some(match code {
            FindingCode::ProviderUnused => Finding { cause: None, ..finding },
            _ => finding,
        })
    }

    fn is_missing(&self, target: &Target) -> bool {
        let held = self.held(&target.account);
        let present = credential::present(self.config, self.environment, &target.account, &held);
        !present.iter().any(|present| present.source.is_none())
    }

    fn is_told_by_connection(&self, account: &AccountKey, error: &Error) -> bool {
        match self.held(account).connection {
            Some(Err(told)) => told.message() == error.message(),
            Some(Ok(ConnectionState::ReconnectRequired { .. })) => {
                error.code() == ErrorCode::ReconnectRequired
            }
            _ => false,
        }
    }

    /// What is there and no tier ever gets, nor anybody who asks for the provider: `first` is given instead.
    fn shadowed(
        &self,
        account: &AccountKey,
        first: &Resolution,
        used: &BTreeMap<AccountKey, Vec<Present>>,
    ) -> Vec<Finding> {
        let present = credential::present(self.config, self.environment, account, &self.held(account));
        let is_used = |present: &Present| used.get(account).is_some_and(|used| used.contains(present));
        present
            .iter()
            .filter(|present| present.source.is_some() && !is_used(present))
            .filter_map(|present| Some((present.kind, present.source.as_ref()?)))
            .map(|(kind, source)| {
                let message = format!(
                    "the {} of {account} ({source}) is never used, because its {} ({}) comes first",
                    kind.noun(),
                    first.kind.noun(),
                    first.source
                );
                let remedy = format!(
                    "{} Or give a tier the auth_mode that asks for it.",
                    removal(account, kind, source)
                );
                Finding::new(FindingCode::CredentialShadowed, message, remedy).about(account)
            })
            .collect()
    }
}

/// How to take a credential away that nobody needs.
fn removal(account: &AccountKey, kind: CredentialKind, source: &Source) -> String {
    match (source, kind) {
        (Source::Environment(name), _) => format!("Unset {name}, if it is not needed: unset {name}"),
        (Source::Store, CredentialKind::ApiKey) => {
            format!("Run {}, if it is not needed.", remove_command(account, StaticKind::ApiKey))
        }
        (Source::Store, CredentialKind::AuthToken) => {
            format!("Run {}, if it is not needed.", remove_command(account, StaticKind::AuthToken))
        }
        (Source::Store, _) => format!("Run `loomkin-auth disconnect {account}`, if it is not needed."),
        (source, _) => format!("Take it out of the configuration ({source}), if it is not needed."),
    }
}

impl Proof {
    fn of(found: Resolution) -> Self {
        let Resolution { tier, account, kind, source, .. } = found;
        Self { tier, account, kind, source }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::environment::Environment;
    use crate::secret::Secret;
    use crate::store::ReconnectReason;

    const CONFIG: &str = "[auth.github]\nclient_id = \"x\"\n[auth.openai]\napi_key_env = \"WORK_KEY\"\n";

    struct World {
        text: String,
        variables: Vec<(&'static str, &'static str)>,
        held: Option<BTreeMap<AccountKey, Holdings>>,
    }

    fn world(more: &str) -> World {
        World { text: format!("{CONFIG}{more}"), variables: Vec::new(), held: Some(BTreeMap::new()) }
    }

    impl World {
        fn with_variable(mut self, name: &'static str) -> Self {
            self.variables.push((name, "sk-canary-4711"));
            self
        }

        fn holding(mut self, account: &str, holdings: Holdings) -> Self {
            self.held.get_or_insert_default().insert(account.parse().unwrap(), holdings);
            self
        }

        /// Proofs as `tier: kind source`, findings as `code`.
        fn examine(&self) -> (Vec<String>, Vec<FindingCode>) {
            let variables = self.variables.iter().copied().chain([("HOME", "/home/ada")]);
            let environment = Environment::new(variables, "/app");
            let config = Config::parse(&self.text, Path::new(".loomkin.toml"), &environment).unwrap();
            let (facts, owner) = (EnvironmentFacts::of(&config, &environment), Owner::default());
            let facts = CredentialFacts {
                config: &config,
                environment: &facts,
                owner: &owner,
                held: self.held.as_ref(),
            };
            let (proofs, findings) = examine(&facts);
            let text = |proof: &Proof| {
                let name = proof.tier.clone().unwrap_or_else(|| proof.account.to_string());
                format!("{name}: {} {}", proof.kind, proof.source)
            };
            let said = format!("{proofs:?}{findings:?}");
            assert!(!said.contains("canary"), "{said}");
            (proofs.iter().map(text).collect(), findings.into_iter().map(|finding| finding.code).collect())
        }
    }

    fn connected() -> Holdings {
        Holdings { connection: Some(Ok(ConnectionState::Connected)), ..Holdings::default() }
    }

    #[test]
    fn every_tier_and_every_other_provider_has_a_proof() {
        let world = world("[auth.tiers.fast]\nprovider = \"openai\"\n")
            .with_variable("WORK_KEY")
            .holding("github", connected())
            .holding("github/work", connected());
        let (proofs, findings) = world.examine();
        let store = |name: &str| format!("{name}: oauth store");
        let fast = "fast: api_key variable WORK_KEY".to_owned();
        assert_eq!(proofs, [fast, store("github"), store("github/work")]);
        assert_eq!(findings, []);
    }

    #[test]
    fn a_tier_without_a_credential_is_an_error_and_a_provider_without_one_a_note() {
        let (proofs, findings) = world("[auth.tiers.fast]\nprovider = \"openai\"\n").examine();
        assert_eq!(proofs, [""; 0]);
        assert_eq!(findings, [FindingCode::CredentialMissing, FindingCode::ProviderUnused]);
    }

    #[test]
    fn nothing_is_called_missing_while_the_store_cannot_be_read() {
        let mut world = world("[auth.tiers.fast]\nprovider = \"openai\"\n");
        world.held = None;
        assert_eq!(world.examine(), (vec![], vec![]));
    }

    #[test]
    fn a_variable_that_holds_no_credential_is_an_error() {
        let mut world = world("");
        world.variables.push(("WORK_KEY", "OPENAI_API_KEY"));
        assert_eq!(world.examine().1, [FindingCode::ProviderUnused, FindingCode::CredentialUnusable]);
    }

    #[test]
    fn a_tier_that_names_no_provider_that_is_there_is_an_error() {
        let text = "[model]\ndefault = \"nowhere:large\"\n";
        assert!(world(text).examine().1.contains(&FindingCode::ConfigInvalid));
    }

    #[test]
    fn what_another_one_always_precedes_is_shadowed() {
        let world = world("").with_variable("GITHUB_TOKEN").holding("github", connected());
        assert_eq!(world.examine().1, [FindingCode::CredentialShadowed, FindingCode::ProviderUnused]);
    }

    #[test]
    fn what_a_tier_asks_for_by_its_mode_is_not_shadowed() {
        let world = world("[auth.tiers.a]\nprovider = \"github\"\nauth_mode = \"oauth\"\n[auth.tiers.b]\nprovider = \"github\"\n")
            .holding("github", Holdings { api_key: Some(Ok(Secret::new("sk-canary"))), ..connected() });
        assert_eq!(world.examine().1, [FindingCode::ProviderUnused]);
    }

    #[test]
    fn what_the_connection_tells_is_not_told_again() {
        let over = ConnectionState::ReconnectRequired { reason: ReconnectReason::Expired };
        let held = Holdings { connection: Some(Ok(over)), ..Holdings::default() };
        assert_eq!(world("").holding("github", held).examine().1, [FindingCode::ProviderUnused]);
        let foreign = Error::new(ErrorCode::NotConnected, "made elsewhere");
        let held = Holdings { connection: Some(Err(foreign)), ..Holdings::default() };
        assert_eq!(world("").holding("github", held).examine().1, [FindingCode::ProviderUnused]);
    }
}
