//! What the table does not say: accounts, presets, local providers, tiers out of `[model]`, and what the answer tells.

use loomkin_auth::config::Origin;
use loomkin_auth::credential::{CredentialKind, Source, Way, present, ways};
use loomkin_auth::flow::place::Place;
use loomkin_auth::provider;
use loomkin_auth::store::StaticKind;

use super::*;

#[test]
fn the_answer_names_its_place_and_what_was_passed_over() {
    let world = World::new("[auth.openai]\nclient_id = \"x\"\n[auth.tiers.fast]\nprovider = \"openai\"\n")
        .variable("OPENAI_API_KEY", "canary-env")
        .holds(is_connected());
    let found = world.resolve("fast").unwrap();
    assert_eq!(found.source, Source::Environment("OPENAI_API_KEY".into()));
    assert_eq!(found.source.to_string(), "variable OPENAI_API_KEY");
    assert_eq!((found.tier.as_deref(), found.account.to_string()), (Some("fast"), "openai".into()));
    let passed_over: Vec<_> = found.passed_over.iter().map(ToString::to_string).collect();
    assert_eq!(
        passed_over,
        ["API key in [auth.openai]: not set", "OAuth connection in the store: another comes first"]
    );
    let oauth =
        "[auth.openai]\nclient_id = \"x\"\n[auth.tiers.fast]\nprovider = \"openai\"\nauth_mode = \"oauth\"\n";
    let world = World { config: oauth.into(), ..world };
    let found = world.resolve("fast").unwrap();
    assert_eq!(found.auth_mode.origin.to_string(), ".loomkin.toml:5");
    assert_eq!(found.passed_over[0].to_string(), "API key in OPENAI_API_KEY: auth_mode is oauth");
}

#[test]
fn a_value_in_the_file_names_its_line_and_the_variable_behind_it() {
    let world = World::new("[auth.openai]\napi_key = \"${MY_KEY}\"\n").variable("MY_KEY", "canary-mine");
    let found = world.resolve("openai").unwrap();
    assert_eq!(found.source.to_string(), ".loomkin.toml:2 (variable MY_KEY)");
    assert!(matches!(found.source, Source::Config(Origin::Variable { .. })));
}

#[test]
fn the_conventional_variables_of_a_preset_are_found_without_any_table() {
    for (provider, variable, answer) in [
        ("anthropic", "ANTHROPIC_API_KEY", "api_key environment"),
        ("anthropic", "ANTHROPIC_AUTH_TOKEN", "auth_token environment"),
        ("github", "GH_TOKEN", "auth_token environment"),
        ("github", "GITHUB_TOKEN", "auth_token environment"),
        ("gitlab", "GITLAB_TOKEN", "auth_token environment"),
        ("google", "GEMINI_API_KEY", "api_key environment"),
        ("google", "GOOGLE_API_KEY", "api_key environment"),
        ("openai", "OPENAI_API_KEY", "api_key environment"),
        ("zai", "ZAI_API_KEY", "api_key environment"),
    ] {
        assert_eq!(World::new("").variable(variable, "canary-x").answer(provider), answer, "{variable}");
    }
    let both = World::new("").variable("GITHUB_TOKEN", "canary-b").variable("GH_TOKEN", "canary-a");
    assert_eq!(both.resolve("github").unwrap().source.to_string(), "variable GH_TOKEN");
}

#[test]
fn a_named_variable_takes_the_place_of_the_conventional_one() {
    let config =
        "[auth.work]\npreset = \"openai\"\napi_key_env = \"WORK_KEY\"\nauth_token_env = \"WORK_TOKEN\"\n";
    let world = World::new(config).variable("OPENAI_API_KEY", "canary-not-this");
    assert_eq!(world.answer("work"), "not_connected");
    let world = world.variable("WORK_TOKEN", "canary-token");
    assert_eq!(world.resolve("work").unwrap().source.to_string(), "variable WORK_TOKEN");
    let world = world.variable("WORK_KEY", "canary-key");
    assert_eq!(world.resolve("work").unwrap().source.to_string(), "variable WORK_KEY");
}

#[test]
fn an_empty_variable_counts_as_not_set_and_is_told() {
    let world = World::new("").variable("OPENAI_API_KEY", "").holds(holds_key());
    let found = world.resolve("openai").unwrap();
    assert_eq!(said(&found), "api_key store");
    assert_eq!(found.passed_over[0].to_string(), "API key in OPENAI_API_KEY: empty, which counts as not set");
}

