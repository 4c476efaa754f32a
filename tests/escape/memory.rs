//! Memory: nothing becomes code, and no more can be had than is granted.

use std::ffi::CString;

use libc::{MAP_ANONYMOUS, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE, SIGSEGV, c_int};

use pinfold::job::descriptors::{self, PROGRAM};

use crate::attack::{Attack, Attempt, End, attack, escaped, gives, refused, sys, unless_missing};
use crate::payload::{RESERVED, reserve};

const ALL: c_int = PROT_READ | PROT_WRITE | PROT_EXEC;
/// `mov eax, 42; ret`
const CODE: [u8; 6] = [0xb8, 42, 0, 0, 0, 0xc3];

/// A page of this process, and one that only this thread uses.
#[repr(align(4096))]
struct Page([u8; 4096]);

/// Runs the code that is at an address.
fn runs(at: usize) -> Attempt {
    // SAFETY: whoever calls this has put code there that returns a number.
    let answer = unsafe { std::mem::transmute::<usize, extern "C" fn() -> i32>(at)() };
    if answer == 42 { escaped("code of its own ran") } else { refused("something else ran") }
}

fn put_code(at: usize) {
    // SAFETY: memory of this process that is writable, and large enough.
    unsafe { std::ptr::copy_nonoverlapping(CODE.as_ptr(), at as *mut u8, CODE.len()) };
}

fn map(size: usize, protection: c_int, flags: c_int, fd: i64) -> std::io::Result<usize> {
    sys!(libc::SYS_mmap, 0, size, protection, flags, fd, 0).map(|at| at as usize)
}

fn protect(at: usize, size: usize, protection: c_int) -> std::io::Result<i64> {
    sys!(libc::SYS_mprotect, at, size, protection)
}

/// A kernel or a processor without what is asked for says that it is invalid.
fn known(result: std::io::Result<i64>) -> std::io::Result<i64> {
    result.map_err(|error| match error.raw_os_error() {
        Some(libc::EINVAL) => std::io::Error::from_raw_os_error(libc::ENOSYS),
        _ => error,
    })
}

/// Opens the range that was set aside, and touches it, up to a size.
fn fill(bytes: usize) -> Attempt {
    const STEP: usize = 16 << 20;
    for open in (0..bytes.min(RESERVED)).step_by(STEP) {
        protect(reserve() + open, STEP, PROT_READ | PROT_WRITE)?;
        for page in (0..STEP).step_by(4096) {
            // SAFETY: just opened for writing.
            unsafe { ((reserve() + open + page) as *mut u8).write_volatile(1) };
        }
    }
    escaped(format!("{bytes} bytes are in use"))
}

pub fn attacks() -> Vec<Attack> {
    let mut all = code();
    all.extend(code_memory());
    all.extend(amounts());
    all.extend(arrangements());
    all
}

