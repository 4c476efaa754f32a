//! The system call filter: which calls a worker can make, in which form, and why.
//!
//! ```text
//!  rules ──program──► classic BPF ──install──► kernel, all threads at once
//!                                                 │ a call that no rule allows
//!                                                 ▼
//!                                        Refusal: the supervisor is told, or the process killed
//! ```
//!
//! Entry by the 32-bit table or by x32 numbers is never allowed: the numbers mean other calls there.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd};

use serde::{Deserialize, Serialize};

use crate::syscalls::{self, Syscall};

/// What must hold of one argument, counted from zero. Flags and commands are compared as the kernel takes them: 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// It is one of these.
    OneOf(u8, &'static [u64]),
    /// None of these bits is set.
    Lacks(u8, u64),
    /// All of these bits are set.
    Has(u8, u64),
    /// No other bits than these are set.
    Only(u8, u64),
}

/// A system call that is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which.
    pub syscall: Syscall,
    /// Who asked for it: for people.
    pub why: Vec<String>,
}

/// What happens to a call that no rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Refusal {
    /// The thread waits while the supervisor, which has the listener, looks at it.
    Notify,
    /// The process is killed.
    Kill,
    /// The call fails with `EPERM`: for tests of other layers.
    Fail,
}

/// The rules of a filter, each call once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    rules: Vec<Rule>,
}

/// A name that is no system call which a filter can allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no system call that a filter can allow")]
pub struct UnknownSyscall(pub String);

impl Filter {
    /// A filter that allows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Allows a call by name, in the form that [`syscalls`] gives.
    ///
    /// # Errors
    /// If there is no such call.
    pub fn allow(&mut self, name: &str, why: &str) -> Result<(), UnknownSyscall> {
        let syscall = syscalls::by_name(name).ok_or_else(|| UnknownSyscall(name.to_owned()))?;
        self.add(*syscall, why);
        Ok(())
    }

    /// Allows a call in this form and no other.
    pub fn replace(&mut self, syscall: Syscall, why: &str) {
        self.rules.retain(|rule| rule.syscall.number != syscall.number);
        self.add(syscall, why);
    }

    /// Allows a call in this form, whatever [`syscalls`] says of it.
    pub fn add(&mut self, syscall: Syscall, why: &str) {
        match self.rules.iter_mut().find(|rule| rule.syscall.number == syscall.number) {
            Some(rule) if rule.why.iter().any(|known| known == why) => {}
            Some(rule) => rule.why.push(why.to_owned()),
            None => self.rules.push(Rule { syscall, why: vec![why.to_owned()] }),
        }
    }

    /// The rules, in the order in which the kernel tries them.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The filter as the kernel takes it.
    pub fn program(&self, refusal: Refusal) -> Vec<libc::sock_filter> {
        let refuse = match refusal {
            Refusal::Notify => libc::SECCOMP_RET_USER_NOTIF,
            Refusal::Kill => libc::SECCOMP_RET_KILL_PROCESS,
            Refusal::Fail => libc::SECCOMP_RET_ERRNO | libc::EPERM as u32,
        };
        let mut code = vec![
            load(ARCHITECTURE),
            jump(libc::BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0),
            // Numbers of another table: there is nobody to tell what they mean.
            give(libc::SECCOMP_RET_KILL_PROCESS),
            load(NUMBER),
        ];
        for rule in &self.rules {
            let block = block(&rule.syscall, refuse);
            // A number that is not in the table is refused at the end; x32 numbers are none of it.
            code.push(jump(libc::BPF_JEQ, rule.syscall.number, 0, block.len() as u8));
            code.extend(block);
        }
        code.push(give(refuse));
        code
    }

    /// Installs the filter on every thread of the process, for good. With [`Refusal::Notify`] the listener comes back.
    ///
    /// # Errors
    /// Those of `seccomp(2)`; `EINVAL` where the kernel does not know what is asked for.
    pub fn install(&self, refusal: Refusal) -> io::Result<Option<OwnedFd>> {
        install(&self.program(refusal), refusal == Refusal::Notify)
    }
}

