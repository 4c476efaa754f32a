//! For what a file is opened: flags and rights together.

use super::*;

/// The rights that programs made with Go ask for where they only read: those of a program that
/// writes without [`rights::FD_WRITE`], [`rights::FD_DATASYNC`] and [`rights::FD_ALLOCATE`].
const READ_MUCH: Open = Open {
    rights: (rights::FILE | rights::DIRECTORY) & !(rights::FD_WRITE | rights::FD_DATASYNC | rights::FD_ALLOCATE),
    ..READ
};

const CREATED: u16 = abi::OFLAG_CREAT;
const EXCLUSIVE: u16 = abi::OFLAG_CREAT | abi::OFLAG_EXCL;
const TRUNCATED: u16 = abi::OFLAG_TRUNC;

/// What is at a path: nothing, a file, a directory, a link to the file, or a link to nothing.
const PATHS: [&str; 5] = ["nothing", "file", "directory", "link", "dangling"];

fn make(guest: &Guest, parent: &str) {
    guest.file(&format!("{parent}/file"), "text");
    std::fs::create_dir(guest.at(&format!("{parent}/directory"))).unwrap();
    guest.symlink("file", &format!("{parent}/link"));
    guest.symlink("nowhere", &format!("{parent}/dangling"));
}

/// Opens each of [`PATHS`] where nothing was changed before.
fn open_each(parent: &str, fd: u32, oflags: u16, rights: u64, follow: bool) -> [Option<Errno>; 5] {
    let mut unchanged = None;
    PATHS.map(|path| {
        let mut guest = unchanged.take().unwrap_or_else(|| {
            let guest = Guest::new();
            make(&guest, parent);
            guest
        });
        let error = guest.open(fd, path, Open { oflags, rights, inheriting: 0, fdflags: 0, follow }).err();
        if error.is_some() || oflags == 0 {
            unchanged = Some(guest);
        }
        error
    })
}

const OK: Option<Errno> = None;
const NOENT: Option<Errno> = Some(Errno::Noent);
const EXIST: Option<Errno> = Some(Errno::Exist);
const INVAL: Option<Errno> = Some(Errno::Inval);
const ISDIR: Option<Errno> = Some(Errno::Isdir);
const NOTDIR: Option<Errno> = Some(Errno::Notdir);
const LOOP: Option<Errno> = Some(Errno::Loop);
const ROFS: Option<Errno> = Some(Errno::Rofs);

const R: u64 = rights::FD_READ;
const W: u64 = rights::FD_WRITE;

