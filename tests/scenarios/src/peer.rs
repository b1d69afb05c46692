//! What scenarios ask of a real OpenID provider, whichever it is.

use std::future::Future;
use std::io;
use std::time::Duration;

/// Where a server holds a token request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// It has acted, and nobody has been told.
    BeforeAnswering,
    /// The request has arrived, and nothing has happened yet.
    BeforeProcessing,
}

/// A running server, made for one scenario. Every login has the address `<login>@example.test`; refresh tokens rotate,
/// and the reuse of one ends its grant.
///
/// Every method but [`issuer`](Self::issuer) fails when the server does not answer.
pub trait Peer: Send + Sized + Sync {
    /// The public client, for loopback redirects to `/callback` on any port and for devices.
    const CLIENT: &str = "native";

    /// The client with a secret, for the same.
    const CONFIDENTIAL_CLIENT: &str = "confidential";

    /// The secret of [`Peer::CONFIDENTIAL_CLIENT`]. It arrives whole only when it is form-encoded (RFC 6749 §2.3.1).
    const CONFIDENTIAL_SECRET: &str = "p+a s/s:w%&=";

    /// What the server's page says when a device was allowed.
    const DEVICE_ALLOWED: &str;

    /// Starts a server whose access tokens work for `access_token_lifetime`; it can be asked as soon as this returns.
    fn start(access_token_lifetime: Duration) -> impl Future<Output = io::Result<Self>> + Send;

    /// The issuer.
    fn issuer(&self) -> &str;

    /// How many token requests with this `grant_type` were processed.
    fn count_token_requests(&self, grant_type: &str) -> impl Future<Output = io::Result<u64>> + Send;

    /// Starts counting anew.
    fn clear_requests(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Holds token requests at `moment` from now on.
    fn hold_token_requests(&self, moment: Moment) -> impl Future<Output = io::Result<()>> + Send;

    /// Completes once `count` token requests are held.
    fn wait_for_held(&self, count: usize) -> impl Future<Output = io::Result<()>> + Send;

    /// Lets every held request go on, and later ones pass.
    fn release(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// How long access tokens work that are made from now on; whole seconds.
    fn set_access_token_lifetime(&self, lifetime: Duration) -> impl Future<Output = io::Result<()>> + Send;

    /// Ends every grant, as a person does who withdraws the app's access at the provider.
    fn revoke_grants(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Whether this access token works at this moment.
    fn is_active(&self, access_token: &str) -> impl Future<Output = io::Result<bool>> + Send;
}
