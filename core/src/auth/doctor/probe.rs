//! Asking the network, where a doctor may.

use url::Url;

use super::super::Ports;
use crate::account::AccountKey;
use crate::config::Config;
use crate::doctor::Finding;
use crate::doctor::probe::{self, RouteFacts};
use crate::environment::Environment;

/// Asks every provider that people can log in to, all at once.
pub(super) async fn examine(config: &Config, environment: &Environment, ports: &Ports) -> Vec<Finding> {
    let mut findings = probe::examine_route(&route(config, environment));
    let mut asked = tokio::task::JoinSet::new();
    for (index, (provider, server)) in ports.servers(config).into_iter().enumerate() {
        asked.spawn(
            async move { (index, probe::examine(&AccountKey::from(provider), &server.probe().await)) },
        );
    }
    let mut answers = asked.join_all().await;
    answers.sort_by_key(|(index, _)| *index);
    findings.extend(answers.into_iter().flat_map(|(_, found)| found));
    findings
}

/// What decides the way of a request that leaves this machine.
fn route(config: &Config, environment: &Environment) -> RouteFacts {
    let configured = config.http();
    let from_config = configured
        .proxy
        .as_ref()
        // Its origin alone: there may be a password before it.
        .map(|proxy| (origin(proxy.value.expose()), proxy.origin.to_string()));
    let from_environment = || {
        let name = PROXY_VARIABLES.into_iter().find(|name| environment.variable(name).is_some())?;
        Some((origin(environment.variable(name)?), format!("variable {name}")))
    };
    let authorities = configured
        .ca_file
        .as_ref()
        .map(|file| (file.value.display().to_string(), file.origin.to_string()))
        .or_else(|| {
            let file = environment.variable("SSL_CERT_FILE")?;
            Some((file.to_owned(), "variable SSL_CERT_FILE".to_owned()))
        });
    RouteFacts { proxy: from_config.or_else(from_environment), authorities }
}

fn origin(address: &str) -> String {
    let url = match address.contains("://") {
        true => Url::parse(address),
        false => Url::parse(&format!("http://{address}")),
    };
    url.ok()
        .and_then(|url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some(format!("{}://{}{port}", url.scheme(), url.host_str()?))
        })
        .unwrap_or_else(|| "a proxy whose address cannot be read".to_owned())
}

/// In the order in which requests over https look at them.
const PROXY_VARIABLES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_proxy_its_origin_alone_is_shown() {
        for (address, shown) in [
            ("http://ada:canary@proxy:3128/x", "http://proxy:3128"),
            ("socks5h://proxy:1080", "socks5h://proxy:1080"),
            ("proxy.example:3128", "http://proxy.example:3128"),
            ("canary canary", "a proxy whose address cannot be read"),
        ] {
            assert_eq!(origin(address), shown);
        }
    }

    #[test]
    fn the_configuration_comes_before_the_variables() {
        let variables =
            [("HOME", "/"), ("HTTPS_PROXY", "http://u:canary@env:1"), ("SSL_CERT_FILE", "/ca.pem")];
        let environment = Environment::new(variables, "/app");
        let read = |text| Config::parse(text, std::path::Path::new("c.toml"), &environment).unwrap();
        let of_environment = route(&read(""), &environment);
        assert_eq!(of_environment.proxy, Some(("http://env:1".into(), "variable HTTPS_PROXY".into())));
        assert_eq!(of_environment.authorities, Some(("/ca.pem".into(), "variable SSL_CERT_FILE".into())));
        let of_config = route(&read("[auth.http]\nproxy = \"http://config:2\"\n"), &environment);
        assert_eq!(of_config.proxy.unwrap().0, "http://config:2");
    }
}
