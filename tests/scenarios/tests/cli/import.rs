//! What another tool has kept, brought in by the command.

use std::fs;

use loomkin_auth_scenarios::{App, Dev, Home, Ran};
use serde_json::{Value, json};

const KEY: &str = "canary--sk-0123456789abcdef";

/// The access and the refresh token of a login at `dev` that another tool has made with the same registration.
async fn foreign_login(dev: &Dev) -> (String, String) {
    let other = dev.another_host();
    let app = App::open(&other).await.unwrap();
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
    let access = other.run(&["token", "dev"]).await.token();
    let secrets = dev.provider.issued_secrets();
    secrets.iter().for_each(|secret| other.canary().hide(secret.as_bytes()));
    let refresh = secrets.into_iter().find(|secret| *secret != access && dev.provider.is_active(secret));
    (access, refresh.unwrap())
}

/// Imports a file of this content, and checks that it is left as it was.
async fn import(home: &Home, content: &Value, arguments: &[&str]) -> Ran {
    let path = home.path("logins.json");
    fs::write(&path, content.to_string()).unwrap();
    let ran = home.run(&[&["import", "logins.json"], arguments].concat()).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), content.to_string());
    // The home shows the canary every file that is left.
    fs::remove_file(path).unwrap();
    ran
}

#[tokio::test]
async fn a_login_of_another_tool_goes_on_here() {
    let dev = Dev::start().await;
    let (access, refresh) = foreign_login(&dev).await;
    let file = json!({"dev": {"type": "oauth", "access": access, "refresh": refresh, "expires": 1000}});
    let ran = import(&dev.home, &file, &[]).await.exits(0);
    assert_eq!(ran.stdout, "Stored the OAuth connection of dev, sealed.\n");
    assert!(ran.stderr.contains("logins.json still holds them"), "{}", ran.stderr);
    let token = dev.home.run(&["token"]).await.token();
    assert!(dev.provider.is_active(&token) && token != access);
    assert_eq!(dev.refreshes(), 1);
    let status = &dev.home.run(&["status", "--json"]).await.exits(0).json()[0];
    assert_eq!((&status["state"], &status["active"]), (&"connected".into(), &true.into()));
    assert_eq!(status["missing_scopes"], json!([]));
}

#[tokio::test]
async fn what_is_there_stays_unless_it_is_to_be_replaced() {
    let dev = Dev::start().await;
    let app = dev.app().await;
    app.connect("dev", "ada").await.unwrap();
    app.close().await;
    let ours = dev.home.run(&["token", "dev"]).await.token();
    let (access, refresh) = foreign_login(&dev).await;
    let expires_at = "2999-01-01T00:00:00Z";
    let file = json!({"logins": [
        {"account": "dev", "access_token": access, "refresh_token": refresh, "expires_at": expires_at},
        {"account": "dev/second", "access_token": access, "expires_at": expires_at},
        {"account": "dev", "api_key": KEY},
    ]});
    let outcomes = |ran: Ran| -> Vec<String> {
        let entries = ran.exits(0).json();
        let text = |entry: &Value| format!("{} {}", entry["account"], entry["outcome"]).replace('"', "");
        entries.as_array().unwrap().iter().map(text).collect()
    };
    let first = import(&dev.home, &file, &["--json"]).await;
    assert_eq!(outcomes(first), ["default kept", "second stored", "default stored"]);
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), ours);
    assert_eq!(dev.home.run(&["token"]).await.token(), ours, "the active account stays active");
    let kept = import(&dev.home, &file, &[]).await.exits(0);
    assert!(
        kept.stdout.starts_with("dev has an OAuth connection already, which stays; --replace"),
        "{kept:?}"
    );
    let third = import(&dev.home, &file, &["--replace", "--json"]).await;
    assert_eq!(outcomes(third), ["default replaced", "second replaced", "default replaced"]);
    assert_eq!(dev.home.run(&["token"]).await.token(), access);
}

#[tokio::test]
async fn bad_entries_are_named_and_the_others_are_stored() {
    let home = Home::new("[auth.openai]\nbase_url = \"https://api.openai.com/v1\"\n");
    let file = json!({"logins": [
        {"account": "openai", "api_key": KEY},
        {"account": "nowhere", "api_key": KEY},
        {"account": "github", "access_token": KEY},
        {"account": "anthropic", "api_key": "canary--key with spaces"},
        {"account": "zai", "api_key": KEY, "auth_token": KEY},
    ]});
    let ran = import(&home, &file, &[]).await.exits(64);
    assert_eq!(ran.stdout, "Stored the API key of openai, sealed.\n");
    for message in [
        "no provider `nowhere` is configured",
        "github has no login in this configuration",
        "that is no API key of anthropic: it has a space",
        "entry 5 (zai) has more than one credential",
    ] {
        assert!(ran.stderr.contains(message), "{message}: {}", ran.stderr);
    }
    assert_eq!(home.run(&["token", "openai"]).await.token(), KEY);
}

#[tokio::test]
async fn what_is_no_such_file_is_refused_as_a_whole() {
    let home = Home::new("[auth.openai]\nbase_url = \"https://api.openai.com/v1\"\n");
    fs::write(home.path("half.json"), "{\"openai\": {\"api_key\": \"sk-").unwrap();
    fs::write(home.path("package.json"), "{\"name\": \"x\"}").unwrap();
    fs::write(home.path("large.json"), vec![b' '; (1 << 20) + 1]).unwrap();
    for (file, message) in [
        ("half.json", "that is not JSON (line 1, column 27)"),
        ("package.json", "neither `logins` nor an object for each provider"),
        ("large.json", "large.json is larger than 1 MiB"),
        ("not-there.json", "not-there.json cannot be read: entity not found"),
        (".", ". cannot be read: is a directory"),
    ] {
        let error = home.run(&["import", file, "--json"]).await.exits(64).error();
        assert_eq!(error["code"], "usage");
        assert!(error["message"].as_str().unwrap().contains(message), "{error}");
    }
}
