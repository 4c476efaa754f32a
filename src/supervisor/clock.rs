//! When a run's time is over: on the wall, or of the processors.

use std::time::{Duration, Instant};

use pinfold_sandbox::{Cgroup, Child};

/// How often at most it is looked whether time is over, and a worker whose time is over asked to stop.
pub const OFTEN: Duration = Duration::from_millis(4);

/// A time that can be over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// That on the wall.
    Wall,
    /// That of processors, of which there was this much.
    Processors(Duration),
}

/// Both times of a run.
pub struct Clock<'a> {
    deadline: Option<Instant>,
    processors: Option<Meter<'a>>,
}

/// What a worker has used of the processors, looked at when it could be too much.
struct Meter<'a> {
    child: &'a Child,
    cgroup: Option<&'a Cgroup>,
    limit: Duration,
    /// How many processors can be used at a time.
    width: u32,
    look: Instant,
}

impl Meter<'_> {
    /// What is left, as far as is known: a process that is gone uses nothing any more.
    fn left(&self) -> Duration {
        let used = self.cgroup.and_then(Cgroup::cpu_time).or_else(|| self.child.cpu_time().ok());
        self.limit.saturating_sub(used.unwrap_or_default())
    }
}

impl<'a> Clock<'a> {
    /// Starts now.
    pub fn start(
        wall: Option<Duration>,
        processors: Option<Duration>,
        child: &'a Child,
        cgroup: Option<&'a Cgroup>,
    ) -> Self {
        let now = Instant::now();
        let meter = |limit: Duration| {
            let width = std::thread::available_parallelism().map_or(1, |width| width.get() as u32);
            Meter { child, cgroup, limit, width, look: now.checked_add(limit / width).unwrap_or(now) }
        };
        Self { deadline: wall.and_then(|wall| now.checked_add(wall)), processors: processors.map(meter) }
    }

    /// Which time is over, if one is.
    pub fn over(&mut self, now: Instant) -> Option<Over> {
        if let Some(meter) = self.processors.as_mut().filter(|meter| meter.look <= now) {
            let left = meter.left();
            if left.is_zero() {
                return Some(Over::Processors(meter.limit));
            }
            meter.look = now + (left / meter.width).max(OFTEN);
        }
        self.deadline.is_some_and(|deadline| deadline <= now).then_some(Over::Wall)
    }

    /// Whether the processors' time is used up, whenever it was looked at last.
    pub fn is_used_up(&self) -> bool {
        self.processors.as_ref().is_some_and(|meter| meter.left().is_zero())
    }

    /// How long nothing can be over.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let look = self.processors.as_ref().map(|meter| meter.look);
        let next = [self.deadline, look].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(now).max(OFTEN))
    }
}
