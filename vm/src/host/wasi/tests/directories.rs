//! Granted directories and entries.

use std::collections::BTreeSet;

use super::*;

fn names(entries: &[Entry]) -> BTreeSet<String> {
    entries.iter().map(|entry| entry.name.clone()).collect()
}

/// All entries, read by calls with a buffer of this size.
fn all_entries(guest: &mut Guest, fd: u32, len: u32) -> Vec<Entry> {
    let mut all: Vec<Entry> = Vec::new();
    for _ in 0..10_000 {
        let cookie = all.last().map_or(0, |entry| entry.next);
        let (entries, full) = guest.entries(fd, cookie, len).unwrap();
        let is_end = !full;
        all.extend(entries);
        if is_end {
            return all;
        }
    }
    panic!("there is no end");
}

cases! {
    fn granted_directories_follow_the_streams_under_their_names() {
        let mut guest = Guest::new();
        let (prestat, name) = (guest.room(8), guest.room(16));
        for (fd, expected) in [(DATA, "/data"), (SHOWN, "/shown"), (MORE, "/more")] {
            guest.call("fd_prestat_get", &[fd.into(), prestat.into()]).unwrap();
            assert_eq!((guest.u32_at(prestat), guest.u32_at(prestat + 4)), (0, expected.len() as u32));
            guest.call("fd_prestat_dir_name", &[fd.into(), name.into(), expected.len() as u64]).unwrap();
            assert_eq!(guest.bytes_at(name, expected.len() as u32), expected.as_bytes());
        }
        for fd in [0, 2, u64::from(FIRST)] {
            assert_eq!(guest.call("fd_prestat_get", &[fd, prestat.into()]), Err(Errno::Badf));
        }
        let short = guest.call("fd_prestat_dir_name", &[DATA.into(), name.into(), 4]);
        assert_eq!(short, Err(Errno::Nametoolong));
    }

    fn a_name_is_written_without_a_zero_into_room_that_is_large_enough() {
        let mut guest = Guest::new();
        let name = guest.put(&[0xaa; 8]);
        guest.call("fd_prestat_dir_name", &[DATA.into(), name.into(), 8]).unwrap();
        assert_eq!(guest.bytes_at(name, 8), b"/data\xaa\xaa\xaa");
        for fd in [0, 1, 2] {
            assert_eq!(guest.call("fd_prestat_dir_name", &[fd, name.into(), 8]), Err(Errno::Badf));
        }
    }

    fn an_opened_directory_is_not_a_granted_one() {
        let mut guest = Guest::new();
        let directory = guest.open(DATA, ".", DIRECTORY).unwrap();
        let prestat = guest.room(8);
        assert_eq!(guest.call("fd_prestat_get", &[directory.into(), prestat.into()]), Err(Errno::Badf));
    }

    fn nothing_granted_is_no_directory() {
        let mut guest = Guest::with(|grants| grants.dirs.clear());
        let prestat = guest.room(8);
        assert_eq!(guest.call("fd_prestat_get", &[3, prestat.into()]), Err(Errno::Badf));
    }

    fn entries_have_names_and_kinds() {
        let mut guest = Guest::new();
        guest.file("data/file", "");
        std::fs::create_dir(guest.at("data/dir")).unwrap();
        guest.symlink("file", "data/link");
        let entries = all_entries(&mut guest, DATA, 4096);
        let kinds: BTreeSet<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.kind)).collect();
        assert_eq!(kinds, [(".", 3), ("..", 3), ("dir", 3), ("file", 4), ("link", 7)].into());
    }

    fn small_buffers_see_every_entry_once() {
        let mut guest = Guest::new();
        let mut expected: BTreeSet<_> = [".".to_string(), "..".to_string()].into();
        for number in 0..300 {
            let name = format!("a rather long name, so that few fit {number}");
            guest.file(&format!("data/{name}"), "");
            expected.insert(name);
        }
        for len in [80, 100, 1000] {
            let entries = all_entries(&mut guest, DATA, len);
            assert_eq!(entries.len(), expected.len(), "buffer of {len}");
            assert_eq!(names(&entries), expected);
        }
    }

    fn a_cookie_leads_to_the_same_place_again() {
        let mut guest = Guest::new();
        for number in 0..50 {
            guest.file(&format!("data/{number}"), "");
        }
        let all = all_entries(&mut guest, DATA, 1 << 16);
        for at in [0, 7, 49, 3] {
            let (rest, _) = guest.entries(DATA, all[at].next, 1 << 14).unwrap();
            assert_eq!(rest, all[at + 1..], "after entry {at}");
        }
    }

    fn the_start_sees_what_came_since() {
        let mut guest = Guest::new();
        let before = all_entries(&mut guest, DATA, 4096);
        guest.file("data/new", "");
        assert_eq!(names(&all_entries(&mut guest, DATA, 4096)).len(), before.len() + 1);
    }

    fn a_cookie_from_the_end_or_beyond_it_leads_to_no_entry() {
        let mut guest = Guest::new();
        for number in 0..20 {
            guest.file(&format!("data/{number}"), "");
        }
        let last = all_entries(&mut guest, DATA, 4096).last().unwrap().next;
        assert_eq!(guest.entries(DATA, last, 4096), Ok((vec![], false)));
        let far = guest.entries(DATA, i64::MAX as u64, 4096);
        assert!(matches!(far, Ok((_, false)) | Err(Errno::Inval)), "{far:?}");
        assert!(far.is_err() || far.unwrap().0.is_empty());
    }

    fn two_descriptors_of_a_directory_have_places_of_their_own() {
        let mut guest = Guest::new();
        for number in 0..20 {
            guest.file(&format!("data/{number}"), "");
        }
        let other = guest.open(DATA, ".", DIRECTORY).unwrap();
        let (first, _) = guest.entries(DATA, 0, 60).unwrap();
        let (again, _) = guest.entries(other, 0, 60).unwrap();
        assert_eq!(first, again);
        let cookie = first.last().unwrap().next;
        assert_eq!(guest.entries(DATA, cookie, 60), guest.entries(other, cookie, 60));
    }

    fn every_size_of_a_buffer_gets_the_start_of_the_same_bytes() {
        let mut guest = Guest::new();
        guest.file("data/a", "");
        guest.file("data/and a longer name", "");
        let mut whole = Vec::new();
        for len in (0..160).rev() {
            let (buffer, used) = (guest.room(len + 1), guest.room(4));
            let end = (buffer + len) as usize;
            guest.memory()[end] = 0xaa;
            guest.call("fd_readdir", &[DATA.into(), buffer.into(), len.into(), 0, used.into()]).unwrap();
            let used = guest.u32_at(used);
            if whole.is_empty() {
                assert!(used < len, "the buffer is larger than what there is");
                whole = guest.bytes_at(buffer, used).to_vec();
            }
            assert_eq!(used as usize, whole.len().min(len as usize));
            assert_eq!(guest.bytes_at(buffer, used), &whole[..used as usize]);
            assert_eq!(guest.memory[end], 0xaa, "nothing is written beyond the buffer");
        }
    }

    fn cookies_stay_good_while_entries_are_removed() {
        let mut guest = Guest::new();
        for number in 0..100 {
            guest.file(&format!("data/{number}"), "");
        }
        let (mut seen, mut cookie) = (BTreeSet::new(), 0);
        loop {
            let (entries, full) = guest.entries(DATA, cookie, 200).unwrap();
            for entry in &entries {
                cookie = entry.next;
                if !entry.name.starts_with('.') {
                    assert!(seen.insert(entry.name.clone()), "{} comes twice", entry.name);
                    guest.call_path("path_unlink_file", DATA, &entry.name).unwrap();
                }
            }
            if !full {
                break;
            }
        }
        assert_eq!(seen.len(), 100);
        assert_eq!(names(&all_entries(&mut guest, DATA, 4096)), [".".into(), "..".into()].into());
    }

    fn a_removed_directory_has_no_entries() {
        let mut guest = Guest::new();
        std::fs::create_dir(guest.at("data/d")).unwrap();
        let directory = guest.open(DATA, "d", DIRECTORY).unwrap();
        assert_eq!(guest.entries(directory, 0, 100).unwrap().0.len(), 2);
        guest.call_path("path_remove_directory", DATA, "d").unwrap();
        assert_eq!(guest.entries(directory, 0, 100), Ok((vec![], false)));
        assert_eq!(guest.open(directory, "new", CREATE), Err(Errno::Noent));
    }

    fn a_name_that_is_not_text_is_listed_as_it_is() {
        use std::os::unix::ffi::OsStrExt;

        let mut guest = Guest::new();
        let name = b"not \xff text";
        std::fs::write(guest.at("data").join(std::ffi::OsStr::from_bytes(name)), "").unwrap();
        let (buffer, used) = (guest.room(200), guest.room(4));
        guest.call("fd_readdir", &[DATA.into(), buffer.into(), 200, 0, used.into()]).unwrap();
        let listed = guest.bytes_at(buffer, guest.u32_at(used));
        assert!(listed.windows(name.len()).any(|window| window == name));
    }

    fn a_full_buffer_cuts_the_last_entry() {
        let mut guest = Guest::new();
        let (entries, full) = guest.entries(DATA, 0, 10).unwrap();
        assert!(full && entries.is_empty());
        assert_eq!(guest.entries(DATA, 0, 0), Ok((vec![], true)));
    }

    fn only_directories_with_the_right_have_entries() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        assert_eq!(guest.entries(file, 0, 100), Err(Errno::Notdir));
        assert_eq!(guest.entries(0, 0, 100), Err(Errno::Notdir));
        assert_eq!(guest.entries(DATA, u64::MAX, 100), Err(Errno::Inval));
        let rights = rights::DIRECTORY & !rights::FD_READDIR;
        guest.call("fd_fdstat_set_rights", &[DATA.into(), rights, 0]).unwrap();
        assert_eq!(guest.entries(DATA, 0, 100), Err(Errno::Notcapable));
    }
}
