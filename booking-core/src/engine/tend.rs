use super::{Answer, Engine, expect_effect, mismatch, together::together};
use crate::{
    catalog::{self, LaneRecord, sold_out_change},
    command::Command,
    error::Error,
    hold,
    outcome::{Effect, Outcome},
    refusal::Refusal,
};

/// Work is taken in portions of this size, so that no call grows without bound.
const PORTION: usize = 256;

/// What a round of [`Engine::tend`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// Holds that had run out and were written down as expired.
    pub holds_expired: u64,
    /// Endings of tickets carried to the queue store.
    pub tickets_ended: u64,
    /// People admitted.
    pub admitted: u64,
    /// Admissions that ended by time.
    pub admissions_ended: u64,
    /// Lanes whose `sold_out` mark changed.
    pub lanes_marked: u64,
}

/// What a round did so far, and what failed first.
#[derive(Default)]
struct Round {
    tended: Tended,
    failure: Option<Error>,
}

impl Round {
    /// What a part of the round answered, unless it failed.
    fn note<T>(&mut self, part: Result<T, impl Into<Error>>) -> Option<T> {
        match part {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.failure.get_or_insert_with(|| error.into());
                None
            }
        }
    }
}

impl Engine {
    /// One round of tidying: sweeps holds that ran out, carries endings of tickets to the queue store, notes sold-out
    /// lanes, tells the queue store its settings, and advances every lane.
    ///
    /// Call it every 100 ms or so, from one instance or from all: rounds may overlap. No hold, sale or payment depends
    /// on it (H3), but people are admitted on time only while somebody calls it (I18). What fails stops nothing else; the
    /// first failure is the answer, and the next round goes on where this one failed.
    pub async fn tend(&self) -> Result<Tended, Error> {
        let mut round = Round::default();
        loop {
            let swept = self.sweep(&mut round.tended).await;
            let carried = self.carry_endings(&mut round.tended).await;
            let more = [round.note(swept), round.note(carried)].contains(&Some(true));
            // In between, so that many holds that ran out together keep nobody waiting.
            self.tend_lanes(&mut round).await;
            if let Some(error) = round.failure {
                return Err(error);
            }
            if !more {
                return Ok(round.tended);
            }
        }
    }

    /// Sweeps a portion; whether there may be more.
    async fn sweep(&self, tended: &mut Tended) -> Result<bool, Error> {
        let over = self.booking.expired_holds(PORTION).await?;
        let found = over.len();
        if found == 0 {
            return Ok(false);
        }
        let batch = over.into_iter().map(|id| Command::from(hold::Command::Expire(id))).collect();
        let answers = self.booking.execute(batch).await?;
        let expired = answers.iter().flatten().filter(|outcome| !outcome.replayed).count();
        tended.holds_expired += expired as u64;
        // A portion that moved nothing was swept by another instance meanwhile; the rest is for the next round.
        Ok(found == PORTION && expired > 0)
    }

    /// Carries a portion, all at once, since stores batch what comes together; whether there may be more. What fails
    /// stays pending.
    async fn carry_endings(&self, tended: &mut Tended) -> Result<bool, Error> {
        let endings = self.booking.pending_endings(PORTION).await?;
        let finishing = endings.iter().map(|(ticket, reason)| self.queue.finish(ticket, *reason));
        let answers = together(finishing).await;
        let (mut carried, mut failure) = (Vec::new(), None);
        for ((ticket, _), answer) in endings.into_iter().zip(answers) {
            match answer {
                Ok(()) => carried.push(ticket),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        if !carried.is_empty() {
            self.booking.ack_endings(&carried).await?;
        }
        tended.tickets_ended += carried.len() as u64;
        failure.map_or(Ok(carried.len() == PORTION), |error| Err(error.into()))
    }

    async fn tend_lanes(&self, round: &mut Round) {
        let lanes = self.booking.lanes().await;
        for lane in round.note(lanes).unwrap_or_default() {
            self.tend_lane(lane, round).await;
        }
    }

    /// A stock that can't be read keeps nobody waiting, but what is on record may be a mark that was not looked at again: a lane
    /// that is sold out by its record is not told then.
    async fn tend_lane(&self, lane: LaneRecord, round: &mut Round) {
        let name = lane.name.clone();
        let marked = self.mark(lane.clone(), &mut round.tended).await;
        let marked = round.note(marked);
        if let Some(lane) = marked.or_else(|| (!lane.settings.sold_out).then_some(lane)) {
            let told = self.tell(&lane).await;
            round.note(told);
        }
        let advanced = self.queue.advance(&name).await;
        if let Some(advanced) = round.note(advanced) {
            round.tended.admitted += advanced.admitted;
            round.tended.admissions_ended += advanced.ended;
        }
    }

    /// The lane as it is when its stock was looked at and asks for no other mark. A look that came before the mark shows
    /// nothing of a refund between the two, which would end everybody's ticket while a seat is free; so each mark is
    /// looked at again before the queue is told.
    async fn mark(&self, mut lane: LaneRecord, tended: &mut Tended) -> Result<LaneRecord, Error> {
        loop {
            let stock = self.booking.stock(&lane.name).await?;
            let Some(sold_out) = sold_out_change(&lane.settings, stock) else { return Ok(lane) };
            let revision = lane.settings.revision;
            let mark = catalog::Command::MarkSoldOut { lane: lane.name, revision, sold_out };
            let marked = expect_effect!(self.execute(mark).await?, Effect::Lane(lane) => lane)?;
            tended.lanes_marked += u64::from(!marked.replayed);
            lane = marked.value;
        }
    }

    /// Tells the queue store the lane's settings, unless it knows them.
    async fn tell(&self, lane: &LaneRecord) -> Result<(), Error> {
        let told = match self.queue.snapshot(&lane.name, None).await {
            Ok(snapshot) => snapshot.settings,
            Err(Error::Refused(Refusal::UnknownLane)) => {
                return Ok(self.queue.configure(&lane.name, &lane.settings).await?);
            }
            Err(error) => return Err(error),
        };
        if lane.settings.revision > told.revision {
            Ok(self.queue.configure(&lane.name, &lane.settings).await?)
        } else if lane.settings.says_the_same_as(&told) {
            Ok(())
        } else {
            self.outrank(lane, told.revision).await
        }
    }

    /// Tells settings that the queue store would ignore, as it knows others of this revision or a newer one: the bookings
    /// were restored from an older copy.
    ///
    /// Who read the lane before another instance changed it and told so sees just the same. Then the lane is another by
    /// now: a revision that was told before the look at the queue was on record before it, too.
    async fn outrank(&self, lane: &LaneRecord, above: u64) -> Result<(), Error> {
        if self.booking.lane(&lane.name).await?.as_ref() != Some(lane) {
            return Ok(());
        }
        let revision = lane.settings.revision;
        let lift = catalog::Command::LiftRevision { lane: lane.name.clone(), revision, above };
        let lifted = expect_effect!(self.execute(lift).await?, Effect::Lane(lane) => lane)?;
        // What another instance has changed meanwhile, or lifted, is told by it, or by the next round.
        if lifted.replayed {
            return Ok(());
        }
        Ok(self.queue.configure(&lane.name, &lifted.value.settings).await?)
    }
}
