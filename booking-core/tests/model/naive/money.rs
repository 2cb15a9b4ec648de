use booking_core::{
    Effect, EndReason, Money, Refusal, Ticket,
    hold::ReservationStatus as Status,
    id::{EntryId, PaymentId, ReservationId, UserId},
    payment::{self, Payment},
    wallet::{self, Entry, EntryKind},
};

use super::{Answer, World, done, replay};
use crate::ids::money;

impl World {
    pub(super) fn wallet_command(&mut self, command: &wallet::Command) -> Answer {
        match command {
            wallet::Command::Open(user) => {
                let known = self.wallet(*user).is_some();
                if !known {
                    self.users.push((*user, self.now));
                }
                let effect = self.wallet(*user).map_or(Effect::Nothing, Effect::Wallet);
                Ok(if known { replay(effect) } else { done(effect) })
            }
            wallet::Command::Charge { entry, user, amount } => self.charge(*entry, *user, (*amount).into()),
        }
    }

    fn charge(&mut self, id: EntryId, user: UserId, amount: Money) -> Answer {
        if let Some(known) = self.ledger.iter().find(|line| line.id == id) {
            let same = known.kind == EntryKind::Charge && known.user == user && known.amount == amount;
            return if same {
                Ok(replay(Effect::Entry(known.clone())))
            } else {
                Err(Refusal::IdempotencyKeyReused)
            };
        }
        let balance = self.wallet(user).ok_or(Refusal::UnknownUser)?.balance;
        let after = i128::from(balance.units()) + i128::from(amount.units());
        if after > i128::from(self.policy.max_balance.units()) {
            return Err(Refusal::AmountOutOfRange);
        }
        Ok(done(Effect::Entry(self.move_money(id, user, EntryKind::Charge, amount))))
    }

    /// Appends a line to a ledger; who calls it has made sure that the balance stays in range.
    fn move_money(&mut self, id: EntryId, user: UserId, kind: EntryKind, amount: Money) -> Entry {
        let before = self.wallet(user).expect("a known user").balance.units();
        let sign = if matches!(kind, EntryKind::Debit(_)) { -1 } else { 1 };
        let balance_after = money(before + sign * amount.units());
        let number = self.lines(user).count() as u64 + 1;
        let line = Entry { id, user, number, kind, amount, balance_after, at: self.now };
        self.ledger.push(line.clone());
        line
    }

    pub(super) fn payment(&mut self, command: &payment::Command) -> Answer {
        match command {
            payment::Command::Pay { reservation, ticket } => self.pay(*reservation, ticket),
            payment::Command::Refund(payment) => self.refund(*payment),
        }
    }

    fn receipt(&self, id: PaymentId) -> Effect {
        let payment = self.payments.iter().find(|made| made.id == id).expect("a payment").clone();
        let balance = self.wallet(payment.user).expect("a known user").balance;
        Effect::Payment { payment, balance }
    }

    fn pay(&mut self, id: ReservationId, ticket: &Ticket) -> Answer {
        let due = self.reservation(id).filter(|made| made.user == ticket.user).cloned();
        let due = due.ok_or(Refusal::UnknownReservation)?;
        if due.ticket != *ticket {
            return Err(Refusal::WrongTicket);
        }
        match self.status(&due) {
            Status::Confirmed | Status::Refunded => return Ok(replay(self.receipt(due.payment))),
            Status::Expired => return Err(Refusal::HoldExpired),
            Status::Released => return Err(Refusal::ReservationNotPayable),
            Status::Held => {}
        }
        let balance = self.wallet(due.user).ok_or(Refusal::UnknownUser)?.balance;
        if balance < due.amount {
            return Err(Refusal::InsufficientBalance { balance, amount: due.amount });
        }
        let (id, paid) = (due.payment, EntryKind::Debit(due.payment));
        self.move_money(EntryId::debit_of(id), due.user, paid, due.amount);
        self.write(due.id, Status::Confirmed);
        self.payments.push(Payment {
            id,
            reservation: due.id,
            user: due.user,
            amount: due.amount,
            paid_at: self.now,
            refunded_at: None,
        });
        self.endings.push((due.ticket, EndReason::Completed));
        Ok(done(self.receipt(id)))
    }

    fn refund(&mut self, id: PaymentId) -> Answer {
        let found = self.payments.iter().position(|made| made.id == id).ok_or(Refusal::UnknownPayment)?;
        let Payment { reservation, user, amount, refunded_at, .. } = self.payments[found];
        if refunded_at.is_some() {
            return Ok(replay(self.receipt(id)));
        }
        let balance = self.wallet(user).ok_or(Refusal::UnknownUser)?.balance;
        if balance.units().checked_add(amount.units()).is_none() {
            return Err(Refusal::AmountOutOfRange);
        }
        self.move_money(EntryId::refund_of(id), user, EntryKind::Refund(id), amount);
        self.payments[found].refunded_at = Some(self.now);
        self.write(reservation, Status::Refunded);
        Ok(done(self.receipt(id)))
    }
}
