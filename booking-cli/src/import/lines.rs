//! Which line of the file a byte is on.

/// Counts lines while it walks forward over the bytes once, however many places are asked for.
pub(super) struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
    line_start: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, line: 1, line_start: 0 }
    }

    /// The line, from 1, of the byte at `offset`. Offsets must not go down from call to call; an earlier one gets the
    /// line of the latest. A line ends with `\n`, `\r\n`, or the lone `\r` that the CSV reader takes for one too.
    pub(super) fn line_at(&mut self, offset: usize) -> usize {
        let end = offset.min(self.bytes.len());
        while self.at < end {
            let ends_line = match self.bytes[self.at] {
                b'\n' => true,
                b'\r' => self.bytes.get(self.at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.at += 1;
            if ends_line {
                self.line += 1;
                self.line_start = self.at;
            }
        }
        self.line
    }

    /// How many bytes come before `offset` on the line that [`Lines::line_at`] gave last.
    pub(super) fn before(&self, offset: usize) -> usize {
        offset.saturating_sub(self.line_start)
    }
}
