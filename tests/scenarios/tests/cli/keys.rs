//! Keys that a person brings, by the command.

use std::fs;

use loomkin_auth_scenarios::{Browser, Choice, Dev, Home, Ran, say_skipped, within};

const KEY: &str = "canary--key-0815";
const CONFIG: &str = "[auth.openai]\n[auth.github]\nclient_id = \"Iv1.abc\"\n";

async fn set(home: &Home, arguments: &[&str], text: &[u8]) -> Ran {
    let mut running = home.call(&[&["key", "set"], arguments].concat()).start();
    running.write_all(text).await;
    running.ended().await
}

#[tokio::test]
async fn a_key_lives_from_set_to_remove() {
    let home = Home::new(CONFIG);
    let stored = set(&home, &["openai", "--json"], format!("{KEY}\r\n").as_bytes()).await.exits(0).json();
    assert_eq!((&stored["kind"], &stored["outcome"]), (&"api_key".into(), &"stored".into()));

    let status = home.run(&["status", "--json"]).await.exits(0).json();
    let row = status.as_array().unwrap().iter().find(|row| row["provider"] == "openai").unwrap();
    assert_eq!((&row["state"], &row["next_step"]), (&"connected".into(), &serde_json::Value::Null));
    assert_eq!(row["credentials"], serde_json::json!([{"kind": "api_key", "source": "store"}]));
    assert!(home.run(&["status"]).await.exits(0).stdout.contains("API key in the store"));

    let resolved = home.run(&["resolve", "openai", "--json"]).await.exits(0).json();
    assert_eq!((&resolved["kind"], &resolved["source"]), (&"api_key".into(), &"store".into()));
    let told = home.run(&["resolve", "openai"]).await.exits(0).stdout;
    assert!(told.starts_with("openai: API key in the store\n"), "{told}");
    let ran = home.run(&["token", "openai", "--json"]).await;
    assert_eq!((ran.token().as_str(), &ran.json()["kind"]), (KEY, &"api_key".into()));
    home.run(&["use", "openai"]).await.exits(0);
    assert_eq!(home.run(&["token"]).await.token(), KEY);

    let kept = home.run(&["key", "set", "openai"]).await.exits(0);
    assert!(
        kept.stdout.contains("is stored already") && kept.stdout.contains("--replace"),
        "{}",
        kept.stdout
    );
    set(&home, &["openai", "--replace"], b"canary--another").await.exits(0);
    assert_eq!(home.run(&["token"]).await.token(), "canary--another");

    let ended = home.run(&["logout", "openai", "--json"]).await.exits(0).json();
    assert_eq!((&ended["was_connected"], &ended["kept"]), (&false.into(), &serde_json::json!(["api_key"])));
    assert_eq!(home.run(&["token", "openai"]).await.token(), "canary--another");

    let removed = home.run(&["key", "remove", "openai", "--json"]).await.exits(0).json();
    assert_eq!(removed["removed"], true);
    assert!(home.run(&["key", "remove", "openai"]).await.exits(0).stdout.contains("No API key"));
    let gone = home.run(&["token", "openai", "--json"]).await.exits(77).error();
    assert_eq!(gone["advice"], "Run `loomkin-auth key set openai`.");
    let gone = home.run(&["token", "--json"]).await.exits(77).error();
    assert_eq!(gone["code"], "no_active_provider");
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_nothing_is_stored() {
    let home = Home::new(CONFIG);
    let long = [b"canary--".as_slice(), &b"k".repeat(64 * 1024)].concat();
    let endless = [b"canary--".as_slice(), &b"k".repeat(1 << 20)].concat();
    for (text, reason) in [
        (b"".as_slice(), "stdin ended"),
        (b"\n\n", "stdin ended"),
        (b" canary--key", "a space"),
        (b"canary--key \n", "a space"),
        (b"canary--key\ncanary--another\n", "a line break"),
        (b"\"canary--key\"", "quotes"),
        (b"\xef\xbb\xbfcanary--key", "byte order mark"),
        (b"canary--\xff\xfe", "outside ASCII"),
        (b"OPENAI_API_KEY", "name of a variable"),
        (&long, "longer than 16 KiB"),
        (&endless, "longer than 16 KiB"),
    ] {
        let error = set(&home, &["openai", "--json"], text).await.exits(64).error();
        assert_eq!(error["code"], "usage");
        assert!(error["message"].as_str().unwrap().contains(reason), "{reason}: {error}");
    }
    assert_eq!(home.run(&["token", "openai", "--json"]).await.exits(77).error()["code"], "not_connected");
}

#[tokio::test]
async fn a_slip_is_told_before_anybody_is_asked_for_a_key() {
    let home = Home::new(CONFIG);
    let running = home.call(&["key", "set", "opnai", "--json"]).start();
    let error = running.ended().await.exits(64).error();
    assert_eq!(error["advice"], "Did you mean `openai`?");
    let error = home.run(&["resolve", "opnai", "--json"]).await.exits(64).error();
    assert_eq!(error["advice"], "Did you mean `openai`?");
}

#[tokio::test]
async fn keys_in_the_environment_are_used_and_shown_nowhere() {
    let home = Home::new(CONFIG);
    let call = || home.call(&["resolve", "github", "--json"]);
    let found = call().variable("GITHUB_TOKEN", Some(KEY)).start().ended().await.exits(0).json();
    assert_eq!(found["source"], "variable GITHUB_TOKEN");
    let refused = call().variable("GITHUB_TOKEN", Some("canary--key with spaces")).start().ended().await;
    assert_eq!(refused.exits(78).error()["code"], "config_invalid");
    let status = home.call(&["status", "--json"]).variable("GITHUB_TOKEN", Some(KEY)).start().ended().await;
    assert!(status.exits(0).stdout.contains("variable GITHUB_TOKEN"));
    let none = home.run(&["resolve", "github", "--json"]).await.exits(77).error();
    assert!(none["advice"].as_str().unwrap().contains("GITHUB_TOKEN"), "{none}");
    // Nothing of the environment was kept.
    assert_eq!(home.run(&["token", "github", "--json"]).await.exits(77).error()["code"], "not_connected");
}

#[tokio::test]
async fn a_stored_key_outlives_the_rotation_of_the_stores_key() {
    let home = Home::new(CONFIG);
    set(&home, &["openai"], KEY.as_bytes()).await.exits(0);
    let rotated = home.run(&["store", "rotate-key", "--json"]).await.exits(0).json();
    assert_eq!((&rotated["resealed"], &rotated["kept_keys"]), (&1.into(), &0.into()));
    assert_eq!(home.run(&["token", "openai"]).await.token(), KEY);
}

#[tokio::test]
async fn a_login_and_a_key_of_one_account_leave_each_other_alone() {
    let dev = Dev::start().await;
    set(&dev.home, &["dev"], KEY.as_bytes()).await.exits(0);
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), KEY);
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    dev.home.call(&["login", "dev", "--json", "--no-browser"]).follow(&mut browser).await.exits(0);
    assert!(
        dev.provider.is_active(&dev.home.run(&["token", "dev"]).await.token()),
        "the connection comes first"
    );
    // A connection that this configuration cannot use is there all the same, and the key does not take its place.
    let ours = fs::read_to_string(dev.home.path(".loomkin.toml")).unwrap();
    dev.home.write_config(&ours.replace("client_id = \"", "client_id = \"another-"));
    let refused = dev.home.run(&["token", "dev", "--json"]).await.exits(77).error();
    assert!(refused["message"].as_str().unwrap().contains("was connected with another"), "{refused}");
    dev.home.write_config(&ours);

    let ended = dev.home.run(&["disconnect", "dev"]).await.exits(0);
    assert!(ended.stderr.contains("`loomkin-auth key remove dev`"), "{}", ended.stderr);
    assert_eq!(dev.home.run(&["token", "dev"]).await.token(), KEY);
}

