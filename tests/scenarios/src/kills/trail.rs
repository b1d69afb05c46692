//! What a process had done before it was killed, by its own log.

/// The trail of one process. Tokens are in it by their digests, as in the log.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// The attempts for which it asked for the claim, whether or not it was given.
    pub(crate) attempts: Vec<String>,
    /// The refresh tokens that it was about to present, or had presented: the account and the digest.
    pub(crate) presented: Vec<(String, String)>,
    /// How far it had come.
    pub(crate) reached: Reached,
}

/// How far a process had come with its latest refresh.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Reached {
    /// It had not asked for the claim.
    #[default]
    Nothing,
    /// It had asked for the claim, and waited perhaps for the holder's end.
    Asking,
    /// It had the claim and was about to send its request, or had sent it.
    Presenting,
    /// The answer was stored, or somebody else's was found.
    Stored,
}

impl Trail {
    /// Reads the log of a process.
    pub(crate) fn read(log: &str) -> Self {
        let mut trail = Self::default();
        for line in log.lines() {
            let field = |name: &str| field(line, name);
            if line.contains(ASKS) {
                trail.attempts.extend(field("attempt"));
                trail.reached = Reached::Asking;
            } else if line.contains(PRESENTS) {
                trail.presented.extend(field("account").zip(field("presented")));
                trail.reached = Reached::Presenting;
            } else if line.contains(STORED) {
                trail.reached = Reached::Stored;
            }
        }
        trail
    }
}

fn field(line: &str, name: &str) -> Option<String> {
    let (_, rest) = line.split_once(&format!(" {name}="))?;
    rest.split_whitespace().next().map(str::to_owned)
}

pub(crate) const ASKS: &str = "asks for the claim";
pub(crate) const PRESENTS: &str = "presents the refresh token";
pub(crate) const STORED: &str = "renewed or adopted";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_says_what_was_presented_and_how_far_it_came() {
        let log = "\
            TRACE loomkin_auth::lifecycle::refresh: asks for the claim account=dev/1 attempt=AttemptId(01020304…)\n\
            DEBUG loomkin_auth::lifecycle::refresh: presents the refresh token account=dev/1 \
            attempt=AttemptId(01020304…) presented=TokenDigest(0a0b0c0d…)\n";
        let trail = Trail::read(log);
        assert_eq!(trail.attempts, ["AttemptId(01020304…)"]);
        assert_eq!(trail.presented, [("dev/1".to_owned(), "TokenDigest(0a0b0c0d…)".to_owned())]);
        assert_eq!(trail.reached, Reached::Presenting);
        assert_eq!(Trail::read(&format!("{log} renewed or adopted account=dev/1")).reached, Reached::Stored);
        assert_eq!(Trail::read("").reached, Reached::Nothing);
    }
}
