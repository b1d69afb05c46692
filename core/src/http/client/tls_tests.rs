//! The client against a TLS server of a company's own authority.

use std::io::{Read, Write};
use std::sync::Arc;
use std::thread::JoinHandle;

use http::{HeaderMap, Method};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;

/// A server for one connection, the PEM of its authority, and whether it saw a request.
struct Server {
    url: Url,
    ca_pem: Vec<u8>,
    saw_request: JoinHandle<bool>,
}

fn serve() -> Server {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("https://localhost:{}/", listener.local_addr().unwrap().port())).unwrap();
    let saw_request = std::thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = StreamOwned::new(connection, socket);
        let mut head = [0; 1024];
        let saw = stream.read(&mut head).is_ok_and(|length| length > 0);
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
        drop(stream.flush());
        saw
    });
    Server { url, ca_pem: authority.pem().into_bytes(), saw_request }
}

async fn send(url: Url, ca_pem: Option<Vec<u8>>) -> Result<Response, SendError> {
    send_by(&ReqwestClient::new(HttpSettings { ca_pem, ..HttpSettings::default() }).unwrap(), url).await
}

async fn send_by(client: &ReqwestClient, url: Url) -> Result<Response, SendError> {
    let body = Zeroizing::default();
    client.send(Request { method: Method::GET, url, headers: HeaderMap::new(), body }).await
}

#[tokio::test]
async fn an_authority_that_was_added_is_trusted() {
    let server = serve();
    let response = send(server.url, Some(server.ca_pem)).await.unwrap();
    assert_eq!((response.status, &response.body[..]), (200, &b"ok"[..]));
    assert!(server.saw_request.join().unwrap());
}

#[tokio::test]
async fn an_authority_that_nobody_added_sees_no_request() {
    let server = serve();
    let error = send(server.url, None).await.unwrap_err();
    assert_eq!(error, SendError::NotSent { reason: "the server's certificate is not trusted here" });
    assert!(!server.saw_request.join().unwrap());
}

#[tokio::test]
async fn a_file_of_authorities_is_read_when_a_request_needs_it_and_again_until_it_can_be() {
    let server = serve();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("authorities.pem");
    let settings = HttpSettings { ca_file: Some(file.clone()), ..HttpSettings::default() };
    let client = ReqwestClient::new(settings).unwrap();
    let unusable = SendError::NotSent { reason: "the file of extra certificate authorities cannot be used" };
    assert_eq!(send_by(&client, server.url.clone()).await.unwrap_err(), unusable);
    std::fs::write(&file, "no certificate").unwrap();
    assert_eq!(send_by(&client, server.url.clone()).await.unwrap_err(), unusable);
    std::fs::write(&file, server.ca_pem).unwrap();
    assert_eq!(send_by(&client, server.url).await.unwrap().status, 200);
}
