//! The shared decision table, row by row, by the command.

use std::collections::BTreeMap;

use loomkin_auth_scenarios::{Browser, Choice, Dev, connect_by_command};
use serde_json::Value;

const STATIC: [(char, &str); 2] = [('k', "api_key"), ('t', "auth_token")];

#[tokio::test]
async fn every_row_of_the_decision_table_has_its_answer_by_the_command_too() {
    let table: Value = serde_json::from_str(include_str!("../../../vectors/credentials.json")).unwrap();
    let modes = table["modes"].as_array().unwrap();
    let dev = Dev::start().await;
    let mut rows = 0;
    for store in ["---", "k--", "-t-", "kt-", "--o", "k-o", "-to", "kto"] {
        hold(&dev, store).await;
        for config in ["--", "k-", "-t", "kt"] {
            configure(&dev, modes, config);
            for environment in ["--", "k-", "-t", "kt"] {
                let held = format!("{config} {environment} {}", store);
                rows += ask(&dev, &table, environment, &held, rows).await;
            }
        }
    }
    assert_eq!(rows, 384);
}

/// Asks for one row in all three modes at once, each time in another of its spellings. Says how many answers there were.
async fn ask(dev: &Dev, table: &Value, environment: &str, held: &str, spelling: usize) -> usize {
    let mut asked = Vec::new();
    for (mode, answers) in table["answers"].as_object().unwrap() {
        let spellings: Vec<_> =
            (0..12).filter(|index| table["modes"][index]["looks_for"] == mode.as_str()).collect();
        let tier = format!("t{}", spellings[spelling / 3 % spellings.len()]);
        let mut call = dev.home.call(&["resolve", &tier, "--json"]);
        for (letter, kind) in STATIC {
            let name = format!("DEV_{}", kind.to_uppercase());
            let value = format!("canary--{kind}-of-the-environment");
            call = call.variable(&name, environment.contains(letter).then_some(&*value));
        }
        asked.push((tier, answers[held].as_str().unwrap(), call.start()));
    }
    let count = asked.len();
    for (tier, expected, running) in asked {
        let ran = running.ended().await;
        let found = match ran.code {
            Some(0) => {
                let answer = ran.json();
                assert_eq!(answer["tier"], tier.as_str());
                format!("{} {}", answer["kind"].as_str().unwrap(), answer["place"].as_str().unwrap())
            }
            _ => ran.error()["code"].as_str().unwrap().to_owned(),
        };
        assert_eq!(found, expected, "{tier}: {held}");
    }
    count
}

/// Every spelling of a mode is a tier of its own.
fn configure(dev: &Dev, modes: &[Value], config: &str) {
    let mut lines = "api_key_env = \"DEV_API_KEY\"\nauth_token_env = \"DEV_AUTH_TOKEN\"\n".to_owned();
    for (letter, kind) in STATIC {
        if config.contains(letter) {
            let name = format!("CONFIGURED_{}", kind.to_uppercase());
            dev.home.set_variable(&name, &format!("canary--{kind}-of-the-configuration"));
            lines.push_str(&format!("{kind} = \"${{{name}}}\"\n"));
        }
    }
    for (index, mode) in modes.iter().enumerate() {
        lines.push_str(&format!("[auth.tiers.t{index}]\nprovider = \"dev\"\n"));
        let keys: BTreeMap<_, _> = mode.as_object().unwrap().iter().collect();
        for key in ["auth_mode", "use_oauth"] {
            if let Some(value) = keys.get(&key.to_owned()).filter(|value| !value.is_null()) {
                lines.push_str(&format!("{key} = {value}\n"));
            }
        }
    }
    dev.configure(&lines);
}

/// Brings the store to what it is to hold, by the commands that a person has.
async fn hold(dev: &Dev, wanted: &str) {
    dev.configure("");
    for (letter, kind) in STATIC {
        let option: &[&str] = if kind == "auth_token" { &["--token"] } else { &[] };
        if wanted.contains(letter) {
            let arguments = [&["key", "set", "dev"], option].concat();
            let mut setting = dev.home.call(&arguments).start();
            setting.write_all(format!("canary--{kind}-of-the-store\n").as_bytes()).await;
            setting.ended().await.exits(0);
        } else {
            dev.home.run(&[&["key", "remove", "dev"], option].concat()).await.exits(0);
        }
    }
    if wanted == "--o" {
        let mut browser = Browser::new("ada", Choice::Allow).unwrap();
        connect_by_command(&dev.home, "dev", &mut browser).await.exits(0);
    }
}
