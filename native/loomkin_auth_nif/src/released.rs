//! What may close files or sockets is dropped by a thread that may wait, and not by the scheduler that collects garbage.

use std::ops::Deref;

use crate::runtime::runtime;

/// A value that is dropped on the runtime.
#[derive(Debug)]
pub(crate) struct Released<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Released<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(value))
    }
}

impl<T: Send + 'static> Deref for Released<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(value) => value,
            None => unreachable!("only `drop` takes it"),
        }
    }
}

impl<T: Send + 'static> Drop for Released<T> {
    fn drop(&mut self) {
        let value = self.0.take();
        // Without a runtime nothing was ever opened.
        if let Ok(runtime) = runtime() {
            runtime.spawn_blocking(move || drop(value));
        }
    }
}
