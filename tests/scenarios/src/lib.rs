//! loomkin-auth-scenarios
