//! `tests/vectors/credentials.json`: what is asked for, times what is held where.

use std::collections::BTreeMap;

use loomkin_auth::status::ConnectionState;
use serde::Deserialize;

use super::{World, said, secret};

#[derive(Deserialize)]
struct Table {
    modes: Vec<Mode>,
    answers: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Mode {
    auth_mode: Option<String>,
    use_oauth: Option<bool>,
    looks_for: String,
    note: bool,
}

fn world(mode: &Mode, held: &str) -> World {
    let mut tier = "[auth.tiers.row]\nprovider = \"dev\"\n".to_owned();
    if let Some(word) = &mode.auth_mode {
        tier.push_str(&format!("auth_mode = \"{word}\"\n"));
    }
    if let Some(flag) = mode.use_oauth {
        tier.push_str(&format!("use_oauth = {flag}\n"));
    }
    let mut dev = "[auth.dev]\nclient_id = \"cli\"\nissuer = \"https://id.example.com\"\n\
                   api_key_env = \"DEV_API_KEY\"\nauth_token_env = \"DEV_AUTH_TOKEN\"\n"
        .to_owned();
    let mut places = held.split(' ');
    let mut next = || places.next().unwrap();
    let (config, environment, store) = (next(), next(), next());
    if config.contains('k') {
        dev.push_str("api_key = \"canary-api_key-config\"\n");
    }
    if config.contains('t') {
        dev.push_str("auth_token = \"canary-auth_token-config\"\n");
    }
    let mut world = World::new(&format!("{tier}\n{dev}"));
    if environment.contains('k') {
        world = world.variable("DEV_API_KEY", "canary-api_key-environment");
    }
    if environment.contains('t') {
        world = world.variable("DEV_AUTH_TOKEN", "canary-auth_token-environment");
    }
    world.held.api_key = store.contains('k').then(|| secret("canary-api_key-store")).flatten();
    world.held.auth_token = store.contains('t').then(|| secret("canary-auth_token-store")).flatten();
    world.held.connection = store.contains('o').then_some(Ok(ConnectionState::Connected));
    world
}

#[test]
fn every_row_of_the_decision_table_has_its_answer() {
    let text = include_str!("../../../tests/vectors/credentials.json");
    let table: Table = serde_json::from_str(text).unwrap();
    assert_eq!((table.modes.len(), table.answers.values().map(BTreeMap::len).sum::<usize>()), (12, 384));
    for mode in &table.modes {
        for (held, expected) in &table.answers[&mode.looks_for] {
            let (world, when) =
                (world(mode, held), format!("{:?} {:?} {held}", mode.auth_mode, mode.use_oauth));
            assert_eq!(world.answer("row"), *expected, "{when}");
            assert_eq!(
                world.config().notes().iter().any(|note| note.message.contains("disagrees")),
                mode.note
            );
            let Ok(found) = world.resolve("row") else { continue };
            // The answer and what was passed over are all that is there.
            let there = held.chars().filter(|c| c.is_ascii_alphabetic()).count();
            let shadowed =
                |reason: &str| reason == "another comes first" || reason.starts_with("auth_mode is");
            let passed_over = found.passed_over.iter().filter(|place| shadowed(&place.reason)).count();
            assert_eq!(passed_over + 1, there, "{when}");
            let expected = expected.replace(' ', "-");
            // Compared, and not shown.
            let is_right =
                |found: &loomkin_auth::secret::Secret| found.expose() == format!("canary-{expected}");
            assert!(
                found.secret().is_none_or(is_right),
                "{when}: another secret than that of the {}",
                said(&found)
            );
            assert_eq!(found.secret().is_none(), expected.starts_with("oauth"), "{when}");
        }
    }
}
