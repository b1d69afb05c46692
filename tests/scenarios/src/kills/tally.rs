//! What the kills of a scenario came to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::Write as _;

use super::trail::{Reached, Trail};
use crate::command::Ran;

/// The counts of a scenario, and the evidence behind them.
#[derive(Debug, Default)]
pub struct Tally {
    /// Kills, by how far the process had come.
    kills: BTreeMap<Reached, usize>,
    /// What the killed had presented: the account and the digest.
    presented: BTreeSet<(String, String)>,
    /// Refresh requests that the server was sent.
    pub(crate) refreshes: u64,
    /// Processes that were given a token which somebody else had renewed.
    pub(crate) adopted: usize,
    pub(crate) losses: Vec<Loss>,
    /// What was wrong with the store after a kill.
    pub(crate) corrupt: Vec<String>,
    /// Processes that ended otherwise than with a token or with the word that the account is lost.
    pub(crate) unexpected: Vec<String>,
}

/// An account that has to be connected again.
#[derive(Debug)]
pub(crate) struct Loss {
    pub(crate) account: String,
    /// Which refresh token the store holds.
    pub(crate) digest: String,
    /// Whether the server has used and replaced it.
    pub(crate) was_spent: bool,
    /// The reason that the person is given.
    pub(crate) reason: String,
}

impl Tally {
    /// How many processes have been killed.
    pub fn kills(&self) -> usize {
        self.kills.values().sum()
    }

    /// Counts a process that was killed. One that had ended before is none; the return value says which.
    pub(crate) fn count(&mut self, killed: &Ran) -> bool {
        if killed.code.is_some() {
            return false;
        }
        let trail = Trail::read(&killed.stderr);
        *self.kills.entry(trail.reached).or_default() += 1;
        self.presented.extend(trail.presented);
        true
    }

    /// Adds the counts of `other`, which had kills and accounts of its own.
    pub fn add(&mut self, other: Self) {
        for (reached, kills) in other.kills {
            *self.kills.entry(reached).or_default() += kills;
        }
        self.presented.extend(other.presented);
        self.refreshes += other.refreshes;
        self.adopted += other.adopted;
        self.losses.extend(other.losses);
        self.corrupt.extend(other.corrupt);
        self.unexpected.extend(other.unexpected);
    }

    /// The losses for which the kill fell between the server's answer and its commit.
    fn interrupted(&self) -> usize {
        self.losses.iter().filter(|loss| self.is_interrupted(loss)).count()
    }

    fn is_interrupted(&self, loss: &Loss) -> bool {
        loss.was_spent
            && loss.reason == "interrupted"
            && self.presented.contains(&(loss.account.clone(), loss.digest.clone()))
    }

    /// Prints the table for `title`, and checks that nothing was lost but what a kill must cost.
    ///
    /// # Panics
    ///
    /// When something was.
    pub fn settle(&self, title: &str) {
        // Past the runner that hides the output of what passes; where nobody can be told, nobody asks.
        let _ = write!(std::io::stderr(), "{title}\n{self}");
        let otherwise: Vec<_> = self.losses.iter().filter(|loss| !self.is_interrupted(loss)).collect();
        assert!(otherwise.is_empty(), "{title}: lost without a reason: {otherwise:#?}");
        assert!(self.corrupt.is_empty(), "{title}: {:#?}", self.corrupt);
        assert!(self.unexpected.is_empty(), "{title}: {:#?}", self.unexpected);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kills = |reached| self.kills.get(&reached).copied().unwrap_or_default();
        let rows = [
            ("kills", self.kills()),
            ("  before it asked for the claim", kills(Reached::Nothing)),
            ("  asking for the claim, or waiting for its holder", kills(Reached::Asking)),
            ("  between the claim and the commit", kills(Reached::Presenting)),
            ("  after the commit", kills(Reached::Stored)),
            ("refresh requests", usize::try_from(self.refreshes).unwrap_or(usize::MAX)),
            ("adopted from another process", self.adopted),
            ("interrupted (kill between answer and commit)", self.interrupted()),
            ("lost otherwise", self.losses.len() - self.interrupted()),
            ("corrupt stores", self.corrupt.len()),
        ];
        rows.iter().try_for_each(|(what, count)| writeln!(f, "  {what:<50} {count:>6}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn killed_while_presenting() -> Tally {
        let line = "presents the refresh token account=dev attempt=A presented=D";
        let mut tally = Tally::default();
        assert!(tally.count(&Ran { code: None, stdout: String::new(), stderr: format!(" {line}\n") }));
        tally
    }

    fn loss(account: &str, digest: &str, was_spent: bool, reason: &str) -> Loss {
        let [account, digest, reason] = [account, digest, reason].map(str::to_owned);
        Loss { account, digest, was_spent, reason }
    }

    #[test]
    fn a_loss_is_a_kills_only_where_everything_says_so() {
        let mut tally = killed_while_presenting();
        tally.losses.push(loss("dev", "D", true, "interrupted"));
        assert_eq!(tally.interrupted(), 1);
        for other in [
            loss("dev", "E", true, "interrupted"),
            loss("other", "D", true, "interrupted"),
            loss("dev", "D", false, "interrupted"),
            loss("dev", "D", true, "revoked"),
        ] {
            let mut tally = killed_while_presenting();
            tally.losses.push(other);
            assert_eq!(tally.interrupted(), 0);
        }
    }

    #[test]
    fn a_process_that_had_ended_was_not_killed() {
        let mut tally = Tally::default();
        assert!(!tally.count(&Ran { code: Some(0), stdout: String::new(), stderr: String::new() }));
        assert_eq!(tally.kills(), 0);
    }
}
