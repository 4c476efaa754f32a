//! Contents, places and attributes of files.

use super::*;
use crate::host::clock::SECOND;

fn pread(guest: &mut Guest, fd: u32, len: u32, offset: u64) -> Result<Vec<u8>, Errno> {
    let (buffer, done) = (guest.room(len), guest.room(4));
    let array = guest.buffer(buffer, len);
    guest.call("fd_pread", &[fd.into(), array.into(), 1, offset, done.into()])?;
    Ok(guest.bytes_at(buffer, guest.u32_at(done)).to_vec())
}

fn pwrite(guest: &mut Guest, fd: u32, bytes: &[u8], offset: u64) -> Result<u32, Errno> {
    let (buffer, done) = (guest.put(bytes), guest.room(4));
    let array = guest.buffer(buffer, bytes.len() as u32);
    guest.call("fd_pwrite", &[fd.into(), array.into(), 1, offset, done.into()])?;
    Ok(guest.u32_at(done))
}

fn set_times(guest: &mut Guest, fd: u32, atim: u64, mtim: u64, flags: u16) -> Result<(), Errno> {
    guest.call("fd_filestat_set_times", &[fd.into(), atim, mtim, flags.into()])
}

/// Far above 4 GiB.
const FAR: u64 = 1 << 40;

