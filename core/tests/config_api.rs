//! What callers rely on in a valid configuration, and in the errors for files that are none.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loomkin_auth::account::ProviderId;
use loomkin_auth::config::{AuthMethod, AuthMode, Backend, Config, Flow, KeySetting, Origin};
use loomkin_auth::environment::Environment;
use loomkin_auth::error::ErrorCode;

fn environment() -> Environment {
    Environment::new([("HOME", "/home/ada"), ("SECRET", "canary"), ("DATA", "~/data")], "/home/ada/app")
}

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("config/.loomkin.toml"), &environment())
        .map_err(|problems| problems.to_string())
        .unwrap()
}

fn provider(name: &str) -> ProviderId {
    ProviderId::new(name).unwrap()
}

#[test]
fn every_value_reaches_its_field() {
    let text = fs::read_to_string(vector("every-key.toml")).unwrap();
    let config = parse(&text);
    let store = config.store();
    assert_eq!(*store.backend, Backend::Sqlite);
    assert_eq!(*store.path, Path::new("/home/ada/app/config/data/auth.db"));
    assert_eq!(*store.key, KeySetting::File("/home/ada/keys/loomkin".into()));
    // Read for the comparison only.
    assert_eq!(store.url.as_ref().unwrap().expose(), "postgres://ada:canary-database@db.example.com/auth");
    assert_eq!(config.refresh().margin, Duration::from_secs(30));
    assert_eq!(config.refresh().ahead, Duration::from_secs(3600));
    assert!(config.http().proxy.is_some());
    assert_eq!(config.http().ca_file.as_deref().unwrap(), Path::new("/home/ada/app/config/../ca.pem"));
    assert_eq!(config.callback_base_url().unwrap().as_str(), "https://app.example.com/");

    let idp = config.provider(&provider("id.example.com")).unwrap();
    assert!(idp.preset.is_none());
    assert_eq!(*idp.flow, Flow::Loopback);
    assert_eq!(**idp.scopes.as_ref().unwrap(), ["openid", "offline_access"]);
    assert_eq!(idp.auth_method.as_deref(), Some(&AuthMethod::ClientSecretPost));
    // Letter by letter: no slash is added.
    assert_eq!(idp.issuer.as_deref().unwrap(), "https://id.example.com");
    assert_eq!(idp.params["audience"].value, "https://api.example.com");
    assert!(!idp.params.contains_key("empty"));
    for endpoint in [
        &idp.authorization_endpoint,
        &idp.token_endpoint,
        &idp.revocation_endpoint,
        &idp.userinfo_endpoint,
        &idp.jwks_uri,
        &idp.device_authorization_endpoint,
    ] {
        assert!(endpoint.is_some());
    }
    for text in [&idp.client_id, &idp.redirect_uri, &idp.base_url, &idp.device_name, &idp.api_key_env] {
        assert!(text.is_some());
    }
    for secret in [&idp.client_secret, &idp.api_key, &idp.auth_token] {
        assert!(secret.is_some());
    }
    let google = config.provider(&provider("google")).unwrap();
    assert_eq!(google.extra.keys().collect::<Vec<_>>(), ["api_surface", "gcp_project_id"]);
    assert_eq!(config.tiers()["fast"].auth_mode.value, AuthMode::Oauth);
    assert!(config.endpoints()[&provider("vllm")].auth_key.is_some());
}

#[test]
fn an_empty_value_is_an_absent_one() {
    let config =
        parse("[auth.github]\nclient_id = \"x\"\nclient_secret = \"${MISSING:-}\"\nflow = \"\"\nscopes = []");
    let github = config.provider(&provider("github")).unwrap();
    assert!(github.client_secret.is_none());
    assert_eq!((*github.flow, &github.flow.origin), (Flow::Auto, &Origin::Default));
    assert!(github.scopes.as_ref().unwrap().is_empty(), "an empty list is a choice");
}

