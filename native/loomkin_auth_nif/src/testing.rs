//! Faults on purpose, and single conversions, for tests.
#![expect(clippy::panic, reason = "that is what it is for")]

use loomkin_auth::clock::Timestamp;
use loomkin_auth::store::{Event, EventKind};
use rustler::{Env, Term};

use crate::call::{Begun, answer};
use crate::convert::event::Told;
use crate::runtime::runtime;

#[rustler::nif]
fn panic_at_once() -> bool {
    panic!("on purpose")
}

#[rustler::nif]
fn panic_in_a_task<'a>(env: Env<'a>, tag: Term<'a>) -> Begun {
    answer::<bool>(env, tag, async { panic!("on purpose") })
}

/// Never answers.
#[rustler::nif]
fn wait_for_ever<'a>(env: Env<'a>, tag: Term<'a>) -> Begun {
    answer::<bool>(env, tag, std::future::pending())
}

/// The event that a log keeps in this form.
#[rustler::nif]
fn event_from_text<'a>(env: Env<'a>, tag: Term<'a>, name: String, detail: Option<String>) -> Begun {
    answer(env, tag, async move {
        let at = Timestamp::from_unix_seconds(0);
        let mut event = Event::missed(at);
        // No log holds `missed`: it is told in place of what is not there.
        if let Some(kind) = EventKind::from_text(&name, detail.as_deref()) {
            event.kind = kind;
        }
        Ok(Told::from(event))
    })
}

/// How many tasks there are on the runtime.
#[rustler::nif]
fn running_tasks() -> usize {
    runtime().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
}
