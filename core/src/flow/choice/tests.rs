use super::*;
use crate::provider::fixture::{example_provider, preset_provider};

const SSH: Place = Place::Elsewhere("this is an SSH session");

fn refused() -> Error {
    Error::new(ErrorCode::ClientRejected, "the server refuses")
}

/// The flows of a plan, the first one taken included.
fn order(offer: Offer, place: Place) -> Vec<Flow> {
    let Ok(mut plan) = Plan::automatic(offer, place) else { return Vec::new() };
    let mut order = vec![plan.choice().flow];
    while plan.fall_forward(refused()).is_ok() {
        order.push(plan.choice().flow);
    }
    order
}

#[test]
fn every_place_and_every_offer_has_its_order() {
    use Flow::{Device, Loopback, Paste};
    let table: [(Place, [&[Flow]; 8]); 3] = [
        (
            Place::Here,
            [
                &[],
                &[Paste],
                &[Device],
                &[Device, Paste],
                &[Loopback],
                &[Loopback, Paste],
                &[Loopback, Device],
                &[Loopback, Device, Paste],
            ],
        ),
        (
            SSH,
            [
                &[],
                &[Paste],
                &[Device],
                &[Device, Paste],
                &[Loopback],
                &[Loopback, Paste],
                &[Device, Loopback],
                &[Device, Loopback, Paste],
            ],
        ),
        (Place::Nowhere, [&[]; 8]),
    ];
    for (place, orders) in table {
        for (bits, expected) in orders.into_iter().enumerate() {
            let offer = Offer { loopback: bits & 4 != 0, device: bits & 2 != 0, paste: bits & 1 != 0 };
            assert_eq!(order(offer, place), expected, "{place:?} {offer:?}");
        }
    }
}

#[test]
fn the_best_flow_needs_no_explanation_and_any_other_has_one() {
    let all = Offer { loopback: true, device: true, paste: true };
    let here = Plan::automatic(all, Place::Here).unwrap();
    assert_eq!(here.choice().explanation(), None);
    assert!(!here.choice().asks_for_paste());

    let mut away = Plan::automatic(all, SSH).unwrap();
    assert_eq!(away.choice().explanation().unwrap(), "this is an SSH session; so enter a code on any device");
    away.fall_forward(refused()).unwrap();
    assert!(away.choice().asks_for_paste());
    let explained = away.choice().explanation().unwrap();
    assert!(
        explained.starts_with("this is an SSH session, and the server refuses; so log in with any"),
        "{explained}"
    );
}

#[test]
fn what_the_provider_never_offered_is_not_explained() {
    let paste = Offer { loopback: false, device: false, paste: true };
    assert_eq!(Plan::automatic(paste, SSH).unwrap().choice().explanation(), None);
}

#[test]
fn a_server_that_cannot_be_reached_is_no_reason_for_another_flow() {
    let mut plan = Plan::automatic(Offer { loopback: true, device: true, paste: true }, SSH).unwrap();
    let away = Error::new(ErrorCode::Unavailable, "the server is away");
    assert_eq!(plan.fall_forward(away).unwrap_err().code(), ErrorCode::Unavailable);
    assert_eq!(plan.choice().flow, Flow::Device);
}

#[test]
fn a_port_that_is_taken_leads_to_the_next_flow() {
    let mut plan =
        Plan::automatic(Offer { loopback: true, device: false, paste: true }, Place::Here).unwrap();
    let taken = Error::new(ErrorCode::Unavailable, "the port of redirect_uri is in use");
    plan.fall_forward(taken).unwrap();
    assert_eq!((plan.choice().flow, plan.choice().asks_for_paste()), (Flow::Paste, true));
    assert_eq!(plan.choice().reasons, ["the port of redirect_uri is in use"]);
}

#[test]
fn a_flow_that_was_asked_for_is_taken_or_fails_and_no_other_is() {
    let github = preset_provider("github");
    for flow in [Flow::Device, Flow::Loopback, Flow::Paste] {
        for place in [Place::Here, SSH, Place::Nowhere] {
            let mut plan = Plan::make(Some(flow), &github, place).unwrap();
            assert_eq!((plan.choice().flow, plan.choice().explanation()), (flow, None));
            assert_eq!(plan.fall_forward(refused()).unwrap_err().code(), ErrorCode::ClientRejected);
        }
    }
    let far = Plan::make(Some(Flow::Loopback), &github, SSH).unwrap();
    assert!(far.choice().asks_for_paste(), "a forwarded port works, and a pasted address does too");
    let no_endpoint = Plan::make(Some(Flow::Device), &example_provider(), Place::Here).unwrap_err();
    assert_eq!(no_endpoint.code(), ErrorCode::ConfigInvalid);
}

#[test]
fn nobody_is_waited_for_where_nobody_is() {
    let error = Plan::make(None, &preset_provider("github"), Place::Nowhere).unwrap_err();
    assert_eq!(error.code(), ErrorCode::Usage);
    assert!(error.advice().contains("--flow device"), "{}", error.advice());
    assert_eq!(error.provider().unwrap().as_str(), "example");
}

#[test]
fn a_browser_that_cannot_be_opened_is_replaced_by_a_code_where_there_is_one() {
    let lost = Error::new(ErrorCode::Unavailable, "no browser could be opened here");
    let mut plan = Plan::make(None, &preset_provider("github"), Place::Here).unwrap();
    assert!(plan.lose_browser(&lost));
    plan.change_to_device();
    assert_eq!((plan.choice().flow, plan.choice().asks_for_paste()), (Flow::Device, false));
    assert_eq!(plan.choice().reasons, ["no browser could be opened here"]);

    let mut plan = Plan::make(None, &preset_provider("google"), Place::Here).unwrap();
    assert!(!plan.lose_browser(&lost), "its device logins are for registrations of another kind");
    assert_eq!((plan.choice().flow, plan.choice().asks_for_paste()), (Flow::Loopback, true));

    let mut plan = Plan::make(Some(Flow::Loopback), &preset_provider("github"), Place::Here).unwrap();
    assert!(!plan.lose_browser(&lost), "it was asked for");
    assert!(plan.choice().asks_for_paste());
}

#[test]
fn the_presets_are_planned_as_they_are_registered() {
    use Flow::{Device, Loopback, Paste};
    for (preset, here, away) in [
        ("anthropic", &[Paste][..], &[Paste][..]),
        ("codeberg", &[Loopback], &[Loopback]),
        ("github", &[Loopback, Device], &[Device, Loopback]),
        ("google", &[Loopback], &[Loopback]),
    ] {
        let offer = Offer::of(&preset_provider(preset));
        assert_eq!(
            (order(offer, Place::Here), order(offer, SSH)),
            (here.to_vec(), away.to_vec()),
            "{preset}"
        );
    }
}

#[test]
fn a_redirect_uri_elsewhere_is_none_to_listen_on() {
    for (redirect_uri, is_here) in [
        ("http://127.0.0.1/callback", true),
        ("http://127.0.0.1:1455/callback", true),
        ("http://[::1]:1455/callback", true),
        ("http://localhost:1455/callback", true),
        ("https://127.0.0.1:1455/callback", false),
        ("https://id.example.com/paste", false),
        ("com.example.app:/callback", false),
        ("urn:ietf:wg:oauth:2.0:oob", false),
    ] {
        assert_eq!(is_of_this_machine(redirect_uri), is_here, "{redirect_uri}");
        let mut provider = preset_provider("github");
        provider.redirect_uri = Some(redirect_uri.to_owned());
        assert_eq!(Offer::of(&provider).loopback, is_here, "{redirect_uri}");
    }
}
