//! Control groups: what a process, and all that it might ever make, can have together of memory, processes and processors.
//!
//! ```text
//!  find      where groups can be made, in the version that has the memory controller
//!  group     one directory: made, held, removed; swept by the next run if whoever held it was killed
//!  Cgroup    the groups of one process: one in version 2, one for each hierarchy in version 1
//! ```
//!
//! Where neither version is to be had, the resource limits of the process stand in: they know memory and processor time too, though of
//! each process alone.

mod find;
mod group;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use crate::error::{Context, LayerError};
use crate::plan::{Layer, Layers, Limits, Plan};
use find::{Here, Hierarchy};
use group::Group;

/// Which of the kernel's two interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// A hierarchy for each controller, or a few.
    One,
    /// One for all.
    Two,
}

impl Version {
    /// Its number.
    pub const fn number(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => 2,
        }
    }
}

/// What groups can bound, or count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// Pages in use.
    Memory,
    /// Processes and threads.
    Pids,
    /// How much of the processors, by a quota.
    Cpu,
    /// Processor time used. In version 2 every group counts it.
    Cpuacct,
}

impl Controller {
    /// All that are used here.
    pub const ALL: &[Self] = &[Self::Memory, Self::Pids, Self::Cpu, Self::Cpuacct];

    /// The kernel's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Pids => "pids",
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
        }
    }

    fn by_name(name: &[u8]) -> Option<Self> {
        Self::ALL.iter().copied().find(|controller| controller.name().as_bytes() == name)
    }

    /// What of them is needed for limits.
    fn for_limits(limits: &Limits) -> Vec<Self> {
        let mut wanted = vec![Self::Memory, Self::Pids];
        wanted.extend(limits.cpu_percent.map(|_| Self::Cpu));
        wanted.extend(limits.cpu_time.map(|_| Self::Cpuacct));
        wanted
    }
}

/// Why there is no group to be had.
#[derive(Debug, thiserror::Error)]
#[error("version {}: {why}", .version.number())]
pub struct NoCgroup {
    /// The one that has the memory controller on this host.
    pub version: Version,
    /// What stands in the way.
    pub why: String,
}

impl NoCgroup {
    fn new(version: Version, why: impl std::fmt::Display) -> Self {
        Self { version, why: why.to_string() }
    }
}

/// Why a process was killed for want of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutOfMemory {
    /// It had as much as its group may have.
    Limit,
    /// The host, or a group around it, had no more to give.
    Host,
}

/// The groups of one process. They are removed when this is dropped, which is to be after the end of the process.
#[derive(Debug)]
pub struct Cgroup {
    version: Version,
    /// Each with what it is for.
    groups: Vec<(Group, Vec<Controller>)>,
    missing: Vec<String>,
    limits: Limits,
}

/// What whoever writes to a seat writes.
pub(crate) const ITSELF: &[u8] = b"0";
/// The period of quotas, in microseconds.
const PERIOD: u64 = 100_000;
/// What may not have fitted below a limit: a large page, and what processors keep ready.
const LARGE: u64 = 4 << 20;
/// The largest number of processes that the kernel takes.
const MOST_PROCESSES: u64 = 1 << 22;

impl Cgroup {
    /// Makes what a plan wants: none if it wants none, or if none is to be had and the limits of the process stand in.
    ///
    /// # Errors
    /// If none is to be had and nothing can stand in: the plan is without those limits, or asks for a share of the processors.
    pub fn of(plan: &Plan) -> Result<Option<Self>, LayerError> {
        if plan.layers.has(Layer::Cgroup) {
            suiting(plan.layers, &plan.limits, Self::new(&plan.limits))
        } else {
            Ok(None)
        }
    }

    /// Makes groups for these limits, which hold once there is a process in them. Of the controllers, memory is there for certain; see [`Self::has`].
    ///
    /// # Errors
    /// If this host gives none.
    pub fn new(limits: &Limits) -> Result<Self, NoCgroup> {
        Self::with(limits, &Controller::for_limits(limits))
    }

    /// Makes groups with these controllers, as far as they are to be had.
    pub(crate) fn with(limits: &Limits, wanted: &[Controller]) -> Result<Self, NoCgroup> {
        let here = Here::ask().map_err(|error| NoCgroup::new(Version::Two, error))?;
        let version = here.version();
        let made = here.hierarchies().map_err(|error| error.to_string()).and_then(|hierarchies| match version {
            Version::One => Self::one(&hierarchies, limits.clone(), wanted),
            Version::Two => Self::two(&hierarchies, limits.clone(), wanted),
        });
        made.map_err(|why| NoCgroup::new(version, why))
    }

    fn two(hierarchies: &[Hierarchy], mut limits: Limits, wanted: &[Controller]) -> Result<Self, String> {
        let hierarchy = hierarchies.iter().find(|hierarchy| hierarchy.version == Version::Two);
        let base = find::base(hierarchy.ok_or("not mounted")?, wanted)?;
        let group = Group::make(&base.directory).map_err(|error| format!("{}: {error}", base.directory.display()))?;
        limits.memory = limits.memory.min(base.memory);
        let mut controllers = base.controllers;
        controllers.push(Controller::Cpuacct);
        Ok(Self { version: Version::Two, groups: vec![(group, controllers)], missing: base.missing, limits })
    }

