//! The body of a request, which tells its connection when all of it was read, and whether somebody waits for more of it.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};

use super::visit::Visit;

pub(super) struct Heard {
    body: Incoming,
    visit: Arc<Visit>,
}

impl Heard {
    /// One that has something in it.
    pub(super) fn new(body: Incoming, visit: Arc<Visit>) -> Self {
        Self { body, visit }
    }
}

impl Body for Heard {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.visit.hears(frame.is_pending());
        if self.body.is_end_stream() || matches!(frame, Poll::Ready(None)) {
            self.visit.heard_all();
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
