//! Faults in what is told.

use std::{
    collections::HashMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use booking_core::{
    EndReason, Event, RecordedEvent, Ticket, Timestamp,
    audit::{Audit, Auditor},
    catalog::{LaneRecord, Stock},
    hold::{self, Reservation, ReservationStatus, SeatStatus},
    id::{PerformanceId, ReservationId, UserId},
    store::{BookingStore, Cursor, PageRequest, PerformanceFilter, SeatMap, Totals},
};
use uuid::Uuid;

use super::booking::{BookingFault, Right, now, rejected};

#[test]
fn a_log_that_loses_an_event() {
    struct LostEvent;
    impl BookingFault for LostEvent {
        const BENDS_THE_LOG: bool = true;

        fn events(&self, log: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
            let kept = log
                .into_iter()
                .filter(|recorded| !matches!(recorded.event, Event::Hold(hold::Event::HoldReleased(_))));
            (1..).zip(kept).map(|(seq, recorded)| RecordedEvent { seq, ..recorded }).collect()
        }
    }
    rejected("every_kind_of_change_is_told_by_an_event", || LostEvent);
}

#[test]
fn a_log_that_gives_a_number_twice() {
    struct ReusedNumber;
    impl BookingFault for ReusedNumber {
        const BENDS_THE_LOG: bool = true;

        fn events(&self, log: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
            let number = |seq: u64| if seq.is_multiple_of(11) { seq - 1 } else { seq };
            log.into_iter().map(|recorded| RecordedEvent { seq: number(recorded.seq), ..recorded }).collect()
        }
    }
    rejected("events_are_numbered_from_one_without_a_gap", || ReusedNumber);
}

#[test]
fn a_log_with_a_gap() {
    struct Gap;
    impl BookingFault for Gap {
        const BENDS_THE_LOG: bool = true;

        fn events(&self, log: Vec<RecordedEvent>) -> Vec<RecordedEvent> {
            let number = |seq: u64| seq + u64::from(seq > 7);
            log.into_iter().map(|recorded| RecordedEvent { seq: number(recorded.seq), ..recorded }).collect()
        }
    }
    rejected("events_are_numbered_from_one_without_a_gap", || Gap);
}

#[test]
fn endings_that_are_forgotten() {
    struct ForgottenEndings;
    impl BookingFault for ForgottenEndings {
        fn pending_endings(
            &self,
            _: &Right,
            mut endings: Vec<(Ticket, EndReason)>,
        ) -> Vec<(Ticket, EndReason)> {
            endings.retain(|(_, reason)| *reason != EndReason::HoldExpired);
            endings
        }
    }
    rejected("a_swept_ticket_is_pending_with_its_reason", || ForgottenEndings);
}

#[test]
fn acknowledgements_that_are_ignored() {
    struct IgnoredAck;
    impl BookingFault for IgnoredAck {
        fn forgets(&self, _: &Ticket) -> bool {
            false
        }
    }
    rejected("a_paid_ticket_is_pending_until_acknowledged", || IgnoredAck);
}

/// The reservation as it was made, whoever asks.
fn made(right: &Right, id: ReservationId) -> Option<Reservation> {
    right.log().into_iter().find_map(|recorded| match recorded.event {
        Event::Hold(hold::Event::SeatsHeld(made)) if made.id == id => Some((*made).clone()),
        _ => None,
    })
}

#[test]
fn a_reservation_that_anybody_can_read() {
    struct NoOwner;
    impl BookingFault for NoOwner {
        fn reservation(&self, right: &Right, _: UserId, id: ReservationId) -> Option<Reservation> {
            now(right.store().reservation(made(right, id)?.user, id))
        }
    }
    rejected("one_sees_only_what_is_ones_own", || NoOwner);
}

#[test]
fn a_hold_that_reads_as_held_until_it_is_swept() {
    struct StoredStatus;
    impl BookingFault for StoredStatus {
        fn reservation(&self, right: &Right, user: UserId, id: ReservationId) -> Option<Reservation> {
            let read = now(right.store().reservation(user, id))?;
            let unswept = now(right.store().expired_holds(usize::MAX)).contains(&id);
            Some(if unswept { Reservation { status: ReservationStatus::Held, ..read } } else { read })
        }
    }
    rejected("an_expired_hold_reads_as_expired_without_a_sweep", || StoredStatus);
}

#[test]
fn pages_that_skip_what_came_at_the_same_instant() {
    struct SkippedTies;
    impl BookingFault for SkippedTies {
        fn page(&self, page: PageRequest) -> PageRequest {
            PageRequest { after: page.after.map(|after| Cursor { id: Uuid::max(), ..after }), ..page }
        }
    }
    rejected("pages_of_reservations_have_no_gap_and_no_repeat", || SkippedTies);
}

#[test]
fn pages_that_repeat_the_last_item() {
    struct Inclusive;
    impl BookingFault for Inclusive {
        fn page(&self, page: PageRequest) -> PageRequest {
            let before = |id: Uuid| Uuid::from_u128(id.as_u128().saturating_sub(1));
            PageRequest { after: page.after.map(|after| Cursor { id: before(after.id), ..after }), ..page }
        }
    }
    rejected("pages_of_concerts_have_no_gap_and_no_repeat", || Inclusive);
}

#[test]
fn pages_longer_than_the_limit() {
    struct OneMore;
    impl BookingFault for OneMore {
        fn page(&self, page: PageRequest) -> PageRequest {
            PageRequest { limit: page.limit.saturating_add(1), ..page }
        }
    }
    rejected("pages_of_performances_have_no_gap_and_no_repeat", || OneMore);
}

#[test]
fn a_seat_map_that_shows_held_seats_as_available() {
    struct OnlySold;
    impl BookingFault for OnlySold {
        fn seat_map(&self, mut map: SeatMap) -> SeatMap {
            for seat in &mut map.seats {
                if *seat == SeatStatus::Held {
                    *seat = SeatStatus::Available;
                }
            }
            map
        }
    }
    rejected("the_seat_map_tells_available_held_and_sold", || OnlySold);
}

#[test]
fn a_seat_map_older_than_ones_own_writes() {
    #[derive(Default)]
    struct Cached(Mutex<HashMap<PerformanceId, (u32, SeatMap)>>);
    impl BookingFault for Cached {
        fn seat_map(&self, map: SeatMap) -> SeatMap {
            let mut cache = self.0.lock().unwrap();
            let (reads, kept) = cache.entry(map.performance.id).or_insert_with(|| (0, map.clone()));
            if *reads % 3 == 0 {
                *kept = map;
            }
            *reads += 1;
            kept.clone()
        }
    }
    rejected("a_released_hold_frees_its_seats_at_once", Cached::default);
}

#[test]
fn a_sweep_that_begins_with_the_newest() {
    struct NewestFirst;
    impl BookingFault for NewestFirst {
        fn expired_holds(&self, right: &Right, limit: usize) -> Vec<ReservationId> {
            let all = now(right.store().expired_holds(usize::MAX));
            all.into_iter().rev().take(limit).collect()
        }
    }
    rejected("expired_holds_are_told_oldest_first_until_swept", || NewestFirst);
}

#[test]
fn an_audit_that_looks_at_nothing() {
    struct Blind;
    impl BookingFault for Blind {
        fn audit(&self, _: Audit) -> Audit {
            Auditor::new(Timestamp::from_micros(0), booking_core::Money::ZERO).finish()
        }
    }
    rejected("the_books_are_clean_after_a_random_rush", || Blind);
}

#[test]
fn endings_of_holds_that_were_given_back() {
    struct Hasty;
    impl BookingFault for Hasty {
        fn pending_endings(
            &self,
            right: &Right,
            mut endings: Vec<(Ticket, EndReason)>,
        ) -> Vec<(Ticket, EndReason)> {
            for recorded in right.log() {
                if let Event::Hold(hold::Event::HoldReleased(of)) = recorded.event {
                    endings.extend(made(right, of.reservation).map(|made| (made.ticket, EndReason::Left)));
                }
            }
            endings
        }
    }
    rejected("a_hold_given_back_ends_no_ticket", || Hasty);
}

#[test]
fn a_list_of_performances_that_forgets_the_concert() {
    struct AnyConcert;
    impl BookingFault for AnyConcert {
        fn filter(&self, filter: &PerformanceFilter) -> PerformanceFilter {
            PerformanceFilter { concert: None, ..filter.clone() }
        }
    }
    rejected("performances_are_filtered_by_lane_concert_and_date", || AnyConcert);
}

#[test]
fn a_list_of_performances_by_another_date() {
    /// Takes the date of another zone for the date at the place.
    struct Elsewhere;
    impl BookingFault for Elsewhere {
        fn filter(&self, filter: &PerformanceFilter) -> PerformanceFilter {
            PerformanceFilter { date: filter.date.and_then(|date| date.succ_opt()), ..filter.clone() }
        }
    }
    rejected("a_performance_keeps_its_offset_zone_and_local_date", || Elsewhere);
}

#[test]
fn a_stock_of_a_lane_that_does_not_exist() {
    struct Generous;
    impl BookingFault for Generous {
        fn stock(&self, known: bool, stock: Stock) -> Stock {
            if known { stock } else { Stock { bookable: true, unsold: true } }
        }
    }
    rejected("what_does_not_exist_reads_as_nothing", || Generous);
}

#[test]
fn a_stock_that_is_sold_for_ever() {
    #[derive(Default)]
    struct Sticky(AtomicBool);
    impl BookingFault for Sticky {
        fn stock(&self, _: bool, stock: Stock) -> Stock {
            let sold = self.0.fetch_or(stock.bookable && !stock.unsold, Ordering::SeqCst);
            Stock { unsold: stock.unsold && !sold, ..stock }
        }
    }
    rejected("stock_follows_what_another_instance_changes", Sticky::default);
}

#[test]
fn a_count_of_sold_seats_that_only_grows() {
    #[derive(Default)]
    struct Growing(Mutex<u64>);
    impl BookingFault for Growing {
        fn totals(&self, totals: Totals) -> Totals {
            let mut most = self.0.lock().unwrap();
            *most = (*most).max(totals.seats_sold);
            Totals { seats_sold: *most, ..totals }
        }
    }
    rejected("random_batches_agree_with_the_pure_state", Growing::default);
}

#[test]
fn sold_seats_that_are_counted_as_active_holds() {
    struct Mixed;
    impl BookingFault for Mixed {
        fn totals(&self, Totals { active_holds, seats_sold }: Totals) -> Totals {
            Totals { active_holds: active_holds + seats_sold, seats_sold }
        }
    }
    rejected("totals_tell_the_active_holds_and_the_seats_sold", || Mixed);
}

#[test]
fn lanes_in_no_order() {
    struct Backwards;
    impl BookingFault for Backwards {
        fn lanes(&self, lanes: Vec<LaneRecord>) -> Vec<LaneRecord> {
            lanes.into_iter().rev().collect()
        }
    }
    rejected("lanes_are_listed_by_name_and_changed_setting_by_setting", || Backwards);
}
