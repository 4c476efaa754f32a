//! Making, moving and removing names: what is there decides what can be done.

use super::*;

/// A file, an empty directory, a directory that holds `inner`, and nothing.
fn make(guest: &Guest, parent: &str) {
    guest.file(&format!("{parent}/file"), "file");
    std::fs::create_dir(guest.at(&format!("{parent}/empty"))).unwrap();
    std::fs::create_dir(guest.at(&format!("{parent}/full"))).unwrap();
    guest.file(&format!("{parent}/full/inner"), "inner");
}

const PATHS: [&str; 8] = ["nothing", "nothing/", "file", "file/", "empty", "empty/", "full", "full/"];

const OK: Result<(), Errno> = Ok(());
const BUSY: Result<(), Errno> = Err(Errno::Busy);
const EXIST: Result<(), Errno> = Err(Errno::Exist);
const INVAL: Result<(), Errno> = Err(Errno::Inval);
const ISDIR: Result<(), Errno> = Err(Errno::Isdir);
const NOENT: Result<(), Errno> = Err(Errno::Noent);
const NOTDIR: Result<(), Errno> = Err(Errno::Notdir);
const FULL: Result<(), Errno> = Err(Errno::Notempty);
const PERM: Result<(), Errno> = Err(Errno::Perm);

/// What each of [`PATHS`] gives, where nothing was changed before.
fn each(call: impl Fn(&mut Guest, &str) -> Result<(), Errno>) -> [Result<(), Errno>; 8] {
    let mut unchanged = None;
    PATHS.map(|path| {
        let mut guest = unchanged.take().unwrap_or_else(|| {
            let guest = Guest::new();
            make(&guest, "data");
            make(&guest, "more");
            guest
        });
        let answer = call(&mut guest, path);
        if answer.is_err() {
            unchanged = Some(guest);
        }
        answer
    })
}

