//! Every key there is, once. Reading, "did you mean", `config show` and the JSON Schema all follow this table.

use super::choice::{AuthMethod, AuthMode, Backend, Flow};
use super::uri::Purpose;

/// A table of the file that keys belong to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Section {
    /// `[auth]` itself.
    Auth,
    /// `[provider.endpoints.<name>]`; the app's own, of which we read some keys.
    Endpoint,
    /// `[auth.http]`.
    Http,
    /// `[auth.<provider>]`.
    Provider,
    /// `[auth.refresh]`.
    Refresh,
    /// `[auth.store]`.
    Store,
    /// `[auth.tiers.<name>]`.
    Tier,
}

/// What a key's value must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// Visible ASCII, so that it can stand in a header field.
    Credential,
    /// A length of time, from one second to one hour.
    Duration,
    /// True or false.
    Flag,
    /// Where the key that seals the store comes from.
    KeySource,
    /// A table of parameters of the authorization request.
    Parameters,
    /// A file; relative to the directory of the configuration file.
    Path,
    /// A provider's name.
    ProviderName,
    /// A list of scopes, or one string with spaces between them.
    Scopes,
    /// Any text without control characters.
    Text,
    /// A URL.
    Uri(Purpose),
    /// The name of an environment variable.
    VariableName,
}

/// A key of a section.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) section: Section,
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What it is for, in one sentence; the schema shows it.
    pub(super) about: &'static str,
    /// Another accepted spelling.
    pub(super) alias: Option<&'static str>,
    /// What counts where nobody says; written as it would be in the file.
    pub(super) default: Option<&'static str>,
    /// The preset whose own key it is.
    pub(super) preset: Option<&'static str>,
    /// Whether its value is never shown.
    pub(super) secret: bool,
    /// Whether only an OAuth login has a use for it.
    pub(super) oauth: bool,
}

impl Key {
    const fn new(section: Section, name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self {
            section,
            name,
            kind,
            about,
            alias: None,
            default: None,
            preset: None,
            secret: false,
            oauth: false,
        }
    }

    const fn alias(self, alias: &'static str) -> Self {
        Self { alias: Some(alias), ..self }
    }

    const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    const fn preset(self, preset: &'static str) -> Self {
        Self { preset: Some(preset), ..self }
    }

    const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    const fn oauth(self) -> Self {
        Self { oauth: true, ..self }
    }
}

/// The presets there are. What each of them holds is the business of the provider layer.
pub(super) const PRESETS: &[&str] = &["anthropic", "codeberg", "github", "gitlab", "google", "openai", "zai"];

/// The presets of providers that have no OAuth.
pub(super) const KEY_ONLY_PRESETS: &[&str] = &["zai"];

/// The tables below `[auth]` that are no providers.
pub(super) const FIXED_SECTIONS: &[(&str, Section)] = &[
    ("http", Section::Http),
    ("refresh", Section::Refresh),
    ("store", Section::Store),
    ("tiers", Section::Tier),
];

/// The key of `section` that is spelled `name`.
pub(super) fn find(section: Section, name: &str) -> Option<&'static Key> {
    keys(section).find(|key| key.name == name || key.alias == Some(name))
}

/// The keys of `section`.
pub(super) fn keys(section: Section) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

/// Whether a provider may not be called `name`, because it means something else below `[auth]` or on the command line.
pub(super) fn is_reserved(name: &str) -> bool {
    name == "me"
        || FIXED_SECTIONS.iter().any(|(section, _)| *section == name)
        || find(Section::Auth, name).is_some()
}

use Kind as K;
use Purpose as P;
use Section as S;