/// Installs a program on every thread.
pub fn install(program: &[libc::sock_filter], listen: bool) -> io::Result<Option<OwnedFd>> {
    let filter = libc::sock_fprog {
        len: u16::try_from(program.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: program.as_ptr().cast_mut(),
    };
    let mut flags = libc::SECCOMP_FILTER_FLAG_TSYNC;
    if listen {
        // With a listener the kernel wants failures of threads as errors, since it returns a descriptor.
        flags |= libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | libc::SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    }
    // SAFETY: the program lives through the call; the kernel copies it.
    let result = unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: a descriptor that the kernel just made for us.
        fd if listen => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd as i32) })),
        0 => Ok(None),
        // Without the listener's flags: the thread that could not be reached.
        _ => Err(io::Error::other("a thread has a filter of its own")),
    }
}

const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

fn statement(code: u32, k: u32) -> libc::sock_filter {
    libc::sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

fn load(at: u32) -> libc::sock_filter {
    statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at)
}

fn give(action: u32) -> libc::sock_filter {
    statement(libc::BPF_RET | libc::BPF_K, action)
}

fn jump(how: u32, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    libc::sock_filter { code: (libc::BPF_JMP | how | libc::BPF_K) as u16, jt: yes, jf: no, k }
}

/// The low half of an argument: little-endian.
fn argument(index: u8) -> libc::sock_filter {
    load(ARGUMENTS + 8 * u32::from(index))
}

