//! Bodies that no honest server sends.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame};

/// What follows after the last byte.
#[derive(Clone, Copy)]
enum Ending {
    /// The connection closes although more was promised. Announced once, so that the bytes before it get out.
    Broken { announced: bool },
    /// Nothing.
    Stalled,
}

/// The first bytes of an answer that never becomes whole.
struct Partial {
    ending: Ending,
    first: Option<Bytes>,
}

/// `first`, then a closed connection.
pub(super) fn cut_off(first: Bytes) -> Body {
    Body::new(Partial { ending: Ending::Broken { announced: false }, first: Some(first) })
}

/// `first`, then nothing.
pub(super) fn stalled(first: Bytes) -> Body {
    Body::new(Partial { ending: Ending::Stalled, first: Some(first) })
}

impl HttpBody for Partial {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        match self.ending {
            Ending::Broken { announced: true } => {
                Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())))
            }
            Ending::Broken { announced: false } => {
                self.ending = Ending::Broken { announced: true };
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Ending::Stalled => Poll::Pending,
        }
    }
}

/// White space, then the answer, in pieces.
struct Oversized {
    answer: Option<Bytes>,
    padding: usize,
}

/// `padding` bytes of white space before `answer`.
pub(super) fn oversized(padding: usize, answer: Bytes) -> Body {
    Body::new(Oversized { answer: Some(answer), padding })
}

impl HttpBody for Oversized {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.padding.min(SPACES.len());
        self.padding -= piece;
        let bytes = if piece > 0 { Some(Bytes::from_static(&SPACES[..piece])) } else { self.answer.take() };
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

static SPACES: [u8; 16 * 1024] = [b' '; 16 * 1024];
