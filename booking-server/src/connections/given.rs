//! The body of a stream, which tells its connection whether its reader takes what it is given.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body;
use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::visit::Visit;

pub(super) struct Given {
    body: body::Body,
    visit: Arc<Visit>,
}

impl Given {
    pub(super) fn new(body: body::Body, visit: Arc<Visit>) -> Self {
        Self { body, visit }
    }
}

impl Body for Given {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.visit.gave(frame.is_ready());
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
