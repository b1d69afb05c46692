//! TLS to the database: the connector that `tokio_postgres` asks for, over rustls.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{self, ChannelBinding, MakeTlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::target::{Target, read_authorities};
use crate::error::{Error, ErrorCode, Result};
use crate::http::tls::{self as authorities, empty_config, system_config};
use crate::store::blocking::blocking;

/// Makes the connector of each host.
#[derive(Clone)]
pub(super) struct MakeConnector(Arc<ClientConfig>);

impl MakeConnector {
    /// One that trusts what the system trusts, and the authorities that `target` names.
    ///
    /// # Errors
    ///
    /// `config_invalid` when these cannot be used.
    pub(super) async fn new(target: &Target) -> Result<Self> {
        let unusable = |_| {
            Error::new(ErrorCode::ConfigInvalid, "the system's certificate authorities cannot be used")
                .with_advice("Install the package of certificate authorities (ca-certificates).")
        };
        if !target.may_use_tls() {
            return Ok(Self(Arc::new(empty_config().map_err(unusable)?)));
        }
        let file = target.authorities.clone();
        blocking(move || {
            let pem = file.as_deref().map(read_authorities).transpose()?;
            let extra = pem.as_deref().map(authorities::read_authorities).transpose()?.unwrap_or_default();
            Ok(Self(Arc::new(system_config(extra).map_err(unusable)?)))
        })
        .await
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> MakeTlsConnect<S> for MakeConnector {
    type Error = rustls::pki_types::InvalidDnsNameError;
    type Stream = Stream<S>;
    type TlsConnect = Connector;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connector, Self::Error> {
        // The name of a Unix socket is no host, and nothing is asked of this connector then.
        let host = if host.is_empty() { "localhost" } else { host };
        Ok(Connector { config: Arc::clone(&self.0), host: ServerName::try_from(host)?.to_owned() })
    }
}

/// Connects to one host.
pub(super) struct Connector {
    config: Arc<ClientConfig>,
    host: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> tls::TlsConnect<S> for Connector {
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;
    type Stream = Stream<S>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            TlsConnector::from(self.config)
                .connect(self.host, stream)
                .await
                .map(|stream| Stream(Box::new(stream)))
        })
    }
}

/// A connection inside TLS.
pub(super) struct Stream<S>(Box<TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> tls::TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        // The certificate is verified against the host name, which is what the binding would prove once more.
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
