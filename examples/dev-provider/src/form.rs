//! Request parameters and client credentials, as RFC 6749 has them.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

use crate::endpoints::answer::OAuthError;
use crate::settings::Client;

/// The parameters of a query or a form.
#[derive(Clone)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The value of `name`; an empty one counts as absent (RFC 6749 §3.1).
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    /// The value of `name`, or the error that names it.
    pub(crate) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.value(name).ok_or_else(|| OAuthError::invalid_request(format!("{name} is missing")))
    }

    /// Refuses parameters given twice (RFC 6749 §3.1, §3.2).
    pub(crate) fn check_single(&self) -> Result<(), OAuthError> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(OAuthError::invalid_request(format!("{name} is given twice")));
            }
        }
        Ok(())
    }

    /// The client that proves to be itself by `Basic`, by the form, or (public clients) by its name alone.
    pub(crate) fn authenticate<'c>(
        &self,
        headers: &HeaderMap,
        clients: &'c [Client],
    ) -> Result<&'c Client, OAuthError> {
        let basic = match headers.get(AUTHORIZATION) {
            None => None,
            Some(value) => {
                let parts = value.to_str().ok().and_then(basic_credentials);
                Some(parts.ok_or_else(|| OAuthError::invalid_client("these are no Basic credentials"))?)
            }
        };
        if basic.is_some() && self.value("client_secret").is_some() {
            return Err(OAuthError::invalid_request("credentials in two places (RFC 6749 §2.3)"));
        }
        let (id, secret) = match &basic {
            Some((id, secret)) => (id.as_str(), Some(secret.as_str())),
            None => (self.require("client_id")?, self.value("client_secret")),
        };
        let client = clients
            .iter()
            .find(|client| client.id == id)
            .ok_or_else(|| OAuthError::invalid_client("no such client"))?;
        // An empty password is how some clients spell "public" in Basic.
        if client.secret.as_deref() == secret.filter(|secret| !secret.is_empty()) {
            Ok(client)
        } else {
            Err(OAuthError::invalid_client("the client secret is wrong, missing or not expected"))
        }
    }
}

/// The two parts of a `Basic` header, each form-decoded (RFC 6749 §2.3.1, Appendix B).
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = pair.split_once(':')?;
    Some((form_decode(id)?, form_decode(secret)?))
}

fn form_decode(part: &str) -> Option<String> {
    // A client that did not encode is refused here rather than half understood: a bare `%`, `&` or `=` proves it.
    let bytes = part.as_bytes();
    for (index, byte) in bytes.iter().enumerate() {
        let is_raw = match byte {
            b'%' => !bytes
                .get(index + 1..index + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
            b'&' | b'=' | b' ' => true,
            _ => false,
        };
        if is_raw {
            return None;
        }
    }
    let decoded = form_urlencoded::parse(part.as_bytes()).next();
    Some(decoded.map(|(text, _)| text.into_owned()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(id: &str, secret: &str) -> String {
        format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
    }

    #[test]
    fn both_parts_of_basic_are_form_decoded() {
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let secret = Client::DEV_SECRET;
        let parts = basic_credentials(&header(&encode("a:b"), &encode(secret))).unwrap();
        assert_eq!(parts, ("a:b".to_owned(), secret.to_owned()));
    }

    #[test]
    fn raw_credentials_are_refused() {
        assert_eq!(basic_credentials(&header("dev-confidential", Client::DEV_SECRET)), None);
        assert_eq!(basic_credentials("Bearer abc"), None);
    }

    #[test]
    fn a_parameter_given_twice_is_refused() {
        Form::parse(b"a=1&b=2").check_single().unwrap();
        Form::parse(b"a=1&b=2&a=1").check_single().unwrap_err();
    }
}
