//! Groups in the making: what takes the kernel a while is done on a thread of its own, beside what else is prepared for a process.

use std::io;
use std::thread::{Builder, JoinHandle};

use super::{Cgroup, NoCgroup};
use crate::error::LayerError;
use crate::plan::{Layer, Layers, Limits, Plan};

/// Bytes of stack for it.
const STACK: usize = 64 << 10;

/// Groups that are being made.
#[derive(Debug)]
pub struct Making(Work);

type Made = Result<Option<Cgroup>, LayerError>;

#[derive(Debug)]
enum Work {
    Going(JoinHandle<Made>),
    Done(Made),
}

impl Making {
    /// No group.
    pub fn none() -> Self {
        Self(Work::Done(Ok(None)))
    }

    /// Begins to make what a plan wants.
    pub fn begin(plan: &Plan) -> Self {
        if !plan.layers.has(Layer::Cgroup) {
            return Self::none();
        }
        let (layers, limits) = (plan.layers, plan.limits.clone());
        let work = move || suiting(layers, &limits, Cgroup::new(&limits));
        let thread = without_signals(|| Builder::new().name("pinfold-cgroup".into()).stack_size(STACK).spawn(work));
        Self(thread.map_or_else(|error| Work::Done(Err(failed(error))), Work::Going))
    }

    /// What was made: none if the plan wants none, or if none is to be had and the limits of the process stand in.
    ///
    /// # Errors
    /// If none is to be had and nothing can stand in: the plan is without those limits, or asks for a share of the processors.
    pub fn finish(mut self) -> Made {
        self.take()
    }

    fn take(&mut self) -> Made {
        match std::mem::replace(&mut self.0, Work::Done(Ok(None))) {
            Work::Done(made) => made,
            Work::Going(thread) => thread.join().unwrap_or_else(|_| Err(failed(io::Error::other("it was not made")))),
        }
    }
}

impl From<Cgroup> for Making {
    fn from(cgroup: Cgroup) -> Self {
        Self(Work::Done(Ok(Some(cgroup))))
    }
}

impl Drop for Making {
    /// What is made after all is removed again.
    fn drop(&mut self) {
        let _ = self.take();
    }
}

/// Starts a thread that takes none of the signals which are the host's.
fn without_signals<R>(start: impl FnOnce() -> R) -> R {
    // SAFETY: plain calls on sets of our own.
    unsafe {
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &all, &mut before);
        let started = start();
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        started
    }
}

/// What was made, if the plan can go on with it.
fn suiting(layers: Layers, limits: &Limits, made: Result<Cgroup, NoCgroup>) -> Made {
    let is_share_held = |cgroup: &Cgroup| limits.cpu_percent.is_none() || cgroup.has(super::Controller::Cpu);
    match made {
        Ok(cgroup) if is_share_held(&cgroup) => Ok(Some(cgroup)),
        Ok(_) => Err(failed(io::Error::other("there is no cpu controller, which a share of the processors takes"))),
        Err(_) if layers.has(Layer::Rlimits) && limits.cpu_percent.is_none() => Ok(None),
        Err(why) => Err(failed(io::Error::other(why))),
    }
}

fn failed(error: io::Error) -> LayerError {
    LayerError { layer: Layer::Cgroup, what: "make a group", error }
}

#[cfg(test)]
mod tests {
    use super::super::Version;
    use super::*;

    fn made(layers: Layers, cpu_percent: Option<u32>) -> Made {
        let limits = Limits { memory: 1, descriptors: 1, processes: 1, cpu_time: None, cpu_percent };
        suiting(layers, &limits, Err(NoCgroup { version: Version::One, why: "the reason".into() }))
    }

    #[test]
    fn limits_of_the_process_stand_in_where_they_can() {
        assert!(matches!(made(Layers::all(), None), Ok(None)));
        for (layers, percent) in [(Layers::all().without(Layer::Rlimits), None), (Layers::all(), Some(50))] {
            let error = made(layers, percent).unwrap_err();
            assert!(error.layer == Layer::Cgroup && error.to_string().contains("the reason"), "{error}");
        }
    }
}
