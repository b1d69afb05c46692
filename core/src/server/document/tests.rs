//! A document over time, against a server that answers from a script.

use std::collections::VecDeque;
use std::future::Future as _;
use std::pin::pin;
use std::task::{Context, Waker};

use ::http::HeaderName;
use ::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, LOCATION};
use async_trait::async_trait;
use tokio::sync::watch;

use super::*;
use crate::http::SendError;
use crate::testing::ManualClock;

#[derive(Debug)]
struct Text(ProviderId, Vec<&'static str>);

impl Source for Text {
    type Content = String;

    const NAME: &'static str = "texts";

    const ADVICE: &'static str = "Look again.";

    fn provider(&self) -> &ProviderId {
        &self.0
    }

    fn places(&self) -> Result<Vec<Url>> {
        Ok(self.1.iter().map(|place| place.parse().unwrap()).collect())
    }

    fn read(&self, body: &[u8]) -> Result<String> {
        match std::str::from_utf8(body) {
            Ok(text) if !text.starts_with('<') => Ok(text.to_owned()),
            _ => Err(Error::new(ErrorCode::ServerMisbehaved, "that is no text")),
        }
    }
}

/// Answers in turn, as soon as it is open, and remembers the address and the `If-None-Match` of every request.
#[derive(Debug)]
struct Network {
    script: Mutex<VecDeque<Result<Response, SendError>>>,
    seen: Mutex<Vec<(String, Option<String>)>>,
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

#[async_trait]
impl HttpClient for Network {
    async fn send(&self, request: Request) -> Result<Response, SendError> {
        let condition = request.headers.get(IF_NONE_MATCH).map(|value| value.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().push((request.url.to_string(), condition));
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        self.script.lock().unwrap().pop_front().unwrap()
    }
}

struct World {
    clock: Arc<ManualClock>,
    network: Arc<Network>,
    document: Arc<Document<Text>>,
}

impl World {
    fn new(script: impl IntoIterator<Item = Result<Response, SendError>>) -> Self {
        Self::with_places(&[HERE], script)
    }

    fn with_places(
        places: &[&'static str],
        script: impl IntoIterator<Item = Result<Response, SendError>>,
    ) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_unix_seconds(1_800_000_000)));
        let network = Arc::new(Network {
            script: Mutex::new(script.into_iter().collect()),
            seen: Mutex::default(),
            arrived: watch::Sender::new(0),
            open: watch::Sender::new(true),
        });
        let source = Text(ProviderId::new("example").unwrap(), places.to_vec());
        let document = Document::new(source, network.clone(), clock.clone());
        Self { clock, network, document }
    }

    async fn text(&self) -> String {
        self.document.get().await.unwrap().to_string()
    }

    /// Whoever reads at this moment has ended when this returns.
    async fn settled(&self) {
        drop(self.document.turn.lock().await);
    }

    /// The text that is given now, and the one that is there once it has been renewed, if anybody does.
    async fn renewed(&self) -> (String, String) {
        let given = self.text().await;
        self.settled().await;
        (given, self.document.known().unwrap().to_string())
    }

    fn requests(&self) -> usize {
        self.network.seen.lock().unwrap().len()
    }
}

fn says(status: u16, headers: &[(HeaderName, &str)], body: &str) -> Result<Response, SendError> {
    let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
    Ok(Response { status, headers, body: Zeroizing::new(body.as_bytes().to_vec()) })
}

fn text(body: &str) -> Result<Response, SendError> {
    says(200, &[], body)
}

#[tokio::test]
async fn a_fresh_document_is_not_asked_for_again() {
    let world = World::new([text("one"), text("two")]);
    assert_eq!(world.text().await, "one");
    world.clock.advance(HOUR - Duration::from_millis(1));
    assert_eq!(world.renewed().await, ("one".into(), "one".into()));
    assert_eq!(world.requests(), 1);
    world.clock.advance(Duration::from_millis(1));
    assert_eq!(world.renewed().await, ("one".into(), "two".into()));
}

#[tokio::test]
async fn the_server_says_how_long_it_is_fresh() {
    let long = [(CACHE_CONTROL, "max-age=7200")];
    let world = World::new([
        says(200, &long, "one"),
        says(200, &[(CACHE_CONTROL, "no-store")], "two"),
        text("three"),
    ]);
    assert_eq!(world.text().await, "one");
    world.clock.advance(HOUR + HOUR / 2);
    assert_eq!(world.renewed().await.1, "one");
    world.clock.advance(HOUR / 2);
    assert_eq!(world.renewed().await.1, "two");
    world.clock.advance(Duration::from_secs(299));
    assert_eq!(world.renewed().await.1, "two");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(world.renewed().await.1, "three");
}

#[tokio::test]
async fn nobody_waits_for_a_document_to_be_read_again() {
    let world = World::new([text("one"), text("two")]);
    assert_eq!(world.text().await, "one");
    world.clock.advance(HOUR);
    world.network.open.send_replace(false);
    for _ in 0..100 {
        // Not even for the scheduler.
        let polled = pin!(world.document.get()).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, std::task::Poll::Ready(Ok(text)) if *text == "one"));
    }
    world.network.arrived.subscribe().wait_for(|arrived| *arrived == 2).await.unwrap();
    world.network.open.send_replace(true);
    world.settled().await;
    assert_eq!(world.text().await, "two");
    assert_eq!(world.requests(), 2, "one of a hundred callers has it renewed");
}

