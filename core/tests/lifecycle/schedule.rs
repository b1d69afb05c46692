//! The schedule: everything is renewed before anybody has to wait, by one process, and after any trouble.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use loomkin_auth::account::{AccountKey, Owner};
use loomkin_auth::lifecycle::Lifecycle;
use loomkin_auth::store::FailureKind;

use crate::faulty_store::FaultyStore;
use crate::support::{AHEAD, LIFETIME, MARGIN, Network, Reply, World, account, is_token};

/// When the schedule has renewed whatever it can, with room for one look.
const RENEWED: Duration = Duration::from_secs((3600 - 300) + (300 - 60) / 2 + 2);

async fn with_fresh_token(world: &World) -> Arc<Lifecycle> {
    let process = world.process().await;
    world.log_in(&process, "1").await.unwrap();
    process
}

fn accounts(count: usize) -> impl Iterator<Item = AccountKey> {
    (0..count).map(|n| account().for_owner(Owner::new(format!("user-{n}")).unwrap()))
}

#[tokio::test(start_paused = true)]
async fn connections_of_all_owners_are_renewed_before_anybody_has_to_wait() {
    let world = World::new([Reply::tokens(1), Reply::tokens(1), Reply::tokens(1)]);
    let process = with_fresh_token(&world).await;
    let others = ["github/work".parse().unwrap(), account().for_owner(Owner::new("ada").unwrap())];
    for other in &others {
        world.log_in_to(&process, other, "1").await.unwrap();
    }
    let _schedule = process.renew_ahead().unwrap();

    tokio::time::sleep(LIFETIME - AHEAD).await;
    assert_eq!(world.network.refreshes(), 0, "they are fresh");
    tokio::time::sleep(RENEWED - (LIFETIME - AHEAD)).await;
    assert_eq!(world.network.refreshes(), 3, "half of the time is for trouble");
    for account in [&account(), &others[0], &others[1]] {
        assert!(is_token(&process.access_token(account).await.unwrap(), 1));
    }
    assert_eq!(world.network.refreshes(), 3);
}

#[tokio::test(start_paused = true)]
async fn of_many_processes_one_renews_and_this_goes_on_for_hours() {
    let world = World::new((1..=20).map(Reply::tokens));
    let first = with_fresh_token(&world).await;
    let (second, third) = (world.process().await, world.process().await);
    let _schedules = [&first, &second, &third].map(|process| process.renew_ahead().unwrap());
    tokio::time::sleep(8 * LIFETIME).await;
    let refreshes = world.network.refreshes();
    // One for each time that a token lived, which is an hour less what it is renewed ahead.
    assert!((8..=9).contains(&refreshes), "{refreshes}");
    let newest = u32::try_from(refreshes).unwrap();
    assert!(is_token(&third.access_token(&account()).await.unwrap(), newest));
}

#[tokio::test(start_paused = true)]
async fn many_processes_that_were_away_share_the_work() {
    let world = World::new(std::iter::repeat_n(Reply::tokens(1), 60));
    let process = world.process().await;
    for account in accounts(60) {
        world.log_in_to(&process, &account, "1").await.unwrap();
    }
    tokio::time::advance(10 * LIFETIME).await;
    let processes = [world.process().await, world.process().await, world.process().await];
    world.network.hold();
    let _schedules = processes.each_ref().map(|process| process.renew_ahead().unwrap());
    tokio::time::sleep(Duration::from_secs(5)).await;
    // Each has 16 in hand. Were they the same, two processes would only watch.
    assert!(world.network.refreshes() > 16, "{}", world.network.refreshes());
    world.network.release();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.network.refreshes(), 60);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_schedule_ends_it_and_no_refresh_in_flight() {
    let world = World::new([Reply::tokens(1)]);
    let process = with_fresh_token(&world).await;
    let schedule = process.renew_ahead().unwrap();
    world.network.hold();
    world.network.arrived(1).await;
    drop(schedule);
    world.network.release();
    tokio::time::sleep(10 * LIFETIME).await;
    assert_eq!(world.network.refreshes(), 1);
    let record = process.vault().record(&account()).await.unwrap().unwrap();
    assert_eq!(record.revision, 1, "the answer was not stored");
}

