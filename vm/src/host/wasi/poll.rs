//! Waiting for times and descriptors.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno as HostErrno;
use rustix::time::ClockId;

use super::abi::{self, FileKind, rights};
use super::clock::time_of;
use super::stream::SLICE_NANOSECONDS;
use super::{Answer, Errno, Failure, rows};
use crate::host::clock::read;
use crate::host::descriptor::{Kind, Source};
use crate::host::{GuestMemory, HostState};

rows! {
    poll_oneoff(subscriptions: at, events: at, nsubscriptions: i32, nevents: at), Process, ["ppoll", "clock_gettime", "ioctl", "fstat", "lseek"], "Waits until a time comes or a descriptor can be read or written.";
}

/// Subscriptions in one call: far more than descriptors can be open.
const MAX_SUBSCRIPTIONS: u32 = 4096;

/// What a subscription waits for.
#[derive(Clone, Copy, Debug)]
enum Wait {
    /// So many nanoseconds, from the start of the call.
    Time(u64),
    /// A descriptor.
    Descriptor { number: u32, write: bool },
    /// Nothing: it has already failed.
    Failed(Errno),
}

#[derive(Clone, Copy, Debug)]
struct Subscription {
    userdata: u64,
    kind: u8,
    wait: Wait,
}

/// Something that happened.
#[derive(Clone, Copy, Debug, Default)]
struct Event {
    error: Option<Errno>,
    bytes: u64,
    hangup: bool,
}