#[tokio::test]
async fn at_a_terminal_the_key_is_asked_for_and_stays_hidden() {
    let home = Home::new(CONFIG);
    let Some(call) = home.call_at_terminal(&["key", "set", "openai"]) else {
        say_skipped("at_a_terminal_the_key_is_asked_for_and_stays_hidden", "there is no script(1) here");
        return;
    };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Paste the API key of openai")).await);
    running.write_line(KEY).await;
    let ran = running.ended().await.exits(0);
    assert!(ran.stdout.contains(" the API key of openai, sealed."), "{}", ran.stdout);
    assert_eq!(home.run(&["token", "openai"]).await.token(), KEY);
}

#[tokio::test]
async fn what_a_terminal_has_cut_off_is_not_stored() {
    let home = Home::new(CONFIG);
    set(&home, &["openai"], KEY.as_bytes()).await.exits(0);
    let Some(call) = home.call_at_terminal(&["key", "set", "openai", "--replace"]) else {
        say_skipped("what_a_terminal_has_cut_off_is_not_stored", "there is no script(1) here");
        return;
    };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Paste the API key of openai")).await);
    running.write_line(&format!("canary--{}", "k".repeat(5_000))).await;
    let ran = running.ended().await.exits(64);
    assert!(ran.stdout.contains("through a pipe"), "{}", ran.stdout);
    assert_eq!(home.run(&["token", "openai"]).await.token(), KEY, "the good one is still there");
}

