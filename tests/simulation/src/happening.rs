//! What can happen in a run. A simulation in which some trouble never occurs proves nothing about it, so all are counted.

/// Each happening once, with its words; from this come the type, the list and the texts.
macro_rules! happenings {
    ($($name:ident = $text:literal,)*) => {
        /// One kind of event.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        pub enum Happening {
            $(#[doc = $text] $name,)*
        }

        impl Happening {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// It, in words.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

happenings! {
    // The server and the way to it
    AnswerCutOff = "answers cut off",
    AnswerGarbage = "answers that are garbage",
    AnswerLate = "answers that come late",
    AnswerLost = "answers lost after the server acted",
    AnswerServerError = "answers 500, 502 or 504",
    AnsweredAfterTimeout = "requests that the server acts on after the client gave up",
    ClientRefused = "answers invalid_client",
    EndedByPerson = "grants ended by the person at the server",
    RequestRefused = "requests refused with 429 or 503",
    RequestUnsent = "requests that never left",
    TokenBornShort = "tokens that last a second or less",
    // The store
    StoreDown = "store calls while the store is down",
    StoreFailedAfterEffect = "store calls that fail after their effect",
    StoreFailedBeforeEffect = "store calls that fail before their effect",
    StoreStalled = "store calls that stall",
    // Processes
    ClockSetBack = "wall clocks set back",
    ClockSetForward = "wall clocks set forward",
    ProcessCrashed = "processes that crash",
    ProcessExited = "processes that end in order",
    ProcessStopped = "processes that are stopped and go on",
    // Callers
    CallerGone = "callers that go away",
    Connected = "logins",
    Disconnected = "disconnects",
    TokenAsked = "tokens asked for",
    TokenRejected = "tokens that a resource server rejects",
    TokenServed = "tokens served",
    // What it comes to
    AnswerMetDisconnect = "answers that meet a disconnect",
    AnswerSuperseded = "answers that meet something newer",
    ClaimLostByLiving = "claims that a living holder loses",
    ClaimOrphaned = "claims taken over with an unknown outcome",
    CommitRepeated = "commits that fail and are tried again",
    FamilyEndedByReuse = "grants that the server ends because of a reuse",
    FoundExpired = "calls told that the login has expired",
    FoundInterrupted = "grants found to be interrupted",
    FoundRevoked = "grants found to be revoked",
    Refreshed = "refresh requests",
    UnknownRepeated = "refresh requests that repeat one with an unknown outcome",
}

/// How often each of them happened.
#[derive(Clone, Debug)]
pub struct Counts([u64; Happening::ALL.len()]);

impl Default for Counts {
    fn default() -> Self {
        Self([0; Happening::ALL.len()])
    }
}

impl Counts {
    pub(crate) fn count(&mut self, happening: Happening) {
        self.0[happening as usize] += 1;
    }

    /// How often `happening` happened.
    pub fn of(&self, happening: Happening) -> u64 {
        self.0[happening as usize]
    }

    /// Adds those of another run.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, more)| *sum += more);
    }
}
