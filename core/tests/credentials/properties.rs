//! Whatever is held wherever: the answer is a function of it, and what stands behind the answer does not matter.

use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::status::ConnectionState;
use proptest::prelude::*;

use super::{World, said, secret};

/// What is at one place of the chain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Slot {
    Nothing,
    Fine,
    Broken,
}

/// The seven places, in the order of the chain.
const PLACES: [&str; 7] = [
    "api_key config",
    "api_key environment",
    "api_key store",
    "auth_token config",
    "auth_token environment",
    "auth_token store",
    "oauth store",
];

fn world(mode: &str, slots: [Slot; 7]) -> World {
    let key = if slots[0] == Slot::Fine { "api_key = \"canary-0\"" } else { "" };
    let token = if slots[3] == Slot::Fine { "auth_token = \"canary-3\"" } else { "" };
    let mut world = World::new(&format!(
        "[auth.tiers.t]\nprovider = \"anthropic\"\nauth_mode = \"{mode}\"\n[auth.anthropic]\nclient_id = \"x\"\n{key}\n{token}\n"
    ));
    for (slot, name) in [(slots[1], "ANTHROPIC_API_KEY"), (slots[4], "ANTHROPIC_AUTH_TOKEN")] {
        world = match slot {
            Slot::Nothing => world,
            Slot::Fine => world.variable(name, "canary-fine"),
            Slot::Broken => world.variable(name, "canary with spaces"),
        };
    }
    let stored = |slot: Slot| match slot {
        Slot::Nothing => None,
        Slot::Fine => secret("canary-stored"),
        Slot::Broken => Some(Err(Error::new(ErrorCode::StoreFailed, "it cannot be unsealed"))),
    };
    world.held.api_key = stored(slots[2]);
    world.held.auth_token = stored(slots[5]);
    world.held.connection = match slots[6] {
        Slot::Nothing => None,
        Slot::Fine => Some(Ok(ConnectionState::Connected)),
        Slot::Broken => Some(Err(Error::new(ErrorCode::ReconnectRequired, "it is over"))),
    };
    world
}

fn slot() -> impl Strategy<Value = Slot> {
    prop_oneof![3 => Just(Slot::Nothing), 3 => Just(Slot::Fine), 1 => Just(Slot::Broken)]
}

/// A file has nothing broken in it: it would not have been read.
fn slots() -> impl Strategy<Value = [Slot; 7]> {
    prop::array::uniform7(slot()).prop_map(|mut slots| {
        for of_config in [0, 3] {
            if slots[of_config] == Slot::Broken {
                slots[of_config] = Slot::Nothing;
            }
        }
        slots
    })
}

fn modes() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("api_key"), Just("auto"), Just("oauth")]
}

/// The place that decides, by the documented order alone.
fn deciding(mode: &str, slots: &[Slot; 7]) -> Option<usize> {
    let range = match mode {
        "api_key" => 0..3,
        "oauth" => 3..7,
        _ => 0..7,
    };
    range.into_iter().find(|place| slots[*place] != Slot::Nothing)
}

proptest! {
    #[test]
    fn the_first_that_is_there_decides_and_nothing_falls_through(mode in modes(), slots in slots()) {
        let world = world(mode, slots);
        match deciding(mode, &slots) {
            None => prop_assert_eq!(world.resolve("t").unwrap_err().code(), ErrorCode::NotConnected),
            Some(place) if slots[place] == Slot::Fine => {
                prop_assert_eq!(said(&world.resolve("t").unwrap()), PLACES[place]);
            }
            Some(_) => prop_assert!(world.resolve("t").is_err()),
        }
    }

    #[test]
    fn the_same_world_gives_the_same_answer(mode in modes(), slots in slots()) {
        let (one, other) = (world(mode, slots), world(mode, slots));
        let told = |world: &World| format!("{:?}", world.resolve("t"));
        prop_assert_eq!(told(&one), told(&one));
        prop_assert_eq!(told(&one), told(&other));
    }

    #[test]
    fn what_is_added_behind_the_answer_changes_nothing(
        mode in modes(),
        slots in slots(),
        place in 0..7_usize,
        added in slot(),
    ) {
        let decides = deciding(mode, &slots);
        prop_assume!(decides.is_some_and(|decides| decides < place));
        prop_assume!(!([0, 3].contains(&place) && added == Slot::Broken));
        let mut more = slots;
        more[place] = added;
        let answer = |slots| {
            world(mode, slots)
                .resolve("t")
                .map(|found| (said(&found), found.secret().map(|secret| secret.expose().to_owned())))
                .map_err(|error| (error.code(), error.message().to_owned()))
        };
        prop_assert_eq!(answer(slots), answer(more));
    }
}
