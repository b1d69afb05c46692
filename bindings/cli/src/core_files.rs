//! No core file of this process: it would hold whatever the process knew.

/// Asks the system to write none, whatever happens to this process. Programs that it starts are not concerned.
///
/// On Linux this also keeps other processes of the same user from reading this one's memory.
pub(crate) fn forbid() {
    // Where the system does not take the request, the command works all the same.
    #[cfg(target_os = "linux")]
    let _not_taken = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    #[cfg(all(unix, not(target_os = "linux")))]
    let _not_taken = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: None },
    );
}
