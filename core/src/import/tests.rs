use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_772_357_400);

fn read_json(document: &Value) -> Result<Vec<Result<ImportedLogin>>> {
    read(document.to_string().as_bytes(), NOW)
}

fn tokens(login: &Result<ImportedLogin>) -> &ImportedTokens {
    match &login.as_ref().unwrap().credential {
        ImportedCredential::Connection(tokens) => tokens,
        other => panic!("{other:?}"),
    }
}

fn secret(login: &Result<ImportedLogin>) -> (StaticKind, &str) {
    match &login.as_ref().unwrap().credential {
        ImportedCredential::Static(kind, secret) => (*kind, secret.expose()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_documented_shape_is_read() {
    let logins = read_json(&json!({"logins": [
        {"account": "github/work", "access_token": "canary-a", "refresh_token": "canary-r", "scopes": ["repo"],
         "expires_at": "2026-03-01T10:30:00Z", "account_login": "ada", "account_id": "4711"},
        {"account": "openai", "api_key": "canary-k"},
        {"account": "anthropic", "auth_token": "canary-t"},
    ]}))
    .unwrap();
    let github = tokens(&logins[0]);
    assert_eq!(logins[0].as_ref().unwrap().account.to_string(), "github/work");
    assert_eq!(github.tokens.access_token.expose(), "canary-a");
    assert_eq!(github.tokens.refresh_token.as_ref().unwrap().expose(), "canary-r");
    assert_eq!(github.tokens.expires_at.unwrap().unix_seconds(), NOW.unix_seconds() + 3600);
    assert_eq!(github.tokens.scopes, Some(vec!["repo".to_owned()]));
    assert_eq!((github.account_login.as_deref(), github.account_id.as_deref()), (Some("ada"), Some("4711")));
    assert_eq!(secret(&logins[1]), (StaticKind::ApiKey, "canary-k"));
    assert_eq!(secret(&logins[2]), (StaticKind::AuthToken, "canary-t"));
    assert!(!format!("{logins:?}").contains("canary") && !format!("{logins:?}").contains("4711"));
}

#[test]
fn the_file_of_earlier_agents_is_read_and_what_it_has_besides_is_passed_over() {
    let logins = read_json(&json!({
        "anthropic": {"type": "oauth", "access": "a", "refresh": "r", "expires": 1_772_361_000_000_i64, "more": 1},
        "github": {"auth_token": "t"},
        "openai": {"type": "api", "key": "k"},
        "zai": {"api_key": "z"},
    }))
    .unwrap();
    assert_eq!(tokens(&logins[0]).tokens.expires_at.unwrap().unix_seconds(), NOW.unix_seconds() + 3600);
    assert_eq!(secret(&logins[1]), (StaticKind::AuthToken, "t"));
    assert_eq!(secret(&logins[2]), (StaticKind::ApiKey, "k"));
    assert_eq!(secret(&logins[3]), (StaticKind::ApiKey, "z"));
}

#[test]
fn a_token_of_unknown_age_is_renewed_first_where_it_can_be() {
    let end = |fields: Value| tokens(&read_json(&json!({ "github": fields })).unwrap()[0]).tokens.expires_at;
    assert_eq!(end(json!({"access": "a", "refresh": "r"})), Some(NOW));
    assert_eq!(end(json!({"access": "a"})), None);
}

#[test]
fn a_bad_entry_is_named_and_keeps_no_other_from_being_read() {
    let logins = read_json(&json!({"logins": [
        {"account": "github", "access_token": "canary-a", "api_key": "canary-k"},
        {"account": "canary key", "api_key": "canary-k"},
        {"account": "github", "refresh_token": "canary-r"},
        {"account": "github", "access_token": "canary-a", "expires_at": "soon"},
        {"account": "github", "access_tokn": "canary-a"},
        {"account": "github", "access_token": "canary\n-a"},
        {"account": "github", "access_token": "canary-a", "scopes": ["a b"]},
        {"account": "github", "access_token": "canary-a", "account_login": "a\u{1b}[2J"},
        {"account": "github"},
        {"api_key": "canary-k"},
        "canary-k",
        {"account": "openai", "api_key": "canary-k"},
    ]}))
    .unwrap();
    let messages: Vec<_> = logins[..11]
        .iter()
        .map(|login| {
            let error = login.as_ref().unwrap_err();
            assert_eq!(error.code(), ErrorCode::Usage);
            assert!(!format!("{error:?}{}", error.advice()).contains("canary"), "{error:?}");
            error.message()
        })
        .collect();
    assert_eq!(messages[0], "entry 1 (github) has more than one credential");
    assert_eq!(messages[1], "entry 2: that is not a provider's name");
    assert_eq!(messages[2], "entry 3 (github) has no `access_token`");
    assert_eq!(messages[3], "entry 4 (github) has an `expires_at` that is no moment");
    assert_eq!(messages[4], "entry 5 (github) has the unknown key `access_tokn`");
    assert!(messages[5].starts_with("entry 6 (github) has "), "{messages:?}");
    assert_eq!(messages[6], "entry 7 (github) has `scopes` that are no list of texts");
    assert_eq!(messages[7], "entry 8 (github) has a `account_login` that is no short text");
    assert_eq!(messages[8], "entry 9 (github) has no credential");
    assert_eq!(messages[9], "entry 10 has no `account`");
    assert_eq!(messages[10], "entry 11 is no object");
    assert_eq!(secret(&logins[11]), (StaticKind::ApiKey, "canary-k"));
}

#[test]
fn what_comes_twice_is_taken_once() {
    let logins = read_json(&json!({"logins": [
        {"account": "openai", "api_key": "one"},
        {"account": "openai", "auth_token": "another kind"},
        {"account": "openai/default", "api_key": "two"},
    ]}))
    .unwrap();
    assert_eq!(secret(&logins[0]).1, "one");
    assert_eq!(secret(&logins[1]).0, StaticKind::AuthToken);
    assert_eq!(logins[2].as_ref().unwrap_err().message(), "openai comes twice");
}

#[test]
fn a_file_of_something_else_is_refused_as_a_whole() {
    for (content, message) in [
        ("", "that is not JSON (line 1, column 0)"),
        ("{\"canary", "that is not JSON (line 1, column 8)"),
        ("[]", "that file has neither `logins` nor an object for each provider"),
        ("{\"name\": \"canary\"}", "that file has neither `logins` nor an object for each provider"),
        ("{\"logins\": 1}", "that file has neither `logins` nor an object for each provider"),
        ("{}", "there is no login in that file"),
        ("{\"logins\": []}", "there is no login in that file"),
    ] {
        let error = read(content.as_bytes(), NOW).unwrap_err();
        assert_eq!((error.code(), error.message()), (ErrorCode::Usage, message), "{content}");
        assert!(!error.advice().contains("canary"));
    }
    assert!(
        read("\u{feff}{\"openai\": {\"api_key\": \"k\"}}".as_bytes(), NOW).is_ok(),
        "a mark of the order of bytes"
    );
}
