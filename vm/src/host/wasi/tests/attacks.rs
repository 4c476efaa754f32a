//! Ways out of a granted directory that must lead nowhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// Paths that lead out of `data`, with the links they need made by [`set_traps`].
const WAYS_OUT: &[&str] = &[
    "/etc/passwd",
    "/",
    "..",
    "../",
    "../outside/secret",
    "d/../../outside/secret",
    "d/../../data/inside",
    "../data/inside",
    "./.././outside/secret",
    "absolute",
    "absolute-directory/secret",
    "up",
    "up-directory/secret",
    "d/up-twice/outside/secret",
    "chain",
];

/// Ends another thread's loop however the test ends.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn set_traps(guest: &Guest) {
    std::fs::create_dir(guest.at("data/d")).unwrap();
    guest.file("data/inside", "inside");
    let outside = guest.at("outside").display().to_string();
    guest.symlink(&format!("{outside}/secret"), "data/absolute");
    guest.symlink(&outside, "data/absolute-directory");
    guest.symlink("../outside/secret", "data/up");
    guest.symlink("../outside", "data/up-directory");
    guest.symlink("../..", "data/d/up-twice");
    guest.symlink("up", "data/chain");
}

cases! {
    fn no_path_leads_outside_by_opening() {
        let mut guest = Guest::new();
        set_traps(&guest);
        let ways = [READ, WRITE, CREATE, DIRECTORY, Open { oflags: abi::OFLAG_CREAT | abi::OFLAG_TRUNC, ..WRITE }];
        for path in WAYS_OUT {
            for how in ways {
                assert_eq!(guest.open(DATA, path, how), Err(Errno::Perm), "{path}");
            }
        }
        assert_eq!(guest.content("outside/secret"), "secret");
    }

    fn no_path_leads_outside_by_asking() {
        let mut guest = Guest::new();
        set_traps(&guest);
        for path in WAYS_OUT {
            assert_eq!(guest.path_attributes(DATA, path, true), Err(Errno::Perm), "{path}");
        }
        for path in ["up-directory/secret", "absolute-directory/secret", "../outside/secret", "/etc/passwd"] {
            assert_eq!(guest.path_attributes(DATA, path, false), Err(Errno::Perm), "{path}");
            assert_eq!(guest.read_link(DATA, path, 100), Err(Errno::Perm), "{path}");
        }
    }

    fn no_path_leads_outside_by_changing() {
        let mut guest = Guest::new();
        set_traps(&guest);
        std::fs::create_dir(guest.at("outside/empty")).unwrap();
        for before in ["..", "d/../..", "up-directory/..", "absolute-directory/..", "d/up-twice"] {
            let new = format!("{before}/outside/new");
            let secret = format!("{before}/outside/secret");
            let empty = format!("{before}/outside/empty");
            assert_eq!(guest.call_path("path_create_directory", DATA, &new), Err(Errno::Perm));
            assert_eq!(guest.call_path("path_unlink_file", DATA, &secret), Err(Errno::Perm));
            assert_eq!(guest.call_path("path_remove_directory", DATA, &empty), Err(Errno::Perm));
            assert_eq!(guest.make_symlink("x", DATA, &new), Err(Errno::Perm));
            assert_eq!(guest.rename(DATA, "inside", DATA, &new), Err(Errno::Perm));
            assert_eq!(guest.rename(DATA, &secret, DATA, "stolen"), Err(Errno::Perm));
            assert_eq!(guest.link(DATA, false, &secret, DATA, "stolen"), Err(Errno::Perm));
            assert_eq!(guest.link(DATA, false, "inside", DATA, &new), Err(Errno::Perm));
            let (path, flags) = (guest.put(secret.as_bytes()), 1);
            let arguments = [DATA.into(), flags, path.into(), secret.len() as u64, 0, 9, 4];
            assert_eq!(guest.call("path_filestat_set_times", &arguments), Err(Errno::Perm));
        }
        assert!(guest.exists("outside/empty") && guest.exists("outside/secret"));
        assert!(!guest.exists("outside/new") && !guest.exists("data/stolen"));
    }

    fn the_last_component_is_never_the_parent() {
        let mut guest = Guest::new();
        for path in ["..", "../", "d/../..", "."] {
            std::fs::create_dir_all(guest.at("data/d")).unwrap();
            assert!(guest.call_path("path_remove_directory", DATA, path).is_err(), "{path}");
            assert!(guest.call_path("path_unlink_file", DATA, path).is_err(), "{path}");
            assert!(guest.rename(DATA, path, DATA, "moved").is_err(), "{path}");
            assert!(guest.rename(DATA, "d", DATA, path).is_err(), "{path}");
            assert!(guest.make_symlink("x", DATA, path).is_err(), "{path}");
            assert!(guest.call_path("path_create_directory", DATA, path).is_err(), "{path}");
        }
    }

    fn links_that_lead_outside_cannot_be_made_absolute_and_do_not_work_relative() {
        let mut guest = Guest::new();
        assert_eq!(guest.make_symlink("/etc/passwd", DATA, "l"), Err(Errno::Perm));
        assert!(!guest.exists("data/l"));
        guest.make_symlink("../outside/secret", DATA, "l").unwrap();
        assert_eq!(guest.open(DATA, "l", READ), Err(Errno::Perm));
    }

    fn a_link_is_not_created_through_to_the_outside() {
        let mut guest = Guest::new();
        guest.symlink("../outside/new", "data/l");
        assert_eq!(guest.open(DATA, "l", CREATE), Err(Errno::Perm));
        assert!(!guest.exists("outside/new"));
    }

    fn moving_a_directory_does_not_widen_what_it_holds() {
        let mut guest = Guest::new();
        std::fs::create_dir_all(guest.at("data/a/b")).unwrap();
        let deep = guest.open(DATA, "a/b", DIRECTORY).unwrap();
        guest.rename(DATA, "a/b", DATA, "b").unwrap();
        assert_eq!(guest.open(deep, "..", DIRECTORY), Err(Errno::Perm));
        assert_eq!(guest.open(deep, "../../outside/secret", READ), Err(Errno::Perm));
    }

    fn magic_links_and_process_memory_are_closed() {
        let root = DirGrant { name: None, host: "/".into(), guest: "/".into(), writable: true };
        let mut guest = Guest::with(|grants| grants.dirs = vec![root]);
        for path in ["proc/self/root/etc/passwd", "proc/self/cwd", "proc/self/fd/0", "proc/self/exe"] {
            assert!(guest.open(3, path, READ).is_err(), "{path}");
            assert!(guest.open(3, path, DIRECTORY).is_err(), "{path}");
        }
        let own = format!("proc/{}/mem", std::process::id());
        assert_eq!(guest.open(3, &own, WRITE), Err(Errno::Acces));
        assert_eq!(guest.open(3, "proc/self", DIRECTORY), Err(Errno::Acces));
        assert_eq!(guest.open(3, "proc", DIRECTORY), Err(Errno::Acces));
    }

    fn a_link_swapped_in_midway_is_not_followed() {
        let mut guest = Guest::new();
        std::fs::create_dir(guest.at("data/d")).unwrap();
        guest.file("data/d/secret", "inside");
        guest.symlink("../outside", "data/l");
        let (stop, data) = (AtomicBool::new(false), guest.at("data"));
        std::thread::scope(|scope| {
            let _stop = StopAtEnd(&stop);
            scope.spawn(|| {
                let directory = rustix::fs::open(&data, rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty()).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    let flags = rustix::fs::RenameFlags::EXCHANGE;
                    rustix::fs::renameat_with(&directory, "d", &directory, "l", flags).unwrap();
                }
            });
            // How soon the other thread comes to run is the kernel's business: many tries, and more until it was met.
            let (mut answers, mut tries, begun) = (BTreeSet::new(), 0, Instant::now());
            while tries < 3000 || (answers.len() == 1 && begun.elapsed() < Duration::from_secs(60)) {
                tries += 1;
                let answer = guest.open(DATA, "d/secret", READ);
                if let Ok(file) = answer {
                    assert_eq!(guest.read(file, 10).unwrap(), b"inside");
                    guest.close(file).unwrap();
                }
                answers.insert(format!("{:?}", answer.map(|_| ())));
                assert!(guest.call_path("path_unlink_file", DATA, "d/nothing").is_err());
                guest.top = 64;
            }
            assert!(answers.len() > 1, "the swap was never met in {tries} tries: {answers:?}");
        });
        assert_eq!(guest.content("outside/secret"), "secret");
    }
}
