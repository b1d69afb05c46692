//! Many futures in one task, polled in the order of their places.
//!
//! Tokio wakes those who wait for one channel in an order of its own, which no seed decides. Here it does not matter:
//! whoever has been woken since the last turn is polled in this turn, the first place first.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// Completes when all of its members have.
pub(crate) struct Crowd<'a> {
    members: Vec<Member<'a>>,
    waker: Arc<Mutex<Waker>>,
}

struct Member<'a> {
    future: Option<Pin<Box<dyn Future<Output = ()> + 'a>>>,
    call: Arc<Call>,
}

/// Remembers who was woken, and wakes the task of the crowd.
struct Call {
    woken: AtomicBool,
    crowd: Arc<Mutex<Waker>>,
}

impl<'a> Crowd<'a> {
    pub(crate) fn new<F: Future<Output = ()> + 'a>(futures: impl IntoIterator<Item = F>) -> Self {
        let waker = Arc::new(Mutex::new(Waker::noop().clone()));
        let member = |future| {
            let future: Pin<Box<dyn Future<Output = ()> + 'a>> = Box::pin(future);
            let call = Arc::new(Call { woken: AtomicBool::new(true), crowd: waker.clone() });
            Member { future: Some(future), call }
        };
        Self { members: futures.into_iter().map(member).collect(), waker }
    }
}

impl Future for Crowd<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).clone_from(context.waker());
        for member in &mut self.members {
            let Some(future) = &mut member.future else { continue };
            if member.call.woken.swap(false, Ordering::SeqCst) {
                let waker = Waker::from(member.call.clone());
                if future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                    member.future = None;
                }
            }
        }
        if self.members.iter().all(|member| member.future.is_none()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
        self.crowd.lock().unwrap_or_else(PoisonError::into_inner).wake_by_ref();
    }
}
