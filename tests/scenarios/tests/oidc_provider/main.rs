//! The real command against a real OpenID provider, its login and consent pages included.
//!
//! Every test here needs Node.js and what `tests/servers/oidc-provider/setup` installs.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod device;
mod id_tokens;
mod kills;
#[macro_use]
#[path = "../openid/mod.rs"]
mod openid;

use loomkin_auth_scenarios::OidcProvider;

every_scenario! { OidcProvider, "needs Node.js and tests/servers/oidc-provider/setup" }