/// Memory that holds bytes of the attacker's becomes code.
fn code() -> Vec<Attack> {
    vec![
        attack("mmap_rwx", "mmap", "memory that is writable and executable", |_| {
            let at = map(4096, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1)?;
            put_code(at);
            runs(at)
        }),
        attack("mmap_rwx_granted", "mmap", "the same where mapping is allowed", |_| {
            let at = map(4096, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1)?;
            put_code(at);
            runs(at)
        })
        .granted(crate::attack::writable),
        attack("mprotect_reserve", "mprotect", "code in memory that was set aside", |_| {
            protect(reserve(), 4096, PROT_READ | PROT_WRITE)?;
            put_code(reserve());
            protect(reserve(), 4096, PROT_READ | PROT_EXEC)?;
            runs(reserve())
        }),
        attack("mprotect_heap", "mprotect", "code in a static variable", |_| {
            static mut PAGE: Page = Page([0; 4096]);
            let at = &raw mut PAGE as usize;
            put_code(at);
            protect(at, 4096, PROT_READ | PROT_EXEC)?;
            runs(at)
        }),
        attack("mprotect_stack", "mprotect", "code on the stack", |_| {
            let mut page = Page([0; 4096]);
            let at = page.0.as_mut_ptr() as usize;
            put_code(at);
            protect(at, 4096, ALL)?;
            runs(at)
        }),
        attack("mprotect_code", "mprotect", "its own code, writable", |_| {
            let at = (put_code as *const () as usize) & !4095;
            protect(at, 4096, ALL)?;
            escaped("code can be changed")
        }),
        attack("mprotect_high_bits", "mprotect", "a protection whose upper half distracts", |_| {
            protect(reserve(), 4096, PROT_READ | PROT_WRITE)?;
            put_code(reserve());
            sys!(libc::SYS_mprotect, reserve(), 4096, 1u64 << 32 | (PROT_READ | PROT_EXEC) as u64)?;
            runs(reserve())
        })
        .stopped_anyway("the kernel knows no such protection"),
        attack("mprotect_grows", "", "a protection that grows with what is below", |_| {
            gives(protect(reserve(), 4096, PROT_READ | libc::PROT_GROWSDOWN))
        })
        .ends(End::Refused)
        .stopped_anyway("the memory is no stack"),
        attack("pkey_mprotect", "pkey_mprotect", "the call for it that takes a key", |_| {
            protect(reserve(), 4096, PROT_READ | PROT_WRITE)?;
            put_code(reserve());
            sys!(libc::SYS_pkey_mprotect, reserve(), 4096, PROT_READ | PROT_EXEC, -1)?;
            runs(reserve())
        }),
        attack("run_data", "", "run what is only writable", |_| {
            protect(reserve(), 4096, PROT_READ | PROT_WRITE)?;
            put_code(reserve());
            runs(reserve())
        })
        .ends(End::Killed(SIGSEGV))
        .stopped_anyway("the processor does not run what is not executable"),
        attack("memfd_code", "memfd_create", "code in a file that is in no directory", |_| {
            let fd = sys!(libc::SYS_memfd_create, c"code".as_ptr(), 0)?;
            sys!(libc::SYS_write, fd, CODE.as_ptr(), CODE.len())?;
            runs(map(4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd)?)
        })
        .filter_only(),
        attack("memfd_two_views", "memfd_create", "one view to write, another to run", |_| {
            let fd = sys!(libc::SYS_memfd_create, c"code".as_ptr(), 0)?;
            sys!(libc::SYS_ftruncate, fd, 4096)?;
            put_code(map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)?);
            runs(map(4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd)?)
        })
        .filter_only(),
        attack("program_code", "mmap", "the sealed program as code", |_| {
            gives(map(4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, PROGRAM.into()).map(|at| at as i64))
        })
        .filter_only(),
        attack("shmat_exec", "shmget", "shared memory as code", |_| {
            let segment = sys!(libc::SYS_shmget, libc::IPC_PRIVATE, 4096, 0o700)?;
            let at = sys!(libc::SYS_shmat, segment, 0, libc::SHM_EXEC);
            let _ = sys!(libc::SYS_shmctl, segment, libc::IPC_RMID, 0);
            let at = at? as usize;
            put_code(at);
            runs(at)
        })
        .filter_only(),
        attack("personality_exec", "personality", "have all that can be read executable", |_| {
            sys!(libc::SYS_personality, 0x0040_0000)?;
            let at = map(4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)?;
            put_code(at);
            runs(at)
        }),
        attack("shadow_stack", "map_shadow_stack", "have a shadow stack", |_| gives(sys!(453, 0, 4096, 0)))
            .filter_only(),
    ]
}

/// Code is written that another process should have made. The worker itself gives the descriptor up before it is locked; here it has it still.
fn code_memory() -> Vec<Attack> {
    // Of a program that was granted nothing, behind the stream to the compiler.
    const CODE_MEMORY: c_int = descriptors::SOCKETS + 1;
    vec![
        attack("code_memory_write", "pwrite64", "write code to the file that it is in", |_| {
            gives(sys!(libc::SYS_pwrite64, CODE_MEMORY, CODE.as_ptr(), CODE.len(), 0))
        })
        .stopped_anyway("it was opened to be read"),
        attack("code_memory_map", "mmap", "map the file that code is in to write it", |_| {
            put_code(map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, CODE_MEMORY.into())?);
            runs(map(4096, PROT_READ | PROT_EXEC, MAP_SHARED, CODE_MEMORY.into())?)
        })
        .stopped_anyway("it was opened to be read"),
        attack("code_memory_reopen", "openat", "open the file that code is in once more, to write it", |_| {
            let path = CString::new(format!("/proc/self/fd/{CODE_MEMORY}")).unwrap();
            let fd = sys!(libc::SYS_openat, libc::AT_FDCWD, path.as_ptr(), libc::O_RDWR)?;
            put_code(map(4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd)?);
            runs(map(4096, PROT_READ | PROT_EXEC, MAP_SHARED, CODE_MEMORY.into())?)
        }),
        attack("code_memory_truncate", "ftruncate", "take the code away from under whoever runs it", |_| {
            gives(sys!(libc::SYS_ftruncate, CODE_MEMORY, 0))
        })
        .stopped_anyway("it was opened to be read"),
    ]
    .into_iter()
    .map(Attack::beside_compiler)
    .collect()
}

