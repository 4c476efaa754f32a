//! Opening, making, renaming, linking and removing.

use super::*;

const EXCLUSIVE: Open = Open { oflags: abi::OFLAG_CREAT | abi::OFLAG_EXCL, ..WRITE };
const TRUNCATE: Open = Open { oflags: abi::OFLAG_TRUNC, ..WRITE };

fn set_times(guest: &mut Guest, fd: u32, path: &str, follow: bool, mtim: u64) -> Result<(), Errno> {
    let at = guest.put(path.as_bytes());
    let flags = u64::from(abi::FSTFLAG_MTIM);
    guest.call("path_filestat_set_times", &[fd.into(), follow.into(), at.into(), path.len() as u64, 0, mtim, flags])
}

cases! {
    fn opening_follows_posix() {
        let mut guest = Guest::new();
        assert_eq!(guest.open(DATA, "missing", READ), Err(Errno::Noent));
        assert_eq!(guest.open(DATA, "missing/a", CREATE), Err(Errno::Noent));
        assert_eq!(guest.open(DATA, "", READ), Err(Errno::Noent));
        let file = guest.open(DATA, "a", EXCLUSIVE).unwrap();
        guest.write(file, b"text").unwrap();
        assert_eq!(guest.open(DATA, "a", EXCLUSIVE), Err(Errno::Exist));
        assert_eq!(guest.open(DATA, "a", DIRECTORY), Err(Errno::Notdir));
        assert_eq!(guest.open(DATA, "a/", READ), Err(Errno::Notdir));
        assert_eq!(guest.open(DATA, "a/b", READ), Err(Errno::Notdir));
        assert_eq!(guest.open(DATA, ".", WRITE), Err(Errno::Isdir));
        assert_eq!(guest.open(file, "b", READ), Err(Errno::Notdir));
        guest.open(DATA, "a", TRUNCATE).unwrap();
        assert_eq!(guest.content("data/a"), "");
    }

    fn flags_that_do_not_exist_are_invalid() {
        let mut guest = Guest::new();
        assert_eq!(guest.open(DATA, "a", Open { oflags: 16, ..READ }), Err(Errno::Inval));
        assert_eq!(guest.open(DATA, "a", Open { fdflags: 32, ..READ }), Err(Errno::Inval));
    }

    fn bad_names_have_their_errors() {
        let mut guest = Guest::new();
        assert_eq!(guest.open(DATA, &"n".repeat(256), READ), Err(Errno::Nametoolong));
        assert_eq!(guest.open(DATA, &"n/".repeat(2048), READ), Err(Errno::Nametoolong));
        assert_eq!(guest.open(DATA, "a\0b", READ), Err(Errno::Inval));
        let bytes = guest.put(b"a\xff");
        let arguments = |len| [u64::from(DATA), bytes.into(), len];
        assert_eq!(guest.call("path_create_directory", &arguments(2)), Err(Errno::Ilseq));
        assert_eq!(guest.call("path_create_directory", &arguments(u64::from(u32::MAX))), Err(Errno::Fault));
    }

    fn descriptors_tell_their_kind_rights_and_flags() {
        let mut guest = Guest::new();
        let how = Open { fdflags: abi::FDFLAG_APPEND | abi::FDFLAG_NONBLOCK | abi::FDFLAG_DSYNC, ..CREATE };
        let file = guest.open(DATA, "a", how).unwrap();
        assert_eq!(guest.description(file).unwrap(), (4, how.fdflags, rights::FILE, 0));
        let all = !rights::FD_WRITE;
        let directory = guest.open(DATA, ".", Open { rights: all, ..DIRECTORY }).unwrap();
        let (kind, _, rights, inheriting) = guest.description(directory).unwrap();
        assert_eq!((kind, rights, inheriting), (3, rights::DIRECTORY, rights::DIRECTORY | rights::FILE));
    }

    fn directories_are_made_and_removed() {
        let mut guest = Guest::new();
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        guest.call_path("path_create_directory", DATA, "d/e/").unwrap();
        assert_eq!(guest.call_path("path_create_directory", DATA, "d"), Err(Errno::Exist));
        assert_eq!(guest.call_path("path_create_directory", DATA, "."), Err(Errno::Exist));
        assert_eq!(guest.call_path("path_create_directory", DATA, "d/.."), Err(Errno::Exist));
        assert_eq!(guest.call_path("path_create_directory", DATA, "x/y"), Err(Errno::Noent));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "d"), Err(Errno::Notempty));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "d/e/"), Ok(()));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "d/."), Err(Errno::Inval));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "d"), Ok(()));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "d"), Err(Errno::Noent));
        guest.file("data/f", "");
        assert_eq!(guest.call_path("path_remove_directory", DATA, "f"), Err(Errno::Notdir));
    }

    fn files_are_removed_and_directories_are_not_files() {
        let mut guest = Guest::new();
        guest.file("data/f", "");
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        guest.symlink("d", "data/l");
        assert_eq!(guest.call_path("path_unlink_file", DATA, "d"), Err(Errno::Isdir));
        assert_eq!(guest.call_path("path_unlink_file", DATA, "d/"), Err(Errno::Isdir));
        assert_eq!(guest.call_path("path_unlink_file", DATA, "f/"), Err(Errno::Notdir));
        assert_eq!(guest.call_path("path_unlink_file", DATA, "f"), Ok(()));
        assert_eq!(guest.call_path("path_unlink_file", DATA, "f"), Err(Errno::Noent));
        assert_eq!(guest.call_path("path_remove_directory", DATA, "l"), Err(Errno::Notdir));
        assert_eq!(guest.call_path("path_unlink_file", DATA, "l"), Ok(()));
        assert!(guest.exists("data/d"), "the link is removed, not where it leads");
    }

    fn an_open_file_outlives_its_name() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        guest.call_path("path_unlink_file", DATA, "a").unwrap();
        guest.write(file, b"still").unwrap();
        assert_eq!(guest.attributes(file).unwrap().links, 0);
    }

    fn renaming_moves_and_replaces() {
        let mut guest = Guest::new();
        guest.file("data/a", "a");
        guest.file("data/b", "b");
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        guest.rename(DATA, "a", DATA, "b").unwrap();
        assert_eq!((guest.content("data/b"), guest.exists("data/a")), ("a".into(), false));
        guest.rename(DATA, "b", DATA, "d/c").unwrap();
        assert_eq!(guest.content("data/d/c"), "a");
        assert_eq!(guest.rename(DATA, "a", DATA, "z"), Err(Errno::Noent));
        guest.call_path("path_create_directory", DATA, "o").unwrap();
        assert_eq!(guest.rename(DATA, "d/c", DATA, "o"), Err(Errno::Isdir));
        assert_eq!(guest.rename(DATA, "o", DATA, "d"), Err(Errno::Notempty));
        assert_eq!(guest.rename(DATA, "o", DATA, "d/c"), Err(Errno::Notdir));
        assert_eq!(guest.rename(DATA, "d", DATA, "d/c"), Err(Errno::Inval));
        assert_eq!(guest.rename(DATA, "d", DATA, "."), Err(Errno::Busy));
        assert_eq!(guest.rename(DATA, "d/c", DATA, "e/"), Err(Errno::Notdir));
        assert_eq!(guest.rename(DATA, "d/c/", DATA, "e"), Err(Errno::Notdir));
        assert_eq!(guest.rename(DATA, "d/", DATA, "e/"), Ok(()));
        assert!(guest.exists("data/e/c"));
    }

    fn renaming_works_between_granted_directories() {
        let mut guest = Guest::new();
        guest.file("data/a", "a");
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        guest.file("data/d/x", "x");
        assert_eq!(guest.rename(DATA, "a", MORE, "b"), Ok(()));
        assert_eq!(guest.content("more/b"), "a");
        assert_eq!(guest.rename(DATA, "d", MORE, "d"), Ok(()));
        assert_eq!(guest.content("more/d/x"), "x");
        assert_eq!(guest.rename(MORE, "b", SHOWN, "b"), Err(Errno::Rofs));
        assert_eq!(guest.rename(SHOWN, "page", MORE, "page"), Err(Errno::Rofs));
        assert!(guest.exists("shown/page"));
    }

    fn hard_links_are_other_names_of_a_file() {
        let mut guest = Guest::new();
        guest.file("data/a", "a");
        assert_eq!(guest.link(DATA, false, "a", MORE, "b"), Ok(()));
        assert_eq!(guest.path_attributes(MORE, "b", true).unwrap().links, 2);
        assert_eq!(guest.link(DATA, false, "a", MORE, "b"), Err(Errno::Exist));
        assert_eq!(guest.link(DATA, false, "missing", MORE, "c"), Err(Errno::Noent));
        assert_eq!(guest.link(DATA, false, "a/", MORE, "c"), Err(Errno::Notdir));
        assert_eq!(guest.link(DATA, false, "a", MORE, "c/"), Err(Errno::Noent));
        assert_eq!(guest.link(DATA, false, ".", MORE, "c"), Err(Errno::Perm));
        assert_eq!(guest.link(DATA, true, "a", MORE, "c"), Err(Errno::Inval));
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        assert_eq!(guest.link(DATA, false, "d", MORE, "c"), Err(Errno::Perm));
    }

    fn links_to_links_link_the_link() {
        let mut guest = Guest::new();
        guest.symlink("nowhere", "data/l");
        guest.link(DATA, false, "l", DATA, "m").unwrap();
        assert_eq!(guest.read_link(DATA, "m", 100).unwrap(), "nowhere");
    }

    fn symbolic_links_are_made_read_and_followed() {
        let mut guest = Guest::new();
        guest.file("data/a", "text");
        guest.call_path("path_create_directory", DATA, "d").unwrap();
        guest.make_symlink("../a", DATA, "d/l").unwrap();
        assert_eq!(guest.read_link(DATA, "d/l", 100).unwrap(), "../a");
        assert_eq!(guest.read_link(DATA, "d/l", 2).unwrap(), "..");
        assert_eq!(guest.read_link(DATA, "a", 100), Err(Errno::Inval));
        assert_eq!(guest.read_link(DATA, "missing", 100), Err(Errno::Noent));
        let file = guest.open(DATA, "d/l", READ).unwrap();
        assert_eq!(guest.read(file, 10).unwrap(), b"text");
        assert_eq!(guest.open(DATA, "d/l", Open { follow: false, ..READ }), Err(Errno::Loop));
        assert_eq!(guest.path_attributes(DATA, "d/l", true).unwrap().kind, 4);
        assert_eq!(guest.path_attributes(DATA, "d/l", false).unwrap().kind, 7);
        assert_eq!(guest.make_symlink("x", DATA, "d/l"), Err(Errno::Exist));
        assert_eq!(guest.make_symlink("x", DATA, "."), Err(Errno::Exist));
        assert_eq!(guest.make_symlink("x", DATA, "new/"), Err(Errno::Noent));
    }

    fn dangling_and_circular_links_have_their_errors() {
        let mut guest = Guest::new();
        guest.make_symlink("missing", DATA, "dangling").unwrap();
        guest.make_symlink("loop", DATA, "loop").unwrap();
        assert_eq!(guest.open(DATA, "dangling", READ), Err(Errno::Noent));
        assert_eq!(guest.path_attributes(DATA, "dangling", true), Err(Errno::Noent));
        assert_eq!(guest.path_attributes(DATA, "dangling", false).unwrap().kind, 7);
        assert_eq!(guest.open(DATA, "dangling", EXCLUSIVE), Err(Errno::Exist));
        assert_eq!(guest.open(DATA, "loop", READ), Err(Errno::Loop));
        assert_eq!(guest.open(DATA, "loop/a", READ), Err(Errno::Loop));
        guest.open(DATA, "dangling", CREATE).unwrap();
        assert!(guest.exists("data/missing"), "a link can be created through");
    }

    fn times_are_set_by_path() {
        let mut guest = Guest::new();
        guest.file("data/a", "");
        guest.symlink("a", "data/l");
        set_times(&mut guest, DATA, "l", true, 5_000_000_007).unwrap();
        assert_eq!(guest.path_attributes(DATA, "a", true).unwrap().modified, 5_000_000_007);
        set_times(&mut guest, DATA, "l", false, 9).unwrap();
        assert_eq!(guest.path_attributes(DATA, "l", false).unwrap().modified, 9);
        assert_eq!(guest.path_attributes(DATA, "a", true).unwrap().modified, 5_000_000_007);
        assert_eq!(set_times(&mut guest, DATA, "missing", true, 9), Err(Errno::Noent));
        assert_eq!(guest.call_path("path_create_directory", DATA, "d"), Ok(()));
        set_times(&mut guest, DATA, "d/", true, 11).unwrap();
    }

    fn lookup_flags_that_do_not_exist_are_invalid() {
        let mut guest = Guest::new();
        let stat = guest.room(64);
        let path = guest.put(b"a");
        assert_eq!(guest.call("path_filestat_get", &[DATA.into(), 2, path.into(), 1, stat.into()]), Err(Errno::Inval));
    }

    fn a_directory_for_reading_is_like_a_read_only_file_system() {
        let mut guest = Guest::new();
        guest.symlink("page", "shown/link");
        std::fs::create_dir(guest.at("shown/sub")).unwrap();
        let page = guest.open(SHOWN, "page", READ).unwrap();
        assert_eq!(guest.read(page, 10).unwrap(), b"page");
        assert_eq!(guest.open(SHOWN, "page", WRITE), Err(Errno::Rofs));
        assert_eq!(guest.open(SHOWN, "page", Open { oflags: abi::OFLAG_TRUNC, ..READ }), Err(Errno::Rofs));
        assert_eq!(guest.open(SHOWN, "new", CREATE), Err(Errno::Rofs));
        assert_eq!(guest.open(SHOWN, "missing", WRITE), Err(Errno::Noent));
        assert_eq!(guest.open(SHOWN, "page", EXCLUSIVE), Err(Errno::Exist));
        assert!(guest.open(SHOWN, "page", Open { oflags: abi::OFLAG_CREAT, ..READ }).is_ok());
        assert_eq!(guest.call_path("path_create_directory", SHOWN, "new"), Err(Errno::Rofs));
        for name in ["path_remove_directory", "path_unlink_file"] {
            assert_eq!(guest.call_path(name, SHOWN, "page"), Err(Errno::Rofs), "{name}");
        }
        assert_eq!(guest.make_symlink("x", SHOWN, "y"), Err(Errno::Rofs));
        assert_eq!(set_times(&mut guest, SHOWN, "page", true, 9), Err(Errno::Rofs));
        let timed = Open { rights: READ.rights | rights::FD_FILESTAT_SET_TIMES, ..READ };
        let page = guest.open(SHOWN, "page", timed).unwrap();
        assert_eq!(guest.call("fd_filestat_set_times", &[page.into(), 0, 9, 4]), Err(Errno::Rofs));
        assert_eq!(guest.call("fd_filestat_set_times", &[SHOWN.into(), 0, 9, 4]), Err(Errno::Rofs));
        let sub = guest.open(SHOWN, "sub", DIRECTORY).unwrap();
        assert_eq!(guest.open(sub, "new", CREATE), Err(Errno::Rofs));
        assert_eq!(guest.read_link(SHOWN, "link", 10).unwrap(), "page");
        assert_eq!(guest.content("shown/page"), "page");
    }

    fn names_that_are_there_are_told_where_nothing_can_be_made() {
        let mut guest = Guest::new();
        guest.symlink("nowhere", "shown/link");
        std::fs::create_dir(guest.at("shown/sub")).unwrap();
        for name in ["page", "sub", "sub/", "link", ".", "sub/.."] {
            assert_eq!(guest.call_path("path_create_directory", SHOWN, name), Err(Errno::Exist), "{name}");
            assert_eq!(guest.make_symlink("x", SHOWN, name), Err(Errno::Exist), "{name}");
        }
        for (name, errno) in [("none/new", Errno::Noent), ("page/new", Errno::Notdir), ("../new", Errno::Perm)] {
            assert_eq!(guest.call_path("path_create_directory", SHOWN, name), Err(errno), "{name}");
            assert_eq!(guest.make_symlink("x", SHOWN, name), Err(errno), "{name}");
        }
        assert_eq!(set_times(&mut guest, SHOWN, "missing", true, 9), Err(Errno::Noent));
        assert_eq!(set_times(&mut guest, SHOWN, "link", true, 9), Err(Errno::Noent));
        assert_eq!(set_times(&mut guest, SHOWN, "link", false, 9), Err(Errno::Rofs));
    }

    fn a_hard_link_is_no_way_around_reading_only() {
        let mut guest = Guest::new();
        assert_eq!(guest.link(SHOWN, false, "page", MORE, "page"), Err(Errno::Rofs));
        assert!(!guest.exists("more/page"));
    }

    fn paths_are_relative_to_opened_directories_too() {
        let mut guest = Guest::new();
        std::fs::create_dir_all(guest.at("data/d/e")).unwrap();
        guest.file("data/d/e/f", "deep");
        let directory = guest.open(DATA, "d", DIRECTORY).unwrap();
        let file = guest.open(directory, "e/../e/./f", READ).unwrap();
        assert_eq!(guest.read(file, 10).unwrap(), b"deep");
        assert_eq!(guest.open(directory, "../d/e/f", READ), Err(Errno::Perm));
    }
}
