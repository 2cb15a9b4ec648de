use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How many batches had up to so many jobs; one more counter is for those that had more.
const UP_TO: [u64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024];

/// How many jobs the batches of a queue had, for whoever watches it. The worker counts each batch, anybody may look.
#[derive(Debug, Default)]
pub struct BatchSizes {
    batches: [AtomicU64; UP_TO.len() + 1],
    jobs: AtomicU64,
}

impl BatchSizes {
    /// Counts a batch of so many.
    pub fn count(&self, jobs: usize) {
        let jobs = jobs as u64;
        let at = UP_TO.iter().position(|most| jobs <= *most).unwrap_or(UP_TO.len());
        self.batches[at].fetch_add(1, Relaxed);
        self.jobs.fetch_add(jobs, Relaxed);
    }

    /// How many batches had up to so many jobs, and more than the bound before; the last has no bound.
    pub fn batches(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = UP_TO.into_iter().map(Some).chain([None]);
        bounds.zip(self.batches.iter().map(|count| count.load(Relaxed)))
    }

    /// How many jobs all batches had together.
    pub fn jobs(&self) -> u64 {
        self.jobs.load(Relaxed)
    }
}
