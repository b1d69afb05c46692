//! Whatever stands in a file: reading it does not panic, and shows no secret.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use std::path::Path;

use loomkin_auth::config::{Config, Problems};
use loomkin_auth::environment::Environment;
use loomkin_auth::error::Error;
use proptest::prelude::*;

const CANARY: &str = "canary-4711";

/// Sections with the keys whose values are secret whatever they are.
const SECRETS: &[(&str, &str)] = &[
    ("auth.github", "api_key"),
    ("auth.github", "auth_token"),
    ("auth.github", "client_secret"),
    ("auth.http", "proxy"),
    ("auth.store", "url"),
    ("provider.endpoints.vllm", "auth_key"),
];

/// Sections with some key of every kind, which may all be filled from variables.
const KEYS: &[(&str, &str)] = &[
    ("auth", "callback_base_url"),
    ("auth.github", "api_key_env"),
    ("auth.github", "client_id"),
    ("auth.github", "flow"),
    ("auth.github", "preset"),
    ("auth.github", "redirect_uri"),
    ("auth.github", "scopes"),
    ("auth.github.params", "audience"),
    ("auth.refresh", "margin"),
    ("auth.store", "key"),
    ("auth.store", "path"),
    ("auth.tiers.fast", "auth_mode"),
    ("auth.tiers.fast", "provider"),
    ("auth.tiers.fast", "use_oauth"),
    ("model", "fast"),
    ("provider.endpoints.vllm", "url"),
];

fn parse(text: &str, canary: &str) -> Result<Config, Problems> {
    let environment = Environment::new([("HOME", "/home/ada"), ("CANARY", canary)], "/home/ada/app");
    Config::parse(text, Path::new(".loomkin.toml"), &environment)
}

/// Everything that can be printed of an outcome.
fn printed(outcome: Result<Config, Problems>) -> String {
    match outcome {
        Ok(config) => format!("{config:?} {}", serde_json::to_string(config.rows()).unwrap()),
        Err(problems) => {
            let text = format!("{problems} {problems:?}");
            let error = Error::from(problems);
            format!("{text} {error} {error:?} {:?} {}", error.details(), error.advice())
        }
    }
}

/// Values around the canary: plausible ones, and such as no key takes.
fn value(canary: &'static str) -> impl Strategy<Value = String> {
    let wrap = move |before: &str, after: &str| format!("{before}{canary}{after}");
    prop_oneof![
        Just(canary.to_owned()),
        Just(wrap("https://ada:", "@example.com/")),
        Just(wrap("http://", ".example.com/")),
        Just(wrap("https://", ".example.com/#x")),
        Just(wrap("postgres://ada:", "@db/auth")),
        Just(wrap("socks5://ada:", "@proxy")),
        Just(wrap("file:~", "/key")),
        Just(wrap("env:", "")),
        Just(wrap("github:", "")),
        Just(wrap("~", "")),
        "[ -~äß\\n\\t]{0,8}".prop_map(move |noise| wrap(&noise, &noise)),
    ]
}

fn line(section: &str, key: &str, value: &str) -> String {
    format!("[{section}]\n{key} = {}\n", toml::Value::String(value.to_owned()))
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,200}", lines in "[\\[\\]a-z.=\"'{}$:,#\\n\\r 0-9-]{0,200}") {
        let _ = parse(&text, "");
        let _ = parse(&lines, "");
    }

    #[test]
    fn any_value_of_a_known_key_is_read_without_panic(
        at in 0..KEYS.len(),
        value in "(\"\\PC{0,30}\"|'[^'\\n]{0,30}'|\\[[\"a-z, 0-9]{0,20}\\]|\\{[a-z= \"]{0,20}\\}|[0-9:T.+-]{1,20}|true)",
    ) {
        let (section, key) = KEYS[at];
        let _ = parse(&format!("[{section}]\n{key} = {value}\n"), "");
    }

    #[test]
    fn every_problem_stands_in_the_file(text in "(\\[auth(\\.[a-zä]{1,9}){0,2}\\]\r?\n|[a-z_ü]{1,9} = (1|\"[a-zß${}:]{0,9}\")\r?\n){0,9}") {
        if let Err(problems) = parse(&text, "") {
            let lines: Vec<_> = text.split('\n').collect();
            for problem in problems.list() {
                let width = lines[problem.line - 1].chars().count();
                prop_assert!((1..=width + 1).contains(&problem.column), "{problem}");
            }
        }
    }

    #[test]
    fn the_value_of_a_secret_key_is_never_shown(at in 0..SECRETS.len(), value in value(CANARY)) {
        // The one text of a secret that is shown is a variable's name, and the canary must not look like one.
        prop_assume!(!value.contains("${"));
        let (section, key) = SECRETS[at];
        let shown = printed(parse(&line(section, key, &value), ""));
        prop_assert!(!shown.contains(CANARY), "{shown}");
    }

    #[test]
    fn what_a_variable_holds_is_never_shown(at in 0..KEYS.len() + SECRETS.len(), held in value(CANARY)) {
        let (section, key) = *KEYS.iter().chain(SECRETS).nth(at).unwrap();
        for value in ["${CANARY}", "x ${CANARY}", "${CANARY:-x}/y", "https://${CANARY}", "$${CANARY}${CANARY}"] {
            let shown = printed(parse(&line(section, key, value), &held));
            prop_assert!(!shown.contains(CANARY), "{shown}");
        }
    }

    #[test]
    fn a_line_that_is_not_toml_is_never_shown(cut in 1usize..30) {
        let line = line("auth.github", "client_secret", CANARY);
        let shown = printed(parse(&line[..line.len() - cut.min(line.len())], ""));
        prop_assert!(!shown.contains("canary"), "{shown}");
    }
}
