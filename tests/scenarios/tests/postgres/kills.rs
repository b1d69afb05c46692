//! Kills over PostgreSQL, on two hosts that share nothing else.

use loomkin_auth_scenarios::kills::{Moment, Stage, Tally, Victim, kill_at, kills, storm};
use loomkin_auth_scenarios::{Postgres, Spread};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn kills_at_random_moments_cost_no_account_but_where_an_answer_was_lost() {
    let server = Postgres::start();
    let stage = Stage::with_two_hosts(server.database()).await;
    let mut spread = Spread::new();
    let tally = storm(&stage, kills(24), &mut spread).await;
    tally.settle(&format!("PostgreSQL, two hosts, random moments, seed {}", spread.seed()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs PostgreSQL"]
async fn kills_at_chosen_moments_cost_the_account_exactly_where_an_answer_was_lost() {
    let server = Postgres::start();
    let stage = Stage::with_two_hosts(server.database()).await;
    let mut tally = Tally::default();
    while tally.kills() < kills(6) {
        // A row that is locked keeps nobody from asking: the database has no such moment as `Asking`.
        for moment in Moment::ALL.into_iter().filter(|moment| *moment != Moment::Asking) {
            for victim in [Victim::Command, Victim::Resident] {
                kill_at(&stage, moment, victim, &mut tally).await;
            }
        }
    }
    tally.settle("PostgreSQL, two hosts, chosen moments");
}
