//! Kills over SQLite, with a server that is quick.
//!
//! ```sh
//! LOOMKIN_KILLS=1000 cargo test -p loomkin-auth-scenarios kills -- --include-ignored --nocapture --test-threads=1
//! ```
//!
//! makes a thousand of them over SQLite, here and against oidc-provider, and three hundred over PostgreSQL.

use loomkin_auth_scenarios::Spread;
use loomkin_auth_scenarios::kills::{Moment, Stage, Tally, Victim, kill_at, kills, storm};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_cost_no_account_but_where_an_answer_was_lost() {
    let stage = Stage::with_dev_provider().await;
    let mut spread = Spread::new();
    let tally = storm(&stage, kills(50), &mut spread).await;
    tally.settle(&format!("SQLite, dev-provider, random moments, seed {}", spread.seed()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_chosen_moments_cost_the_account_exactly_where_an_answer_was_lost() {
    let stage = Stage::with_dev_provider().await;
    let mut tally = Tally::default();
    while tally.kills() < kills(20) {
        for moment in Moment::ALL {
            for victim in [Victim::Command, Victim::Resident] {
                kill_at(&stage, moment, victim, &mut tally).await;
            }
        }
    }
    tally.settle("SQLite, dev-provider, chosen moments");
}
