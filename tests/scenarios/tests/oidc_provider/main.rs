//! The real command against a real OpenID provider, its login and consent pages included.
//!
//! Every test here needs Node.js and what `tests/servers/oidc-provider/setup` installs.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod device;
mod id_tokens;
mod killed;
mod kills;
mod life;
mod races;
mod redirects;
