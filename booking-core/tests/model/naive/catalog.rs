use booking_core::{
    Effect, LaneName, Outcome, Refusal,
    catalog::{
        Changes, Command, Concert, ConcertDraft, LaneChange, LaneRecord, LaneSettings, Performance,
        PerformanceDraft, Stock,
    },
    hold::{ReservationStatus, SeatStatus},
    store::Totals,
};

use super::{Answer, World, done, replay};

impl World {
    pub(super) fn catalog(&mut self, command: &Command) -> Answer {
        match command {
            Command::PutConcerts(drafts) => {
                // All or nothing: try on a copy.
                let mut after = self.clone();
                let (mut added, mut changed, mut unchanged) = (0, 0, 0);
                for draft in drafts {
                    let (more_added, more_changed) = after.put_concert(draft)?;
                    unchanged += u64::from(more_added + more_changed == 0);
                    added += more_added;
                    changed += more_changed;
                }
                *self = after;
                let effect = Effect::Catalog(Changes { added, changed, unchanged });
                Ok(if added + changed == 0 { replay(effect) } else { done(effect) })
            }
            Command::SetLane(name, change) => {
                let settings = self.lane(name).cloned().unwrap_or_default();
                let changed = changed(settings, change);
                changed.policy.check().map_err(Refusal::InvalidLane)?;
                Ok(self.put_lane(name, changed))
            }
            Command::MarkSoldOut { lane, revision, sold_out } => {
                let mut settings = self.lane(lane).cloned().ok_or(Refusal::UnknownLane)?;
                if settings.revision == *revision {
                    settings.sold_out = *sold_out;
                }
                Ok(self.put_lane(lane, settings))
            }
            Command::LiftRevision { lane, revision, above } => {
                let settings = self.lane(lane).cloned().ok_or(Refusal::UnknownLane)?;
                if settings.revision != *revision || revision > above {
                    return Ok(replay(Effect::Lane(LaneRecord { name: lane.clone(), settings })));
                }
                let settings = LaneSettings { revision: above + 1, ..settings };
                Ok(done(self.tell_lane(lane, settings)))
            }
        }
    }

    pub(crate) fn lane(&self, name: &LaneName) -> Option<&LaneSettings> {
        self.lanes.iter().find(|lane| lane.name == *name).map(|lane| &lane.settings)
    }

    /// Each change grows the revision; no change, no new revision.
    fn put_lane(&mut self, name: &LaneName, mut settings: LaneSettings) -> Outcome {
        let same = self.lane(name) == Some(&settings);
        if same {
            return replay(Effect::Lane(LaneRecord { name: name.clone(), settings }));
        }
        settings.revision += 1;
        done(self.tell_lane(name, settings))
    }

    fn tell_lane(&mut self, name: &LaneName, settings: LaneSettings) -> Effect {
        let lane = LaneRecord { name: name.clone(), settings };
        self.lanes.retain(|lane| lane.name != *name);
        self.lanes.push(lane.clone());
        self.lanes.sort_by(|a, b| a.name.cmp(&b.name));
        Effect::Lane(lane)
    }

    /// How many concerts and performances were added and changed.
    fn put_concert(&mut self, draft: &ConcertDraft) -> Result<(u64, u64), Refusal> {
        if self.lane(&draft.lane).is_none() {
            return Err(Refusal::UnknownLane);
        }
        if draft.title.trim().is_empty() {
            return Err(Refusal::InvalidConcert(String::new()));
        }
        let (mut added, mut changed) = (0, 0);
        if let Some(known) = self.concerts.iter_mut().find(|known| known.id == draft.id) {
            let before = known.clone();
            known.title.clone_from(&draft.title);
            known.lane = draft.lane.clone();
            changed += u64::from(*known != before);
        } else {
            let (title, lane) = (draft.title.clone(), draft.lane.clone());
            self.concerts.push(Concert { id: draft.id, title, lane, created_at: self.now });
            added += 1;
        }
        for (at, one) in draft.performances.iter().enumerate() {
            let twice = draft.performances[..at].iter().any(|earlier| earlier.id == one.id);
            if twice || one.seats == 0 || one.seats > 20_000 {
                return Err(Refusal::InvalidConcert(String::new()));
            }
            match self.put_performance(draft, one)? {
                Some(true) => added += 1,
                Some(false) => changed += 1,
                None => {}
            }
        }
        Ok((added, changed))
    }

    /// Whether it was added (`true`), changed (`false`), or neither.
    fn put_performance(
        &mut self,
        draft: &ConcertDraft,
        one: &PerformanceDraft,
    ) -> Result<Option<bool>, Refusal> {
        let mut wanted = Performance {
            id: one.id,
            concert: draft.id,
            venue: one.venue.clone(),
            starts_at: one.starts_at,
            zone: one.zone.clone(),
            price: one.price,
            seats: one.seats,
            on_sale: one.on_sale,
            created_at: self.now,
        };
        let now = self.now.micros();
        let Some(known) = self.performances.iter_mut().find(|known| known.id == one.id) else {
            self.performances.push(wanted);
            return Ok(Some(true));
        };
        if known.concert != draft.id {
            return Err(Refusal::InvalidConcert(String::new()));
        }
        wanted.created_at = known.created_at;
        wanted.seats = wanted.seats.max(known.seats);
        if known.starts_at.timestamp_micros() > now {
            wanted.starts_at = known.starts_at;
            wanted.zone.clone_from(&known.zone);
        }
        let same = *known == wanted;
        *known = wanted;
        Ok((!same).then_some(false))
    }

    /// What can be sold in a lane.
    pub(crate) fn stock(&self, lane: &LaneName) -> Stock {
        let of_lane = |one: &&Performance| {
            self.concerts.iter().any(|concert| concert.id == one.concert && concert.lane == *lane)
        };
        let bookable: Vec<_> =
            self.performances.iter().filter(of_lane).filter(|one| self.bookable(one)).collect();
        let unsold =
            |one: &&Performance| (1..=one.seats).any(|seat| self.seat(one.id, seat) != SeatStatus::Sold);
        Stock { bookable: !bookable.is_empty(), unsold: bookable.iter().any(unsold) }
    }

    pub(crate) fn totals(&self) -> Totals {
        let are = |status| self.reservations.iter().filter(move |one| self.status(one) == status);
        Totals {
            active_holds: are(ReservationStatus::Held).count() as u64,
            seats_sold: are(ReservationStatus::Confirmed).map(|one| one.seats.len() as u64).sum(),
        }
    }
}

fn changed(mut settings: LaneSettings, change: &LaneChange) -> LaneSettings {
    let policy = &mut settings.policy;
    policy.capacity = change.capacity.unwrap_or(policy.capacity);
    policy.max_waiting = change.max_waiting.unwrap_or(policy.max_waiting);
    policy.admit_per_second = change.admit_per_second.unwrap_or(policy.admit_per_second);
    policy.claim_ttl = change.claim_ttl.unwrap_or(policy.claim_ttl);
    policy.session_ttl = change.session_ttl.unwrap_or(policy.session_ttl);
    settings.paused = change.paused.unwrap_or(settings.paused);
    settings.closed = change.closed.unwrap_or(settings.closed);
    settings
}
