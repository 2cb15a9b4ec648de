//! Chance that is the same in every run (xorshift64*).

pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}

/// How many times longer than usual random tests run.
pub(crate) fn scale() -> u64 {
    std::env::var("BOOKING_TEST_SCALE")
        .map_or(1, |times| times.parse().expect("BOOKING_TEST_SCALE is a number"))
}
