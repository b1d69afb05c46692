//! loomkin-auth-cli