#[tokio::test]
async fn an_unchanged_document_is_kept_and_is_fresh_again() {
    let world = World::new([
        says(200, &[(ETAG, "\"v1\"")], "one"),
        says(304, &[(CACHE_CONTROL, "max-age=7200")], ""),
        says(200, &[(ETAG, "\"v2\"")], "two"),
        says(304, &[], ""),
    ]);
    let first = world.document.get().await.unwrap();
    world.clock.advance(HOUR);
    world.renewed().await;
    assert!(Arc::ptr_eq(&first, &world.document.known().unwrap()));
    world.clock.advance(HOUR);
    assert_eq!(world.renewed().await.1, "one");
    world.clock.advance(HOUR);
    assert_eq!(world.renewed().await.1, "two");
    world.clock.advance(HOUR);
    assert_eq!(world.renewed().await.1, "two");
    let conditions: Vec<_> =
        world.network.seen.lock().unwrap().iter().map(|(_, etag)| etag.clone()).collect();
    assert_eq!(conditions, [None, Some("\"v1\"".into()), Some("\"v1\"".into()), Some("\"v2\"".into())]);
}

#[tokio::test]
async fn an_old_document_counts_while_the_server_is_away_or_lies() {
    for failure in [
        says(503, &[], ""),
        says(404, &[], "not here"),
        says(302, &[(LOCATION, "https://elsewhere.example")], ""),
        says(200, &[], "<html>"),
        // Nothing was asked for on condition.
        says(304, &[], ""),
        Err(SendError::NotSent { reason: "no connection to the server came about" }),
        Err(SendError::Unknown { reason: "the answer is longer than 1 MiB" }),
    ] {
        let shown = format!("{failure:?}");
        let world = World::new([text("one"), failure.clone(), failure, text("two")]);
        assert_eq!(world.text().await, "one");
        world.clock.advance(24 * HOUR);
        for requests in [2, 3] {
            for _ in 0..3 {
                assert_eq!(world.renewed().await, ("one".into(), "one".into()), "{shown}");
                assert_eq!(world.requests(), requests, "{shown}: it is left alone for a minute");
            }
            world.clock.advance(REST);
        }
        assert_eq!(world.renewed().await, ("one".into(), "two".into()), "{shown}");
        world.clock.advance(HOUR / 2);
        assert_eq!(world.renewed().await.1, "two", "{shown}");
    }
}

#[tokio::test]
async fn those_who_wait_for_one_attempt_share_its_outcome_and_the_next_call_asks_again() {
    let world = World::new([says(503, &[], ""), text("one")]);
    world.network.open.send_replace(false);
    let asked = watch::Sender::new(0);
    let callers: Vec<_> = (0..100)
        .map(|_| {
            let document = world.document.clone();
            let asked = asked.clone();
            tokio::spawn(async move {
                asked.send_modify(|asked| *asked += 1);
                document.get().await.unwrap_err().code()
            })
        })
        .collect();
    // Each has gone on to the turn by then, or to the network: nothing lies between.
    asked.subscribe().wait_for(|asked| *asked == 100).await.unwrap();
    world.network.open.send_replace(true);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), ErrorCode::Unavailable);
    }
    assert_eq!(world.requests(), 1);
    world.clock.advance(PAUSE);
    assert_eq!(world.text().await, "one");
}

#[tokio::test]
async fn a_server_that_is_away_is_asked_once_a_second_for_what_was_never_read() {
    let world = World::new([says(503, &[], ""), says(503, &[], ""), text("one")]);
    for requests in [1, 2] {
        for _ in 0..100 {
            let error = world.document.get().await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::Unavailable);
            assert!(error.retry_after() <= Some(PAUSE), "{error:?}");
        }
        assert_eq!(world.requests(), requests);
        world.clock.advance(PAUSE);
    }
    assert_eq!(world.text().await, "one");
}

