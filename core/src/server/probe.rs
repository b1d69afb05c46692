//! Asking a server whether it is there, without any credential.

use http::{HeaderMap, Method};
use url::Url;
use zeroize::Zeroizing;

use super::AuthorizationServer;
use crate::clock::Timestamp;
use crate::error::{Error, ErrorCode, Result};
use crate::http::SendError;
use crate::protocol::message::{Request, Response};
use crate::provider::{Endpoints, Metadata};

/// What asking a server came to.
#[derive(Clone, Debug, Default)]
pub struct ServerProbe {
    /// Why its metadata cannot be had or used, where it has to be read.
    pub metadata: Option<Error>,
    /// The endpoints that the configuration spells out.
    pub configured: Endpoints,
    /// Those that the metadata names; `None` where there is none to read.
    pub published: Option<Endpoints>,
    /// The hosts that were asked and did not answer, and what stood in the way.
    pub unreachable: Vec<(String, &'static str)>,
    /// How far this machine's clock is ahead of the server's, in milliseconds; behind, where negative. `None` where no
    /// answer had a date (RFC 9110 §6.6.1).
    pub clock_ahead_millis: Option<i64>,
}

impl AuthorizationServer {
    /// Reads the server's metadata anew, where there is some, and asks each host of its endpoints for any answer at all.
    /// Nothing of ours is sent.
    pub async fn probe(&self) -> ServerProbe {
        let mut probe = ServerProbe { configured: self.builder.endpoints.clone(), ..ServerProbe::default() };
        if self.builder.issuer_to_discover().is_some() {
            match self.ask_for_metadata(&mut probe).await {
                Ok(metadata) => probe.published = Some(metadata.endpoints),
                Err(error) => probe.metadata = Some(error),
            }
        }
        for url in self.one_of_each_host(probe.published.as_ref()) {
            match self.ask(url.clone(), &mut probe).await {
                Ok(_) => {}
                Err(error) => probe.unreachable.push((url.origin().ascii_serialization(), error.reason())),
            }
        }
        probe
    }

    async fn ask_for_metadata(&self, probe: &mut ServerProbe) -> Result<Metadata> {
        let issuer = self.builder.issuer_to_discover().unwrap_or_default();
        let mut failure = None;
        for url in self.builder.discovery_urls()? {
            match self.ask(url, probe).await {
                Ok(answer) if answer.status == 200 => return Metadata::read(&answer.body, issuer),
                Ok(answer) => {
                    let message =
                        format!("the server has no metadata where it is looked for ({})", answer.status);
                    let advice = "Check issuer in the configuration, or spell the endpoints out.";
                    failure = Some(Error::new(ErrorCode::ServerMisbehaved, message).with_advice(advice));
                }
                // The other places are at the same host.
                Err(error) => return Err(error.into()),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorCode::ServerMisbehaved, "there is no metadata")))
    }

    /// The first endpoint of each origin: as configured, else as published, else as the preset has it.
    fn one_of_each_host(&self, published: Option<&Endpoints>) -> Vec<Url> {
        let preset = self.builder.preset.map(|preset| preset.endpoints()).unwrap_or_default();
        let named =
            [Some(&self.builder.endpoints), published, Some(&preset)].map(|from| from.map(Endpoints::named));
        let mut urls: Vec<Url> = Vec::new();
        for index in 0..preset.named().len() {
            let url = named.iter().flatten().find_map(|endpoints| endpoints[index].1);
            if let Some(url) = url.filter(|url| urls.iter().all(|known| known.origin() != url.origin())) {
                urls.push(url.clone());
            }
        }
        urls
    }

    async fn ask(&self, url: Url, probe: &mut ServerProbe) -> Result<Response, SendError> {
        let request =
            Request { method: Method::GET, url, headers: HeaderMap::new(), body: Zeroizing::default() };
        let answer = self.http.send(request).await?;
        if let Some(date) = date_of(&answer) {
            probe.clock_ahead_millis = Some(self.clock.now().unix_millis() - date.unix_millis());
        }
        Ok(answer)
    }
}

fn date_of(answer: &Response) -> Option<Timestamp> {
    let text = answer.headers.get(http::header::DATE)?.to_str().ok()?;
    let since_epoch = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_unix_seconds(i64::try_from(since_epoch.as_secs()).ok()?))
}
