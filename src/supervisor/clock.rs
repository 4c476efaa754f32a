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
pub struct Clock {
    deadline: Option<Instant>,
    processors: Option<Meter>,
}

/// What a worker may use of the processors, looked at when it could be too much.
struct Meter {
    limit: Duration,
    /// How many processors can be used at a time.
    width: u32,
    look: Instant,
}

impl Meter {
    /// What is left, as far as is known: a process that is gone uses nothing any more.
    fn left(&self, child: &Child, cgroup: Option<&Cgroup>) -> Duration {
        let used = cgroup.and_then(Cgroup::cpu_time).or_else(|| child.cpu_time().ok());
        self.limit.saturating_sub(used.unwrap_or_default())
    }
}

impl Clock {
    /// Starts now.
    pub fn start(wall: Option<Duration>, processors: Option<Duration>) -> Self {
        let now = Instant::now();
        let meter = |limit: Duration| {
            let width = std::thread::available_parallelism().map_or(1, |width| width.get() as u32);
            Meter { limit, width, look: now.checked_add(limit / width).unwrap_or(now) }
        };
        Self { deadline: wall.and_then(|wall| now.checked_add(wall)), processors: processors.map(meter) }
    }

    /// Which time of this process is over, if one is.
    pub fn over(&mut self, now: Instant, child: &Child, cgroup: Option<&Cgroup>) -> Option<Over> {
        if let Some(meter) = self.processors.as_mut().filter(|meter| meter.look <= now) {
            let left = meter.left(child, cgroup);
            if left.is_zero() {
                return Some(Over::Processors(meter.limit));
            }
            meter.look = now + (left / meter.width).max(OFTEN);
        }
        self.deadline.is_some_and(|deadline| deadline <= now).then_some(Over::Wall)
    }

    /// Whether the processors' time is used up, whenever it was looked at last.
    pub fn is_used_up(&self, child: &Child, cgroup: Option<&Cgroup>) -> bool {
        self.processors.as_ref().is_some_and(|meter| meter.left(child, cgroup).is_zero())
    }

    /// How long nothing can be over.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        let look = self.processors.as_ref().map(|meter| meter.look);
        let next = [self.deadline, look].into_iter().flatten().min();
        next.map(|next| next.saturating_duration_since(now).max(OFTEN))
    }
}
