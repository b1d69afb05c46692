//! `status --watch`: the status, again whenever it changes.

use std::time::Duration;

use loomkin_auth::account::Owner;
use loomkin_auth::auth::Auth;
use loomkin_auth::clock::{Clock, SystemClock};
use tokio::time::{Instant, MissedTickBehavior};

use super::status;
use crate::failure::Failure;
use crate::output::Output;

/// Goes on until a signal ends it, or nobody reads any more.
///
/// A terminal is drawn anew every second, because what ends "in 40 seconds" ends a second sooner then; everybody else
/// gets a new table or array only when it says something new.
pub(super) async fn run(auth: &Auth, output: Output) -> Result<(), Failure> {
    let _screen = if output.draws { Some(Screen::enter(output)?) } else { None };
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut drawn, mut told) = (None, None);
    loop {
        ticks.tick().await;
        // Before reading, so that a change while reading is seen at the next look.
        let mark = auth.change_mark()?;
        if drawn.is_some_and(|(at, before): (Instant, _)| before == mark && at.elapsed() < REDRAW) {
            continue;
        }
        drawn = Some((Instant::now(), mark));
        let rows = auth.status(&Owner::default()).await?;
        let shapes = status::shapes(&rows);
        let table = || status::table(&rows, SystemClock.now(), output);
        if output.draws {
            output.write(format_args!("{HOME}{}{CLEAR_REST}", table().replace('\n', CLEAR_LINE)))?;
        } else if told.as_ref() != Some(&shapes) {
            if output.json {
                output.json(&shapes)?;
            } else {
                output.write(format_args!("{}{}", if told.is_some() { "\n" } else { "" }, table()))?;
            }
            told = Some(shapes);
        }
    }
}

/// The terminal's second screen, so that what was on the first is there again afterwards.
struct Screen(Output);

impl Screen {
    fn enter(output: Output) -> Result<Self, Failure> {
        output.write(ENTER)?;
        Ok(Self(output))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _best_effort = self.0.write(LEAVE);
    }
}

// Second screen and hidden cursor (xterm's private modes 1049 and 25), and back.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[2J";
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";
const HOME: &str = "\u{1b}[H";
const CLEAR_LINE: &str = "\u{1b}[K\n";
const CLEAR_REST: &str = "\u{1b}[J";

/// How often the store's change mark is looked at; that costs next to nothing.
const LOOK: Duration = Duration::from_millis(100);
const REDRAW: Duration = Duration::from_secs(1);