/// What is done once the number matched: every path through it ends in a verdict.
fn block(syscall: &Syscall, refuse: u32) -> Vec<libc::sock_filter> {
    let mut code = Vec::new();
    for check in syscall.form {
        match *check {
            Check::OneOf(at, values) => {
                code.push(argument(at));
                for (i, value) in values.iter().enumerate() {
                    // Over the rest of the list, and the refusal after it.
                    let over = (values.len() - i) as u8;
                    code.push(jump(libc::BPF_JEQ, *value as u32, over, 0));
                }
                code.push(give(refuse));
            }
            Check::Lacks(at, bits) => {
                code.extend([argument(at), jump(libc::BPF_JSET, bits as u32, 0, 1), give(refuse)]);
            }
            Check::Has(at, bits) => {
                code.extend([argument(at), statement(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, bits as u32)]);
                code.extend([jump(libc::BPF_JEQ, bits as u32, 1, 0), give(refuse)]);
            }
            Check::Only(at, bits) => {
                code.extend([argument(at), jump(libc::BPF_JSET, !(bits as u32), 0, 1), give(refuse)]);
            }
        }
    }
    code.push(give(libc::SECCOMP_RET_ALLOW));
    code
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel would.
    fn run(program: &[libc::sock_filter], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(number.to_le_bytes());
        data.extend(architecture.to_le_bytes());
        data.extend(0u64.to_le_bytes());
        arguments.iter().for_each(|argument| data.extend(argument.to_le_bytes()));
        let (mut at, mut acc) = (0, 0u32);
        loop {
            let op = program[at];
            at += 1;
            let code = u32::from(op.code);
            match code & 7 {
                libc::BPF_LD => {
                    let bytes = data[op.k as usize..][..4].try_into().unwrap();
                    acc = u32::from_le_bytes(bytes);
                }
                libc::BPF_ALU => acc &= op.k,
                libc::BPF_RET => return op.k,
                libc::BPF_JMP => {
                    let yes = match code & 0xf0 {
                        libc::BPF_JEQ => acc == op.k,
                        libc::BPF_JSET => acc & op.k != 0,
                        other => panic!("{other:#x}"),
                    };
                    at += usize::from(if yes { op.jt } else { op.jf });
                }
                other => panic!("{other:#x}"),
            }
        }
    }

    fn everything() -> Filter {
        let mut filter = Filter::new();
        for syscall in syscalls::ALL {
            filter.allow(syscall.name, "test").unwrap();
        }
        filter
    }

    const REFUSED: u32 = libc::SECCOMP_RET_USER_NOTIF;
    const ALLOWED: u32 = libc::SECCOMP_RET_ALLOW;

    #[test]
    fn numbers_of_other_tables_are_refused() {
        let program = everything().program(Refusal::Notify);
        for syscall in syscalls::ALL {
            // i386, and x32's numbers.
            assert_eq!(run(&program, 0x4000_0003, syscall.number, [0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
            assert_eq!(run(&program, AUDIT_ARCH_X86_64, syscall.number | 0x4000_0000, [0; 6]), REFUSED);
        }
    }

    #[test]
    fn every_number_that_was_not_named_is_refused() {
        let program = everything().program(Refusal::Notify);
        for number in 0..2000 {
            if syscalls::name_of(number).is_none() {
                assert_eq!(run(&program, AUDIT_ARCH_X86_64, number, [0; 6]), REFUSED, "{number}");
            }
        }
        assert_eq!(
            run(&Filter::new().program(Refusal::Kill), AUDIT_ARCH_X86_64, 0, [0; 6]),
            libc::SECCOMP_RET_KILL_PROCESS
        );
    }

    #[test]
    fn each_form_admits_what_it_says_and_nothing_else() {
        let program = everything().program(Refusal::Notify);
        let call = |number: libc::c_long, arguments| run(&program, AUDIT_ARCH_X86_64, number as u32, arguments);
        let (r, w, x) = (libc::PROT_READ as u64, libc::PROT_WRITE as u64, libc::PROT_EXEC as u64);
        for (protection, verdict) in
            [(0, ALLOWED), (r | w, ALLOWED), (r | x, REFUSED), (x, REFUSED), (1 << 32 | x, REFUSED)]
        {
            assert_eq!(call(libc::SYS_mprotect, [0, 1, protection, 0, 0, 0]), verdict, "{protection:#x}");
            let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
            assert_eq!(call(libc::SYS_mmap, [0, 1, protection, flags, 0, 0]), verdict, "{protection:#x}");
        }
        for flags in [
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            libc::MAP_PRIVATE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_HUGETLB,
        ] {
            assert_eq!(call(libc::SYS_mmap, [0, 1, r, flags as u64, 0, 0]), REFUSED, "{flags:#x}");
        }
        assert_eq!(call(libc::SYS_fcntl, [0, libc::F_GETFL as u64, 0, 0, 0, 0]), ALLOWED);
        assert_eq!(call(libc::SYS_fcntl, [0, libc::F_SETOWN as u64, 0, 0, 0, 0]), REFUSED);
        // The kernel looks at 32 bits of a command.
        assert_eq!(call(libc::SYS_fcntl, [0, 7 << 32 | libc::F_SETLEASE as u64, 0, 0, 0, 0]), REFUSED);
        assert_eq!(call(libc::SYS_ioctl, [0, libc::TIOCSTI, 0, 0, 0, 0]), REFUSED);
        assert_eq!(call(libc::SYS_ioctl, [0, libc::FIONREAD, 0, 0, 0, 0]), ALLOWED);
        assert_eq!(call(libc::SYS_clock_gettime, [libc::CLOCK_MONOTONIC as u64, 0, 0, 0, 0, 0]), ALLOWED);
        // The processor time of process 1.
        assert_eq!(call(libc::SYS_clock_gettime, [(!1i64 << 3 | 2) as u64, 0, 0, 0, 0, 0]), REFUSED);
        assert_eq!(call(libc::SYS_madvise, [0, 1, libc::MADV_DONTNEED as u64, 0, 0, 0]), ALLOWED);
        assert_eq!(call(libc::SYS_madvise, [0, 1, libc::MADV_HWPOISON as u64, 0, 0, 0]), REFUSED);
    }

    #[test]
    fn a_name_that_is_no_system_call_is_an_error() {
        assert_eq!(Filter::new().allow("reed", "test"), Err(UnknownSyscall("reed".into())));
        assert_eq!(Filter::new().allow("socket", "test"), Err(UnknownSyscall("socket".into())));
    }

    #[test]
    fn two_reasons_for_a_call_are_one_rule() {
        let mut filter = Filter::new();
        for why in ["base", "files", "base"] {
            filter.allow("read", why).unwrap();
        }
        assert_eq!(filter.rules().len(), 1);
        assert_eq!(filter.rules()[0].why, ["base", "files"]);
    }
}
