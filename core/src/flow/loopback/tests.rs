use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

use std::net::Ipv4Addr;

use url::Url;

fn url_of(listener: &LoopbackListener) -> Url {
    Url::parse(listener.redirect_uri()).unwrap()
}

async fn visit(url: &Url, request_line: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    stream.write_all(format!("{request_line} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn only_the_callback_path_reaches_the_login() {
    let mut listener = LoopbackListener::bind(None).await.unwrap();
    let url = url_of(&listener);
    for stray in ["GET /favicon.ico", "POST /callback?state=s", "GET /callback/?state=s"] {
        assert!(visit(&url, stray).await.starts_with("HTTP/1.1 404"), "{stray}");
    }
    let visitor = tokio::spawn(async move { visit(&url, "GET /callback?state=s&code=c").await });
    let redirect = listener.next().await.unwrap();
    assert!(redirect.query.matches(&Secret::new("state=s&code=c")));
    redirect.answer(Page::connected("github"));
    listener.close().await;
    let page = visitor.await.unwrap();
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("github is connected"), "{page}");
    assert!(page.contains("no-referrer") && page.contains("default-src 'none'"), "{page}");
    assert!(page.contains("frame-ancestors 'none'") && page.contains("no-store"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn a_visitor_who_never_finishes_his_request_is_sent_away() {
    let listener = LoopbackListener::bind(None).await.unwrap();
    let port = url_of(&listener).port().unwrap();
    let began = tokio::time::Instant::now();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.write_all(b"GET /callback HTTP/1.1\r\nHo").await.unwrap();
    let mut rest = Vec::new();
    let _either_way = stream.read_to_end(&mut rest).await;
    assert!(began.elapsed() < HEADER_DEADLINE * 2, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_fixed_redirect_uri_is_sent_as_it_is_written() {
    // Its listeners are elsewhere, so that nobody needs these ports.
    let machine = || machine(|_, _| None);
    for (written, sent) in [
        ("http://127.0.0.1:1455".to_owned(), Some("http://127.0.0.1:1455".to_owned())),
        ("http://localhost:80/cb".to_owned(), Some("http://localhost:80/cb".to_owned())),
        ("http://localhost/cb".to_owned(), None),
    ] {
        let listener = LoopbackListener::bind_by(Some(&written), machine()).await.unwrap();
        let port = url_of(&listener).port_or_known_default().unwrap();
        let expected = sent.unwrap_or_else(|| format!("http://localhost:{port}/cb"));
        assert_eq!(listener.redirect_uri(), expected);
    }
}

#[tokio::test]
async fn a_port_in_use_is_said() {
    let first = LoopbackListener::bind(None).await.unwrap();
    let error = LoopbackListener::bind(Some(first.redirect_uri())).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
    assert!(error.message().contains("in use"), "{error}");
}

#[tokio::test]
async fn only_http_on_this_machine_can_be_listened_on() {
    for elsewhere in ["https://127.0.0.1/cb", "http://192.0.2.1/cb", "http://localhost.example.com/cb"] {
        let error = LoopbackListener::bind(Some(elsewhere)).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ConfigInvalid, "{elsewhere}");
    }
}

#[tokio::test]
async fn a_dropped_listener_closes_its_port_and_its_visitors() {
    let listener = LoopbackListener::bind(None).await.unwrap();
    let url = url_of(&listener);
    let mut stream = TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.unwrap();
    drop(listener);
    let mut rest = Vec::new();
    let _either_way = stream.read_to_end(&mut rest).await;
    assert!(TcpStream::connect(("127.0.0.1", url.port().unwrap())).await.is_err());
}

/// The status line of a visit to `host`.
async fn answer_at(host: &str, port: u16) -> String {
    let mut stream = TcpStream::connect(format!("{host}:{port}")).await.unwrap();
    stream.write_all(b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

/// Whether this machine has IPv6 at all.
async fn has_v6() -> bool {
    TcpListener::bind("[::1]:0").await.is_ok()
}

#[tokio::test]
async fn localhost_is_listened_on_by_both_versions_of_the_protocol() {
    let anywhere = "http://localhost/callback";
    let listener = LoopbackListener::bind(Some(anywhere)).await.unwrap();
    assert_eq!(url_of(&listener).host_str(), Some("localhost"));
    let port = url_of(&listener).port().unwrap();
    let hosts = if has_v6().await { &["127.0.0.1", "[::1]"][..] } else { &["127.0.0.1"] };
    for host in hosts {
        assert_eq!(answer_at(host, port).await, "HTTP/1.1 404 Not Found", "{host}");
    }
}

#[tokio::test]
async fn an_address_means_its_own_version_of_the_protocol_alone() {
    let listener = LoopbackListener::bind(None).await.unwrap();
    let port = url_of(&listener).port().unwrap();
    assert!(TcpStream::connect(("::1", port)).await.is_err());
    if has_v6().await {
        let v6 = "http://[::1]/callback";
        let listener = LoopbackListener::bind(Some(v6)).await.unwrap();
        assert_eq!(answer_at("[::1]", url_of(&listener).port().unwrap()).await, "HTTP/1.1 404 Not Found");
    }
}

/// A machine on which some addresses cannot be had, and for how often that is so.
fn machine(refuses: fn(SocketAddr, usize) -> Option<io::ErrorKind>) -> impl Bind {
    let asked = std::sync::atomic::AtomicUsize::new(0);
    async move |address: SocketAddr| {
        let asked = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match refuses(address, asked) {
            Some(kind) => Err(kind.into()),
            // The other version stands for the one that the machine running this test may lack.
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
        }
    }
}

#[tokio::test]
async fn a_machine_without_one_version_of_the_protocol_uses_the_other() {
    let no_v4 = |address: SocketAddr, _| address.is_ipv4().then_some(io::ErrorKind::AddrNotAvailable);
    let no_v6 = |address: SocketAddr, _| address.is_ipv6().then_some(io::ErrorKind::Unsupported);
    let neither = |_: SocketAddr, _| Some(io::ErrorKind::AddrNotAvailable);
    let localhost = "http://localhost/callback";
    for (configured, machine, host) in [
        (None, machine(no_v6), Some("127.0.0.1")),
        (None, machine(no_v4), Some("[::1]")),
        (None, machine(neither), None),
        (Some(localhost), machine(no_v4), Some("localhost")),
        (Some(localhost), machine(no_v6), Some("localhost")),
        (Some(localhost), machine(neither), None),
    ] {
        let bound = LoopbackListener::bind_by(configured, machine).await;
        let found = bound.as_ref().ok().and_then(|listener| url_of(listener).host_str().map(str::to_owned));
        assert_eq!(found.as_deref(), host);
        assert!(bound.is_ok() || bound.unwrap_err().code() == ErrorCode::Unavailable);
    }
}

#[tokio::test]
async fn the_next_port_is_taken_unless_the_redirect_uri_fixes_it() {
    // Half of the pair belongs to somebody else, for the first three ports.
    let taken =
        |address: SocketAddr, asked| (address.is_ipv6() && asked < 6).then_some(io::ErrorKind::AddrInUse);
    let any = "http://localhost/callback";
    LoopbackListener::bind_by(Some(any), machine(taken)).await.unwrap();
    let fixed = "http://localhost:1455/callback";
    let error = LoopbackListener::bind_by(Some(fixed), machine(taken)).await.unwrap_err();
    assert!(error.message().contains("in use"), "{error}");
    let always = |address: SocketAddr, _| address.is_ipv6().then_some(io::ErrorKind::AddrInUse);
    let error = LoopbackListener::bind_by(Some(any), machine(always)).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::Unavailable);
}
