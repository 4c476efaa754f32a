//! Directories whose paths are walked step by step.

use super::*;

fn guest() -> Guest {
    Guest::with(|grants| grants.stepwise = true)
}

cases! {
    fn paths_lead_where_they_say() {
        let mut guest = guest();
        for name in ["a", "a/b", "c"] {
            guest.call_path("path_create_directory", DATA, name).unwrap();
        }
        let file = guest.open(DATA, "a/b/file", CREATE).unwrap();
        guest.write(file, b"text").unwrap();
        for path in ["a/b/file", "./a//b/./file", "a/../a/b/file", "c/../a/b/../b/file", "a/b/../../a/b/file"] {
            let file = guest.open(DATA, path, READ).unwrap();
            assert_eq!(guest.read(file, 10).unwrap(), b"text", "{path}");
        }
        for (path, errno) in [
            ("a/b/file/", Errno::Notdir),
            ("a/b/file/x", Errno::Notdir),
            ("a/none/file", Errno::Noent),
            ("a/b/none", Errno::Noent),
            ("a/b/file/../file", Errno::Notdir),
        ] {
            assert_eq!(guest.open(DATA, path, READ), Err(errno), "{path}");
        }
        for path in [".", "a/..", "a/b/../..", "a/b/.", "a/b/"] {
            assert!(guest.open(DATA, path, DIRECTORY).is_ok(), "{path}");
        }
        let inner = guest.open(DATA, "a/b", DIRECTORY).unwrap();
        assert_eq!(guest.open(inner, "../b/file", READ), Err(Errno::Perm));
        assert!(guest.open(inner, "file", READ).is_ok());
    }

    fn nothing_outside_is_reached() {
        let mut guest = guest();
        for path in ["..", "../outside/secret", "a/../../outside/secret", "./..", "../data"] {
            assert!(guest.open(DATA, path, READ).is_err(), "{path}");
        }
        guest.symlink("../outside/secret", "data/link");
        guest.symlink("../outside", "data/folder");
        for path in ["link", "folder/secret", "folder/", "folder/../link"] {
            assert_eq!(guest.open(DATA, path, READ), Err(Errno::Loop), "{path}");
        }
        assert_eq!(guest.content("outside/secret"), "secret");
    }

    fn names_are_made_and_changed() {
        let mut guest = guest();
        guest.call_path("path_create_directory", DATA, "a").unwrap();
        guest.open(DATA, "a/file", CREATE).unwrap();
        guest.rename(DATA, "a/file", DATA, "a/../moved").unwrap();
        assert!(guest.open(DATA, "moved", READ).is_ok());
        assert_eq!(guest.rename(DATA, "moved/", DATA, "x"), Err(Errno::Notdir));
        guest.call_path("path_unlink_file", DATA, "moved").unwrap();
        assert_eq!(guest.open(DATA, "moved", READ), Err(Errno::Noent));
        assert_eq!(guest.open(SHOWN, "new", CREATE), Err(Errno::Rofs));
    }

    fn times_and_links_are_told_to_be_unsupported() {
        let mut guest = guest();
        let file = guest.open(DATA, "file", CREATE).unwrap();
        let (now, room) = (u64::from(abi::FSTFLAG_MTIM_NOW), guest.room(8));
        assert_eq!(guest.call("fd_filestat_set_times", &[file.into(), 0, 0, now]), Err(Errno::Notsup));
        let path = guest.put(b"file");
        let arguments = [DATA.into(), 0, path.into(), 4, 0, 0, now];
        assert_eq!(guest.call("path_filestat_set_times", &arguments), Err(Errno::Notsup));
        let arguments = [DATA.into(), path.into(), 4, room.into(), 4, room.into()];
        assert_eq!(guest.call("path_readlink", &arguments), Err(Errno::Notsup));
    }
}