#[test]
fn another_account_has_only_what_is_stored_for_it() {
    let world =
        World::new("[auth.openai]\napi_key = \"canary-file\"\n").variable("OPENAI_API_KEY", "canary-env");
    assert_eq!(world.answer("openai"), "api_key config");
    assert_eq!(world.answer("openai/default"), "api_key config");
    let error = world.resolve("openai/work").unwrap_err();
    assert_eq!(error.message(), "openai/work has no credential");
    assert_eq!(error.advice(), "Run `loomkin-auth key set openai/work`.");
    let world = world.holds(holds_key());
    let found = world.resolve("openai/work").unwrap();
    assert_eq!(said(&found), "api_key store");
    assert_eq!(
        found.passed_over[0].to_string(),
        "API key in [auth.openai]: it is openai's unnamed account's"
    );
}

#[test]
fn a_tier_is_found_by_what_model_says() {
    let world = World::new("[model]\ndefault = \"anthropic:claude\"\nlocal = \"vllm:llama\"\n\n[provider.endpoints.vllm]\nurl = \"http://localhost:8000/v1\"\n")
        .variable("ANTHROPIC_AUTH_TOKEN", "canary-token");
    assert_eq!(world.answer("default"), "auth_token environment");
    assert_eq!(world.resolve("default").unwrap().limits.len(), 1);
    assert_eq!(world.answer("local"), "none nowhere");
}

#[test]
fn a_local_provider_needs_a_key_only_when_somebody_says_so() {
    let endpoint =
        |keys: &str| format!("[provider.endpoints.vllm]\nurl = \"http://localhost:8000/v1\"\n{keys}\n");
    let answer = |keys: &str| World::new(&endpoint(keys)).answer("vllm");
    assert_eq!(answer(""), "none nowhere");
    assert_eq!(answer("auth_key = \"canary-key\""), "api_key config");
    assert_eq!(answer("auth_key = \"${VLLM_KEY:-}\""), "none nowhere");
    assert_eq!(answer("auth_key_env = \"VLLM_KEY\""), "not_connected");
    assert_eq!(answer("auth_mode = \"api_key\""), "not_connected");
    assert_eq!(answer("auth_mode = \"oauth\""), "config_invalid");
    let world = World::new(&endpoint("auth_key_env = \"VLLM_KEY\"")).variable("VLLM_KEY", "canary-key");
    assert_eq!(world.answer("vllm"), "api_key environment");
    assert_eq!(World::new(&endpoint("")).holds(holds_key()).answer("vllm"), "api_key store");
    // The well-known provider of that name is another one.
    let named = "[provider.endpoints.openai]\nurl = \"http://localhost:8000/v1\"\n";
    assert_eq!(World::new(named).variable("OPENAI_API_KEY", "canary-key").answer("openai"), "none nowhere");
}

#[test]
fn a_tiers_own_mode_counts_before_that_of_the_local_provider() {
    let config = "[provider.endpoints.vllm]\nauth_mode = \"api_key\"\n[auth.tiers.a]\nprovider = \"vllm\"\n\
                  [auth.tiers.b]\nprovider = \"vllm\"\nauth_mode = \"oauth\"\n[auth.tiers.c]\nprovider = \"vllm\"\nuse_oauth = true\n";
    let world = World::new(config).holds(holds_key());
    assert_eq!(world.answer("a"), "api_key store");
    let world = world.holds(holds_token());
    assert_eq!((world.answer("a"), world.answer("b")), ("not_connected".into(), "auth_token store".into()));
    assert_eq!(world.answer("c"), "auth_token store");
}

#[test]
fn a_tier_comes_before_a_provider_of_its_name() {
    let world = World::new("[auth.tiers.openai]\nprovider = \"anthropic\"\n")
        .variable("OPENAI_API_KEY", "canary-a")
        .variable("ANTHROPIC_API_KEY", "canary-b");
    assert_eq!(world.resolve("openai").unwrap().source.to_string(), "variable ANTHROPIC_API_KEY");
}

