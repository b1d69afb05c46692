//! A public document of the server's, kept in memory: read at first use, and read again when it has become old.
//!
//! Nobody waits for a document to be read *again*: the old one is given, and a task renews it. As long as that fails,
//! the old one goes on being used; what a server said yesterday is better than an account that does not work.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::http::header::ACCEPT;
use ::http::{HeaderMap, HeaderValue, Method};
use url::Url;
use zeroize::Zeroizing;

use crate::account::ProviderId;
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, ErrorCode, Result};
use crate::http::HttpClient;
use crate::protocol::caching::Caching;
use crate::protocol::message::{Request, Response};

/// Where a document may be, and what is in it.
pub(super) trait Source: fmt::Debug + Send + Sync + 'static {
    /// What a document is read as.
    type Content: fmt::Debug + Send + Sync;

    /// What it is called in a sentence: "metadata".
    const NAME: &'static str;

    /// What to do where the server does not have it.
    const ADVICE: &'static str;

    /// Whose document it is.
    fn provider(&self) -> &ProviderId;

    /// Where it may be, in the order to try.
    fn places(&self) -> Result<Vec<Url>>;

    /// Reads it.
    fn read(&self, body: &[u8]) -> Result<Self::Content>;

    /// Hears that `later` takes the place of `earlier`.
    fn renewed(&self, _earlier: &Self::Content, _later: &Self::Content) {}
}

/// A document and what is known about its age.
#[derive(Debug)]
pub(super) struct Document<S: Source> {
    source: S,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    state: Mutex<State<S::Content>>,
    /// Held by whoever reads: one at a time.
    turn: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug)]
struct State<T> {
    kept: Option<Kept<T>>,
    /// How many times it was asked for, whatever came of it.
    attempts: u64,
    /// What came of the latest attempt, where that was nothing, and when.
    failure: Option<(Error, Timestamp)>,
    /// When it was last read anew although it was not old.
    pressed_at: Option<Timestamp>,
}

#[derive(Debug)]
struct Kept<T> {
    content: Arc<T>,
    place: Url,
    caching: Caching,
    read_at: Timestamp,
}

