//! Symbolic links in the last place of a path: which functions follow them, and where to.

use super::*;

/// Links by where they lead, and what is there.
fn make(guest: &Guest) {
    guest.file("data/file", "text");
    std::fs::create_dir(guest.at("data/dir")).unwrap();
    guest.file("data/dir/inner", "inner");
    let outside = guest.at("outside").display().to_string();
    let links = [
        ("file", "to-file"),
        ("dir", "to-dir"),
        ("nowhere", "dangling"),
        ("loop", "loop"),
        ("pong", "ping"),
        ("ping", "pong"),
        ("../outside/secret", "out"),
        ("../outside", "out-dir"),
        ("../outside/nowhere", "out-nowhere"),
        (&format!("{outside}/secret"), "absolute"),
        (&outside, "absolute-dir"),
    ];
    for (target, name) in links {
        guest.symlink(target, &format!("data/{name}"));
    }
}

const LINKS: [&str; 11] = [
    "to-file",
    "to-dir",
    "dangling",
    "loop",
    "ping",
    "pong",
    "out",
    "out-dir",
    "out-nowhere",
    "absolute",
    "absolute-dir",
];

const FILE: u8 = 4;
const DIR: u8 = 3;
const LINK: u8 = 7;

/// Paths, whether the last link is followed, and what is found.
const FOUND: &[(&str, bool, Result<u8, Errno>)] = &[
    ("to-file", true, Ok(FILE)),
    ("to-file", false, Ok(LINK)),
    ("to-file/", true, Err(Errno::Notdir)),
    ("to-file/", false, Err(Errno::Notdir)),
    ("to-file/.", false, Err(Errno::Notdir)),
    ("to-dir", true, Ok(DIR)),
    ("to-dir", false, Ok(LINK)),
    ("to-dir/", true, Ok(DIR)),
    ("to-dir/", false, Ok(DIR)),
    ("to-dir/.", false, Ok(DIR)),
    ("to-dir/inner", false, Ok(FILE)),
    ("to-dir/../file", false, Ok(FILE)),
    ("dangling", true, Err(Errno::Noent)),
    ("dangling", false, Ok(LINK)),
    ("dangling/", false, Err(Errno::Noent)),
    ("dangling/inner", false, Err(Errno::Noent)),
    ("loop", true, Err(Errno::Loop)),
    ("loop", false, Ok(LINK)),
    ("loop/", false, Err(Errno::Loop)),
    ("ping", true, Err(Errno::Loop)),
    ("ping/inner", false, Err(Errno::Loop)),
    ("out", true, Err(Errno::Perm)),
    ("out", false, Ok(LINK)),
    ("out/", false, Err(Errno::Perm)),
    ("out-dir", true, Err(Errno::Perm)),
    ("out-dir", false, Ok(LINK)),
    ("out-dir/", true, Err(Errno::Perm)),
    ("out-dir/", false, Err(Errno::Perm)),
    ("out-dir/secret", false, Err(Errno::Perm)),
    ("out-dir/../data/file", false, Err(Errno::Perm)),
    ("out-nowhere", true, Err(Errno::Perm)),
    ("out-nowhere", false, Ok(LINK)),
    ("absolute", true, Err(Errno::Perm)),
    ("absolute", false, Ok(LINK)),
    ("absolute-dir", true, Err(Errno::Perm)),
    ("absolute-dir/", false, Err(Errno::Perm)),
    ("absolute-dir/secret", false, Err(Errno::Perm)),
];

/// The names below `data` and `outside`.
fn everything(guest: &Guest) -> BTreeSet<String> {
    ["data", "data/dir", "outside"]
        .into_iter()
        .flat_map(|directory| std::fs::read_dir(guest.at(directory)).unwrap())
        .map(|entry| entry.unwrap().path().strip_prefix(guest.tree.path()).unwrap().display().to_string())
        .collect()
}

