//! The ways in which an account can get a credential.

use super::candidate::{preset, variables_of};
use crate::account::ProviderId;
use crate::config::{self, Config, ProviderConfig};
use crate::flow::choice::order_at;
use crate::flow::place::Place;
use crate::provider::Flow;
use crate::store::StaticKind;

/// A way to a credential.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Way {
    /// The person brings one of their own.
    Key(StaticKind),
    /// The person logs in by the configured flow, or by the best one here; where that cannot begin, the next takes its
    /// place. The flow is the one that comes first.
    BestLogin(Flow),
    /// The person logs in by this flow, and by no other.
    Login(Flow),
}

/// Every way that fits `provider`, as far as the configuration and the preset know: the logins, the best one for a person
/// at `place` first, then the keys. A server whose endpoints are to be discovered may have more.
///
/// A configured `flow` is the one login that is offered.
pub fn ways(config: &Config, provider: &ProviderId, place: Place) -> Vec<Way> {
    let configured = config.providers().get(provider);
    let mut flows = logins(config, configured);
    let order = order_at(place);
    flows.sort_by_key(|flow| order.and_then(|order| order.iter().position(|other| other == flow)));
    let way = |(index, flow)| if index == 0 { Way::BestLogin(flow) } else { Way::Login(flow) };
    let mut ways: Vec<_> = flows.into_iter().enumerate().map(way).collect();
    let mentions = |kind: StaticKind| {
        let is_set = configured.is_some_and(|configured| match kind {
            StaticKind::ApiKey => configured.api_key.is_some(),
            StaticKind::AuthToken => configured.auth_token.is_some(),
        });
        is_set || !variables_of(config, provider, kind).is_empty()
    };
    let keys: Vec<_> = StaticKind::ALL.into_iter().filter(|kind| mentions(*kind)).map(Way::Key).collect();
    ways.extend(keys);
    if ways.is_empty() {
        ways.push(Way::Key(StaticKind::ApiKey));
    }
    ways
}

fn logins(config: &Config, configured: Option<&ProviderConfig>) -> Vec<Flow> {
    let Some(configured) = configured.filter(|configured| configured.client_id.is_some()) else {
        return Vec::new();
    };
    match configured.flow.value {
        config::Flow::Auto => {}
        config::Flow::Device => return vec![Flow::Device],
        config::Flow::Hosted => return Vec::new(),
        config::Flow::Loopback => return vec![Flow::Loopback],
        config::Flow::Paste => return vec![Flow::Paste],
    }
    if let Some(preset) = preset(config, &configured.id) {
        return preset.flows.iter().copied().filter(|flow| *flow != Flow::Hosted).collect();
    }
    let has_page = configured.authorization_endpoint.is_some() || configured.issuer.is_some();
    let has_code = configured.device_authorization_endpoint.is_some();
    let flows = [has_page.then_some(Flow::Loopback), has_code.then_some(Flow::Device)];
    flows.into_iter().flatten().collect()
}