#[rustfmt::skip] // one key, one entry: the table is read across
static KEYS: &[Key] = &[
    Key::new(S::Auth, "callback_base_url", K::Uri(P::Endpoint),
        "Where this app is reached from a browser; a hosted callback is <base>/auth/<provider>/callback."),

    Key::new(S::Store, "backend", K::Choice(Backend::WORDS),
        "Where connections are kept.").default("sqlite"),
    Key::new(S::Store, "path", K::Path,
        "The file of the sqlite backend.").default("${XDG_DATA_HOME:-~/.local/share}/loomkin/auth.db"),
    Key::new(S::Store, "url", K::Uri(P::Database),
        "The database of the postgres backend.").secret(),
    Key::new(S::Store, "key", K::KeySource,
        "Where the key that seals the store comes from: auto, keychain, file:PATH or env:NAME.").default("auto"),
    Key::new(S::Store, "outage_grace", K::Duration,
        "How long good tokens are served while the database of the postgres backend does not answer.").default("60s"),

    Key::new(S::Refresh, "margin", K::Duration,
        "A returned token is good for at least this long, or a tenth of its lifetime if that is less.").default("60s"),
    Key::new(S::Refresh, "ahead", K::Duration,
        "Renewal starts this long before the end, in the background.").default("5m"),

    Key::new(S::Http, "proxy", K::Uri(P::Proxy),
        "The proxy for all requests, in place of the one that the usual variables name.").secret(),
    Key::new(S::Http, "ca_file", K::Path,
        "PEM certificates of authorities to trust besides those of the operating system."),

    Key::new(S::Provider, "preset", K::Choice(PRESETS),
        "The known provider whose endpoints and habits to use; the table's own name where that is one."),
    Key::new(S::Provider, "client_id", K::Text,
        "The id of your registration at the provider.").oauth(),
    Key::new(S::Provider, "client_secret", K::Text,
        "The secret of your registration; empty for a public client.").secret().oauth(),
    Key::new(S::Provider, "scopes", K::Scopes,
        "What to ask for: a list, or one string with spaces between.").oauth(),
    Key::new(S::Provider, "flow", K::Choice(Flow::WORDS),
        "How the person is sent through the login; auto decides by where the browser is.").default("auto").oauth(),
    Key::new(S::Provider, "redirect_uri", K::Uri(P::Redirect),
        "The registered redirect URI, only where the provider fixes it.").oauth(),
    Key::new(S::Provider, "base_url", K::Uri(P::Endpoint),
        "The resource server; handed through to the app."),
    Key::new(S::Provider, "issuer", K::Uri(P::Issuer),
        "The authorization server's identifier; its endpoints are discovered from it.").oauth(),
    Key::new(S::Provider, "authorization_endpoint", K::Uri(P::Endpoint),
        "Where the person is sent to allow the access.").alias("authorize_url").oauth(),
    Key::new(S::Provider, "token_endpoint", K::Uri(P::Endpoint),
        "Where codes and refresh tokens are exchanged.").alias("token_url").oauth(),
    Key::new(S::Provider, "revocation_endpoint", K::Uri(P::Endpoint),
        "Where tokens are revoked.").oauth(),
    Key::new(S::Provider, "userinfo_endpoint", K::Uri(P::Endpoint),
        "Where it is asked who connected.").oauth(),
    Key::new(S::Provider, "jwks_uri", K::Uri(P::Endpoint),
        "Where the keys are that the server signs ID tokens with.").oauth(),
    Key::new(S::Provider, "device_authorization_endpoint", K::Uri(P::Endpoint),
        "Where a device login begins.").oauth(),
    Key::new(S::Provider, "device_name", K::Text,
        "The name of this device on the provider's pages, where the provider has such a thing.").oauth(),
    Key::new(S::Provider, "auth_method", K::Choice(AuthMethod::WORDS),
        "How the client secret is presented; the server's metadata or the preset decides otherwise.").oauth(),
    Key::new(S::Provider, "params", K::Parameters,
        "Extra parameters of the authorization request.").oauth(),
    Key::new(S::Provider, "api_key", K::Credential,
        "A static API key.").secret(),
    Key::new(S::Provider, "auth_token", K::Credential,
        "A static bearer token.").secret(),
    Key::new(S::Provider, "api_key_env", K::VariableName,
        "The environment variable to look for an API key in, in place of the conventional one."),
    Key::new(S::Provider, "auth_token_env", K::VariableName,
        "The environment variable to look for a bearer token in, in place of the conventional one."),
    Key::new(S::Provider, "mode", K::Text,
        "Which of the provider's logins to use; handed through to the app.").preset("anthropic"),
    Key::new(S::Provider, "api_surface", K::Text,
        "Which of the provider's interfaces the app calls; handed through to it.").preset("google"),
    Key::new(S::Provider, "gcp_project_id", K::Text,
        "The Google Cloud project that is billed; handed through to the app.").preset("google"),

    Key::new(S::Tier, "provider", K::ProviderName,
        "The provider of this tier; that of the same key in [model] where this is missing."),
    Key::new(S::Tier, "auth_mode", K::Choice(AuthMode::WORDS),
        "The kind of credential that this tier uses.").default("auto"),
    Key::new(S::Tier, "use_oauth", K::Flag,
        "The old spelling of auth_mode: true is oauth, false is api_key. auth_mode wins."),

    Key::new(S::Endpoint, "url", K::Uri(P::Server),
        "Where the local provider is."),
    Key::new(S::Endpoint, "auth_key", K::Credential,
        "The key that the local provider asks for.").secret(),
    Key::new(S::Endpoint, "auth_key_env", K::VariableName,
        "The environment variable to look for that key in."),
    Key::new(S::Endpoint, "auth_mode", K::Choice(AuthMode::WORDS),
        "The kind of credential that this provider uses, where a tier does not say; auto, unless it is said."),
    Key::new(S::Endpoint, "use_oauth", K::Flag,
        "The old spelling of auth_mode: true is oauth, false is api_key. auth_mode wins."),
];

/// Parameters of the authorization request that the login itself sets, so that nobody may set them beside it.
///
/// `response_mode` would make the redirect arrive in a form that no listener here reads.
pub(crate) const RESERVED_PARAMETERS: &[&str] = &[
    "client_assertion",
    "client_assertion_type",
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "device_code",
    "device_name",
    "dpop_jkt",
    "grant_type",
    "nonce",
    "redirect_uri",
    "request",
    "request_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_section_has_two_keys_of_one_spelling() {
        for (index, key) in KEYS.iter().enumerate() {
            for spelling in std::iter::once(key.name).chain(key.alias) {
                let found = find(key.section, spelling).unwrap();
                assert!(std::ptr::eq(found, &KEYS[index]), "{spelling}");
            }
        }
    }

    #[test]
    fn presets_named_elsewhere_are_presets() {
        let named = KEYS.iter().filter_map(|key| key.preset).chain(KEY_ONLY_PRESETS.iter().copied());
        for preset in named {
            assert!(PRESETS.contains(&preset), "{preset}");
            assert!(!is_reserved(preset), "{preset}");
        }
    }
}
