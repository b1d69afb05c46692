//! Everything the server can be ordered to do wrong.

pub(crate) mod after;
pub(crate) mod before;
mod body;
pub(crate) mod plan;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A part of the server that can be held or made to misbehave.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Endpoint {
    /// `/api/hello`, the protected resource.
    Api,
    /// `/authorize`, the page and the redirect that answers it.
    Authorization,
    /// `/device_authorization`.
    DeviceAuthorization,
    /// `/introspect`.
    Introspection,
    /// `/jwks`.
    Jwks,
    /// Both `/.well-known` documents.
    Metadata,
    /// `/revoke`.
    Revocation,
    /// `/token`.
    Token,
    /// `/userinfo`.
    Userinfo,
}

impl Endpoint {
    /// The endpoint behind `path`, if it is one.
    pub(crate) fn at(path: &str) -> Option<Self> {
        Some(match path {
            "/api/hello" => Self::Api,
            "/authorize" => Self::Authorization,
            "/device_authorization" => Self::DeviceAuthorization,
            "/introspect" => Self::Introspection,
            "/jwks" => Self::Jwks,
            "/.well-known/oauth-authorization-server" | "/.well-known/openid-configuration" => Self::Metadata,
            "/revoke" => Self::Revocation,
            "/token" => Self::Token,
            "/userinfo" => Self::Userinfo,
            _ => return None,
        })
    }
}

/// A way to misbehave.
///
/// What the server does before it lies matters as much as the lie, because a refresh token that was acted upon is
/// spent: **Unread** faults leave everything as it was; **Acted** ones answer wrongly after the server has acted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Fault {
    /// Acted: the connection is reset in place of the answer.
    AnswerLost,
    /// Acted: half of the body comes, then the connection closes; `Content-Length` promised all of it.
    CutOffBody,
    /// Acted: JSON nested this deep, with the true members inside.
    DeeplyNestedBody {
        /// How many arrays inside each other.
        depth: usize,
    },
    /// Acted: the true status with nothing in the body.
    EmptyBody,
    /// Unread: status 200 with `{"error": …}`.
    ErrorWithOk {
        /// The error code, such as `invalid_grant`.
        error: String,
    },
    /// Acted: a member of a successful JSON answer is set to this.
    Field {
        /// The member's name.
        name: String,
        /// Its untrue value.
        value: Value,
    },
    /// Acted: a successful JSON answer is sent form-encoded instead.
    FormEncodedBody,
    /// Acted: status 200 and bytes that are neither JSON nor UTF-8.
    Garbage,
    /// Unread: no answer, and the connection stays open.
    Hang,
    /// Unread: this status with a page of HTML.
    HtmlError {
        /// Such as 500, 502 or 504.
        status: u16,
    },
    /// Acted: this status with a page of HTML, as a gateway answers that gave up waiting.
    HtmlErrorAfterProcessing {
        /// Such as 500, 502 or 504.
        status: u16,
    },
    /// The redirect carries `error=server_error` and markup in `error_description`, and no code.
    HtmlErrorRedirect,
    /// Acted: a member of a successful JSON answer is left out.
    MissingField {
        /// The member's name.
        name: String,
    },
    /// Acted: this claim of the ID token is another, and the token is signed all the same.
    IdTokenClaim {
        /// The claim's name.
        name: String,
        /// Its untrue value; `null` leaves it out.
        value: Value,
    },
    /// Acted: the ID token has a signature that no honest server makes.
    IdTokenSignature {
        /// What is wrong with it.
        forgery: Forgery,
    },
    /// The redirect lacks this parameter: `state`, `code` or `iss`.
    MissingParameter {
        /// The parameter's name.
        name: String,
    },
    /// Unread: an OAuth error (RFC 6749 §5.2).
    #[serde(rename = "oauth_error")]
    OAuthError {
        /// The error code, such as `invalid_client`.
        error: String,
        /// 400, unless the server is odd.
        status: u16,
    },
    /// Acted: the ID token, or the userinfo answer, is another person's.
    OtherAccount {
        /// That person's name.
        user: String,
    },
    /// Acted: the true JSON answer after this many bytes of white space, without `Content-Length`.
    OversizedBody {
        /// The white space; clients should stop reading at about a million.
        bytes: usize,
    },
    /// Unread: a redirect with 307, which would carry the form along (RFC 9110 §15.4.8).
    Redirect {
        /// Where to.
        to: String,
    },
    /// Unread: a 4xx whose body has no OAuth error.
    RefusalWithoutError {
        /// Such as 400, 403 or 404.
        status: u16,
    },
    /// Unread: the connection is reset.
    ResetBeforeProcessing,
    /// Unread: this status, and `Retry-After` as an HTTP date (RFC 9110 §10.2.3).
    RetryAfterDate {
        /// How far in the future the date is.
        seconds: u64,
        /// 429 or 503.
        status: u16,
    },
    /// Unread: this status, and `Retry-After` in seconds.
    RetryAfterSeconds {
        /// The value of the header.
        seconds: u64,
        /// 429 or 503.
        status: u16,
    },
    /// Acted: half of the body comes, then nothing more, and the connection stays open.
    StalledBody,
    /// Acted: the true answer under another status, such as 201.
    Status {
        /// That status.
        status: u16,
    },
    /// The redirect names another issuer in `iss` (RFC 9207).
    WrongIssuer,
    /// The redirect carries another `state` than it was asked with.
    WrongState,
    /// Acted: every member of a successful JSON answer has another type than it should.
    WrongTypes,
}