fn amounts() -> Vec<Attack> {
    vec![
        attack("bomb_heap", "", "use more memory than is granted", |g| {
            fill(g.plan.limits.memory as usize + (64 << 20))
        })
        .ends(End::Refused),
        attack("bomb_mmap", "mmap", "map more than is granted", |_| {
            for _ in 0..64 {
                map(1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | libc::MAP_NORESERVE, -1)?;
            }
            escaped("all was mapped")
        }),
        attack("bomb_brk", "brk", "have a larger heap of the old kind", |_| {
            let end = sys!(libc::SYS_brk, 0)?;
            match sys!(libc::SYS_brk, end as usize + (512 << 20))? {
                same if same == end => refused("the end stayed"),
                _ => escaped("the heap grew"),
            }
        }),
        attack("bomb_stack", "", "a call that has no end", |_| {
            fn deep(depth: u64) -> u64 {
                let room = [depth; 64];
                std::hint::black_box(&room);
                if depth == u64::MAX { 0 } else { deep(depth + 1) + room[(depth % 64) as usize] }
            }
            escaped(format!("{} frames", deep(0)))
        })
        .ends(End::Killed(SIGSEGV))
        .stopped_anyway("the stack has a limit and a guard page from the start"),
        attack("mlock", "mlock", "keep others' memory away", |_| {
            protect(reserve(), 1 << 20, PROT_READ | PROT_WRITE)?;
            gives(sys!(libc::SYS_mlock, reserve(), 1 << 20))
        }),
        attack("mlockall", "mlockall", "keep all of its memory, also what comes", |_| {
            gives(sys!(libc::SYS_mlockall, libc::MCL_CURRENT | libc::MCL_ONFAULT))
        }),
        attack("memfd_secret", "memfd_secret", "memory that the kernel cannot look into", |_| {
            gives(sys!(libc::SYS_memfd_secret, 0))
        })
        .filter_only(),
        attack("huge_pages", "mmap", "take the machine's large pages", |_| {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | libc::MAP_HUGETLB | libc::MAP_NORESERVE;
            gives(map(2 << 20, PROT_READ, flags, -1).map(|at| at as i64))
        })
        .granted(crate::attack::writable)
        .filter_only(),
    ]
}

fn arrangements() -> Vec<Attack> {
    vec![
        attack("mremap", "mremap", "move what is mapped", |_| {
            gives(sys!(libc::SYS_mremap, reserve(), 4096, 8192, libc::MREMAP_MAYMOVE))
        })
        .filter_only(),
        attack("remap_file_pages", "remap_file_pages", "mix the pages of a mapping", |_| {
            let _ = sys!(libc::SYS_remap_file_pages, 0, 0, 0, 0, 0);
            let at = map(8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1)?;
            gives(sys!(libc::SYS_remap_file_pages, at, 4096, 0, 1, 0))
        })
        .filter_only(),
        attack("munmap", "munmap", "take memory away from the machine's own parts", |_| {
            gives(sys!(libc::SYS_munmap, reserve(), 4096))
        })
        .filter_only(),
        attack("map_low", "mmap", "memory at address zero, where the kernel may trip over it", |_| {
            let flags = MAP_PRIVATE | MAP_ANONYMOUS | libc::MAP_FIXED;
            gives(sys!(libc::SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, flags, -1, 0))
        }),
        attack("modify_ldt_write", "modify_ldt", "make a segment of its own", |_| {
            let segment = [0u32, 0, 0xfffff, 0b101_0001];
            gives(sys!(libc::SYS_modify_ldt, 1, segment.as_ptr(), 16))
        })
        .filter_only(),
        attack("arch_prctl", "arch_prctl", "move where its thread's variables are", |_| {
            let mut base = 0usize;
            gives(sys!(libc::SYS_arch_prctl, 0x1003, &raw mut base))
        })
        .filter_only(),
        attack("poison", "madvise", "declare memory broken", |_| {
            gives(known(sys!(libc::SYS_madvise, reserve(), 0, libc::MADV_HWPOISON)))
        })
        .filter_only(),
        attack("merge_pages", "madvise", "have pages merged with those of others, to learn of them", |_| {
            gives(known(sys!(libc::SYS_madvise, reserve(), 4096, libc::MADV_MERGEABLE)))
        })
        .filter_only(),
        attack("mincore", "mincore", "see what is in the page cache", |_| {
            let mut pages = [0u8; 1];
            let at = (put_code as *const () as usize) & !4095;
            gives(sys!(libc::SYS_mincore, at, 4096, pages.as_mut_ptr()))
        })
        .filter_only(),
        attack("seal", "mseal", "seal memory against the machine", |_| {
            gives(Ok(sys!(462, reserve(), 4096, 0).map_err(unless_missing)?))
        })
        .filter_only(),
        attack("steal_page", "", "read memory that is not there", |_| {
            // SAFETY: the range was set aside without access: this faults, which is the point.
            let value = unsafe { (reserve() as *const u8).read_volatile() };
            escaped(format!("{value} was there"))
        })
        .ends(End::Killed(SIGSEGV))
        .stopped_anyway("the memory has no access"),
        attack("protection_key", "pkey_alloc", "have a protection key", |_| {
            gives(known(sys!(libc::SYS_pkey_alloc, 0, 0)))
        })
        .filter_only(),
        attack("membind", "mbind", "say on which part of the machine memory is", |_| {
            gives(sys!(libc::SYS_mbind, reserve(), 4096, 0, 0, 0, 0))
        })
        .filter_only(),
    ]
}