#[test]
fn a_value_remembers_the_line_and_the_variable() {
    let config = parse(
        "[auth.github]\nclient_id = \"x\"\nclient_secret = \"${SECRET}\"\n[auth.store]\npath = \"${DATA}/a.db\"",
    );
    let github = config.provider(&provider("github")).unwrap();
    assert_eq!(github.client_id.as_ref().unwrap().origin.to_string(), "config/.loomkin.toml:2");
    assert_eq!(
        github.client_secret.as_ref().unwrap().origin.to_string(),
        "config/.loomkin.toml:3 (variable SECRET)"
    );
    assert_eq!(github.preset.as_ref().unwrap().origin, Origin::Default);
    assert_eq!(*config.store().path, Path::new("/home/ada/data/a.db"));
}

#[test]
fn a_tier_takes_its_provider_from_the_model_unless_it_says() {
    let config = parse(
        "[model]\ndefault = \"zai:glm\"\nfast = \"openai:mini\"\nodd = \"no provider\"\n\
         [auth.tiers.fast]\nprovider = \"github\"\nuse_oauth = false\n[auth.tiers.bare]\n",
    );
    let tier = |name: &str| &config.tiers()[name];
    assert_eq!(tier("default").provider.as_ref().unwrap().as_str(), "zai");
    assert_eq!(tier("fast").provider.as_ref().unwrap().as_str(), "github");
    assert_eq!(*tier("fast").auth_mode, AuthMode::ApiKey);
    assert_eq!(tier("fast").model.as_deref().unwrap(), "openai:mini");
    assert!(tier("bare").provider.is_none() && !config.tiers().contains_key("odd"));
    assert_eq!(config.notes().len(), 1);
}

#[test]
fn an_unknown_provider_is_answered_with_what_was_meant() {
    let config = parse("[auth.github]\nclient_id = \"x\"\n[auth.openai]\n");
    let advice = |name| config.provider(&provider(name)).unwrap_err().advice().to_owned();
    assert_eq!(advice("gihtub"), "Did you mean `github`?");
    assert_eq!(
        advice("slack"),
        "Add [auth.slack] to .loomkin.toml, or use one that is there: github, openai."
    );
    assert_eq!(config.provider(&provider("x")).unwrap_err().code(), ErrorCode::Usage);
}

#[test]
fn without_a_file_everything_is_a_default() {
    let config = Config::without_file(&environment()).unwrap();
    assert_eq!(config.path(), None);
    assert_eq!(*config.store().path, Path::new("/home/ada/.local/share/loomkin/auth.db"));
    assert_eq!(*config.store().key, KeySetting::Auto);
    assert!(config.providers().is_empty() && config.notes().is_empty());
    let error = Config::without_file(&Environment::new([("A", "b")], "/")).unwrap_err();
    assert_eq!(error.details()[0], "(no file):1:1: the store has no place: the home directory is not known");
}

#[test]
fn a_store_that_is_no_file_needs_no_home() {
    let nowhere = Environment::new([("A", "b")], "/");
    let text = "[auth.store]\nbackend = \"memory\"";
    assert!(Config::parse(text, Path::new(".loomkin.toml"), &nowhere).is_ok());
}

#[test]
fn a_loaded_file_is_named_as_the_person_sees_it() {
    let here = tempfile::tempdir().unwrap();
    let environment = Environment::new([("HOME", "/home/ada")], here.path());
    let path = here.path().join(".loomkin.toml");

    fs::write(&path, "\u{feff}[auth.store]\r\nkey = \"env:KEY\"\r\n").unwrap();
    let config = Config::open(None, &environment).unwrap();
    assert_eq!(config.path().unwrap(), path);
    assert_eq!(config.store().key.origin.to_string(), ".loomkin.toml:2");

    fs::write(&path, b"[auth]\n# \xc3\xa4\xff\n").unwrap();
    let error = Config::open(None, &environment).unwrap_err();
    assert_eq!((error.code(), error.message()), (ErrorCode::ConfigInvalid, ".loomkin.toml has 1 problem"));
    assert_eq!(error.details(), [".loomkin.toml:2:4: this is not UTF-8", "  help: Save the file as UTF-8."]);

    let error = Config::open(Some(Path::new("other.toml")), &environment).unwrap_err();
    assert_eq!(error.message(), "there is no file other.toml");
}

