//! Sending concerts to a server in requests that it will take.

mod kept;

use booking_api::{
    ConcertInput, ConcertsPut, LaneChange, PutConcerts,
    client::{Client, ClientError},
};
use booking_core::LaneName;
use indicatif::ProgressBar;
use serde::Serialize;
use uuid::Uuid;

/// The largest body sent, in bytes. The server refuses those over 64 KiB.
pub const LARGEST_BODY: usize = 63 * 1024;

const FRAME: usize = r#"{"concerts":[]}"#.len();

/// Requests that belong together: either one with any number of whole concerts, or several with the parts of one
/// concert that is too long for one.
pub type Portion = Vec<PutConcerts>;

/// Splits concerts into requests of which none is longer than `limit` bytes as JSON, in their order.
///
/// A concert is only split between its performances; one performance by itself is always sent.
pub fn portions(concerts: Vec<ConcertInput>, limit: usize) -> Vec<Portion> {
    let mut portions = Vec::new();
    let mut whole = Vec::new();
    let mut length = FRAME;
    for concert in concerts {
        let of_concert = json_length(&concert);
        if !whole.is_empty() && length + 1 + of_concert > limit {
            portions.push(vec![PutConcerts { concerts: std::mem::take(&mut whole) }]);
            length = FRAME;
        }
        if FRAME + of_concert > limit {
            portions.push(parts(concert, limit));
        } else {
            length += of_concert + usize::from(!whole.is_empty());
            whole.push(concert);
        }
    }
    if !whole.is_empty() {
        portions.push(vec![PutConcerts { concerts: whole }]);
    }
    portions
}

/// The requests of one concert that is too long for one.
fn parts(concert: ConcertInput, limit: usize) -> Portion {
    let ConcertInput { concert_id, title, lane, performances } = concert;
    let part =
        |performances| ConcertInput { concert_id, title: title.clone(), lane: lane.clone(), performances };
    let empty = FRAME + json_length(&part(Vec::new()));
    let mut parts = Vec::new();
    let mut taken = Vec::new();
    let mut length = empty;
    for performance in performances {
        let of_performance = json_length(&performance);
        if !taken.is_empty() && length + 1 + of_performance > limit {
            parts.push(PutConcerts { concerts: vec![part(std::mem::take(&mut taken))] });
            length = empty;
        }
        length += of_performance + usize::from(!taken.is_empty());
        taken.push(performance);
    }
    if !taken.is_empty() || parts.is_empty() {
        parts.push(PutConcerts { concerts: vec![part(taken)] });
    }
    parts
}

fn json_length(value: &impl Serialize) -> usize {
    serde_json::to_vec(value).map_or(0, |json| json.len())
}

/// What sending came to.
#[derive(Debug, Default)]
pub struct Sent {
    /// The sum of what the requests did.
    pub done: ConcertsPut,
    /// The performances that may have been there before, and the seats that were asked for.
    known: Vec<(Uuid, u32)>,
}

/// A request failed. Those before it have had their effect; the same again changes nothing of it.
#[derive(Debug, thiserror::Error)]
#[error("{source}")]
pub struct Unfinished {
    /// How many requests had been applied.
    pub applied: usize,
    /// How many there are in all.
    pub requests: usize,
    /// Why the next one was not.
    pub source: ClientError,
}

/// Sends the portions one after another.
pub async fn send(
    client: &Client,
    admin_key: &str,
    portions: &[Portion],
    progress: &ProgressBar,
) -> Result<Sent, Unfinished> {
    let requests = portions.iter().map(Vec::len).sum();
    let (mut all, mut known, mut applied) = (ConcertsPut::default(), Vec::new(), 0);
    for portion in portions {
        let mut done = ConcertsPut::default();
        for (part, request) in portion.iter().enumerate() {
            let answer = client.put_concerts(admin_key, request).await;
            let answer = answer.map_err(|source| Unfinished { applied, requests, source })?;
            applied += 1;
            // A part after the first finds the concert that the first has added.
            let new_concerts = if part == 0 { request.concerts.len() } else { 0 };
            let dates = request.concerts.iter().flat_map(|concert| &concert.performances);
            if answer.added < (new_concerts + dates.clone().count()) as u64 {
                known.extend(dates.map(|date| (date.performance_id, date.seats)));
            }
            done.added += answer.added;
            done.changed += answer.changed;
            done.unchanged += answer.unchanged;
            progress.inc(request.concerts.iter().map(|concert| concert.performances.len() as u64).sum());
        }
        if portion.len() > 1 {
            done.unchanged = u64::from(done.added + done.changed == 0);
        }
        all.added += done.added;
        all.changed += done.changed;
        all.unchanged += done.unchanged;
    }
    Ok(Sent { done: all, known })
}

