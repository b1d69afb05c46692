//! Long-lived apps that renew ahead of need.

use std::sync::Arc;
use std::time::Duration;

use loomkin_auth_dev_provider::Settings;
use loomkin_auth_scenarios::{App, Dev, MovedClock, within};

const LIFETIME: Duration = Duration::from_secs(3600);
/// When every process that looks at the store finds the token due, and no caller has to wait.
const DUE: Duration = Duration::from_secs(3600 - 150);

#[tokio::test]
async fn two_apps_with_a_schedule_make_one_refresh_for_each_token_and_no_caller_waits() {
    let settings = Settings { access_token_lifetime: LIFETIME, ..Settings::default() };
    let dev = Dev::start_with(settings).await;
    let clock = Arc::new(MovedClock::new(Duration::ZERO));
    let one = App::open_at(&dev.home, clock.clone()).await.unwrap();
    let two = App::open_at(&dev.home, clock.clone()).await.unwrap();
    one.connect("dev", "ada").await.unwrap();
    let _schedules = [one.renew_ahead().unwrap(), two.renew_ahead().unwrap()];

    let mut present = one.token("dev").await.unwrap();
    for renewals in 1..=3 {
        let gate = dev.provider.hold_token_answers();
        dev.advance(&clock, DUE);
        within("a renewal that nobody asked for", gate.wait_for(1)).await;
        for app in [&one, &two] {
            assert_eq!(app.token("dev").await.unwrap(), present, "a caller waited for the answer");
        }
        gate.release();
        let renewed = within("the renewed token", another_than(&present, &one)).await;
        assert_eq!(two.token("dev").await.unwrap(), renewed);
        assert!(dev.provider.is_active(&renewed));
        assert_eq!(dev.refreshes(), renewals);
        present = renewed;
    }
    one.close().await;
    two.close().await;
    assert_eq!(dev.refreshes(), 3);
}

/// Asks until the schedule has done its work: nothing announces that.
async fn another_than(present: &str, app: &App) -> String {
    loop {
        let token = app.token("dev").await.unwrap();
        if token != present {
            return token;
        }
        tokio::task::yield_now().await;
    }
}