impl<S: Source> Document<S> {
    pub(super) fn new(source: S, http: Arc<dyn HttpClient>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let state = Mutex::new(State { kept: None, attempts: 0, failure: None, pressed_at: None });
        Arc::new(Self { source, http, clock, state, turn: Arc::default() })
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// The document. It is asked for where it was never read; an old one is given as it is, and renewed meanwhile.
    ///
    /// # Errors
    ///
    /// `unavailable` when it cannot be had now; `server_misbehaved` when the server does not have it; as
    /// [`Source::places`] and [`Source::read`]. They are not kept: the next call asks again, an outage of less than a second
    /// ago excepted. Those who wait for one attempt share its outcome.
    pub(super) async fn get(self: &Arc<Self>) -> Result<Arc<S::Content>> {
        let now = self.clock.now();
        let (known, is_due, attempts) = {
            let state = self.state();
            (state.content(), state.is_due(now), state.attempts)
        };
        match known {
            Some(content) => {
                if is_due {
                    self.renew_meanwhile();
                }
                Ok(content)
            }
            None => self.read_first(attempts).await,
        }
    }

    /// The document as it is in memory, however old.
    pub(super) fn known(&self) -> Option<Arc<S::Content>> {
        self.state().content()
    }

    /// A newer document than `old`, which lacks something that the server refers to: read anew, unless somebody has done
    /// so. `None` when that was done for another caller less than a minute ago, so that bad tokens make no flood of
    /// requests.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get); for as long as nobody asks again, the error of whoever did.
    pub(super) async fn newer_than(&self, old: &Arc<S::Content>) -> Result<Option<Arc<S::Content>>> {
        let _turn = self.turn.lock().await;
        {
            let now = self.clock.now();
            let mut state = self.state();
            if let Some(content) = state.content().filter(|content| !Arc::ptr_eq(content, old)) {
                return Ok(Some(content));
            }
            if state.pressed_at.is_some_and(|at| is_within(at, REST, now)) {
                // What could not be read may have what is missing.
                return state.failure.as_ref().map_or(Ok(None), |(error, _)| Err(error.clone()));
            }
            state.pressed_at = Some(now);
        }
        self.attempt().await.map(Some)
    }

    async fn read_first(&self, attempts: u64) -> Result<Arc<S::Content>> {
        let _turn = self.turn.lock().await;
        {
            let now = self.clock.now();
            let state = self.state();
            if let Some(content) = state.content() {
                return Ok(content);
            }
            if let Some((error, at)) = &state.failure {
                // The attempt that this call has waited for.
                if state.attempts != attempts {
                    return Err(error.clone());
                }
                if error.is_transient() && is_within(*at, PAUSE, now) {
                    return Err(error.clone().with_retry_after(at.plus(PAUSE).time_left(now).min(PAUSE)));
                }
            }
        }
        self.attempt().await
    }

    /// Renews it in a task of its own, unless somebody is at it. If the process ends meanwhile, nothing is lost.
    fn renew_meanwhile(self: &Arc<Self>) {
        let Ok(turn) = self.turn.clone().try_lock_owned() else { return };
        let document = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = turn;
            if let Err(error) = document.attempt().await {
                let (provider, document) = (document.source.provider(), S::NAME);
                tracing::warn!(%provider, document, reason = error.message(), "goes on with an old document");
            }
        });
    }

    /// Asks for it, by whoever has the turn, and remembers what came of it.
    async fn attempt(&self) -> Result<Arc<S::Content>> {
        let asked_at = self.clock.now();
        let outcome = self.ask(asked_at).await;
        let mut state = self.state();
        state.attempts += 1;
        match outcome {
            Ok(kept) => {
                let content = kept.content.clone();
                state.failure = None;
                let earlier = state.kept.replace(kept);
                drop(state);
                if let Some(earlier) = earlier {
                    self.source.renewed(&earlier.content, &content);
                }
                Ok(content)
            }
            Err(error) => {
                let error = error.with_provider(self.source.provider());
                state.failure = Some((error.clone(), self.clock.now()));
                Err(error)
            }
        }
    }

    async fn ask(&self, now: Timestamp) -> Result<Kept<S::Content>> {
        let mut failure = None;
        let known_at = self.state().kept.as_ref().map(|kept| kept.place.clone());
        for place in self.source.places()? {
            let is_known = known_at.as_ref() == Some(&place);
            match self.ask_at(place, now).await {
                Ok(kept) => return Ok(kept),
                // It is still there; a later place may have a poorer one.
                Err(error) if is_known && error.is_transient() => return Err(error),
                // The first place is the best one; its failure says most. An outage says more than an absence, though.
                Err(error) if error.is_transient() => failure = Some(error),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        Err(failure.unwrap_or_else(absent::<S>))
    }

    async fn ask_at(&self, place: Url, now: Timestamp) -> Result<Kept<S::Content>> {
        let known = self.state().kept.as_ref().filter(|kept| kept.place == place).map(Kept::share);
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        headers.extend(known.iter().flat_map(|known| known.caching.conditions()));
        let request =
            Request { method: Method::GET, url: place.clone(), headers, body: Zeroizing::default() };
        let response = self.http.send(request).await?;
        match (response.status, known) {
            (200, _) => {
                let content = Arc::new(self.source.read(&response.body)?);
                Ok(Kept { content, place, caching: Caching::read(&response.headers), read_at: now })
            }
            (304, Some(known)) if known.caching.conditions().count() > 0 => {
                Ok(Kept { caching: known.caching.updated(&response.headers), read_at: now, ..known })
            }
            _ => Err(refusal::<S>(&response)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<S::Content>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn content(&self) -> Option<Arc<T>> {
        self.kept.as_ref().map(|kept| kept.content.clone())
    }

    /// Whether it is old, and no attempt to renew it has failed a moment ago.
    fn is_due(&self, now: Timestamp) -> bool {
        let is_fresh = self.kept.as_ref().is_some_and(|kept| kept.is_fresh(now));
        let rests = self.failure.as_ref().is_some_and(|(_, at)| is_within(*at, REST, now));
        !is_fresh && !rests
    }
}

impl<T> Kept<T> {
    fn is_fresh(&self, now: Timestamp) -> bool {
        is_within(self.read_at, self.caching.lifetime(), now)
    }

    fn share(&self) -> Self {
        let Self { content, place, caching, read_at } = self;
        Self { content: content.clone(), place: place.clone(), caching: caching.clone(), read_at: *read_at }
    }
}

/// Whether `now` is less than `duration` after `moment`. Before it, beyond what clocks may differ by, the clock was put back,
/// and nobody knows how long ago that moment was.
fn is_within(moment: Timestamp, duration: Duration, now: Timestamp) -> bool {
    moment.minus(LEEWAY) <= now && now < moment.plus(duration)
}

fn refusal<S: Source>(response: &Response) -> Error {
    match response.status {
        408 | 429 | 500.. => {
            Error::new(ErrorCode::Unavailable, format!("the provider's {} cannot be read now", S::NAME))
        }
        // Whoever could answer at another address would speak for the issuer.
        300..=399 => Error::new(
            ErrorCode::ServerMisbehaved,
            format!(
                "the provider's {} would have to be fetched from elsewhere: redirects are not followed",
                S::NAME
            ),
        )
        .with_advice(S::ADVICE),
        _ => absent::<S>(),
    }
}

fn absent<S: Source>() -> Error {
    Error::new(ErrorCode::ServerMisbehaved, format!("the provider has no {} where they should be", S::NAME))
        .with_advice(S::ADVICE)
}

/// How long nobody asks again after a renewal that failed, or one that was asked for although the document is not old.
const REST: Duration = Duration::from_secs(60);

/// How long nobody asks again for a document that was never read, when the server is away.
const PAUSE: Duration = Duration::from_secs(1);

/// How far apart two looks at the clock may be where it is corrected a little.
const LEEWAY: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests;
