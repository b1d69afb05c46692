//! What the network says when it is asked.

use std::time::Duration;

use url::Url;

use super::{Finding, FindingCode};
use crate::account::AccountKey;
use crate::error::{Error, ErrorCode};
use crate::server::ServerProbe;

/// By which way requests leave.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct RouteFacts {
    /// The proxy's origin, without credentials, and who named it.
    pub proxy: Option<(String, String)>,
    /// The file of extra certificate authorities, and who named it.
    pub authorities: Option<(String, String)>,
}

/// What is wrong at the provider of `account`, its unnamed one.
pub fn examine(account: &AccountKey, probe: &ServerProbe) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(probe.metadata.as_ref().map(|error| match error.code() {
        ErrorCode::Unavailable => Finding::of_error(
            FindingCode::EndpointUnreachable,
            &out_of_reach(format!("the metadata of {account} cannot be had: {}", error.message())),
        ),
        _ => Finding::of_error(FindingCode::MetadataUnusable, error),
    }));
    findings.extend(probe.unreachable.iter().map(|(host, reason)| {
        let error = out_of_reach(format!("{host} cannot be reached: {reason}"));
        Finding::of_error(FindingCode::EndpointUnreachable, &error)
    }));
    findings.extend(differences(account, probe));
    findings.extend(probe.clock_ahead_millis.and_then(|ahead| clock_off(account, ahead)));
    findings.into_iter().map(|finding| finding.about(account)).collect()
}

/// What is worth knowing of the way.
pub fn examine_route(route: &RouteFacts) -> Vec<Finding> {
    let proxy = route.proxy.as_ref().map(|(proxy, by)| {
        let message = format!("requests to other machines go through {proxy} ({by})");
        Finding::new(
            FindingCode::Route,
            message,
            "Nothing has to be done, if that is the proxy that you know.",
        )
    });
    let authorities = route.authorities.as_ref().map(|(file, by)| {
        let message = format!("the certificate authorities in {file} are trusted too ({by})");
        Finding::new(
            FindingCode::Route,
            message,
            "Nothing has to be done, if that is the file that you know.",
        )
    });
    proxy.into_iter().chain(authorities).collect()
}

fn out_of_reach(message: String) -> Error {
    Error::new(ErrorCode::Unavailable, message).with_advice(
        "Check the network, and proxy and ca_file under [auth.http]; then run `loomkin-auth doctor --probe`.",
    )
}

/// What the configuration spells out counts, and may be out of date.
fn differences(account: &AccountKey, probe: &ServerProbe) -> Vec<Finding> {
    let Some(published) = &probe.published else { return Vec::new() };
    let pairs = probe.configured.named().into_iter().zip(published.named());
    pairs
        .filter_map(|((name, ours), (_, theirs))| Some((name, ours?, theirs?)))
        .filter(|(_, ours, theirs)| ours != theirs)
        .map(|(name, _, theirs)| {
            let message = format!(
                "the configuration of {account} has another {name} than the provider's metadata, which has {}",
                plain(theirs)
            );
            let remedy = format!("Take the endpoint out of [auth.{}], unless it is meant.", account.provider);
            Finding::new(FindingCode::MetadataDiffers, message, remedy)
        })
        .collect()
}

/// Without what may be secret in an address.
fn plain(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn clock_off(account: &AccountKey, ahead_millis: i64) -> Option<Finding> {
    let off = Duration::from_millis(ahead_millis.unsigned_abs());
    (off > TOLERATED).then(|| {
        let side = if ahead_millis > 0 { "ahead of" } else { "behind" };
        let message = format!("the clock of this machine is {} s {side} {account}'s", off.as_secs());
        Finding::new(FindingCode::ClockOff, message, "Set the clock: sudo timedatectl set-ntp true")
    })
}

/// A `Date` has whole seconds, and an answer takes some time; tokens are renewed a minute ahead.
const TOLERATED: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Endpoints;

    fn healthy() -> ServerProbe {
        ServerProbe { clock_ahead_millis: Some(1_500), ..ServerProbe::default() }
    }

    fn examine(probe: &ServerProbe) -> Vec<Finding> {
        super::examine(&"work-idp".parse().unwrap(), probe)
    }

    fn codes(probe: &ServerProbe) -> Vec<FindingCode> {
        examine(probe).into_iter().map(|finding| finding.code).collect()
    }

    fn endpoints(token: &str) -> Endpoints {
        Endpoints { token: Some(Url::parse(token).unwrap()), ..Endpoints::default() }
    }

    #[test]
    fn a_provider_that_answers_is_nothing_to_speak_of() {
        assert_eq!(codes(&healthy()), []);
    }

    #[test]
    fn a_clock_may_be_half_a_minute_off_either_way() {
        for (millis, found) in [(30_000, 0), (-30_000, 0), (30_001, 1), (-30_001, 1), (i64::MIN, 1)] {
            let probe = ServerProbe { clock_ahead_millis: Some(millis), ..healthy() };
            assert_eq!(codes(&probe), [FindingCode::ClockOff; 1][..found], "{millis}");
        }
        let ahead = examine(&ServerProbe { clock_ahead_millis: Some(90_000), ..healthy() });
        assert_eq!(ahead[0].message, "the clock of this machine is 90 s ahead of work-idp's");
    }

    #[test]
    fn metadata_that_names_another_endpoint_is_told_without_a_query() {
        let configured = endpoints("https://id.example.com/token");
        let published = |url| Some(endpoints(url));
        let same = published("https://id.example.com/token");
        assert_eq!(codes(&ServerProbe { configured: configured.clone(), published: same, ..healthy() }), []);
        let other = published("https://id.example.com/v2/token?canary=1");
        let findings = examine(&ServerProbe { configured, published: other.clone(), ..healthy() });
        assert_eq!(findings[0].code, FindingCode::MetadataDiffers);
        assert!(findings[0].message.ends_with("has https://id.example.com/v2/token"), "{findings:?}");
        // What is left to the metadata cannot disagree with it.
        assert_eq!(codes(&ServerProbe { published: other, ..healthy() }), []);
    }

    #[test]
    fn what_does_not_answer_and_what_answers_wrongly_are_told_apart() {
        let metadata = |code| codes(&ServerProbe { metadata: Some(Error::new(code, "x")), ..healthy() });
        assert_eq!(metadata(ErrorCode::Unavailable), [FindingCode::EndpointUnreachable]);
        assert_eq!(metadata(ErrorCode::ServerMisbehaved), [FindingCode::MetadataUnusable]);
        let unreachable = vec![("https://id.example.com".to_owned(), "it is away")];
        assert_eq!(codes(&ServerProbe { unreachable, ..healthy() }), [FindingCode::EndpointUnreachable]);
    }

    #[test]
    fn the_way_is_told_where_there_is_one() {
        assert_eq!(examine_route(&RouteFacts::default()), []);
        let named = |what: &str| Some((what.to_owned(), "variable X".to_owned()));
        let route = RouteFacts { proxy: named("http://proxy:3128"), authorities: named("/ca.pem") };
        let messages: Vec<_> = examine_route(&route).into_iter().map(|finding| finding.message).collect();
        assert!(messages[0].contains("http://proxy:3128 (variable X)"), "{messages:?}");
        assert!(messages[1].contains("/ca.pem are trusted too (variable X)"), "{messages:?}");
    }
}
