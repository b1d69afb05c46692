//! The lifecycle, as it is shipped, in a world where everything can go wrong and nothing is left to chance.
//!
//! A seed decides how many hosts, processes and accounts there are, what the authorization servers are like, when
//! callers ask, and which troubles come: answers that are lost, late or garbage, a store that fails before or after its
//! effect, processes that crash or are stopped at any call of a port, clocks that jump. Time is virtual, and a run of
//! some hours takes a few milliseconds. A witness sees every call of every port and says when a promise of
//! the lifecycle is broken. The same seed makes the same run, to the last line of its trace.
//!
//! ```sh
//! cargo run --profile simulation -p loomkin-auth-simulation -- --seeds 100000
//! cargo run --profile simulation -p loomkin-auth-simulation -- --seed 4711 --trace
//! ```

// What a run is made of
mod dice;
mod plan;

// The world, from the ports outwards
mod network;
mod process;
mod server;
mod store;
mod world;

// Who acts, and in which order
mod caller;
mod crowd;

// What is seen
mod happening;
mod invariant;
mod trace;
mod witness;

pub use happening::{Counts, Happening};
pub use invariant::Invariant;
pub use trace::Breach;
pub use world::{Run, run};
