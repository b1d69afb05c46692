//! loomkin-auth-dev-provider
