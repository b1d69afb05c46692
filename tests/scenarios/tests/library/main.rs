//! The library against a real server in this process, over HTTP, with a store on disk.

#![allow(clippy::unwrap_used, reason = "the helpers of a test may fail like the test itself")]

mod accounts;
mod canary;
mod choice;
mod conformance;
mod device;
mod disconnects;
mod documents;
mod faults;
mod hosted;
mod lies;
mod life;
mod logins;
mod outages;
mod paste;
mod redirects;
mod schedule;
mod scopes;
mod ten_logins;
mod thousand;
mod waiting;
