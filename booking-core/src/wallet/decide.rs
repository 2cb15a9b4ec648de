use super::{Command, Entry, EntryKind, Event, Wallet};
use crate::{
    id::{EntryId, UserId},
    money::{Amount, Money},
    payment::Payment,
    refusal::Refusal,
    state::State,
    time::Timestamp,
};

pub(crate) fn decide(state: &State, command: &Command, now: Timestamp) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Open(user) => Ok(open(state, *user, now)),
        Command::Charge { entry, user, amount } => charge(state, *entry, *user, *amount, now),
    }
}

fn open(state: &State, user: UserId, now: Timestamp) -> Vec<Event> {
    if state.wallets.contains(&user) { Vec::new() } else { vec![Event::WalletOpened { user, at: now }] }
}

/// The refusals of a charge, in order of precedence.
fn charge(
    state: &State,
    id: EntryId,
    user: UserId,
    amount: Amount,
    now: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let amount = Money::from(amount);
    if let Some(existing) = state.entries.get(&id) {
        let is_same =
            existing.kind == EntryKind::Charge && existing.user == user && existing.amount == amount;
        return if is_same { Ok(Vec::new()) } else { Err(Refusal::IdempotencyKeyReused) };
    }
    let wallet = state.wallets.get(&user).ok_or(Refusal::UnknownUser)?;
    let balance = wallet.balance.checked_add(amount).filter(|sum| *sum <= state.policy.max_balance);
    let balance = balance.ok_or(Refusal::AmountOutOfRange)?;
    Ok(vec![Event::WalletCharged(next_entry(wallet, id, EntryKind::Charge, amount, balance, now))])
}

/// Takes what a payment costs; `payment` calls it (P2).
pub(crate) fn debit(wallet: &Wallet, payment: &Payment, now: Timestamp) -> Result<Event, Refusal> {
    let short = Refusal::InsufficientBalance { balance: wallet.balance, amount: payment.amount };
    let balance = wallet.balance.checked_sub(payment.amount).ok_or(short)?;
    let id = EntryId::debit_of(payment.id);
    let kind = EntryKind::Debit(payment.id);
    Ok(Event::WalletDebited(next_entry(wallet, id, kind, payment.amount, balance, now)))
}

/// Gives back what a payment cost; `payment` calls it. The balance limit binds charges only.
pub(crate) fn refund(wallet: &Wallet, payment: &Payment, now: Timestamp) -> Result<Event, Refusal> {
    let balance = wallet.balance.checked_add(payment.amount).ok_or(Refusal::AmountOutOfRange)?;
    let id = EntryId::refund_of(payment.id);
    let kind = EntryKind::Refund(payment.id);
    Ok(Event::WalletRefunded(next_entry(wallet, id, kind, payment.amount, balance, now)))
}

fn next_entry(
    wallet: &Wallet,
    id: EntryId,
    kind: EntryKind,
    amount: Money,
    balance_after: Money,
    at: Timestamp,
) -> Entry {
    Entry { id, user: wallet.user, number: wallet.entries + 1, kind, amount, balance_after, at }
}