cases! {
    fn flags_and_rights_decide_what_can_be_opened() {
        let expected: &[(u16, u64, bool, [Option<Errno>; 5])] = &[
            // flags, right, whether links are followed: nothing, file, directory, link, link to nothing
            (0, R, true, [NOENT, OK, OK, OK, NOENT]),
            (0, R, false, [NOENT, OK, OK, LOOP, LOOP]),
            (0, W, true, [NOENT, OK, ISDIR, OK, NOENT]),
            (0, W, false, [NOENT, OK, ISDIR, LOOP, LOOP]),
            (CREATED, R, true, [OK, OK, ISDIR, OK, OK]),
            (CREATED, W, false, [OK, OK, ISDIR, LOOP, LOOP]),
            (EXCLUSIVE, R, true, [OK, EXIST, EXIST, EXIST, EXIST]),
            (EXCLUSIVE, W, false, [OK, EXIST, EXIST, EXIST, EXIST]),
            (TRUNCATED, R, true, [NOENT, OK, ISDIR, OK, NOENT]),
            (TRUNCATED, W, false, [NOENT, OK, ISDIR, LOOP, LOOP]),
            (abi::OFLAG_DIRECTORY, R, true, [NOENT, NOTDIR, OK, NOTDIR, NOENT]),
            (abi::OFLAG_DIRECTORY, R, false, [NOENT, NOTDIR, OK, NOTDIR, NOTDIR]),
            (abi::OFLAG_DIRECTORY, W, true, [NOENT, NOTDIR, ISDIR, NOTDIR, NOENT]),
            (abi::OFLAG_DIRECTORY | CREATED, R, true, [INVAL; 5]),
            (abi::OFLAG_DIRECTORY | EXCLUSIVE, W, false, [INVAL; 5]),
        ];
        for (oflags, rights, follow, answers) in expected {
            assert_eq!(open_each("data", DATA, *oflags, *rights, *follow), *answers, "{oflags} {rights} {follow}");
        }
    }

    fn a_directory_for_reading_refuses_only_what_others_would_allow() {
        let expected: &[(u16, u64, bool, [Option<Errno>; 5])] = &[
            (0, R, true, [NOENT, OK, OK, OK, NOENT]),
            (0, R, false, [NOENT, OK, OK, LOOP, LOOP]),
            (0, W, true, [NOENT, ROFS, ISDIR, ROFS, NOENT]),
            (0, W, false, [NOENT, ROFS, ISDIR, LOOP, LOOP]),
            (CREATED, R, true, [ROFS, OK, ISDIR, OK, ROFS]),
            (CREATED, W, false, [ROFS, ROFS, ISDIR, LOOP, LOOP]),
            (EXCLUSIVE, R, true, [ROFS, EXIST, EXIST, EXIST, EXIST]),
            (EXCLUSIVE, W, false, [ROFS, EXIST, EXIST, EXIST, EXIST]),
            (TRUNCATED, R, true, [NOENT, ROFS, ISDIR, ROFS, NOENT]),
            (TRUNCATED, W, false, [NOENT, ROFS, ISDIR, LOOP, LOOP]),
            (abi::OFLAG_DIRECTORY, R, true, [NOENT, NOTDIR, OK, NOTDIR, NOENT]),
            (abi::OFLAG_DIRECTORY, W, true, [NOENT, NOTDIR, ISDIR, NOTDIR, NOENT]),
            (abi::OFLAG_DIRECTORY, W, false, [NOENT, NOTDIR, ISDIR, NOTDIR, NOTDIR]),
            (abi::OFLAG_DIRECTORY | CREATED, R, true, [INVAL; 5]),
        ];
        for (oflags, rights, follow, answers) in expected {
            assert_eq!(open_each("shown", SHOWN, *oflags, *rights, *follow), *answers, "{oflags} {rights} {follow}");
        }
    }

    fn nothing_is_made_where_opening_fails() {
        let mut guest = Guest::new();
        make(&guest, "shown");
        let ways = [(SHOWN, "new", CREATE), (SHOWN, "dangling", CREATE), (SHOWN, "none/new", CREATE)];
        for (fd, path, how) in ways {
            assert!(guest.open(fd, path, how).is_err(), "{path}");
        }
        assert_eq!(guest.open(SHOWN, "none/new", CREATE), Err(Errno::Noent));
        assert_eq!(guest.open(SHOWN, "file/new", CREATE), Err(Errno::Notdir));
        assert_eq!(guest.open(SHOWN, "new/", CREATE), Err(Errno::Isdir));
        assert_eq!(guest.open(DATA, "new/", CREATE), Err(Errno::Isdir));
        let both = Open { oflags: abi::OFLAG_DIRECTORY | abi::OFLAG_CREAT, ..READ };
        assert_eq!(guest.open(DATA, "new", both), Err(Errno::Inval));
        for path in ["shown/new", "shown/nowhere", "shown/none", "data/new"] {
            assert!(!guest.exists(path), "{path}");
        }
    }

    fn only_the_right_to_write_opens_for_writing() {
        let mut guest = Guest::new();
        guest.file("data/file", "text");
        for fd in [DATA, SHOWN] {
            let path = if fd == DATA { "file" } else { "page" };
            let file = guest.open(fd, path, READ_MUCH).unwrap();
            assert_eq!(guest.read(file, 10).unwrap().len(), 4);
            let (_, _, rights, _) = guest.description(file).unwrap();
            assert_eq!(rights & rights::WRITING, 0);
            assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), 0]), Err(Errno::Notcapable));
        }
        assert_eq!((guest.content("data/file"), guest.content("shown/page")), ("text".into(), "page".into()));
        let directory = guest.open(SHOWN, ".", READ_MUCH).unwrap();
        assert_eq!(guest.description(directory).unwrap().0, 3);
    }

    fn a_file_opened_without_rights_can_only_be_closed() {
        let mut guest = Guest::new();
        guest.file("data/file", "text");
        let file = guest.open(DATA, "file", Open { rights: 0, ..READ }).unwrap();
        assert_eq!(guest.read(file, 1), Err(Errno::Notcapable));
        assert_eq!(guest.write(file, b"x"), Err(Errno::Notcapable));
        assert_eq!(guest.attributes(file), Err(Errno::Notcapable));
        assert_eq!(guest.set_flags(file, 0), Err(Errno::Notcapable));
        assert_eq!(guest.description(file).unwrap(), (4, 0, 0, 0));
        assert_eq!(guest.close(file), Ok(()));
    }

    fn a_full_device_has_no_space_left() {
        let devices = DirGrant { name: None, host: "/dev".into(), guest: "/dev".into(), writable: true };
        let mut guest = Guest::with(|grants| grants.dirs = vec![devices]);
        let full = guest.open(3, "full", WRITE).unwrap();
        assert_eq!(guest.write(full, b"x"), Err(Errno::Nospc));
        let null = guest.open(3, "null", WRITE).unwrap();
        assert_eq!(guest.write(null, b"x"), Ok(1));
        assert_eq!(guest.read(null, 1).unwrap(), b"");
    }
}