/// Makes the lane if the server has none of this name; whether it did.
pub async fn make_lane(client: &Client, admin_key: &str, lane: &LaneName) -> Result<bool, ClientError> {
    let lanes = client.lanes(admin_key).await?;
    let known = lanes.items.iter().any(|known| known.lane == lane.as_str());
    if !known {
        client.change_lane(admin_key, lane.as_str(), &LaneChange::default()).await?;
    }
    Ok(!known)
}

#[cfg(test)]
mod tests {
    use booking_api::PerformanceInput;
    use proptest::prelude::*;

    use super::*;

    fn performance(id: u128) -> PerformanceInput {
        PerformanceInput {
            performance_id: Uuid::from_u128(id),
            venue: "Glass \"Hall\" 하늘".into(),
            starts_at: "2030-01-01T19:30:00+09:00".parse().unwrap(),
            zone: Some("Asia/Seoul".into()),
            price: 50_000,
            seats: 50,
            on_sale: true,
        }
    }

    /// One concert for each number, with so many performances.
    fn concerts(sizes: &[usize]) -> Vec<ConcertInput> {
        let concert = |(number, size): (u128, &usize)| ConcertInput {
            concert_id: Uuid::from_u128(number),
            title: format!("Concert {number}"),
            lane: "main".into(),
            performances: (0..*size as u128).map(|index| performance(number * 100_000 + index)).collect(),
        };
        (1..).zip(sizes).map(concert).collect()
    }

    fn lengths(portions: &[Portion]) -> Vec<usize> {
        portions.iter().flatten().map(json_length).collect()
    }

    #[test]
    fn nothing_to_send_is_no_request() {
        assert_eq!(portions(Vec::new(), LARGEST_BODY), Vec::<Portion>::new());
    }

    #[test]
    fn what_fits_goes_in_one_request() {
        let portions = portions(concerts(&[1, 2, 3]), LARGEST_BODY);
        assert_eq!(portions.len(), 1);
        assert_eq!(portions[0][0].concerts, concerts(&[1, 2, 3]));
    }

    #[test]
    fn a_request_may_be_exactly_as_long_as_the_limit_and_no_longer() {
        let concerts = concerts(&[1, 1]);
        let length = json_length(&PutConcerts { concerts: concerts.clone() });
        assert_eq!(portions(concerts.clone(), length).len(), 1);
        assert_eq!(portions(concerts, length - 1).len(), 2);
    }

    #[test]
    fn a_concert_with_very_many_performances_is_sent_in_parts_of_its_own() {
        let portions = portions(concerts(&[1, 2_000, 1]), LARGEST_BODY);
        assert_eq!(portions.len(), 3);
        assert!(portions[1].len() > 1);
        assert!(portions[1].iter().all(|request| request.concerts.len() == 1));
        assert!(lengths(&portions).iter().all(|length| *length <= LARGEST_BODY));
    }

    proptest! {
        #[test]
        fn every_performance_is_sent_once_in_order_and_no_request_is_too_long(
            sizes in proptest::collection::vec(0_usize..40, 0..30),
            limit in 700_usize..5_000,
        ) {
            let concerts = concerts(&sizes);
            let portions = portions(concerts.clone(), limit);
            for length in lengths(&portions) {
                prop_assert!(length <= limit);
            }
            let mut sent: Vec<ConcertInput> = Vec::new();
            for concert in portions.into_iter().flatten().flat_map(|request| request.concerts) {
                match sent.last_mut() {
                    Some(last) if last.concert_id == concert.concert_id => {
                        last.performances.extend(concert.performances);
                    }
                    _ => sent.push(concert),
                }
            }
            prop_assert_eq!(sent, concerts);
        }
    }
}