#[test]
fn everything_that_is_there_can_be_listed() {
    let mut held = holds_key();
    held.auth_token = Some(Err(loomkin_auth::error::Error::new(
        loomkin_auth::error::ErrorCode::StoreFailed,
        "it cannot be unsealed",
    )));
    let world = World::new("[auth.openai]\napi_key = \"canary-file\"\n").holds(held);
    let (config, target) =
        (world.config(), Target::find(&world.config(), "openai", &Owner::default()).unwrap());
    let facts = EnvironmentFacts::of(&config, &world.environment());
    let listed: Vec<_> = present(&config, &facts, &target.account, &world.held)
        .into_iter()
        .map(|found| (found.kind, found.source.map(|source| source.to_string())))
        .collect();
    assert_eq!(
        listed,
        [
            (CredentialKind::ApiKey, Some(".loomkin.toml:2".to_owned())),
            (CredentialKind::ApiKey, Some("store".to_owned())),
            (CredentialKind::AuthToken, None),
        ]
    );
}

#[test]
fn a_provider_offers_the_ways_that_fit_it() {
    use provider::Flow::{Device, Loopback, Paste};
    let (key, token) = (Way::Key(StaticKind::ApiKey), Way::Key(StaticKind::AuthToken));
    let (best, login) = (Way::BestLogin, Way::Login);
    for (config, name, expected) in [
        ("[auth.github]\nclient_id = \"x\"", "github", vec![best(Loopback), login(Device), token]),
        ("[auth.github]\nclient_id = \"x\"\nflow = \"device\"", "github", vec![best(Device), token]),
        ("[auth.anthropic]\nclient_id = \"x\"", "anthropic", vec![best(Paste), key, token]),
        ("[auth.openai]\nclient_id = \"x\"", "openai", vec![best(Loopback), key]),
        ("", "openai", vec![key]),
        ("", "zai", vec![key]),
        ("[provider.endpoints.vllm]", "vllm", vec![key]),
        ("[auth.idp]\nclient_id = \"x\"\nissuer = \"https://id.example.com\"", "idp", vec![best(Loopback)]),
        (
            "[auth.idp]\nclient_id = \"x\"\nissuer = \"https://id.example.com\"\nauth_token_env = \"T\"",
            "idp",
            vec![best(Loopback), token],
        ),
    ] {
        let account: loomkin_auth::account::AccountKey = name.parse().unwrap();
        assert_eq!(ways(&World::new(config).config(), &account.provider, Place::Here), expected, "{config}");
    }
}

#[test]
fn the_login_that_is_offered_first_is_the_best_one_where_the_person_is() {
    use provider::Flow::{Device, Loopback};
    let config = World::new("[auth.github]\nclient_id = \"x\"").config();
    let github = "github".parse::<loomkin_auth::account::AccountKey>().unwrap().provider;
    let over_ssh = ways(&config, &github, Place::Elsewhere("this is an SSH session"));
    assert_eq!(over_ssh[..2], [Way::BestLogin(Device), Way::Login(Loopback)]);
    assert_eq!(ways(&config, &github, Place::Nowhere)[0], Way::BestLogin(Loopback));
}

#[test]
fn a_conventional_variable_is_for_the_well_known_server_alone() {
    let at = |base_url: &str, keys: &str| {
        World::new(&format!("[auth.openai]\nbase_url = \"{base_url}\"\n{keys}\n"))
            .variable("OPENAI_API_KEY", "canary-env")
    };
    for ours in ["https://api.openai.com/v1", "https://eu.api.openai.com", "https://openai.com"] {
        assert_eq!(at(ours, "").answer("openai"), "api_key environment", "{ours}");
    }
    for theirs in [
        "https://evil.example",
        "https://openai.com.evil.example",
        "https://notopenai.com",
        "http://127.0.0.1:4000",
    ] {
        let error = at(theirs, "").resolve("openai").unwrap_err();
        assert_eq!(error.code().as_str(), "not_connected", "{theirs}");
        assert!(!error.advice().contains("OPENAI_API_KEY"), "{}", error.advice());
        assert!(
            error.details().iter().any(|line| line.ends_with("set api_key_env")),
            "{:?}",
            error.details()
        );
        // Whoever names the variable means it.
        assert_eq!(at(theirs, "api_key_env = \"OPENAI_API_KEY\"").answer("openai"), "api_key environment");
        assert_eq!(at(theirs, "").holds(holds_key()).answer("openai"), "api_key store");
    }
}
