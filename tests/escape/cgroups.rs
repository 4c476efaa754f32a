//! Cgroups: nothing tells where the own one is, and none is left or changed.

use std::ffi::CStr;

use libc::{O_RDONLY, O_WRONLY};

use crate::attack::{Attack, attack, escaped, lacks, refused, sys};
use crate::files::openat;

/// Where the uppermost group is, in the version that holds memory.
const ROOTS: [&CStr; 2] = [c"/sys/fs/cgroup/memory/cgroup.procs", c"/sys/fs/cgroup/cgroup.procs"];

pub fn attacks() -> Vec<Attack> {
    vec![
        attack("cgroup_place", "openat", "learn where the supervisor is in the host's tree of groups", |_| {
            let fd = openat(c"/proc/self/cgroup", O_RDONLY)?;
            let mut text = [0u8; 4096];
            let len = sys!(libc::SYS_read, fd, text.as_mut_ptr(), text.len())? as usize;
            let text = String::from_utf8_lossy(&text[..len]);
            match text.lines().find(|line| !line.ends_with(":/")) {
                Some(line) => escaped(line),
                None => lacks("a supervisor that is in a group"),
            }
        }),
        attack("cgroup_leave", "openat", "leave its group, and the limits with it", |_| {
            let mut why = String::new();
            for root in ROOTS {
                match openat(root, O_WRONLY).and_then(|fd| sys!(libc::SYS_write, fd, c"0".as_ptr(), 1)) {
                    Ok(_) => return escaped(format!("it is in {}", root.to_string_lossy())),
                    Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                    Err(error) => why = error.to_string(),
                }
            }
            if why.is_empty() { lacks("a hierarchy of groups") } else { refused(why) }
        }),
    ]
}
