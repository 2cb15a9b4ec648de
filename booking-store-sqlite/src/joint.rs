//! Both ports in one step: a booking call is one commit.

use async_trait::async_trait;
use booking_core::{Command, Error, Outcome, Ticket, store::JointStore};

use crate::{
    store::{SqliteStore, wanted},
    writer::{Answer, Work},
};

#[async_trait]
impl JointStore for SqliteStore {
    async fn book(&self, claim: Option<&Ticket>, command: Command) -> Result<Outcome, Error> {
        let answer = self.write(Work::Book(claim.cloned(), command), 1).await?;
        Ok(wanted!(answer, Answer::Booked(outcome) => outcome)??)
    }
}