cases! {
    fn attributes_are_those_of_the_link_unless_it_is_followed() {
        let mut guest = Guest::new();
        make(&guest);
        for (path, follow, expected) in FOUND {
            let found = guest.path_attributes(DATA, path, *follow).map(|attributes| attributes.kind);
            assert_eq!(found, *expected, "{path} {follow}");
        }
    }

    fn a_link_that_is_not_followed_cannot_be_opened() {
        let mut guest = Guest::new();
        make(&guest);
        for (path, follow, expected) in FOUND {
            let expected = if *expected == Ok(LINK) { Err(Errno::Loop) } else { *expected };
            let opened = guest.open(DATA, path, Open { follow: *follow, ..READ });
            let kind = opened.map(|fd| guest.description(fd).unwrap().0);
            assert_eq!(kind, expected, "{path} {follow}");
            if let Ok(fd) = opened {
                guest.close(fd).unwrap();
            }
        }
    }

    fn times_of_a_link_are_its_own_unless_it_is_followed() {
        let mut guest = Guest::new();
        make(&guest);
        for (path, follow, expected) in FOUND {
            let at = guest.put(path.as_bytes());
            let flags = abi::FSTFLAG_MTIM.into();
            let arguments = [DATA.into(), u64::from(*follow), at.into(), path.len() as u64, 0, 77, flags];
            let answer = guest.call("path_filestat_set_times", &arguments);
            assert_eq!(answer, expected.map(|_| ()), "{path} {follow}");
            if answer.is_ok() {
                assert_eq!(guest.path_attributes(DATA, path, *follow).unwrap().modified, 77, "{path} {follow}");
            }
        }
        let secret = std::fs::metadata(guest.at("outside/secret")).unwrap();
        assert_ne!(std::os::unix::fs::MetadataExt::mtime_nsec(&secret), 77);
    }

    fn only_links_can_be_read_as_links() {
        let mut guest = Guest::new();
        make(&guest);
        for (path, _, expected) in FOUND.iter().filter(|(_, follow, _)| !follow) {
            match *expected {
                Ok(LINK) => assert!(guest.read_link(DATA, path, 1000).is_ok(), "{path}"),
                Ok(_) => assert_eq!(guest.read_link(DATA, path, 1000), Err(Errno::Inval), "{path}"),
                Err(errno) => assert_eq!(guest.read_link(DATA, path, 1000), Err(errno), "{path}"),
            }
        }
        assert_eq!(guest.read_link(DATA, "to-file", 0), Ok(String::new()));
    }

    fn a_link_is_in_the_way_of_what_must_be_new() {
        let mut guest = Guest::new();
        make(&guest);
        let before = everything(&guest);
        for name in LINKS {
            let exclusive = Open { oflags: abi::OFLAG_CREAT | abi::OFLAG_EXCL, ..WRITE };
            assert_eq!(guest.open(DATA, name, exclusive), Err(Errno::Exist), "{name}");
            assert_eq!(guest.open(DATA, name, Open { follow: false, ..exclusive }), Err(Errno::Exist), "{name}");
            for end in ["", "/"] {
                let path = format!("{name}{end}");
                assert_eq!(guest.call_path("path_create_directory", DATA, &path), Err(Errno::Exist), "{path}");
                assert_eq!(guest.make_symlink("x", DATA, &path), Err(Errno::Exist), "{path}");
                assert_eq!(guest.link(DATA, false, "file", DATA, &path), Err(Errno::Exist), "{path}");
            }
        }
        assert_eq!(everything(&guest), before);
        assert_eq!(guest.content("outside/secret"), "secret");
    }

    fn a_link_is_no_directory_to_be_removed() {
        let mut guest = Guest::new();
        make(&guest);
        let before = everything(&guest);
        for name in LINKS {
            let with_slash = format!("{name}/");
            assert_eq!(guest.call_path("path_remove_directory", DATA, name), Err(Errno::Notdir), "{name}");
            assert_eq!(guest.call_path("path_remove_directory", DATA, &with_slash), Err(Errno::Notdir), "{name}");
            assert_eq!(guest.call_path("path_unlink_file", DATA, &with_slash), Err(Errno::Notdir), "{name}");
            assert_eq!(guest.rename(DATA, &with_slash, DATA, "moved"), Err(Errno::Notdir), "{name}");
            assert_eq!(guest.link(DATA, false, &with_slash, DATA, "linked"), Err(Errno::Notdir), "{name}");
            assert_eq!(guest.rename(DATA, "dir", DATA, name), Err(Errno::Notdir), "{name}");
        }
        assert_eq!(everything(&guest), before);
    }

    fn links_are_moved_replaced_linked_and_removed_themselves() {
        let mut guest = Guest::new();
        make(&guest);
        for name in LINKS {
            let target = guest.read_link(DATA, name, 1000).unwrap();
            guest.rename(DATA, name, DATA, "dir/moved").unwrap();
            assert_eq!(guest.read_link(DATA, "dir/moved", 1000), Ok(target.clone()), "{name}");
            guest.link(DATA, false, "dir/moved", DATA, name).unwrap();
            assert_eq!(guest.read_link(DATA, name, 1000), Ok(target), "{name}");
            guest.call_path("path_unlink_file", DATA, "dir/moved").unwrap();
            guest.file("data/new", "new");
            guest.rename(DATA, "new", DATA, name).unwrap();
            assert_eq!(guest.path_attributes(DATA, name, false).unwrap().kind, FILE, "{name}");
        }
        assert_eq!(guest.content("data/file"), "text");
        assert_eq!(guest.content("outside/secret"), "secret");
        assert!(guest.exists("data/dir/inner") && !guest.exists("outside/nowhere"));
    }

    fn as_many_links_are_followed_as_on_the_host() {
        let mut guest = Guest::new();
        guest.file("data/file", "text");
        guest.symlink("file", "data/1");
        for number in 2..=41 {
            guest.symlink(&format!("{}", number - 1), &format!("data/{number}"));
        }
        assert_eq!(guest.path_attributes(DATA, "40", true).unwrap().kind, FILE);
        assert_eq!(guest.path_attributes(DATA, "41", true), Err(Errno::Loop));
        assert_eq!(guest.open(DATA, "41", READ), Err(Errno::Loop));
        assert_eq!(guest.open(DATA, "41", CREATE), Err(Errno::Loop));
    }
}
