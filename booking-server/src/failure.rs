use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use booking_api::{Code, InvalidPage, PROBLEM_JSON, Problem};
use booking_core::{Error, Refusal};

use crate::tokens::InvalidToken;

/// A call that brought no answer: problem details on the way out.
#[derive(Debug)]
pub(crate) struct Failure(Box<Problem>);

impl Failure {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Problem::new(code, detail).into()
    }

    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, detail)
    }

    pub(crate) fn code(&self) -> Code {
        self.0.code
    }

    /// This instance can't take it on now; a moment later, or another instance, may.
    pub(crate) fn overloaded(detail: impl Into<String>) -> Self {
        Self::new(Code::Overloaded, detail)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self(Box::new(problem))
    }
}

impl From<InvalidPage> for Failure {
    fn from(invalid: InvalidPage) -> Self {
        Self::invalid(invalid.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Problem::from(refusal).into()
    }
}

impl From<Error> for Failure {
    /// The log hears of failing machinery what the client does not.
    fn from(error: Error) -> Self {
        if let Error::Store(error) = &error {
            tracing::error!(%error, may_have_applied = error.may_have_applied(), "the store failed");
        }
        Problem::from(error).into()
    }
}

impl From<InvalidToken> for Failure {
    fn from(invalid: InvalidToken) -> Self {
        Self::new(Code::InvalidToken, invalid.to_string())
    }
}

impl From<jsonwebtoken::errors::Error> for Failure {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        tracing::error!(%error, "a token could not be signed");
        Self::new(Code::InternalError, "the service failed; it was written to its log")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let problem = self.0;
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (status, body).into_response();
        // For whoever counts how often each code is answered.
        response.extensions_mut().insert(problem.code);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(ms) = problem.retry_after_ms {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000).max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