fn poll_oneoff(
    host: &mut HostState,
    mut memory: GuestMemory<'_>,
    subscriptions: u32,
    events: u32,
    nsubscriptions: u32,
    nevents: u32,
) -> Answer {
    if nsubscriptions == 0 || nsubscriptions > MAX_SUBSCRIPTIONS {
        return Err(Errno::Inval.into());
    }
    memory.slice(events, nsubscriptions * abi::EVENT_SIZE)?;
    memory.read_u32(nevents)?;
    let subscriptions = (0..nsubscriptions)
        .map(|at| {
            let address = subscriptions.checked_add(at * abi::SUBSCRIPTION_SIZE).ok_or(Errno::Fault)?;
            read_subscription(host, &memory, address)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    let happened = wait(host, &subscriptions)?;
    let mut address = events;
    for (subscription, event) in &happened {
        let mut bytes = [0; abi::EVENT_SIZE as usize];
        let (fields, _) = bytes.as_chunks_mut::<8>();
        let error = event.error.map_or(0, |errno| errno as u64);
        let flags = if event.hangup { u64::from(abi::EVENT_HANGUP) } else { 0 };
        let values = [subscription.userdata, error | u64::from(subscription.kind) << 16, event.bytes, flags];
        for (field, value) in fields.iter_mut().zip(values) {
            *field = value.to_le_bytes();
        }
        memory.write(address, &bytes)?;
        address += abi::EVENT_SIZE;
    }
    Ok(memory.write_u32(nevents, happened.len() as u32)?)
}

fn read_subscription(host: &mut HostState, memory: &GuestMemory<'_>, address: u32) -> Result<Subscription, Failure> {
    memory.slice(address, abi::SUBSCRIPTION_SIZE)?;
    let userdata = memory.read_u64(address)?;
    let kind = memory.read_u8(address + 8)?;
    let wait = match kind {
        abi::EVENT_CLOCK => {
            let timeout = memory.read_u64(address + 24)?;
            let absolute = memory.read_u16(address + 40)? & abi::SUBSCRIPTION_ABSTIME != 0;
            match duration(host, memory.read_u32(address + 16)?, timeout, absolute) {
                Ok(nanoseconds) => Wait::Time(nanoseconds),
                Err(errno) => Wait::Failed(errno),
            }
        }
        abi::EVENT_FD_READ | abi::EVENT_FD_WRITE => {
            let number = memory.read_u32(address + 16)?;
            match host.descriptors.with_rights(number, rights::POLL_FD_READWRITE) {
                Ok(_) => Wait::Descriptor { number, write: kind == abi::EVENT_FD_WRITE },
                Err(errno) => Wait::Failed(errno),
            }
        }
        _ => return Err(Errno::Inval.into()),
    };
    Ok(Subscription { userdata, kind, wait })
}

/// How long a clock's subscription waits. A duration needs no clock that the guest could read;
/// a point in time does.
fn duration(host: &mut HostState, clock: u32, timeout: u64, absolute: bool) -> Result<u64, Errno> {
    let time = time_of(clock)?;
    if !absolute {
        return Ok(timeout);
    }
    let clock = host.clock.as_mut().ok_or(Errno::Notcapable)?;
    Ok(timeout.saturating_sub(clock.now(time)))
}

/// Waits until something happens, and tells all that did.
fn wait(host: &mut HostState, subscriptions: &[Subscription]) -> Result<Vec<(Subscription, Event)>, Failure> {
    let start = read(ClockId::Monotonic);
    let mut timeout =
        subscriptions.iter().filter_map(|s| if let Wait::Time(t) = s.wait { Some(t) } else { None }).min();
    // Virtual time passes at once; descriptors get their chance first, and win.
    if let Some(nanoseconds) = timeout
        && host.clock.as_ref().is_some_and(|clock| clock.is_virtual())
    {
        let happened = look(host, subscriptions, 0, None)?;
        if !happened.is_empty() {
            return Ok(happened);
        }
        if let Some(clock) = &mut host.clock {
            clock.skip(nanoseconds);
        }
        return look(host, subscriptions, 0, Some(nanoseconds));
    }
    if subscriptions.iter().any(|s| is_settled(host, s)) {
        timeout = Some(0);
    }
    loop {
        host.check_interrupt()?;
        let elapsed = read(ClockId::Monotonic).saturating_sub(start);
        let left = timeout.map_or(u64::MAX, |timeout| timeout.saturating_sub(elapsed));
        let happened = look(host, subscriptions, left.min(SLICE_NANOSECONDS), None)?;
        let elapsed = read(ClockId::Monotonic).saturating_sub(start);
        if !happened.is_empty() {
            return Ok(happened);
        }
        if timeout.is_some_and(|timeout| timeout <= elapsed) {
            return look(host, subscriptions, 0, Some(elapsed));
        }
    }
}

/// Whether a subscription's event has happened whatever the time: it failed, or cannot block.
fn is_settled(host: &HostState, subscription: &Subscription) -> bool {
    match subscription.wait {
        Wait::Time(_) => false,
        Wait::Failed(_) => true,
        Wait::Descriptor { number, .. } => pollable(host, number).is_none(),
    }
}

/// The host's descriptor to wait for; `None` where reading and writing never block.
fn pollable(host: &HostState, number: u32) -> Option<BorrowedFd<'_>> {
    let descriptor = host.descriptors.get(number).ok()?;
    match &descriptor.kind {
        Kind::File(file) if file.kind == FileKind::RegularFile => None,
        Kind::Directory(_) => None,
        _ => descriptor.host_fd(),
    }
}

/// Looks once, waiting for descriptors for up to `nanoseconds`; of the times, those that are over
/// after `elapsed` have come.
fn look(
    host: &HostState,
    subscriptions: &[Subscription],
    nanoseconds: u64,
    elapsed: Option<u64>,
) -> Result<Vec<(Subscription, Event)>, Failure> {
    let mut polled = Vec::new();
    for subscription in subscriptions {
        if let Wait::Descriptor { number, write } = subscription.wait
            && let Some(fd) = pollable(host, number)
        {
            let flags = if write { PollFlags::OUT } else { PollFlags::IN };
            polled.push(PollFd::from_borrowed_fd(fd, flags));
        }
    }
    if polled.is_empty() {
        // To wait for time alone takes no system call that a program without descriptors does not have.
        if nanoseconds > 0 {
            std::thread::park_timeout(Duration::from_nanos(nanoseconds));
        }
    } else {
        let timeout = Timespec { tv_sec: 0, tv_nsec: nanoseconds.cast_signed() };
        match poll(&mut polled, Some(&timeout)) {
            Ok(_) => {}
            Err(HostErrno::INTR) => polled.iter_mut().for_each(PollFd::clear_revents),
            Err(errno) => return Err(errno.into()),
        }
    }
    let mut polled = polled.iter();
    let mut happened = Vec::new();
    for subscription in subscriptions {
        let event = match subscription.wait {
            Wait::Time(time) => elapsed.filter(|&elapsed| time <= elapsed).map(|_| Event::default()),
            Wait::Failed(errno) => Some(Event { error: Some(errno), ..Event::default() }),
            Wait::Descriptor { number, write } => match pollable(host, number) {
                Some(fd) => polled.next().and_then(|p| polled_event(fd, p.revents(), write)),
                None => Some(Event { bytes: bytes_left(host, number), ..Event::default() }),
            },
        };
        happened.extend(event.map(|event| (*subscription, event)));
    }
    Ok(happened)
}

fn polled_event(fd: BorrowedFd<'_>, revents: PollFlags, write: bool) -> Option<Event> {
    if revents.is_empty() {
        return None;
    }
    let error = if revents.contains(PollFlags::NVAL) {
        Some(Errno::Badf)
    } else if revents.contains(PollFlags::ERR) && !revents.contains(PollFlags::HUP) && !write {
        Some(Errno::Io)
    } else {
        None
    };
    let bytes = if write { 0 } else { rustix::io::ioctl_fionread(fd).unwrap_or(0) };
    Some(Event { error, bytes, hangup: revents.intersects(PollFlags::HUP | PollFlags::ERR) })
}

/// Bytes that can be read without waiting, of what never waits.
fn bytes_left(host: &HostState, number: u32) -> u64 {
    match host.descriptors.get(number).map(|d| &d.kind) {
        Ok(Kind::Input(Source::Bytes { bytes, read })) => bytes.len().saturating_sub(*read) as u64,
        Ok(Kind::File(file)) => {
            let size = rustix::fs::fstat(&file.fd).map_or(0, |stat| u64::try_from(stat.st_size).unwrap_or(0));
            size.saturating_sub(rustix::fs::tell(&file.fd).unwrap_or(0))
        }
        _ => 0,
    }
}
