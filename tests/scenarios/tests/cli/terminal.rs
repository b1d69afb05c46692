//! What is drawn for a person at a terminal, and for nobody else.

use loomkin_auth_scenarios::{Dev, Home, say_skipped, within};

const NO_TERMINAL: &str = "there is no script(1) here";

#[tokio::test]
async fn colours_are_for_terminals_whose_person_has_nothing_against_them() {
    let name = "colours_are_for_terminals_whose_person_has_nothing_against_them";
    let home = Home::new("[auth.openai]\nbase_url = \"https://api.openai.com/v1\"\n");
    for (variable, has_colours) in [("NOTHING", true), ("NO_COLOR", false)] {
        let Some(call) = home.call_at_terminal(&["doctor"]) else { return say_skipped(name, NO_TERMINAL) };
        let call = call.variable("LOOMKIN_AUTH_LOG", None).variable("TERM", Some("xterm"));
        let ran = call.variable(variable, Some("1")).start().ended().await.exits(0);
        assert_eq!(ran.stdout.contains("\u{1b}["), has_colours, "{variable}: {ran:?}");
    }
    let ran = home.call(&["doctor"]).variable("TERM", Some("xterm")).start().ended().await.exits(0);
    assert!(!ran.stdout.contains('\u{1b}'), "{ran:?}");
}

#[tokio::test]
async fn what_takes_its_time_says_so_at_a_terminal_alone() {
    let name = "what_takes_its_time_says_so_at_a_terminal_alone";
    let dev = Dev::start().await;
    dev.expired().await.close().await;
    let gate = dev.provider.hold_token_answers();
    let Some(call) = dev.home.call_at_terminal(&["token", "dev", "2>&1"]) else {
        gate.release();
        return say_skipped(name, NO_TERMINAL);
    };
    let running = call.variable("LOOMKIN_AUTH_LOG", None).variable("TERM", Some("xterm")).start();
    assert!(within("a word of patience", running.stdout().said("Refreshing the token of dev …")).await);
    gate.release();
    let ran = running.ended().await;
    assert_eq!(ran.code, Some(0));

    dev.provider.expire_access_tokens();
    let ran = dev.home.call(&["token", "dev"]).variable("LOOMKIN_AUTH_LOG", None).start().ended().await;
    assert_eq!(ran.stderr, "", "where nobody looks, nothing is drawn");
}
