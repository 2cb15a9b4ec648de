//! Each lie is found, by the number of what it breaks.

use std::time::Duration;

use loadtest::console::violations;

use super::{
    lying::{self, Lie},
    support::{Server, results},
};

/// Plays a scenario through a liar; the numbers of what is violated.
async fn violated(lie: Lie, flags: &str) -> (Vec<String>, String) {
    let server = Server::start(Duration::from_mins(5)).await;
    let liar = lying::start(lie, &server).await;
    let summary = results(&[&liar], &server.keys, flags).await;
    server.stop().await;
    (summary.violated().into_iter().map(Into::into).collect(), violations(&summary))
}

async fn finds(lie: Lie, flags: &str, wanted: &[&str]) {
    let (violated, told) = violated(lie, flags).await;
    for number in wanted {
        assert!(violated.iter().any(|found| found == number), "{number} is not among {violated:?}: {told}");
    }
}

macro_rules! lies {
    ($($name:ident: $lie:ident, $flags:literal, $wanted:expr;)*) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                finds(Lie::$lie, $flags, &$wanted).await;
            }
        )*
    };
}

lies! {
    a_seat_sold_twice_is_found: SellsTwice, "hot-seat --people 20", ["I1", "I2", "I10", "I20"];
    a_lost_payment_is_found: LosesPayments, "seat-rush --people 20 --seats 5", ["I10", "goal"];
    a_number_given_twice_is_found: GivesNumbersTwice, "seat-rush --people 20 --seats 5", ["I13"];
    a_lane_beyond_its_capacity_is_found:
        AdmitsTooMany, "mixed --people 60 --capacity 1 --span 500ms --think 300ms --performances 2", ["I14"];
    a_hold_that_was_refused_and_made_is_found: RefusesWhatItDid, "hot-seat --people 20", ["I20", "goal"];
    a_ledger_that_lost_its_charges_is_found: ForgetsCharges, "wallet-hammer --people 5 --span 200ms", ["I6", "I7", "I11"];
    money_from_nowhere_is_found: MakesMoneyUp, "wallet-hammer --people 5 --span 200ms", ["I6", "I7"];
    two_clocks_are_found: HasTwoClocks, "seat-rush --people 20 --seats 5", ["I5"];
    a_server_that_forbids_nothing_is_found: ForbidsNothing, "mixed --people 40 --span 1s --think 500ms", ["I2", "I17"];
    a_server_that_checks_no_signature_is_found: ChecksNoSignature, "mixed --people 20 --span 1s --think 300ms", ["I17"];
    another_seat_than_was_asked_for_is_found: WrongSeat, "seat-rush --people 20 --seats 5", ["I20"];
    another_price_than_was_agreed_is_found: WrongPrice, "seat-rush --people 20 --seats 5", ["I20"];
}

/// Losing an answer is no lie when it is said, and repeating the request has its effect once.
#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_break_no_invariant() {
    let (violated, told) = violated(Lie::LosesAnswers, "wallet-hammer --people 10 --span 300ms").await;
    assert!(violated.iter().all(|number| number == "goal"), "{violated:?}: {told}");
    assert!(told.contains("Unknown"), "no answer was lost: {told}");
}
