//! What every endpoint works on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::fault::plan::Plan;
use crate::gate::{Gate, Gates};
use crate::random::Tokens;
use crate::record::Record;
use crate::settings::Settings;
use crate::sign::Signer;
use crate::state::{State, Terms};

/// One server's memory; it outlives the listening, so that a server can go away and come back.
pub(crate) struct Shared {
    pub(crate) clock: Clock,
    /// The gates that were closed over HTTP, where nobody else can hold them.
    pub(crate) closed_gates: Mutex<Vec<Gate>>,
    pub(crate) gates: Arc<Gates>,
    pub(crate) issuer: String,
    pub(crate) plan: Plan,
    pub(crate) record: Record,
    pub(crate) settings: Settings,
    pub(crate) signer: Signer,
    state: Mutex<State>,
    tokens: Tokens,
}

impl Shared {
    pub(crate) fn new(issuer: String, settings: Settings) -> io::Result<Self> {
        Ok(Self {
            clock: Clock::default(),
            closed_gates: Mutex::default(),
            gates: Arc::default(),
            issuer,
            plan: Plan::default(),
            record: Record::default(),
            signer: Signer::new(settings.signing)?,
            state: Mutex::new(State::new(settings.access_token_lifetime)),
            tokens: Tokens::new(settings.token_prefix.clone())?,
            settings,
        })
    }

    /// Runs `work` on the state at one moment, while nothing else does.
    pub(crate) fn with_state<T>(&self, work: impl FnOnce(&mut State, &Terms<'_>) -> T) -> T {
        let terms = Terms { now: self.clock.now(), rotation: self.settings.rotation, tokens: &self.tokens };
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner), &terms)
    }
}