#[tokio::test(start_paused = true)]
async fn closing_ends_the_schedule() {
    let world = World::new([]);
    let process = with_fresh_token(&world).await;
    let _schedule = process.renew_ahead().unwrap();
    process.close(MARGIN).await;
    tokio::time::sleep(10 * LIFETIME).await;
    assert_eq!(world.network.refreshes(), 0);
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_every_account_recovers_without_any_caller() {
    let outage = std::iter::repeat_n(Reply::refused(), 200);
    let world = World::new(outage.chain(std::iter::repeat_n(Reply::tokens(1), 20)));
    let process = world.process().await;
    for account in accounts(20) {
        world.log_in_to(&process, &account, "1").await.unwrap();
    }
    let _schedule = process.renew_ahead().unwrap();
    // Longer than the tokens live, and than any back-off.
    tokio::time::sleep(LIFETIME + Duration::from_secs(1800)).await;
    assert_eq!(world.network.refreshes(), 220);
    for account in accounts(20) {
        assert!(is_token(&process.access_token(&account).await.unwrap(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_asked_for_again_only_when_the_token_is_about_to_end() {
    let world = World::new([Reply::unknown(), Reply::tokens(1)]);
    let process = with_fresh_token(&world).await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(LIFETIME - MARGIN - Duration::from_secs(1)).await;
    let failure = process.vault().record(&account()).await.unwrap().unwrap().failure;
    assert_eq!(failure.map(|failure| failure.kind), Some(FailureKind::Unknown));
    assert_eq!(world.network.refreshes(), 1, "a repeat may end the family");
    tokio::time::sleep(MARGIN / 2 + Duration::from_secs(3)).await;
    assert_eq!(world.network.refreshes(), 2);
    assert!(is_token(&process.access_token(&account()).await.unwrap(), 1));
}

#[tokio::test(start_paused = true)]
async fn a_dead_grant_is_asked_about_once() {
    let world = World::new([Reply::invalid_grant()]);
    let process = with_fresh_token(&world).await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(3 * LIFETIME).await;
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_registration_is_asked_about_no_more_often_than_by_callers() {
    let rejected = Reply::json(401, r#"{"error":"invalid_client"}"#);
    let world = World::new(std::iter::repeat_n(rejected, 13));
    let process = with_fresh_token(&world).await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(RENEWED + LIFETIME).await;
    assert!((10..=13).contains(&world.network.refreshes()), "{}", world.network.refreshes());
}

#[tokio::test(start_paused = true)]
async fn what_was_connected_with_another_configuration_is_left_alone() {
    let mut world = World::new([]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    with_fresh_token(&world).await;
    let checkout = World { token_host: "evil.example.org", ..world.clone() }.process().await;
    let _schedule = checkout.renew_ahead().unwrap();
    tokio::time::sleep(LIFETIME + Duration::from_secs(600)).await;
    assert!(world.network.seen("").is_empty());
    let reads = store.loads.load(Ordering::SeqCst);
    assert!(reads <= 20, "it was read {reads} times");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_cannot_be_discovered_is_not_asked_for_each_connection() {
    let world = World { discovers: true, ..World::new(std::iter::repeat_n(Reply::refused(), 1000)) };
    let process = world.process().await;
    for account in accounts(300) {
        world.log_in_to(&process, &account, "1").await.unwrap();
    }
    tokio::time::advance(LIFETIME).await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(55)).await;
    let asked = world.network.seen("/.well-known/").len();
    assert!((1..=50).contains(&asked), "it was asked {asked} times");
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert!(world.network.seen("/.well-known/").len() > asked, "it is asked again");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_holds_up_no_other() {
    let neighbour = Network::new([Reply::tokens(1)]);
    let world = World { neighbour: Some(neighbour.clone()), ..World::new([]) };
    let process = world.process().await;
    for account in accounts(100) {
        world.log_in_to(&process, &account, "1").await.unwrap();
    }
    world.log_in_to(&process, &"google".parse().unwrap(), "1").await.unwrap();
    tokio::time::advance(LIFETIME).await;
    world.network.hold();
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.network.refreshes(), 16);
    assert_eq!(neighbour.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_looked_at_less_often_and_found_well_again() {
    let mut world = World::new([Reply::tokens(1)]);
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = with_fresh_token(&world).await;
    store.searches_fail.store(true, Ordering::SeqCst);
    store.marks_differ.store(true, Ordering::SeqCst);
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(LIFETIME).await;
    let looks = store.searches.load(Ordering::SeqCst);
    assert!((300..=361).contains(&looks), "it looked {looks} times in an hour");
    store.searches_fail.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(15)).await;
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wake_up_is_noticed_at_once() {
    let world = World::new([Reply::tokens(1)]);
    let process = with_fresh_token(&world).await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.clock.suspend(8 * LIFETIME);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.network.refreshes(), 1);
}

#[tokio::test(start_paused = true)]
async fn tokens_from_before_the_clock_was_put_back_are_renewed() {
    let world = World::new([Reply::tokens(1), Reply::tokens(2)]);
    let process = with_fresh_token(&world).await;
    let schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    world.clock.set_back(1000 * LIFETIME);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.network.refreshes(), 1);

    drop(schedule);
    world.clock.set_back(1000 * LIFETIME);
    let _schedule = world.process().await.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(world.network.refreshes(), 2, "a process that begins later knows it too");
    tokio::time::sleep(LIFETIME - AHEAD - Duration::from_secs(10)).await;
    assert_eq!(world.network.refreshes(), 2);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_are_born_dead_do_not_become_a_flood() {
    let dead = Reply::json(200, r#"{"access_token":"canary-access-1","expires_in":0}"#);
    let world = World::new(std::iter::repeat_n(dead, 100));
    let process = world.with_ended_token().await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert!((10..=11).contains(&world.network.refreshes()), "{}", world.network.refreshes());
}

#[tokio::test(start_paused = true)]
async fn short_lived_tokens_are_renewed_in_time_too() {
    let brief = Reply::json(200, r#"{"access_token":"canary-access-1","expires_in":20}"#);
    let world = World::new(std::iter::repeat_n(brief, 100));
    let process = world.with_ended_token().await;
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let before = world.network.refreshes();
        process.access_token(&account()).await.unwrap();
        assert_eq!(world.network.refreshes(), before, "a caller had to wait");
    }
    assert!((5..=7).contains(&world.network.refreshes()), "{}", world.network.refreshes());
}

#[tokio::test(start_paused = true)]
async fn thousands_that_end_in_the_same_minute_cost_one_look_a_second() {
    const COUNT: usize = 1200;
    let slow = Reply::After(Duration::from_millis(100), Box::new(Reply::tokens(1)));
    let mut world = World::new(std::iter::repeat_n(slow, 2 * COUNT));
    let store = FaultyStore::new(world.store.clone());
    world.store = store.clone();
    let process = world.process().await;
    for (n, account) in accounts(COUNT).enumerate() {
        if n % (COUNT / 60) == 0 {
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        world.log_in_to(&process, &account, "1").await.unwrap();
    }
    let _schedule = process.renew_ahead().unwrap();
    tokio::time::sleep(RENEWED).await;
    assert_eq!(world.network.refreshes(), COUNT);
    let looks = store.searches.load(Ordering::SeqCst);
    // An idle one every ten seconds, and while there is work one a second, of three pages at most.
    assert!(looks <= 360 + 240 * 3, "it looked {looks} times");

    // More than are kept in memory are due when the machine wakes up.
    world.clock.suspend(8 * LIFETIME);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(world.network.refreshes(), 2 * COUNT);
}
