use crate::failure::Failure;

/// Does work that has no end of its own, until it fails or the person at the terminal presses ctrl-c, which is no failure.
pub(crate) async fn until_interrupted(
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    tokio::select! {
        result = work => result,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}