#[test]
fn a_large_file_of_nothing_but_mistakes_is_read_in_bounded_time() {
    // Work that grows with the square of the mistakes would take many minutes here.
    let parameters = (0..40_000).map(|index| format!("p{index} = 1")).collect::<Vec<_>>().join(", ");
    let text = format!("auth.github.params = {{ {parameters} }}");
    let problems = Config::parse(&text, Path::new("x"), &environment()).unwrap_err();
    assert_eq!(problems.list().len(), 40_000);
}

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/config").join(name)
}

/// What the configuration notes, as `line: message`.
fn notes(text: &str) -> Vec<String> {
    parse(text).notes().iter().map(|note| format!("{}: {}", note.line, note.message)).collect()
}

#[test]
fn a_local_provider_has_the_old_spelling_of_its_mode_too() {
    let endpoint = |keys: &str| format!("[provider.endpoints.vllm]\n{keys}\n");
    let mode = |keys: &str| *parse(&endpoint(keys)).endpoints()[&provider("vllm")].auth_mode.clone().unwrap();
    assert_eq!(mode("use_oauth = true"), AuthMode::Oauth);
    assert_eq!(mode("use_oauth = false"), AuthMode::ApiKey);
    assert_eq!(mode("auth_mode = \"auto\"\nuse_oauth = true"), AuthMode::Auto);
    let disagreement = notes(&endpoint("auth_mode = \"auto\"\nuse_oauth = true"));
    assert_eq!(disagreement, ["3: `use_oauth` disagrees with `auth_mode`, and `auth_mode` wins"]);
}

#[test]
fn a_slip_in_a_table_of_the_apps_is_noted_and_no_problem() {
    let text = "[provider.endpoints.vllm]\nauth_keys = \"canary\"\nmodels = [\"llama\"]\n";
    assert_eq!(notes(text), ["2: `auth_keys` in [provider.endpoints.vllm] is not read here"]);
}

#[test]
fn two_variables_for_one_key_are_a_problem() {
    let text = "[auth.vllm]\napi_key_env = \"A\"\n[provider.endpoints.vllm]\nauth_key_env = \"B\"\n";
    let problems = Config::parse(text, Path::new(".loomkin.toml"), &environment()).unwrap_err();
    assert!(problems.to_string().contains("are two variables for one key"), "{problems}");
}

#[test]
fn texts_of_the_apps_in_model_are_left_alone() {
    for text in ["hello ${user.name}", "Answer: ${user.name}", "see this : ${x.y}", "${DATA}"] {
        let config = parse(&format!("[model]\nprompt = \"{text}\"\n"));
        assert!(config.tiers().is_empty() && config.notes().is_empty(), "{text}");
    }
    let config = parse("[model]\ndefault = \"anthropic:claude\"\nmine = \"${DATA}:llama\"\n");
    assert_eq!(config.tiers()["default"].provider.as_ref().unwrap().as_str(), "anthropic");
    assert_eq!(config.notes().len(), 1, "a variable that names no provider is noted");
}

#[test]
fn a_model_of_something_that_cannot_be_a_provider_is_noted() {
    for name in ["Anthropic", "store"] {
        let config = parse(&format!("[model]\ndefault = \"{name}:claude\"\n"));
        assert!(config.tiers().is_empty());
        assert_eq!(
            config.notes()[0].message,
            "`default` names no provider: what stands before its colon cannot be one"
        );
    }
    let text =
        "[auth.tiers.t]\nprovider = \"store\"\n[provider.endpoints.store]\nurl = \"http://localhost:1\"\n";
    assert!(Config::parse(text, Path::new(".loomkin.toml"), &environment()).is_err());
}
