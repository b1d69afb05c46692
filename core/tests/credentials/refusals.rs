//! Where there is no answer: each has its code, its reason, and what mends it.

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::store::ReconnectReason;

use super::*;

const TIER: &str = "[auth.tiers.fast]\nprovider = \"openai\"\nauth_mode = \"api_key\"\n";

#[track_caller]
fn refused(world: &World, name: &str, code: ErrorCode) -> Error {
    let error = world.resolve(name).unwrap_err();
    assert_eq!(error.code(), code, "{error}");
    let printed = format!("{error} {error:?} {} {:?}", error.advice(), error.details());
    assert!(!printed.contains("canary"), "{printed}");
    error
}

#[test]
fn a_missing_credential_names_its_kind_and_the_command_and_variable_that_mend_it() {
    let error = refused(&World::new(TIER), "fast", ErrorCode::NotConnected);
    assert_eq!(error.message(), "tier `fast`: openai has no API key");
    assert_eq!(error.advice(), "Run `loomkin-auth key set openai`, or set OPENAI_API_KEY.");
    assert_eq!(
        error.details(),
        ["  API key in OPENAI_API_KEY: not set", "  API key in the store: none is stored"]
    );
    assert_eq!(error.account().unwrap().to_string(), "openai");

    let world = World::new("[auth.github]\nclient_id = \"x\"\n");
    let error = refused(&world, "github", ErrorCode::NotConnected);
    assert_eq!(error.message(), "github has no credential");
    assert_eq!(
        error.advice(),
        "Run `loomkin-auth key set github` or `loomkin-auth connect github`, or set GH_TOKEN or GITHUB_TOKEN."
    );
    let oauth =
        "[auth.github]\nclient_id = \"x\"\n[auth.tiers.t]\nprovider = \"github\"\nauth_mode = \"oauth\"\n";
    let error = refused(&World::new(oauth), "t", ErrorCode::NotConnected);
    assert_eq!(error.message(), "tier `t`: github has no auth token, and is not connected");
    assert_eq!(error.advice(), "Run `loomkin-auth connect github`, or set GH_TOKEN or GITHUB_TOKEN.");
}

#[test]
fn a_provider_without_oauth_says_so() {
    let world =
        World::new("[auth.tiers.fast]\nprovider = \"zai\"\nauth_mode = \"oauth\"\n").holds(holds_key());
    let error = refused(&world, "fast", ErrorCode::ConfigInvalid);
    assert_eq!(error.message(), "tier `fast`: zai has no OAuth, and auth_mode is oauth");
    assert_eq!(
        error.advice(),
        "Set auth_mode = \"api_key\" at .loomkin.toml:3, and run `loomkin-auth key set zai`."
    );
    let error = refused(&World::new(""), "zai", ErrorCode::NotConnected);
    assert!(error.details().iter().any(|line| line.ends_with("zai has no OAuth")), "{:?}", error.details());
}

#[test]
fn a_variable_that_holds_no_key_is_an_error_and_what_comes_after_it_is_not_taken() {
    let long = format!("canary{}", "k".repeat(64 * 1024));
    for (value, reason) in [
        (" canary-key", "it has a space"),
        ("canary-key ", "it has a space"),
        ("canary key", "it has a space"),
        ("canary-key\n", "it has a line break"),
        ("canary\n-key", "it has a line break"),
        ("\"canary-key\"", "it has quotes"),
        ("\u{feff}canary-key", "it begins with a byte order mark"),
        ("canary-kéy", "it has a space or a character outside ASCII"),
        (&*long, "it is longer than 16 KiB"),
        ("OTHER_API_KEY", "it is the name of a variable"),
        ("$canary", "it is the name of a variable"),
    ] {
        let world = World::new(TIER).variable("OPENAI_API_KEY", value).holds(holds_key());
        let error = refused(&world, "fast", ErrorCode::ConfigInvalid);
        let expected = format!("no API key of openai is in OPENAI_API_KEY: {reason}");
        assert!(error.message().starts_with(&expected), "{error}");
        assert!(error.advice().ends_with("Else unset OPENAI_API_KEY."), "{}", error.advice());
    }
}

#[test]
fn a_key_in_the_place_of_a_variables_name_is_never_shown() {
    let config = "[auth.openai]\napi_key_env = \"${WHICH}\"\n";
    let world = World::new(config).variable("WHICH", "canary_key_0815");
    let error = refused(&world, "openai", ErrorCode::NotConnected);
    let shown = "the variable that .loomkin.toml:2 (variable WHICH) names";
    assert_eq!(error.advice(), format!("Run `loomkin-auth key set openai`, or set {shown}."));
    assert_eq!(error.details()[1], format!("  API key in {shown}: not set"));
    let world = World::new(config).variable("WHICH", "WORK_KEY").variable("WORK_KEY", "canary-key");
    assert_eq!(world.resolve("openai").unwrap().source.to_string(), "variable WORK_KEY");
}