    fn one(hierarchies: &[Hierarchy], limits: Limits, wanted: &[Controller]) -> Result<Self, String> {
        let mut cgroup = Self { version: Version::One, groups: Vec::new(), missing: Vec::new(), limits };
        let mut missing = String::from("no memory controller is mounted");
        for hierarchy in hierarchies.iter().filter(|hierarchy| hierarchy.version == Version::One) {
            let of_it = |controller: &Controller| hierarchy.controllers.contains(controller);
            let controllers: Vec<Controller> = wanted.iter().copied().filter(of_it).collect();
            if controllers.is_empty() {
                continue;
            }
            match Group::make(&hierarchy.own) {
                Ok(group) => cgroup.groups.push((group, controllers)),
                Err(error) if controllers.contains(&Controller::Memory) => {
                    missing = format!("{}: {error}", hierarchy.own.display());
                }
                Err(error) => cgroup.missing.push(format!("{}: {error}", hierarchy.own.display())),
            }
        }
        if cgroup.has(Controller::Memory) { Ok(cgroup) } else { Err(missing) }
    }

    /// Which interface it is made by.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether it has a controller.
    pub fn has(&self, controller: Controller) -> bool {
        self.group(controller).is_some()
    }

    /// What was to be had and is not, each with the reason.
    pub fn missing(&self) -> &[String] {
        &self.missing
    }

    fn group(&self, controller: Controller) -> Option<&Group> {
        self.groups.iter().find(|(_, controllers)| controllers.contains(&controller)).map(|(group, _)| group)
    }

    /// The group to make a process in. In version 1 none can be: a process enters by [`Self::seats`].
    pub(crate) fn place(&self) -> Option<BorrowedFd<'_>> {
        match (self.version, self.groups.as_slice()) {
            (Version::Two, [(group, _)]) => Some(group.as_fd()),
            _ => None,
        }
    }

    /// What a process of one thread enters by, of itself: it writes [`ITSELF`] to each. To be put in by another takes the kernel
    /// several milliseconds, in which it makes sure that no thread is being made anywhere.
    pub(crate) fn seats(&self) -> io::Result<Vec<OwnedFd>> {
        match self.version {
            Version::One => self.groups.iter().map(|(group, _)| group.open(c"tasks")).collect(),
            Version::Two => Ok(Vec::new()),
        }
    }

    /// Sets the limits.
    pub(crate) fn limit(&self) -> Result<(), LayerError> {
        let limit = match self.version {
            Version::One => limit_one,
            Version::Two => limit_two,
        };
        let mut groups = self.groups.iter();
        groups.try_for_each(|(group, held)| limit(group, &self.limits, held)).context(Layer::Cgroup, "set the limits")
    }

    /// Enters it, as a process of one thread.
    pub(crate) fn enter(&self) -> io::Result<()> {
        self.groups.iter().try_for_each(|(group, _)| group.write(c"cgroup.procs", 0))
    }

    /// Processor time that was used in it, if that is counted.
    pub fn cpu_time(&self) -> Option<Duration> {
        let group = self.group(Controller::Cpuacct)?;
        match self.version {
            Version::Two => value(&group.read(c"cpu.stat").ok()?, "usage_usec").map(Duration::from_micros),
            Version::One => group.read(c"cpuacct.usage").ok()?.trim().parse().ok().map(Duration::from_nanos),
        }
    }

    /// Whether the kernel killed a process in it for want of memory.
    pub fn out_of_memory(&self) -> Option<OutOfMemory> {
        let group = self.group(Controller::Memory)?;
        let number = |file| group.read(file).ok().and_then(|text| text.trim().parse::<u64>().ok());
        let (events, is_limit) = match self.version {
            Version::Two => {
                let events = group.read(c"memory.events").ok()?;
                let is_limit = value(&events, "oom").is_some_and(|count| count > 0);
                (events, is_limit)
            }
            Version::One => {
                // Its counts of refusals stay zero in newer kernels: that it had all it may have is how it is known.
                let (most, limit) = (number(c"memory.max_usage_in_bytes"), number(c"memory.limit_in_bytes"));
                let is_limit = most.zip(limit).is_some_and(|(most, limit)| most.saturating_add(LARGE) > limit);
                (group.read(c"memory.oom_control").ok()?, is_limit)
            }
        };
        let was_killed = value(&events, "oom_kill").is_some_and(|count| count > 0);
        was_killed.then_some(if is_limit { OutOfMemory::Limit } else { OutOfMemory::Host })
    }

    /// Whether a process or thread could not be made, for there were too many.
    pub fn was_crowded(&self) -> bool {
        let events = self.group(Controller::Pids).and_then(|group| group.read(c"pids.events").ok());
        events.and_then(|events| value(&events, "max")).is_some_and(|count| count > 0)
    }

    /// Kills all that is in it, where the kernel can (version 2, Linux 5.14): a second way beside the process namespace.
    pub fn kill(&self) {
        if let (Version::Two, [(group, _)]) = (self.version, self.groups.as_slice()) {
            let _ = group.write(c"cgroup.kill", 1);
        }
    }

    /// Does what dropping does, by system calls alone and without freeing anything: for a process that ends next, and whose memory may be
    /// that of another.
    pub fn remove(self) {
        for (group, _) in &self.groups {
            group.sweep();
            group.remove();
        }
        std::mem::forget(self);
    }
}

