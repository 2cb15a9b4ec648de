use booking_api::{Entry, List};
use booking_core::{hold::ReservationStatus, payment::PaymentStatus};

use super::{Buyer, Call, Purchase, Stop};

impl Buyer {
    /// The person's ledger, all of it.
    pub async fn ledger(&self) -> Result<Vec<Entry>, Stop> {
        List::whole(async |cursor: Option<String>| {
            self.ask(Call::Check, || self.shop.client.entries(self.token(), cursor.as_deref())).await
        })
        .await
    }

    /// Compares what the purchase said with what wallet, ledger, payments and reservation say afterwards.
    pub async fn check_books(&self, purchase: &Purchase) -> Result<(), Stop> {
        let (client, token) = (&self.shop.client, self.token());
        let wallet = self.ask(Call::Check, || client.wallet(token)).await?;
        let left = self.charged - purchase.amount;
        expect(wallet.balance == left, || format!("the wallet has {}, not {left}", wallet.balance))?;

        let ledger = self.ledger().await?;
        let sum = |kind: &str| -> i64 {
            ledger.iter().filter(|entry| entry.kind == kind).map(|entry| entry.amount).sum()
        };
        let moved = (sum("charge"), sum("debit"), sum("refund"));
        expect(moved == (self.charged, purchase.amount, 0), || format!("the ledger is {ledger:?}"))?;

        let payments = self.ask(Call::Check, || client.payments(token, None)).await?.items;
        let is_paid = payments.len() == 1
            && payments.iter().all(|payment| {
                payment.payment_id == purchase.payment
                    && payment.amount == purchase.amount
                    && payment.status == PaymentStatus::Paid
            });
        expect(is_paid, || format!("the payments are {payments:?}"))?;

        let reservation = self.ask(Call::Check, || client.reservation(token, purchase.reservation)).await?;
        let is_owned =
            reservation.status == ReservationStatus::Confirmed && reservation.seats == [purchase.seat];
        expect(is_owned, || format!("the reservation is {reservation:?}"))
    }
}

fn expect(fits: bool, found: impl FnOnce() -> String) -> Result<(), Stop> {
    if fits { Ok(()) } else { Err(Stop::Wrong(format!("after a purchase {}", found()))) }
}