#[test]
fn what_is_stored_and_cannot_be_used_is_an_error_and_never_passed_over() {
    let damaged = || Some(Err(Error::new(ErrorCode::StoreFailed, "it cannot be unsealed")));
    let mut held = is_connected();
    held.auth_token = damaged();
    let world = World::new("[auth.github]\nclient_id = \"x\"\n").holds(held);
    let error = refused(&world, "github", ErrorCode::StoreFailed);
    assert_eq!(error.account().unwrap().to_string(), "github");

    let over = ConnectionState::ReconnectRequired { reason: ReconnectReason::Revoked };
    let mut held = Holdings { connection: Some(Ok(over)), ..Holdings::default() };
    let error = refused(&World::new("").holds(held.clone()), "github", ErrorCode::ReconnectRequired);
    assert_eq!(error.advice(), "Run `loomkin-auth connect github`.");
    // It stands behind the answer here.
    held.auth_token = secret("canary-token");
    assert_eq!(World::new("").holds(held).answer("github"), "auth_token store");
}

#[test]
fn a_name_that_is_nowhere_is_told_what_was_probably_meant() {
    let world = World::new(TIER);
    for (name, advice) in [
        ("openia", "Did you mean `openai`?"),
        ("OpenAI", "Use 1 to 64 lower-case letters"),
        ("fsat", "Did you mean `fast`?"),
        ("somewhere", "The tiers are: fast."),
        ("", "Use 1 to 64"),
        ("open ai", "Use 1 to 64"),
    ] {
        let error = refused(&world, name, ErrorCode::Usage);
        assert!(error.advice().contains(advice), "{name}: {}", error.advice());
    }
}

#[test]
fn a_tier_of_model_whose_provider_is_not_there_is_told_where_it_stands() {
    let config =
        "[model]\nfast = \"opnai:gpt\"\nround = \"circle:x\"\ncircle = \"round:x\"\nhidden = \"${MODEL}\"\n";
    let world = World::new(config).variable("MODEL", "canary-provider:x");
    let error = refused(&world, "fast", ErrorCode::ConfigInvalid);
    assert_eq!(
        error.message(),
        "tier `fast` names the provider `opnai`, which is not there (.loomkin.toml:2)"
    );
    assert_eq!(error.advice(), "Did you mean `openai`?");
    // Tiers that name each other go nowhere, and not in a circle.
    for (tier, other, line) in [("round", "circle", 3), ("circle", "round", 4)] {
        let error = refused(&world, tier, ErrorCode::ConfigInvalid);
        let message =
            format!("tier `{tier}` names the tier `{other}` as its provider (.loomkin.toml:{line})");
        assert_eq!(error.message(), message);
        assert!(error.advice().contains("never another tier"), "{}", error.advice());
    }
    let error = refused(&world, "hidden", ErrorCode::ConfigInvalid);
    assert!(error.message().contains("the variable MODEL"), "{error}");
}

#[test]
fn a_tier_without_a_provider_says_how_it_gets_one() {
    let error = refused(&World::new("[auth.tiers.fast]\n"), "fast", ErrorCode::ConfigInvalid);
    assert_eq!(error.message(), "tier `fast` has no provider");
    assert!(error.advice().contains("[auth.tiers.fast]"), "{}", error.advice());
}

#[test]
fn a_variable_that_is_no_text_is_an_error_and_not_passed_over() {
    let world = World { no_text_in: Some("OPENAI_API_KEY"), ..World::new(TIER) }.holds(holds_key());
    let error = refused(&world, "fast", ErrorCode::ConfigInvalid);
    assert_eq!(error.message(), "no API key of openai is in OPENAI_API_KEY: it is not UTF-8");
    let config = "[auth.openai]\napi_key = \"${MY_KEY:-}\"\n";
    let environment = World { no_text_in: Some("MY_KEY"), ..World::new(config) }.environment();
    let path = Path::new("/home/ada/app/.loomkin.toml");
    let problems = Config::parse(config, path, &environment).unwrap_err();
    assert!(problems.to_string().contains("the variable `MY_KEY` is not UTF-8"), "{problems}");
}

#[test]
fn what_oauth_lacks_is_named_where_nobody_is_registered() {
    let tier = "[auth.tiers.t]\nprovider = \"openai\"\nauth_mode = \"oauth\"\n";
    let error = refused(&World::new(tier), "t", ErrorCode::NotConnected);
    assert_eq!(
        error.advice(),
        "Set client_id in [auth.openai] to log in, or run `loomkin-auth key set openai --token`."
    );
}
