//! TLS: rustls with ring, trusting what the operating system trusts and the certificates that are added.

use std::io;
use std::sync::Arc;

use once_cell::sync::Lazy;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, ErrorCode, Result};

/// Certificate authorities to trust beside the system's.
pub(crate) type Authorities = Vec<CertificateDer<'static>>;

/// Reads the certificates out of `pem`.
///
/// # Errors
///
/// `config_invalid` when there is none, or one cannot be read.
pub(crate) fn read_authorities(pem: &[u8]) -> Result<Authorities> {
    let invalid = |message| {
        Error::new(ErrorCode::ConfigInvalid, message)
            .with_advice("Point the setting at a PEM file with the certificates of your company's authority.")
    };
    let read: Result<Authorities, _> = CertificateDer::pem_slice_iter(pem).collect();
    let authorities =
        read.map_err(|_| invalid("the file of extra certificate authorities cannot be read"))?;
    if authorities.is_empty() {
        return Err(invalid("the file of extra certificate authorities holds no certificate"));
    }
    // The verifier passes over what it cannot use; a person who added it wants to know.
    let mut store = RootCertStore::empty();
    for authority in &authorities {
        store
            .add(authority.clone())
            .map_err(|_| invalid("the file of extra certificate authorities has an unusable certificate"))?;
    }
    Ok(authorities)
}

/// A configuration that trusts the system's authorities and `extra`. It reads files: not for async threads.
pub(crate) fn system_config(extra: Authorities) -> Result<ClientConfig, rustls::Error> {
    let provider = Lazy::force(&PROVIDER);
    let verifier = Verifier::new_with_extra_roots(extra, provider.clone())?;
    Ok(ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?
        .dangerous() // the platform's verifier is the custom one
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// A configuration that trusts nobody, for a client that speaks plain HTTP alone.
pub(crate) fn empty_config() -> Result<ClientConfig, rustls::Error> {
    Ok(ClientConfig::builder_with_provider(Lazy::force(&PROVIDER).clone())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth())
}

/// Whether `error` comes from a certificate that was not accepted. People behind a company's proxy need to know.
pub(crate) fn is_distrust(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))) {
            return true;
        }
        // An I/O error passes over what it wraps when it is asked for its source.
        next = match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    false
}

/// Made once, and never installed as the process's default: that choice belongs to the app.
static PROVIDER: Lazy<Arc<CryptoProvider>> = Lazy::new(|| Arc::new(rustls::crypto::ring::default_provider()));
