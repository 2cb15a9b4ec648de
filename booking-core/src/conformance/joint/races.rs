//! Many threads at once: lanes and books stay in step (H2, I2, I4, I14).

use super::{
    Factory,
    stage::{SEATS, Stage},
};
use crate::{
    conformance::tools::{RACERS, at_once, eventually},
    hold::SeatStatus,
    queue::Place,
    refusal::Refusal,
    ticket::EndReason,
};

pub(super) fn of_eight_threads_on_one_seat_exactly_one_wins_and_all_have_claimed(make: &Factory) {
    let stage = Stage::new(make, 1_000);
    for seat in 1..=20 {
        let tickets: Vec<_> = (0..RACERS).map(|_| stage.buyer()).collect();
        let answers = at_once(RACERS, |number| stage.hold(&tickets[number], seat).map(drop));
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!(won.len(), 1, "one of eight gets seat {seat}");
        assert!(
            lost.iter().all(|answer| *answer == Err(Refusal::SeatTaken { seats: vec![seat] })),
            "{lost:?}"
        );
        let claimed = |ticket| matches!(stage.standing(ticket), Place::Admitted { claimed: true, .. });
        assert!(tickets.iter().all(claimed));
    }
    stage.books_are_clean();
}

pub(super) fn a_payment_from_eight_threads_frees_one_slot_once(make: &Factory) {
    let stage = Stage::new(make, 2);
    for seat in 1..=10 {
        let (payer, other) = (stage.buyer(), stage.buyer());
        let waiting = [stage.buyer(), stage.buyer()];
        let held = stage.held(&payer, seat);
        let answers = at_once(RACERS, |_| stage.pay(&held).expect("the hold is alive").replayed);
        assert_eq!(answers.iter().filter(|replayed| !**replayed).count(), 1, "it is paid once");
        assert!(stage.is_admitted(&other) && stage.is_admitted(&waiting[0]));
        assert_eq!((stage.rank(&waiting[1]), stage.admitted()), (Some(1), 2), "one slot was freed");
        // The rest makes room for the next round: whoever is admitted buys.
        for (ticket, seat) in [(&other, 20 + seat), (&waiting[0], 30 + seat), (&waiting[1], 40 + seat)] {
            let held = stage.held(ticket, seat);
            assert!(stage.pay(&held).is_ok());
        }
    }
    stage.books_are_clean();
}

pub(super) fn fifty_seats_sold_to_a_crowd_leave_lanes_and_books_in_step(make: &Factory) {
    let stage = Stage::new(make, 5);
    let tickets: Vec<_> = (0..SEATS).map(|_| stage.buyer()).collect();
    let start = at_once(RACERS, |number| {
        let own = tickets.iter().zip(1..).skip(number).step_by(RACERS);
        for (ticket, seat) in own {
            // The turn of each comes by the payments of the others.
            eventually("a turn comes", || stage.is_admitted(ticket));
            let held = stage.held(ticket, seat);
            assert!(stage.admitted() <= 5, "the capacity is never exceeded");
            assert!(stage.pay(&held).is_ok());
        }
    });
    assert_eq!(start.len(), RACERS);
    for (ticket, seat) in tickets.iter().zip(1..) {
        assert_eq!(stage.standing(ticket), Place::Done(EndReason::Completed));
        assert_eq!(stage.seat(seat), SeatStatus::Sold);
    }
    assert_eq!((stage.admitted(), stage.endings()), (0, vec![]));
    stage.books_are_clean();
}