#[tokio::test]
async fn a_server_that_answers_wrongly_is_asked_at_every_call() {
    let world = World::new([says(404, &[], ""), text("one")]);
    assert_eq!(world.document.get().await.unwrap_err().code(), ErrorCode::ServerMisbehaved);
    assert_eq!(world.text().await, "one", "whoever corrects it does not wait");
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_turn_to_the_next() {
    let world = World::new([text("one")]);
    world.network.open.send_replace(false);
    let document = world.document.clone();
    let caller = tokio::spawn(async move { document.get().await.map(drop) });
    world.network.arrived.subscribe().wait_for(|arrived| *arrived == 1).await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    world.network.open.send_replace(true);
    assert_eq!(world.text().await, "one");
}

#[tokio::test]
async fn what_is_missing_is_looked_for_once_a_minute_whoever_misses_it() {
    let world = World::new([text("one"), text("two"), text("three")]);
    let one = world.document.get().await.unwrap();
    let two = world.document.newer_than(&one).await.unwrap().unwrap();
    assert_eq!(*two, "two");
    // Others that still hold the first are given what is there.
    assert_eq!(**world.document.newer_than(&one).await.unwrap().as_ref().unwrap(), "two");
    for _ in 0..100 {
        assert!(world.document.newer_than(&two).await.unwrap().is_none());
    }
    assert_eq!(world.requests(), 2);
    world.clock.advance(REST);
    assert_eq!(*world.document.newer_than(&two).await.unwrap().unwrap(), "three");
}

#[tokio::test]
async fn whoever_misses_the_same_meanwhile_is_told_of_the_outage() {
    let world = World::new([text("one"), says(503, &[], ""), text("two")]);
    let one = world.document.get().await.unwrap();
    for _ in 0..3 {
        let error = world.document.newer_than(&one).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::Unavailable);
    }
    assert_eq!(world.requests(), 2);
    world.clock.advance(REST);
    assert_eq!(*world.document.newer_than(&one).await.unwrap().unwrap(), "two");
}

#[tokio::test]
async fn a_clock_that_was_put_back_makes_a_document_old() {
    let world = World::new([text("one"), text("two")]);
    assert_eq!(world.text().await, "one");
    world.clock.set(Timestamp::from_unix_seconds(1_800_000_000 - 120));
    assert_eq!(world.renewed().await.1, "one");
    world.clock.set(Timestamp::from_unix_seconds(1_800_000_000 - 86_400));
    assert_eq!(world.renewed().await.1, "two");
}

#[tokio::test]
async fn places_are_tried_in_order_and_each_is_asked_on_its_own_conditions() {
    let world = World::with_places(
        &[HERE, THERE],
        [
            says(404, &[], ""),
            says(200, &[(ETAG, "\"v1\"")], "one"),
            says(404, &[], ""),
            says(304, &[], ""),
            text("two"),
        ],
    );
    assert_eq!(world.text().await, "one");
    for expected in ["one", "two"] {
        world.clock.advance(HOUR);
        assert_eq!(world.renewed().await.1, expected);
    }
    let v1 = Some("\"v1\"".to_owned());
    let here = || (HERE.to_owned(), None);
    let seen = world.network.seen.lock().unwrap().clone();
    assert_eq!(seen, [here(), (THERE.into(), None), here(), (THERE.into(), v1), here()]);
}

#[tokio::test]
async fn an_outage_where_the_document_is_gives_way_to_no_other_place() {
    let world = World::with_places(
        &[HERE, THERE],
        [text("good"), says(503, &[], ""), says(404, &[], ""), text("moved")],
    );
    assert_eq!(world.text().await, "good");
    world.clock.advance(HOUR);
    assert_eq!(world.renewed().await.1, "good");
    assert_eq!(world.requests(), 2);
    world.clock.advance(REST);
    assert_eq!(world.renewed().await.1, "moved");
}

#[tokio::test]
async fn a_better_place_that_always_fails_does_not_keep_a_document_old() {
    let failure = || says(500, &[], "");
    let world = World::with_places(&[HERE, THERE], [failure(), text("one"), failure(), text("two")]);
    assert_eq!(world.text().await, "one");
    world.clock.advance(HOUR);
    assert_eq!(world.renewed().await.1, "two");
}

#[tokio::test]
async fn of_several_failures_an_outage_says_most_and_then_the_first() {
    let code = async |first, second| {
        let world = World::with_places(&[HERE, THERE], [first, second]);
        let error = world.document.get().await.unwrap_err();
        assert_eq!(error.provider().unwrap().as_str(), "example");
        (error.code(), error.message().to_owned(), error.advice().to_owned())
    };
    let redirect = || says(307, &[(LOCATION, "https://elsewhere.example")], "");
    assert_eq!(code(says(404, &[], ""), says(502, &[], "")).await.0, ErrorCode::Unavailable);
    assert_eq!(code(says(429, &[], ""), says(404, &[], "")).await.0, ErrorCode::Unavailable);
    let (code_of_redirect, message, advice) = code(redirect(), says(404, &[], "")).await;
    assert_eq!(code_of_redirect, ErrorCode::ServerMisbehaved);
    assert!(message.contains("redirects are not followed") && !message.contains("elsewhere.example"));
    assert_eq!(advice, "Look again.");
    assert_eq!(
        code(says(404, &[], ""), redirect()).await.1,
        "the provider has no texts where they should be"
    );
}

const HERE: &str = "https://id.example.com/here";
const THERE: &str = "https://id.example.com/there";
const HOUR: Duration = Duration::from_secs(3600);