cases! {
    fn what_is_there_decides_what_can_be_made_and_removed() {
        // Nothing, a file, an empty directory, a full one; each without and with a slash at its end.
        let expected = [
            ("path_create_directory", [OK, OK, EXIST, EXIST, EXIST, EXIST, EXIST, EXIST]),
            ("path_remove_directory", [NOENT, NOENT, NOTDIR, NOTDIR, OK, OK, FULL, FULL]),
            ("path_unlink_file", [NOENT, NOENT, OK, NOTDIR, ISDIR, ISDIR, ISDIR, ISDIR]),
        ];
        for (name, answers) in expected {
            assert_eq!(each(|guest, path| guest.call_path(name, DATA, path)), answers, "{name}");
        }
        let linked = [OK, NOENT, EXIST, EXIST, EXIST, EXIST, EXIST, EXIST];
        assert_eq!(each(|guest, path| guest.make_symlink("target", DATA, path)), linked);
        assert_eq!(each(|guest, path| guest.link(DATA, false, "full/inner", DATA, path)), linked);
        assert_eq!(each(|guest, path| guest.link(DATA, false, "file", MORE, path)), linked);
    }

    fn only_files_have_hard_links() {
        let linked = [NOENT, NOENT, OK, NOTDIR, PERM, PERM, PERM, PERM];
        for fd in [DATA, MORE] {
            assert_eq!(each(|guest, path| guest.link(DATA, false, path, fd, "new")), linked);
        }
        assert_eq!(each(|guest, path| guest.link(DATA, true, path, DATA, "new")), [INVAL; 8]);
    }

    fn files_replace_files_and_directories_empty_ones() {
        let expected = [
            ("nothing", [NOENT; 8]),
            ("file", [OK, NOTDIR, OK, NOTDIR, ISDIR, NOTDIR, ISDIR, NOTDIR]),
            ("file/", [NOTDIR; 8]),
            ("empty", [OK, OK, NOTDIR, NOTDIR, OK, OK, FULL, FULL]),
            ("full/", [OK, OK, NOTDIR, NOTDIR, OK, OK, FULL, FULL]),
        ];
        // Between granted directories, so that nothing is renamed to itself.
        for (old, answers) in expected {
            assert_eq!(each(|guest, path| guest.rename(DATA, old, MORE, path)), answers, "{old}");
        }
    }

    fn renaming_to_itself_does_nothing() {
        for path in ["file", "empty", "full", "full/"] {
            let mut guest = Guest::new();
            make(&guest, "data");
            assert_eq!(guest.rename(DATA, path, DATA, path), OK, "{path}");
            assert!(guest.exists(&format!("data/{path}")));
        }
        let mut guest = Guest::new();
        make(&guest, "data");
        guest.link(DATA, false, "file", DATA, "twin").unwrap();
        assert_eq!(guest.rename(DATA, "file", DATA, "twin"), OK);
        assert!(guest.exists("data/file") && guest.exists("data/twin"), "both names are of one file");
    }

    fn a_directory_does_not_go_into_itself_or_over_what_holds_it() {
        let mut guest = Guest::new();
        make(&guest, "data");
        std::fs::create_dir(guest.at("data/full/below")).unwrap();
        assert_eq!(guest.rename(DATA, "full", DATA, "full/below/new"), INVAL);
        assert_eq!(guest.rename(DATA, "full", DATA, "full/below"), INVAL);
        assert_eq!(guest.rename(DATA, "full/below", DATA, "full"), FULL);
        for path in [".", "full/.", "full/..", "./"] {
            assert_eq!(guest.rename(DATA, path, DATA, "new"), BUSY, "{path}");
            assert_eq!(guest.rename(DATA, "full", DATA, path), BUSY, "{path}");
        }
    }

    fn where_a_name_would_be_must_be_a_directory() {
        let mut guest = Guest::new();
        make(&guest, "data");
        for (parent, errno) in [("nothing", NOENT), ("file", NOTDIR), ("empty/..file", NOENT)] {
            let path = format!("{parent}/new");
            for name in ["path_create_directory", "path_remove_directory", "path_unlink_file"] {
                assert_eq!(guest.call_path(name, DATA, &path), errno, "{name} {path}");
            }
            assert_eq!(guest.make_symlink("x", DATA, &path), errno, "{path}");
            assert_eq!(guest.link(DATA, false, "file", DATA, &path), errno, "{path}");
            assert_eq!(guest.link(DATA, false, &path, DATA, "new"), errno, "{path}");
            assert_eq!(guest.rename(DATA, "file", DATA, &path), errno, "{path}");
            assert_eq!(guest.rename(DATA, &path, DATA, "new"), errno, "{path}");
        }
    }

    fn a_name_has_255_bytes_at_most() {
        let mut guest = Guest::new();
        make(&guest, "data");
        let (fits, long) = ("n".repeat(255), "n".repeat(256));
        let too_long = Err(Errno::Nametoolong);
        for path in [long.clone(), format!("{long}/"), format!("{long}/new"), format!("empty/{long}")] {
            for name in ["path_create_directory", "path_remove_directory", "path_unlink_file"] {
                assert_eq!(guest.call_path(name, DATA, &path), too_long, "{name}");
            }
            assert_eq!(guest.rename(DATA, "full", DATA, &path), too_long);
            assert_eq!(guest.link(DATA, false, "file", DATA, &path), too_long);
            assert_eq!(guest.make_symlink("x", DATA, &path), too_long);
            assert_eq!(guest.path_attributes(DATA, &path, true), Err(Errno::Nametoolong));
        }
        assert_eq!(guest.make_symlink(&long, DATA, &fits), OK, "what a link holds is no name");
        assert_eq!(guest.open(DATA, &fits, READ), Err(Errno::Nametoolong));
    }

    fn a_path_has_4095_bytes_at_most() {
        let mut guest = Guest::new();
        make(&guest, "data");
        let start = "./".repeat(2045);
        assert_eq!(guest.path_attributes(DATA, &format!("{start}./file"), true), Err(Errno::Nametoolong));
        assert_eq!(guest.path_attributes(DATA, &format!("{start}.file"), true), Err(Errno::Noent));
        assert_eq!(guest.path_attributes(DATA, &format!("{start}/file"), true).unwrap().size, 4);
    }

    fn slashes_and_dots_in_between_mean_nothing() {
        let mut guest = Guest::new();
        make(&guest, "data");
        for path in ["full//inner", "./full/./inner", "full/../full/inner", ".//empty/..//full/inner"] {
            assert_eq!(guest.path_attributes(DATA, path, true).unwrap().size, 5, "{path}");
        }
        assert_eq!(guest.call_path("path_create_directory", DATA, "./empty//.././/empty/new//"), OK);
        assert_eq!(guest.call_path("path_remove_directory", DATA, "empty/../empty/./new/"), OK);
    }
}