#[tokio::test]
async fn at_a_terminal_connect_asks_for_the_way_where_there_are_several() {
    let home = Home::new(CONFIG);
    let Some(call) = home.call_at_terminal(&["connect", "github"]) else {
        say_skipped(
            "at_a_terminal_connect_asks_for_the_way_where_there_are_several",
            "there is no script(1) here",
        );
        return;
    };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Number:")).await);
    let asked = running.stdout().text();
    for way in [
        "1)  log in with your browser",
        "2)  log in with a code on another device",
        "3)  paste an auth token",
    ] {
        assert!(asked.contains(way), "{asked}");
    }
    running.write_line("7").await;
    assert!(within("a prompt", running.stdout().said("Type a number from 1 to 3.")).await);
    running.write_line("3").await;
    assert!(within("a prompt", running.stdout().said("Paste the auth token of github")).await);
    running.write_line(KEY).await;
    running.ended().await.exits(0);
    let found = home.run(&["resolve", "github", "--json"]).await.exits(0).json();
    assert_eq!((&found["kind"], &found["place"]), (&"auth_token".into(), &"store".into()));
}

#[tokio::test]
async fn at_a_terminal_the_end_of_the_answers_begins_no_login() {
    let home = Home::new(CONFIG);
    let Some(call) = home.call_at_terminal(&["connect", "github"]) else {
        say_skipped("at_a_terminal_the_end_of_the_answers_begins_no_login", "there is no script(1) here");
        return;
    };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Number:")).await);
    running.write_all(b"\x04").await;
    let ran = within("the end", running.ended()).await.exits(64);
    assert!(ran.stdout.contains("nobody said how to connect github"), "{}", ran.stdout);
}

#[tokio::test]
async fn the_login_that_the_question_offers_first_is_chosen_as_if_nobody_had_asked() {
    let dev = Dev::start().await;
    dev.configure("auth_token_env = \"DEV_TOKEN\"");
    dev.home.set_variable("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22");
    let Some(call) = dev.home.call_at_terminal(&["connect", "dev"]) else {
        say_skipped("the_login_that_the_question_offers_first", "there is no script(1) here");
        return;
    };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Number:")).await);
    running.write_line("1").await;
    assert!(within("the reason", running.stdout().said("this is an SSH session")).await);
    assert!(within("the code", running.stdout().said("/device?user_code=")).await);
}

#[tokio::test]
async fn what_only_a_login_has_a_use_for_says_that_one_is_meant() {
    let dev = Dev::start().await;
    dev.configure("auth_token_env = \"DEV_TOKEN\"");
    let Some(call) = dev.home.call_at_terminal(&["connect", "dev", "--no-browser"]) else {
        say_skipped("what_only_a_login_has_a_use_for", "there is no script(1) here");
        return;
    };
    let running = call.start();
    assert!(within("the address", running.stdout().said("To connect dev, log in here")).await);
    assert!(!running.stdout().text().contains("Number:"), "{}", running.stdout().text());
}