impl Drop for Cgroup {
    /// Removes what was left by makers that were killed as well; that is nothing to wait for before a run.
    fn drop(&mut self) {
        self.groups.iter().for_each(|(group, _)| group.sweep());
    }
}

impl std::fmt::Display for Cgroup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = Controller::ALL.iter().filter(|c| self.has(**c)).map(|c| c.name()).collect();
        write!(f, "version {}: {}", self.version.number(), names.join(", "))
    }
}

/// What was made, if a plan can go on with it.
fn suiting(layers: Layers, limits: &Limits, made: Result<Cgroup, NoCgroup>) -> Result<Option<Cgroup>, LayerError> {
    let no = |why: io::Error| Err(why).context(Layer::Cgroup, "make a group");
    match made {
        Ok(cgroup) if limits.cpu_percent.is_none() || cgroup.has(Controller::Cpu) => Ok(Some(cgroup)),
        Ok(_) => no(io::Error::other("there is no cpu controller, which a share of the processors takes")),
        Err(_) if layers.has(Layer::Rlimits) && limits.cpu_percent.is_none() => Ok(None),
        Err(why) => no(io::Error::other(why)),
    }
}

/// A file that not every kernel has.
fn if_there(result: io::Result<()>) -> io::Result<bool> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        other => other.map(|()| true),
    }
}

/// Processes and threads that limits allow: beside those asked for, one for each processor.
fn processes(limits: &Limits) -> u64 {
    let processors = rustix::thread::sched_getaffinity(None).map_or(1, |set| u64::from(set.count()));
    limits.processes.saturating_add(processors).min(MOST_PROCESSES)
}

fn limit_two(group: &Group, limits: &Limits, controllers: &[Controller]) -> io::Result<()> {
    for controller in controllers {
        match controller {
            Controller::Memory => {
                group.write(c"memory.max", limits.memory)?;
                if_there(group.write(c"memory.swap.max", 0))?;
                if_there(group.write(c"memory.oom.group", 1))?;
            }
            Controller::Pids => group.write(c"pids.max", processes(limits))?,
            Controller::Cpu => {
                if let Some(percent) = limits.cpu_percent {
                    group.write(c"cpu.max", format_args!("{} {PERIOD}", u64::from(percent) * PERIOD / 100))?;
                }
            }
            Controller::Cpuacct => {}
        }
    }
    Ok(())
}

fn limit_one(group: &Group, limits: &Limits, controllers: &[Controller]) -> io::Result<()> {
    for controller in controllers {
        match controller {
            Controller::Memory => {
                group.write(c"memory.limit_in_bytes", limits.memory)?;
                // Memory and swap together. Where that is not counted it can at least be avoided.
                if !if_there(group.write(c"memory.memsw.limit_in_bytes", limits.memory))? {
                    if_there(group.write(c"memory.swappiness", 0))?;
                }
            }
            Controller::Pids => group.write(c"pids.max", processes(limits))?,
            Controller::Cpu => {
                if let Some(percent) = limits.cpu_percent {
                    group.write(c"cpu.cfs_period_us", PERIOD)?;
                    group.write(c"cpu.cfs_quota_us", u64::from(percent) * PERIOD / 100)?;
                }
            }
            Controller::Cpuacct => {}
        }
    }
    Ok(())
}

/// The number that a file of lines such as `oom_kill 1` has under a name.
fn value(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(layers: Layers, cpu_percent: Option<u32>) -> Result<Option<Cgroup>, LayerError> {
        let limits = Limits { memory: 1, descriptors: 1, processes: 1, cpu_time: None, cpu_percent };
        suiting(layers, &limits, Err(NoCgroup::new(Version::One, "the reason")))
    }

    #[test]
    fn limits_of_the_process_stand_in_where_they_can() {
        assert!(matches!(made(Layers::all(), None), Ok(None)));
        for (layers, percent) in [(Layers::all().without(Layer::Rlimits), None), (Layers::all(), Some(50))] {
            let error = made(layers, percent).unwrap_err();
            assert!(error.layer == Layer::Cgroup && error.to_string().contains("the reason"), "{error}");
        }
    }

    #[test]
    fn values_are_found_by_their_whole_name() {
        let text = "low 0\nmax 3\noom 1\noom_kill 2\noom_group_kill x\n";
        let all = ["max", "oom", "oom_kill", "oom_group_kill", "oo", "high"].map(|name| value(text, name));
        assert_eq!(all, [Some(3), Some(1), Some(2), None, None, None]);
    }
}
