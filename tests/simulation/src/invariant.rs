//! What must hold in every run, whatever happens.

use std::fmt;

/// A promise of the lifecycle.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Invariant {
    /// Never two refresh requests in flight for one connection while claims are honoured.
    OneRequest,
    /// A received refresh token is lost only with the process that holds it.
    NothingLost,
    /// A refresh token that was spent is presented again only after an unknown outcome, and then not before it is needed.
    NoReuse,
    /// No request for what is there already, against a back-off, or against a server that has said no for good.
    NoNeedlessRequest,
    /// What is served was issued for that account, has not ended, and is in the store unless the store failed.
    ServedHonestly,
    /// Nothing is served after a disconnect, and nothing of one login to the callers of the next.
    NothingAfterDisconnect,
    /// An answer that meets a disconnect is revoked; one that meets a newer login is not.
    RevokedWhenDue,
    /// An answer is stored over the very token that it answers, and over nothing else.
    Fenced,
    /// A wrong guess deletes nothing: a connection goes by a disconnect alone.
    NothingDeleted,
    /// `reconnect_required` is said when the server has said so, and with an honest reason.
    HonestReason,
    /// When the provider recovers, every account does.
    Recovers,
    /// Every call ends.
    NoHang,
}

impl Invariant {
    /// It, in words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneRequest => "never two refresh requests in flight while claims are honoured",
            Self::NothingLost => "a received refresh token is lost only with the process that holds it",
            Self::NoReuse => "a spent token is presented again only after an unknown outcome, when needed",
            Self::NoNeedlessRequest => "no request is made that is not needed or not allowed yet",
            Self::ServedHonestly => "what is served was issued for it, has not ended and is stored",
            Self::NothingAfterDisconnect => "nothing is served after a disconnect",
            Self::RevokedWhenDue => "an answer that meets a disconnect is revoked, and no other",
            Self::Fenced => "an answer is stored over the token that it answers alone",
            Self::NothingDeleted => "a wrong guess deletes nothing",
            Self::HonestReason => "reconnect_required is true, and its reason honest",
            Self::Recovers => "when the provider recovers, every account does",
            Self::NoHang => "every call ends",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