cases! {
    fn what_is_written_is_read_back() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        assert_eq!(guest.write(file, b"hello world"), Ok(11));
        assert_eq!(guest.content("data/a"), "hello world");
        assert_eq!(guest.read(file, 5).unwrap(), b"");
        assert_eq!(guest.seek(file, 6, 0), Ok(6));
        assert_eq!(guest.read(file, 50).unwrap(), b"world");
    }

    fn many_buffers_and_large_ones_are_filled() {
        let mut guest = Guest::new();
        let bytes: Vec<u8> = (0..1_500_000u32).map(|n| (n / 7) as u8).collect();
        guest.file("data/a", &bytes);
        let file = guest.open(DATA, "a", READ).unwrap();
        assert!(guest.read(file, 1_400_000).unwrap() == bytes[..1_400_000]);
        assert!(guest.read(file, 200_000).unwrap() == bytes[1_400_000..]);
        let buffer = guest.room(100_000);
        let array: Vec<u8> =
            (0..1000u32).flat_map(|n| [buffer + n * 100, 100]).flat_map(u32::to_le_bytes).collect();
        let (array, done) = (guest.put(&array), guest.room(4));
        guest.call("fd_pread", &[file.into(), array.into(), 1000, 500, done.into()]).unwrap();
        assert_eq!(guest.u32_at(done), 100_000);
        assert!(guest.bytes_at(buffer, 100_000) == &bytes[500..100_500]);
    }

    fn seeking_counts_from_start_place_and_end() {
        let mut guest = Guest::new();
        guest.file("data/a", "0123456789");
        let file = guest.open(DATA, "a", READ).unwrap();
        assert_eq!(guest.seek(file, 4, 0), Ok(4));
        assert_eq!(guest.seek(file, -1, 1), Ok(3));
        assert_eq!(guest.seek(file, -2, 2), Ok(8));
        assert_eq!(guest.seek(file, 5, 2), Ok(15));
        assert_eq!(guest.seek(file, -1, 0), Err(Errno::Inval));
        assert_eq!(guest.seek(file, i64::MIN, 1), Err(Errno::Inval));
        assert_eq!(guest.seek(file, 0, 3), Err(Errno::Inval));
        let place = guest.room(8);
        guest.call("fd_tell", &[file.into(), place.into()]).unwrap();
        assert_eq!(guest.u64_at(place), 15);
    }

    fn reads_and_writes_at_a_place_leave_the_place_alone() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        guest.write(file, b"0123456789").unwrap();
        assert_eq!(pread(&mut guest, file, 3, 2).unwrap(), b"234");
        assert_eq!(pwrite(&mut guest, file, b"xy", 4), Ok(2));
        assert_eq!(pread(&mut guest, file, 100, 0).unwrap(), b"0123xy6789");
        assert_eq!(pread(&mut guest, file, 1, 10).unwrap(), b"");
        assert_eq!(guest.seek(file, 0, 1), Ok(10));
    }

    fn offsets_have_64_bits() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        assert_eq!(guest.seek(file, FAR as i64, 0), Ok(FAR));
        assert_eq!(guest.write(file, b"far"), Ok(3));
        assert_eq!(guest.attributes(file).unwrap().size, FAR + 3);
        assert_eq!(pread(&mut guest, file, 3, FAR).unwrap(), b"far");
        assert_eq!(pwrite(&mut guest, file, b"R", FAR + 2), Ok(1));
        assert_eq!(guest.seek(file, -1, 2), Ok(FAR + 2));
        assert_eq!(guest.read(file, 3).unwrap(), b"R");
        assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), FAR * 2]), Ok(()));
        assert_eq!(guest.attributes(file).unwrap().size, FAR * 2);
    }

    fn offsets_beyond_63_bits_are_invalid() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        for offset in [u64::MAX, 1 << 63, i64::MAX as u64] {
            assert_eq!(pread(&mut guest, file, 1, offset), Err(Errno::Inval));
            assert_eq!(pwrite(&mut guest, file, b"x", offset), Err(Errno::Inval));
        }
        assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), u64::MAX]), Err(Errno::Inval));
        assert_eq!(guest.call("fd_allocate", &[file.into(), u64::MAX, 1]), Err(Errno::Inval));
        assert_eq!(guest.call("fd_advise", &[file.into(), u64::MAX, 1, 0]), Err(Errno::Inval));
    }

    fn sizes_that_no_file_can_have_are_refused() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let most = i64::MAX as u64;
        for (offset, len, errno) in [
            (most, 1, Errno::Fbig),
            (1, most, Errno::Fbig),
            (most, most, Errno::Fbig),
            (0, 1 << 63, Errno::Inval),
            (u64::MAX, u64::MAX, Errno::Inval),
        ] {
            assert_eq!(guest.call("fd_allocate", &[file.into(), offset, len]), Err(errno), "{offset} {len}");
        }
        for size in [1 << 63, u64::MAX] {
            assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), size]), Err(Errno::Inval), "{size}");
        }
        assert_eq!(guest.attributes(file).unwrap().size, 0);
    }

    fn places_outside_of_63_bits_are_not_sought() {
        let mut guest = Guest::new();
        guest.file("data/a", "0123456789");
        let file = guest.open(DATA, "a", READ).unwrap();
        guest.seek(file, 4, 0).unwrap();
        for (offset, whence) in [
            (-1, 0),
            (i64::MIN, 0),
            (-5, 1),
            (i64::MAX, 1),
            (i64::MIN, 1),
            (-11, 2),
            (i64::MAX, 2),
            (i64::MIN, 2),
            (0, 3),
            (0, 255),
            (0, u64::from(u32::MAX)),
        ] {
            assert_eq!(guest.seek(file, offset, whence), Err(Errno::Inval), "{offset} {whence}");
        }
        assert_eq!(guest.seek(file, 0, 1), Ok(4), "the place is where it was");
    }

    fn reading_beyond_the_end_gives_nothing() {
        let mut guest = Guest::new();
        guest.file("data/a", "0123456789");
        let file = guest.open(DATA, "a", READ).unwrap();
        for offset in [10, 11, FAR, 1 << 62] {
            assert_eq!(pread(&mut guest, file, 1, offset), Ok(vec![]), "{offset}");
        }
        guest.seek(file, FAR as i64, 0).unwrap();
        assert_eq!(guest.read(file, 1), Ok(vec![]));
    }

    fn appending_writes_at_the_end_wherever_the_place_is() {
        let mut guest = Guest::new();
        guest.file("data/a", "one");
        let file = guest.open(DATA, "a", Open { fdflags: abi::FDFLAG_APPEND, ..WRITE }).unwrap();
        guest.write(file, b"two").unwrap();
        guest.seek(file, 0, 0).unwrap();
        guest.write(file, b"three").unwrap();
        assert_eq!(guest.content("data/a"), "onetwothree");
        guest.set_flags(file, 0).unwrap();
        guest.seek(file, 0, 0).unwrap();
        guest.write(file, b"O").unwrap();
        assert_eq!(guest.content("data/a"), "Onetwothree");
        guest.set_flags(file, abi::FDFLAG_APPEND).unwrap();
        guest.write(file, b"!").unwrap();
        assert_eq!(guest.content("data/a"), "Onetwothree!");
    }

    fn a_file_opened_for_reading_cannot_be_changed() {
        let mut guest = Guest::new();
        guest.file("data/a", "a");
        let file = guest.open(DATA, "a", READ).unwrap();
        assert_eq!(guest.write(file, b"x"), Err(Errno::Notcapable));
        assert_eq!(pwrite(&mut guest, file, b"x", 0), Err(Errno::Notcapable));
        assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), 0]), Err(Errno::Notcapable));
        assert_eq!(guest.call("fd_allocate", &[file.into(), 0, 9]), Err(Errno::Notcapable));
        assert_eq!(guest.content("data/a"), "a");
    }

    fn sizes_can_be_set_and_space_allocated() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        guest.write(file, b"0123456789").unwrap();
        assert_eq!(guest.call("fd_filestat_set_size", &[file.into(), 4]), Ok(()));
        assert_eq!(guest.content("data/a"), "0123");
        assert_eq!(guest.call("fd_allocate", &[file.into(), 0, 2]), Ok(()));
        assert_eq!(guest.attributes(file).unwrap().size, 4);
        assert_eq!(guest.call("fd_allocate", &[file.into(), 4, 4]), Ok(()));
        assert_eq!(guest.content("data/a"), "0123\0\0\0\0");
        assert_eq!(guest.call("fd_allocate", &[file.into(), 0, 0]), Err(Errno::Inval));
        assert_eq!(guest.call("fd_allocate", &[DATA.into(), 0, 1]), Err(Errno::Badf));
    }

    fn advice_and_flushing_are_taken() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        for advice in 0..6 {
            assert_eq!(guest.call("fd_advise", &[file.into(), 0, 10, advice]), Ok(()));
        }
        assert_eq!(guest.call("fd_advise", &[file.into(), 0, 10, 6]), Err(Errno::Inval));
        assert_eq!(guest.call("fd_advise", &[DATA.into(), 0, 10, 0]), Err(Errno::Badf));
        assert_eq!(guest.call("fd_advise", &[0, 0, 10, 0]), Err(Errno::Spipe));
        assert_eq!(guest.call("fd_datasync", &[file.into()]), Ok(()));
        assert_eq!(guest.call("fd_sync", &[file.into()]), Ok(()));
        assert_eq!(guest.call("fd_sync", &[DATA.into()]), Ok(()));
    }

    fn attributes_are_those_of_the_file() {
        let mut guest = Guest::new();
        guest.file("data/a", "12345");
        std::fs::hard_link(guest.at("data/a"), guest.at("data/b")).unwrap();
        let file = guest.open(DATA, "a", READ).unwrap();
        let attributes = guest.attributes(file).unwrap();
        assert_eq!((attributes.kind, attributes.links, attributes.size), (4, 2, 5));
        assert_eq!(guest.attributes(DATA).unwrap().kind, 3);
        assert_eq!(guest.path_attributes(DATA, "b", true).unwrap(), attributes);
        assert_eq!(guest.path_attributes(DATA, "b", false).unwrap().inode, attributes.inode);
    }

    fn times_can_be_set() {
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let (accessed, modified) = (1_000_000_001, 2_000_000_002);
        let both = abi::FSTFLAG_ATIM | abi::FSTFLAG_MTIM;
        set_times(&mut guest, file, accessed, modified, both).unwrap();
        let attributes = guest.attributes(file).unwrap();
        assert_eq!((attributes.accessed, attributes.modified), (accessed, modified));
        set_times(&mut guest, file, 5, 6, abi::FSTFLAG_MTIM).unwrap();
        let attributes = guest.attributes(file).unwrap();
        assert_eq!((attributes.accessed, attributes.modified), (accessed, 6));
        set_times(&mut guest, file, 0, 0, abi::FSTFLAG_MTIM_NOW).unwrap();
        assert!(guest.attributes(file).unwrap().modified > 1_600_000_000_000_000_000);
    }

    fn times_before_1970_count_as_1970() {
        let mut guest = Guest::new();
        guest.file("data/a", "");
        for (seconds, told) in [(-1, 0), (-1_000_000_000, 0), (1_000_000_000, 1_000_000_000 * SECOND)] {
            let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 0 };
            let early = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 999_999_999 };
            let times = rustix::fs::Timestamps { last_access: early, last_modification: time };
            let flags = rustix::fs::AtFlags::empty();
            rustix::fs::utimensat(rustix::fs::CWD, guest.at("data/a"), &times, flags).unwrap();
            let attributes = guest.path_attributes(DATA, "a", true).unwrap();
            assert_eq!(attributes.modified, told);
            assert_eq!(attributes.accessed, if told == 0 { 0 } else { told + 999_999_999 });
        }
    }

    fn every_combination_of_time_flags_sets_what_it_names_or_is_invalid() {
        const ACCESSED: u16 = abi::FSTFLAG_ATIM | abi::FSTFLAG_ATIM_NOW;
        const MODIFIED: u16 = abi::FSTFLAG_MTIM | abi::FSTFLAG_MTIM_NOW;
        let mut guest = Guest::new();
        let file = guest.open(DATA, "a", CREATE).unwrap();
        let path = guest.put(b"a");
        for by_path in [false, true] {
            for flags in 0..32 {
                set_times(&mut guest, file, 1, 2, abi::FSTFLAG_ATIM | abi::FSTFLAG_MTIM).unwrap();
                let answer = if by_path {
                    let arguments = [DATA.into(), 0, path.into(), 1, 3, 4, flags.into()];
                    guest.call("path_filestat_set_times", &arguments)
                } else {
                    set_times(&mut guest, file, 3, 4, flags)
                };
                let invalid = flags & ACCESSED == ACCESSED || flags & MODIFIED == MODIFIED || flags >= 16;
                assert_eq!(answer, if invalid { Err(Errno::Inval) } else { Ok(()) }, "{flags}");
                let is_as_expected = |time, flags, before, given| match flags {
                    _ if invalid => time == before,
                    0 => time == before,
                    abi::FSTFLAG_ATIM | abi::FSTFLAG_MTIM => time == given,
                    _ => time > 1_600_000_000 * SECOND,
                };
                let Attributes { accessed, modified, .. } = guest.attributes(file).unwrap();
                assert!(is_as_expected(accessed, flags & ACCESSED, 1, 3), "{flags}: {accessed}");
                assert!(is_as_expected(modified, flags & MODIFIED, 2, 4), "{flags}: {modified}");
            }
        }
    }

    fn streams_have_no_times_or_sizes_to_set() {
        let mut guest = Guest::new();
        for fd in [0, 1, 2] {
            assert_eq!(set_times(&mut guest, fd, 1, 2, abi::FSTFLAG_MTIM), Err(Errno::Inval), "{fd}");
            assert_eq!(guest.call("fd_filestat_set_size", &[fd.into(), 0]), Err(Errno::Inval), "{fd}");
            assert_eq!(guest.call("fd_allocate", &[fd.into(), 0, 1]), Err(Errno::Spipe), "{fd}");
        }
    }

    fn directories_are_not_read_written_or_sought() {
        let mut guest = Guest::new();
        assert_eq!(guest.read(DATA, 1), Err(Errno::Isdir));
        assert_eq!(guest.write(DATA, b"x"), Err(Errno::Isdir));
        assert_eq!(guest.seek(DATA, 0, 0), Err(Errno::Badf));
        assert_eq!(pread(&mut guest, DATA, 1, 0), Err(Errno::Isdir));
    }

    fn a_fifo_never_hangs_the_host() {
        let mut guest = Guest::new();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            guest.at("data/fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let write_only = Open { rights: rights::FD_WRITE, ..READ };
        assert_eq!(guest.open(DATA, "fifo", write_only), Err(Errno::Nxio));
        let fifo = guest.open(DATA, "fifo", READ).unwrap();
        assert_eq!(guest.description(fifo).unwrap().0, 0);
        assert_eq!(guest.seek(fifo, 0, 0), Err(Errno::Spipe));
        assert_eq!(pread(&mut guest, fifo, 1, 0), Err(Errno::Spipe));
        let writer = guest.open(DATA, "fifo", write_only).unwrap();
        guest.write(writer, b"through").unwrap();
        assert_eq!(pwrite(&mut guest, writer, b"x", 0), Err(Errno::Spipe));
        assert_eq!(guest.read(fifo, 10).unwrap(), b"through");
        guest.set_flags(fifo, abi::FDFLAG_NONBLOCK).unwrap();
        assert_eq!(guest.read(fifo, 10), Err(Errno::Again));
    }
}