#[tokio::test]
async fn a_configured_flow_can_be_left_to_the_place() {
    let dev = Dev::start().await;
    dev.configure("flow = \"device\"");
    let mut browser = Browser::new("ada", Choice::Allow).unwrap();
    let call = dev.home.call(&["connect", "dev", "--json", "--no-browser", "--flow", "auto"]);
    let ran = call.follow(&mut browser).await.exits(0);
    let first: serde_json::Value = serde_json::from_str(ran.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(first["flow"], "loopback");
}

#[tokio::test]
async fn a_provider_that_nobody_wrote_down_is_used_by_its_stored_key() {
    let home = Home::new("[provider.endpoints.vllm]\nurl = \"http://localhost:8000/v1\"\n");
    for provider in ["openai", "vllm"] {
        let refused = home.run(&["use", provider, "--json"]).await.exits(77).error();
        assert_eq!(refused["code"], "not_connected");
        set(&home, &[provider], KEY.as_bytes()).await.exits(0);
        home.run(&["use", provider]).await.exits(0);
        assert_eq!(home.run(&["token"]).await.token(), KEY);
    }
    assert_eq!(
        home.run(&["use", "opnai", "--json"]).await.exits(64).error()["advice"],
        "Did you mean `openai`?"
    );
    let Some(call) = home.call_at_terminal(&["connect", "zai"]) else { return };
    let mut running = call.start();
    assert!(within("a prompt", running.stdout().said("Paste the API key of zai")).await);
    running.write_line(KEY).await;
    running.ended().await.exits(0);
    assert_eq!(home.run(&["token", "zai"]).await.token(), KEY);
}

#[tokio::test]
async fn a_stored_key_is_never_said_to_be_missing() {
    let home = Home::new("[auth.zai]\n");
    set(&home, &["zai"], KEY.as_bytes()).await.exits(0);
    let refused = home.run(&["connect", "zai", "--json"]).await.exits(77).error();
    assert_eq!(refused["message"], "nobody can log in to zai here: it has no OAuth");
    assert_eq!(refused["advice"], "Run `loomkin-auth key set zai`.");
    let unregistered = home.run(&["connect", "openai", "--json"]).await.exits(77).error();
    assert!(
        unregistered["advice"].as_str().unwrap().starts_with("Set client_id in [auth.openai]"),
        "{unregistered}"
    );
    let Some(call) = home.call_at_terminal(&["connect", "zai"]) else { return };
    let ran = call.start().ended().await.exits(0);
    assert!(ran.stdout.contains("`loomkin-auth key set zai --replace` overwrites it"), "{}", ran.stdout);
}

#[tokio::test]
async fn a_key_that_was_typed_as_an_argument_is_refused_and_not_repeated() {
    let home = Home::new(CONFIG);
    let shaped = "sk-proj-canary0123456789abcdef0123456789";
    for arguments in [
        &["key", "set", "openai", "canary-of-no-shape"][..],
        &["key", "set", "openai", "--token", shaped],
        &["key", "set", shaped],
        &["key", "remove", "openai", shaped],
        &["token", "openai", shaped],
        &["token", shaped],
        &["resolve", shaped],
        &["connect", "SK-proj", shaped],
    ] {
        for json in [&[][..], &["--json"]] {
            let ran = home.run(&[arguments, json].concat()).await.exits(64);
            assert!(!ran.stderr.contains("canary"), "{arguments:?}: {}", ran.stderr);
        }
    }
    let refused = home.run(&["key", "set", "openai", shaped, "--json"]).await.exits(64).error();
    assert!(
        refused["advice"].as_str().unwrap().starts_with("Run `loomkin-auth key set openai`"),
        "{refused}"
    );
}

#[tokio::test]
async fn whoever_disconnects_everything_is_told_of_the_keys_that_stay() {
    let dev = Dev::start().await;
    dev.app().await.connect("dev", "ada").await.unwrap();
    set(&dev.home, &["dev"], KEY.as_bytes()).await.exits(0);
    let ran = dev.home.run(&["disconnect", "--all"]).await.exits(0);
    assert!(ran.stderr.contains("`loomkin-auth key remove dev` removes it"), "{}", ran.stderr);
}

#[tokio::test]
async fn a_well_known_provider_needs_no_configuration_file() {
    let home = Home::new("");
    fs::remove_file(home.path(".loomkin.toml")).unwrap();
    let call = home.call(&["resolve", "openai", "--json"]).variable("OPENAI_API_KEY", Some(KEY));
    assert_eq!(call.start().ended().await.exits(0).json()["source"], "variable OPENAI_API_KEY");
    assert_eq!(home.run(&["status", "--json"]).await.exits(78).error()["code"], "config_invalid");
    assert_eq!(home.run(&["resolve", "opnai", "--json"]).await.exits(78).error()["code"], "config_invalid");
    assert!(!home.path(".local").exists(), "nothing was made");

    set(&home, &["openai"], KEY.as_bytes()).await.exits(0);
    assert_eq!(home.run(&["token", "openai"]).await.token(), KEY);
    assert_eq!(home.run(&["status", "--json"]).await.exits(0).json()[0]["provider"], "openai");
}

#[tokio::test]
async fn a_key_in_the_environment_is_found_without_a_store_and_makes_none() {
    let home = Home::new(CONFIG);
    let resolve = |provider: &str| {
        let call = home.call(&["resolve", provider, "--json"]);
        call.variable("OPENAI_API_KEY", Some(KEY)).variable("STORE_KEY", None).start()
    };
    let before = fs::read_dir(home.path(".")).unwrap().count();
    assert_eq!(resolve("openai").ended().await.exits(0).json()["place"], "environment");
    assert_eq!(fs::read_dir(home.path(".")).unwrap().count(), before, "no store was made");

    set(&home, &["openai"], KEY.as_bytes()).await.exits(0);
    let found = resolve("openai").ended().await.exits(0).json();
    assert_eq!(found["place"], "environment");
    assert!(found["passed_over"].to_string().contains("not looked at"), "{found}");
    assert_eq!(resolve("github").ended().await.exits(74).error()["code"], "key_unavailable");
}
