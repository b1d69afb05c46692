//! Many callers and one refresh.

use std::sync::Arc;

use loomkin_auth_scenarios::{Dev, within};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_tasks_make_one_request() {
    let dev = Dev::start().await;
    let app = dev.expired().await;
    let gate = dev.provider.hold_token_answers();
    let start = Arc::new(Barrier::new(1000));
    let mut tasks = JoinSet::new();
    for _ in 0..1000 {
        let (app, start) = (app.clone(), start.clone());
        tasks.spawn(async move {
            start.wait().await;
            app.token("dev").await.unwrap()
        });
    }
    within("the first request", gate.wait_for(1)).await;
    // Whoever would make a second request has the time of a thousand loads of the store for it.
    app.status("dev").await;
    assert_eq!(gate.arrived(), 1);
    gate.release();
    let tokens = within("a thousand answers", tasks.join_all()).await;
    assert_eq!(tokens.len(), 1000);
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(dev.refreshes(), 1);
    assert!(dev.provider.is_active(&tokens[0]));
}

#[tokio::test]
async fn two_handles_in_one_process_make_one_request() {
    let dev = Dev::start().await;
    let (one, two) = (dev.expired().await, dev.app().await);
    let gate = dev.provider.hold_token_answers();
    let both = async { tokio::join!(one.token("dev"), two.token("dev")) };
    let release = async {
        gate.wait_for(1).await;
        gate.release();
    };
    let ((first, second), ()) = within("two answers", async { tokio::join!(both, release) }).await;
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(dev.refreshes(), 1);
}