impl Fault {
    /// The refusal of a refresh token that means it is dead.
    pub fn invalid_grant() -> Self {
        Self::OAuthError { error: "invalid_grant".into(), status: 400 }
    }

    /// The refusal of the client itself.
    pub fn invalid_client() -> Self {
        Self::OAuthError { error: "invalid_client".into(), status: 401 }
    }

    /// What a device is told whose person has not decided (RFC 8628 §3.5).
    pub fn authorization_pending() -> Self {
        Self::OAuthError { error: "authorization_pending".into(), status: 400 }
    }

    /// What a device is told that asks too often (RFC 8628 §3.5).
    pub fn slow_down() -> Self {
        Self::OAuthError { error: "slow_down".into(), status: 400 }
    }

    /// [`Fault::Field`], shorter.
    pub fn field(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::Field { name: name.into(), value: value.into() }
    }

    /// [`Fault::MissingField`], shorter.
    pub fn missing(name: impl Into<String>) -> Self {
        Self::MissingField { name: name.into() }
    }

    /// [`Fault::IdTokenClaim`], shorter.
    pub fn id_token_claim(name: impl Into<String>, value: impl Into<Value>) -> Self {
        Self::IdTokenClaim { name: name.into(), value: value.into() }
    }

    /// When this fault takes its turn.
    pub(crate) fn stage(&self) -> Stage {
        match self {
            Self::ErrorWithOk { .. }
            | Self::Hang
            | Self::HtmlError { .. }
            | Self::OAuthError { .. }
            | Self::Redirect { .. }
            | Self::RefusalWithoutError { .. }
            | Self::ResetBeforeProcessing
            | Self::RetryAfterDate { .. }
            | Self::RetryAfterSeconds { .. } => Stage::Unread,
            Self::HtmlErrorRedirect
            | Self::MissingParameter { .. }
            | Self::WrongIssuer
            | Self::WrongState => Stage::Redirected,
            Self::Field { .. }
            | Self::FormEncodedBody
            | Self::IdTokenClaim { .. }
            | Self::IdTokenSignature { .. }
            | Self::MissingField { .. }
            | Self::OtherAccount { .. }
            | Self::WrongTypes => Stage::Succeeded,
            Self::AnswerLost
            | Self::CutOffBody
            | Self::DeeplyNestedBody { .. }
            | Self::EmptyBody
            | Self::Garbage
            | Self::HtmlErrorAfterProcessing { .. }
            | Self::OversizedBody { .. }
            | Self::StalledBody
            | Self::Status { .. } => Stage::Acted,
        }
    }
}

/// What is wrong with the signature of an ID token.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Forgery {
    /// `alg` is `none`, and there is no signature.
    AlgNone,
    /// It is by a key that is not published, under the name of the one that is.
    AnotherKey,
    /// It is an HS256 by the client's secret, which is honest where the metadata says so.
    ClientSecret,
    /// The key is the right one, and not named.
    NoKeyId,
    /// It is an HS256 with the text of the public key as its secret.
    PublicKeyAsSecret,
    /// The subject was changed after it was made.
    Tampered,
    /// It names a key that is not published, and is by one that is not.
    UnknownKeyId,
}

/// The point at which a fault applies. One that is not at its point waits for a request that gets there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stage {
    /// There is an answer, whatever it says.
    Acted,
    /// There is a redirect back to the client.
    Redirected,
    /// There is an answer with a 2xx status and a JSON object.
    Succeeded,
    /// There is a request.
    Unread,
}
