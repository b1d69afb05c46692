//! The client against servers that lie, each one connection long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{HeaderMap, Method};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What a server does with a connection after it has read the request.
#[derive(Clone)]
enum Then {
    Answer(Vec<u8>),
    AnswerAndWait(Vec<u8>),
    Close,
    Stall,
}

struct Server {
    url: Url,
    connections: Arc<AtomicUsize>,
}

/// Starts a server that reads one request per connection.
async fn serve(then: Then) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/token", listener.local_addr().unwrap())).unwrap();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            counter.fetch_add(1, Ordering::SeqCst);
            let then = then.clone();
            tokio::spawn(async move {
                let mut request = Vec::new();
                while !request.ends_with(b"grant=canary") {
                    if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                        return;
                    }
                }
                match then {
                    Then::Answer(bytes) => drop(socket.write_all(&bytes).await),
                    Then::AnswerAndWait(bytes) => {
                        drop(socket.write_all(&bytes).await);
                        std::future::pending().await
                    }
                    Then::Close => {}
                    Then::Stall => std::future::pending().await,
                }
            });
        }
    });
    Server { url, connections }
}

fn post(url: &Url) -> Request {
    let body = Zeroizing::new(b"grant=canary".to_vec());
    Request { method: Method::POST, url: url.clone(), headers: HeaderMap::new(), body }
}

fn client(settings: HttpSettings) -> ReqwestClient {
    ReqwestClient::new(settings).unwrap()
}

fn answer(head: &str, body: &[u8]) -> Then {
    Then::Answer([head.as_bytes(), b"\r\n\r\n", body].concat())
}

async fn outcome(then: Then) -> Result<Response, SendError> {
    let server = serve(then).await;
    let settings = HttpSettings { timeout: Duration::from_secs(5), ..HttpSettings::default() };
    let outcome = client(settings).send(post(&server.url)).await;
    assert_eq!(server.connections.load(Ordering::SeqCst), 1, "a request is sent once");
    outcome
}

#[tokio::test]
async fn any_status_is_an_answer_and_no_redirect_is_followed() {
    let response =
        outcome(answer("HTTP/1.1 302 Found\r\nlocation: /x\r\ncontent-length: 2", b"hm")).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (302, &b"hm"[..]));
    assert_eq!(response.headers["location"], "/x");
}

#[tokio::test]
async fn no_request_goes_into_a_connection_that_may_be_stale() {
    let server = serve(Then::AnswerAndWait(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec())).await;
    let client = client(HttpSettings { timeout: Duration::from_secs(5), ..HttpSettings::default() });
    for sent in 1..=2 {
        assert_eq!(client.send(post(&server.url)).await.unwrap().status, 200);
        assert_eq!(server.connections.load(Ordering::SeqCst), sent);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_has_an_unknown_outcome() {
    for then in [
        answer("HTTP/1.1 200 OK\r\ncontent-length: 50", b"{\"access_token\":"),
        answer("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", b"5\r\nabcde\r\n"),
        Then::Answer(b"HTTP/1.1 2".to_vec()),
        Then::Answer(b"canary\r\n\r\n".to_vec()),
        Then::Close,
    ] {
        let error = outcome(then).await.unwrap_err();
        assert!(matches!(error, SendError::Unknown { .. }), "{error:?}");
        assert!(!format!("{error:?}").contains("127.0.0.1"));
    }
}

#[tokio::test]
async fn an_answer_may_be_one_mebibyte_long_and_no_longer() {
    let whole = vec![b'x'; MAX_ANSWER];
    let end = "HTTP/1.1 200 OK\r\nconnection: close";
    assert_eq!(outcome(answer(end, &whole)).await.unwrap().body.len(), MAX_ANSWER);
    let longer = vec![b'x'; MAX_ANSWER + 1];
    let error = outcome(answer(end, &longer)).await.unwrap_err();
    assert_eq!(error, SendError::Unknown { reason: "the answer is longer than 1 MiB" });
}

#[tokio::test]
async fn a_server_that_takes_the_request_and_stalls_has_an_unknown_outcome() {
    let server = serve(Then::Stall).await;
    let settings = HttpSettings { timeout: Duration::from_millis(300), ..HttpSettings::default() };
    let error = client(settings).send(post(&server.url)).await.unwrap_err();
    assert_eq!(error, SendError::Unknown { reason: "the server did not answer in time" });
}

#[tokio::test]
async fn a_request_that_finds_no_server_was_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for scheme in ["http", "https"] {
        let url = Url::parse(&format!("{scheme}://{address}/")).unwrap();
        let error = client(HttpSettings::default()).send(post(&url)).await.unwrap_err();
        assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_fails_means_that_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("https://{}/", listener.local_addr().unwrap())).unwrap();
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        drop(socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await);
    });
    let error = client(HttpSettings::default()).send(post(&url)).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
}

#[tokio::test]
async fn plain_http_leaves_this_machine_under_no_name() {
    for url in ["http://id.example.com/", "http://10.0.0.1/", "ftp://127.0.0.1/"] {
        let url = Url::parse(url).unwrap();
        assert_eq!(client(HttpSettings::default()).send(post(&url)).await.unwrap_err(), NOT_HTTPS);
    }
}

#[tokio::test]
async fn this_machine_is_never_reached_through_a_proxy_and_others_are() {
    // A proxy that refuses every CONNECT.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://user:canary@{}", listener.local_addr().unwrap());
    let connects = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connects);
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && socket.read_buf(&mut head).await.unwrap_or(0) > 0 {}
            drop(socket.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await);
        }
    });
    let settings = HttpSettings { proxy: Some(Secret::new(address)), ..HttpSettings::default() };
    assert!(!format!("{settings:?}").contains("canary"));
    let client = client(settings);
    assert!(!format!("{client:?}").contains("canary"));

    let server = serve(answer("HTTP/1.1 200 OK\r\ncontent-length: 0", b"")).await;
    assert_eq!(client.send(post(&server.url)).await.unwrap().status, 200);
    assert_eq!(connects.load(Ordering::SeqCst), 0);

    let elsewhere = Url::parse("https://id.example.invalid/token").unwrap();
    let error = client.send(post(&elsewhere)).await.unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    assert_eq!(connects.load(Ordering::SeqCst), 1);
}

#[test]
fn settings_that_cannot_be_used_are_refused_without_being_shown() {
    let proxy = HttpSettings { proxy: Some(Secret::new("::canary::")), ..HttpSettings::default() };
    let no_pem = HttpSettings { ca_pem: Some(b"canary".to_vec()), ..HttpSettings::default() };
    let no_certificate = b"-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n".to_vec();
    let bad_pem = HttpSettings { ca_pem: Some(no_certificate), ..HttpSettings::default() };
    for settings in [proxy, no_pem, bad_pem] {
        let error = ReqwestClient::new(settings).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid);
        assert!(!format!("{error:?}").contains("canary"));
    }
}
