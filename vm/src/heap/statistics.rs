//! What collections did, and how long they took.

use std::time::Duration;

/// What the collections of a heap did.
#[derive(Clone, Debug, Default)]
pub struct Statistics {
    /// Collections of the nursery, those counted with which major ones begin.
    pub minor: u64,
    /// Major collections.
    pub major: u64,
    /// Bytes that were copied within the nursery.
    pub copied: u64,
    /// Bytes that were copied to the old space.
    pub promoted: u64,
    /// Cards that were scanned.
    pub cards: u64,
    /// How long minor collections took, where that is measured.
    pub minor_pauses: Pauses,
    /// How long major ones took, where that is measured.
    pub major_pauses: Pauses,
}

/// Buckets for each doubling.
const FINE: u32 = 8;
/// Nanoseconds of the first bucket's end.
const FIRST: u64 = 1 << 8;

/// How often pauses of which length occurred, to an eighth of their length.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
    total: Duration,
}

impl Pauses {
    /// Notes one.
    pub fn add(&mut self, pause: Duration) {
        let bucket = bucket_of(u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX));
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        self.count += 1;
        self.longest = self.longest.max(pause);
        self.total += pause;
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The longest.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// All together.
    pub fn total(&self) -> Duration {
        self.total
    }

    /// What this share of them did not pass, 0.99 for the 99th percentile; rounded up to the end of a bucket.
    pub fn quantile(&self, share: f64) -> Duration {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(end_of(bucket)).min(self.longest);
            }
        }
        self.longest
    }
}

fn bucket_of(nanoseconds: u64) -> usize {
    if nanoseconds < FIRST {
        return 0;
    }
    let doubling = nanoseconds.ilog2() - FIRST.ilog2();
    let part = nanoseconds >> (nanoseconds.ilog2() - FINE.ilog2()) & u64::from(FINE - 1);
    1 + (doubling * FINE) as usize + part as usize
}

fn end_of(bucket: usize) -> u64 {
    let Some(place) = bucket.checked_sub(1) else { return FIRST };
    let (doubling, part) = (place as u32 / FINE, place as u64 % u64::from(FINE));
    (FIRST << doubling) / u64::from(FINE) * (u64::from(FINE) + part + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_lies_below_the_end_of_its_bucket_and_not_far() {
        for nanoseconds in [0, 255, 256, 257, 300, 511, 512, 1000, 4_999_999, 5_000_000, 1 << 40] {
            let end = end_of(bucket_of(nanoseconds));
            assert!(nanoseconds < end, "{nanoseconds} {end}");
            assert!(nanoseconds < FIRST || end <= nanoseconds + nanoseconds / 8 + 1, "{nanoseconds} {end}");
        }
        let mut pauses = Pauses::default();
        (1..=100).for_each(|pause| pauses.add(Duration::from_micros(pause)));
        let typical = pauses.quantile(0.5).as_micros();
        assert!((50..57).contains(&typical), "{typical}");
        assert_eq!(pauses.quantile(1.0), Duration::from_micros(100));
    }
}
