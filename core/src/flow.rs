//! Ways to send a person through OAuth: protocol and ports together, yielding an authorization grant.

pub mod choice;
pub mod device;
pub mod loopback;
mod page;
pub mod place;
