//! What shows only where the network is asked.

use loomkin_auth_scenarios::{Dev, Home};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{connected, visit, visit_by};

const PROBE: [&str; 3] = ["doctor", "--probe", "--json"];

/// A provider whose endpoints are all at `origin`.
fn spelled_out(origin: &str) -> Home {
    Home::new(&format!(
        "[auth.dev]\nclient_id = \"x\"\nauthorization_endpoint = \"{origin}/a\"\ntoken_endpoint = \"{origin}/t\"\n"
    ))
}

#[tokio::test]
async fn a_server_that_is_not_there_is_found_by_a_probe_alone() {
    // The port of `discard`, which nobody has.
    let origin = "http://127.0.0.1:9";
    let home = spelled_out(origin);
    assert_eq!(visit(&home, 0).await.codes(), ["store_new", "provider_unused"]);
    let probed = visit_by(&home, |call| call, &PROBE, 75).await;
    assert_eq!(probed.codes(), ["endpoint_unreachable", "store_new", "provider_unused"]);
    assert!(probed.findings[0]["message"].as_str().unwrap().contains(origin));
}

#[tokio::test]
async fn metadata_that_cannot_be_had_or_is_another_issuers() {
    let dev = connected().await;
    let issuer = dev.provider.issuer().to_owned();
    super::reconfigure(&dev.home, &format!("\"{issuer}\""), &format!("\"{issuer}/elsewhere\""));
    let visit = visit_by(&dev.home, |call| call, &PROBE, 77).await;
    assert_eq!(visit.codes(), ["connection_foreign", "metadata_unusable"]);
}

#[tokio::test]
async fn an_endpoint_that_the_metadata_has_elsewhere() {
    let dev = Dev::start().await;
    let elsewhere = format!("{}/old/revoke", dev.provider.issuer());
    dev.configure(&format!("revocation_endpoint = \"{elsewhere}\""));
    let visit = visit_by(&dev.home, |call| call, &PROBE, 1).await;
    assert_eq!(visit.codes(), ["metadata_differs", "store_new", "provider_unused"]);
}

#[tokio::test]
async fn a_clock_that_is_far_from_the_providers() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let home = spelled_out(&format!("http://{}", listener.local_addr().unwrap()));
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _came = stream.read(&mut request).await;
            let answer = "HTTP/1.1 404 Not Found\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n\
                          Content-Length: 0\r\nConnection: close\r\n\r\n";
            let _heard = stream.write_all(answer.as_bytes()).await;
        }
    });
    let visit = visit_by(&home, |call| call, &PROBE, 1).await;
    serving.abort();
    assert_eq!(visit.codes(), ["clock_off", "store_new", "provider_unused"]);
    assert!(visit.findings[0]["message"].as_str().unwrap().contains(" s ahead of dev's"));
}

#[tokio::test]
async fn a_proxy_and_authorities_in_force_are_named_without_a_password() {
    let home = Home::new("");
    home.canary().hide("canary--proxy-password");
    home.set_variable("HTTPS_PROXY", "http://ada:canary--proxy-password@proxy.example:3128");
    let visit = visit_by(&home, |call| call, &PROBE, 0).await;
    assert_eq!(visit.codes(), ["store_new", "route"]);
    let message = visit.findings[1]["message"].as_str().unwrap();
    assert!(message.contains("http://proxy.example:3128 (variable HTTPS_PROXY)"), "{message}");
}
