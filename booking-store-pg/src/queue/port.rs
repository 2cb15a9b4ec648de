use async_trait::async_trait;
use booking_core::{
    LaneName, Refusal, StoreError,
    queue::{Answer, Call},
    store::LaneStore,
};

use crate::PgStore;

#[async_trait]
impl LaneStore for PgStore {
    async fn answer(&self, lane: &LaneName, call: Call) -> Result<Result<Answer, Refusal>, StoreError> {
        self.queue().answer(lane, call).await
    }
}
