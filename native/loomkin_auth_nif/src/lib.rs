//! The core for the BEAM.
//!
//! Every function is a signature, one call of the core and a conversion. What touches a disk, a keychain or the network
//! runs on the runtime, and answers its caller by message: see `call::answer`. On a scheduler runs
//! only what is in memory. `LoomkinAuth.Native` has the other half of every function.

mod account;
mod call;
mod convert;
mod credential;
mod handle;
mod hosted;
mod login;
mod redact;
mod released;
mod runtime;
mod subscription;
#[cfg(feature = "testing")]
mod testing;
mod token;

rustler::init!("Elixir.LoomkinAuth.Native");
