//! Kills over SQLite, against a server that was not written here.

use loomkin_auth_scenarios::Spread;
use loomkin_auth_scenarios::kills::{Stage, kills, storm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Node.js and tests/servers/oidc-provider/setup"]
async fn kills_at_random_moments_cost_no_account_but_where_an_answer_was_lost() {
    let stage = Stage::with_oidc_provider().await;
    let mut spread = Spread::new();
    let tally = storm(&stage, kills(30), &mut spread).await;
    tally.settle(&format!("SQLite, oidc-provider, random moments, seed {}", spread.seed()));
}
