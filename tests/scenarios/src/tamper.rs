//! Somebody between the app and the token endpoint of a real server, who changes what comes back.

use std::fmt;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Client;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::http;

/// A token endpoint on this machine that asks another one, and changes the ID tokens of its answers.
pub struct Tamper {
    url: String,
    server: JoinHandle<()>,
}

/// What is done to the three parts of an ID token (RFC 7515 §7.1).
pub type Change = Arc<dyn Fn(&mut [String; 3]) + Send + Sync>;

impl Tamper {
    /// Stands before the token endpoint `target`, and does `change` to every ID token.
    ///
    /// # Errors
    ///
    /// No port can be had.
    pub async fn start(target: String, change: Change) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/token", listener.local_addr()?);
        let client = http::client()?;
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (client, target, change) = (client.clone(), target.clone(), change.clone());
                // Whoever breaks off is answered by that.
                tokio::spawn(async move { serve(stream, &client, &target, &change).await });
            }
        });
        Ok(Self { url, server })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Tamper {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl fmt::Debug for Tamper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tamper").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The claims in the middle part of an ID token, and the part made of them once `change` is done.
pub fn with_claims(part: &mut String, change: impl FnOnce(&mut Value)) {
    let mut claims = URL_SAFE_NO_PAD.decode(&*part).ok().and_then(|json| serde_json::from_slice(&json).ok());
    if let Some(claims) = &mut claims {
        change(claims);
        *part = URL_SAFE_NO_PAD.encode(claims.to_string());
    }
}

async fn serve(mut stream: TcpStream, client: &Client, target: &str, change: &Change) -> io::Result<()> {
    let (headers, body) = read_request(&mut stream).await?;
    let answer = client.post(target).headers(headers).body(body).send().await.map_err(io::Error::other)?;
    let status = answer.status().as_u16();
    let mut body: Value =
        serde_json::from_slice(&answer.bytes().await.map_err(io::Error::other)?).unwrap_or_default();
    if let Some(id_token) = body.get("id_token").and_then(Value::as_str) {
        let parts: Vec<String> = id_token.split('.').map(str::to_owned).collect();
        if let Ok(mut parts) = <[String; 3]>::try_from(parts) {
            change(&mut parts);
            body["id_token"] = parts.join(".").into();
        }
    }
    let body = body.to_string();
    let head = format!(
        "HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// The headers that a token endpoint looks at, and the body.
async fn read_request(stream: &mut TcpStream) -> io::Result<(HeaderMap, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut headers, mut length) = (HeaderMap::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        let Some((name, value)) = line.trim().split_once(':') else { continue };
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        if name == "content-length" {
            length = value.parse().map_err(io::Error::other)?;
        } else if name == AUTHORIZATION.as_str() || name == CONTENT_TYPE.as_str() {
            let name: HeaderName = name.parse().map_err(io::Error::other)?;
            headers.insert(name, HeaderValue::from_str(value).map_err(io::Error::other)?);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok((headers, body))
}
