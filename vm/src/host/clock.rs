//! The clocks a guest can read: the host's, rounded, or virtual ones.

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::grants::{ClockGrant, Grants};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// Which time is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Nanoseconds since 1970.
    Realtime,
    /// Nanoseconds since the guest started.
    Monotonic,
    /// Processor time of the guest's thread since the guest started.
    Processor,
}

/// The guest's clocks.
#[derive(Debug)]
pub struct Clock {
    source: Source,
    resolution: u64,
}

#[derive(Debug)]
enum Source {
    /// The host's clocks; two times are what was read at the start, and how long the program had run before it.
    Host { monotonic: u64, processor: u64, before: u64 },
    /// A clock that only moves when it is read or waited on; nanoseconds since the start.
    Virtual { elapsed: u64 },
}

impl Clock {
    /// When virtual clocks start: 2020-01-01, 00:00 UTC.
    const VIRTUAL_START: u64 = 1_577_836_800 * SECOND;
    /// How far a virtual clock moves when it is read. A millisecond, so that loops that wait for
    /// a time to come end soon.
    const VIRTUAL_STEP: u64 = 1_000_000;

    /// The clocks that are granted, if any are.
    pub fn new(grants: &Grants) -> Option<Self> {
        if grants.deterministic.is_some() {
            return Some(Self { source: Source::Virtual { elapsed: 0 }, resolution: Self::VIRTUAL_STEP });
        }
        let ClockGrant { resolution } = grants.clock?;
        let resolution = u64::try_from(resolution.as_nanos()).unwrap_or(u64::MAX).max(1);
        let source =
            Source::Host { monotonic: read(ClockId::Monotonic), processor: read(ClockId::ThreadCPUTime), before: 0 };
        Some(Self { source, resolution })
    }

    /// Times are multiples of this, nanoseconds.
    pub fn resolution(&self) -> u64 {
        self.resolution
    }

    /// Reads a time, nanoseconds.
    pub fn now(&mut self, time: Time) -> u64 {
        let exact = match &mut self.source {
            Source::Host { monotonic, processor, before } => match time {
                Time::Realtime => read(ClockId::Realtime),
                Time::Monotonic => since(ClockId::Monotonic, *monotonic, *before),
                Time::Processor => since(ClockId::ThreadCPUTime, *processor, *before),
            },
            Source::Virtual { elapsed } => {
                let start = if time == Time::Realtime { Self::VIRTUAL_START } else { 0 };
                *elapsed = elapsed.saturating_add(Self::VIRTUAL_STEP);
                start.saturating_add(*elapsed)
            }
        };
        exact - exact % self.resolution
    }

    /// Nanoseconds since the guest started.
    pub fn elapsed(&self) -> u64 {
        match self.source {
            Source::Host { monotonic, before, .. } => since(ClockId::Monotonic, monotonic, before),
            Source::Virtual { elapsed } => elapsed,
        }
    }

    /// Lets the guest find that so many nanoseconds have passed: those of a run that it goes on with.
    pub fn go_on_from(&mut self, nanoseconds: u64) {
        match &mut self.source {
            // A clock of the host may have started later than that.
            Source::Host { before, .. } => *before = nanoseconds,
            Source::Virtual { elapsed } => *elapsed = nanoseconds,
        }
    }

    /// Whether time passes only when the clock is read or waited on.
    pub fn is_virtual(&self) -> bool {
        matches!(self.source, Source::Virtual { .. })
    }

    /// Lets a virtual clock pass over a wait; others pass by themselves.
    pub fn skip(&mut self, nanoseconds: u64) {
        if let Source::Virtual { elapsed } = &mut self.source {
            *elapsed = elapsed.saturating_add(nanoseconds);
        }
    }
}

/// What a clock of the host has come to since a start, and what was before that.
fn since(clock: ClockId, start: u64, before: u64) -> u64 {
    read(clock).saturating_sub(start).saturating_add(before)
}

/// Reads a clock of the host, nanoseconds; times before 1970 count as 1970.
pub fn read(clock: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    u64::try_from(tv_sec).unwrap_or(0).saturating_mul(SECOND).saturating_add(u64::try_from(tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn host_time_is_rounded_down_to_the_granted_resolution() {
        let clock = Some(ClockGrant { resolution: Duration::from_millis(100) });
        let mut clock = Clock::new(&Grants { clock, ..Grants::none() }).unwrap();
        let real = clock.now(Time::Realtime);
        assert_eq!(real % 100_000_000, 0);
        assert!(real > Clock::VIRTUAL_START);
        assert!(clock.now(Time::Monotonic) < 60 * SECOND);
        assert!(!clock.is_virtual());
    }

    #[test]
    fn virtual_time_moves_by_reading_and_waiting_only() {
        let mut clock = Clock::new(&Grants { deterministic: Some(1), ..Grants::none() }).unwrap();
        assert_eq!(clock.now(Time::Monotonic), 1_000_000);
        clock.skip(5 * SECOND);
        assert_eq!(clock.now(Time::Monotonic), 5 * SECOND + 2_000_000);
        assert_eq!(clock.now(Time::Realtime), Clock::VIRTUAL_START + 5 * SECOND + 3_000_000);
    }

    #[test]
    fn a_run_that_is_gone_on_with_finds_no_earlier_time() {
        let clock = Some(ClockGrant { resolution: Duration::from_nanos(1) });
        for grants in [Grants { clock, ..Grants::none() }, Grants { deterministic: Some(1), ..Grants::none() }] {
            let mut clock = Clock::new(&grants).unwrap();
            clock.go_on_from(500 * SECOND);
            assert!(clock.elapsed() >= 500 * SECOND);
            for time in [Time::Monotonic, Time::Processor] {
                assert!((500 * SECOND..560 * SECOND).contains(&clock.now(time)), "{time:?}");
            }
        }
    }

    #[test]
    fn nothing_granted_is_no_clock() {
        assert!(Clock::new(&Grants::none()).is_none());
    }
}
