//! Arguments, environment, clocks, random bytes, exit.

use super::*;

fn strings(guest: &mut Guest, sizes: &str, get: &str) -> Vec<String> {
    let (count, bytes) = (guest.room(4), guest.room(4));
    guest.call(sizes, &[count.into(), bytes.into()]).unwrap();
    let (count, bytes) = (guest.u32_at(count), guest.u32_at(bytes));
    let (pointers, buffer) = (guest.room(count * 4), guest.room(bytes));
    guest.call(get, &[pointers.into(), buffer.into()]).unwrap();
    assert!(bytes == 0 || guest.bytes_at(buffer, bytes).last() == Some(&0));
    (0..count)
        .map(|at| {
            let start = guest.u32_at(pointers + at * 4) as usize;
            let bytes = guest.memory[start..].split(|b| *b == 0).next().unwrap();
            String::from_utf8(bytes.to_vec()).unwrap()
        })
        .collect()
}

fn clock_time(guest: &mut Guest, id: u64) -> Result<u64, Errno> {
    let time = guest.room(8);
    guest.call("clock_time_get", &[id, 0, time.into()]).map(|()| guest.u64_at(time))
}

fn random(guest: &mut Guest, len: u32) -> Result<Vec<u8>, Errno> {
    let buffer = guest.room(len);
    guest.call("random_get", &[buffer.into(), len.into()]).map(|()| guest.bytes_at(buffer, len).to_vec())
}

cases! {
    fn arguments_arrive_in_order() {
        let mut guest = Guest::with(|grants| grants.args = vec!["prog".into(), String::new(), "ä b".into()]);
        assert_eq!(strings(&mut guest, "args_sizes_get", "args_get"), ["prog", "", "ä b"]);
    }

    fn arguments_that_do_not_fit_are_a_fault() {
        let mut guest = Guest::with(|grants| grants.args = vec!["prog".into()]);
        let end = guest.memory.len() as u64;
        assert_eq!(guest.call("args_get", &[end - 4, end - 4]), Err(Errno::Fault));
        assert_eq!(guest.call("args_get", &[end - 3, 0]), Err(Errno::Fault));
        assert_eq!(guest.call("args_sizes_get", &[end, 0]), Err(Errno::Fault));
        assert_eq!(guest.call("args_get", &[0xffff_fffe, 0xffff_fffe]), Err(Errno::Fault));
    }

    fn the_environment_is_what_was_granted_and_empty_otherwise() {
        let mut guest = Guest::with(|grants| grants.env = vec![("A".into(), "1=2".into()), ("B".into(), String::new())]);
        assert_eq!(strings(&mut guest, "environ_sizes_get", "environ_get"), ["A=1=2", "B="]);
        assert!(strings(&mut Guest::new(), "environ_sizes_get", "environ_get").is_empty());
    }

    fn no_arguments_need_no_room() {
        let mut guest = Guest::new();
        let end = guest.memory.len() as u64;
        for (sizes, get) in [("args_sizes_get", "args_get"), ("environ_sizes_get", "environ_get")] {
            assert!(strings(&mut guest, sizes, get).is_empty());
            assert_eq!(guest.call(get, &[end, end]), Ok(()));
        }
    }

    fn clocks_that_do_not_exist_are_invalid_granted_or_not() {
        let resolution = 64;
        for mut guest in [Guest::new(), Guest::with(|grants| grants.deterministic = Some(1))] {
            for id in [4, 5, 1 << 16, u64::from(u32::MAX)] {
                assert_eq!(clock_time(&mut guest, id), Err(Errno::Inval), "{id}");
                assert_eq!(guest.call("clock_res_get", &[id, resolution]), Err(Errno::Inval), "{id}");
            }
        }
    }

    fn clocks_have_the_granted_resolution() {
        let mut guest = Guest::with(|grants| grants.clock = Some(crate::host::ClockGrant::default()));
        let resolution = guest.room(8);
        for id in 0..4 {
            guest.call("clock_res_get", &[id, resolution.into()]).unwrap();
            assert_eq!(guest.u64_at(resolution), 1_000_000);
            assert_eq!(clock_time(&mut guest, id).unwrap() % 1_000_000, 0);
        }
        assert_eq!(clock_time(&mut guest, 4), Err(Errno::Inval));
        assert_eq!(guest.call("clock_res_get", &[4, resolution.into()]), Err(Errno::Inval));
        let start = clock_time(&mut guest, 1).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert!(clock_time(&mut guest, 1).unwrap() >= start + 2_000_000);
    }

    fn clocks_and_random_bytes_are_refused_without_a_grant() {
        let mut guest = Guest::new();
        assert_eq!(clock_time(&mut guest, 0), Err(Errno::Notcapable));
        assert_eq!(random(&mut guest, 4), Err(Errno::Notcapable));
    }

    fn a_deterministic_program_sees_the_same_world_twice() {
        let run = || {
            let mut guest = Guest::with(|grants| grants.deterministic = Some(42));
            let times: Vec<_> = (0..4).map(|id| clock_time(&mut guest, id).unwrap()).collect();
            (times, random(&mut guest, 100).unwrap())
        };
        assert_eq!(run(), run());
    }

    fn random_bytes_fill_the_buffer_and_differ() {
        let mut guest = Guest::with(|grants| grants.random = true);
        let (one, two) = (random(&mut guest, 100_000).unwrap(), random(&mut guest, 100_000).unwrap());
        assert_ne!(one, two);
        assert!(one[99_000..].iter().any(|b| *b != 0));
        assert_eq!(guest.call("random_get", &[u64::from(u32::MAX), 2]), Err(Errno::Fault));
        let end = guest.memory.len() as u64;
        assert_eq!(guest.call("random_get", &[end, 0]), Ok(()));
        assert_eq!(guest.call("random_get", &[end - 1, 2]), Err(Errno::Fault));
    }

    fn random_bytes_end_at_a_stop() {
        let mut guest = Guest::with(|grants| grants.random = true);
        guest.host.set_interrupt(|| true);
        assert!(matches!(guest.try_call("random_get", &[0, 64]), Err(HostError::Interrupted)));
    }

    fn exit_ends_the_run_with_its_code() {
        let mut guest = Guest::new();
        for (code, exit) in [(0, 0), (7, 7), (256, 256), (u64::from(u32::MAX), -1)] {
            let answer = guest.try_call("proc_exit", &[code]);
            assert!(matches!(answer, Err(HostError::Exit(code)) if code == exit), "{code}");
        }
    }

    fn a_signal_to_oneself_does_what_it_does_by_default() {
        let mut guest = Guest::new();
        for signal in 0..40 {
            let answer = guest.try_call("proc_raise", &[signal]);
            match signal {
                0 | 16 | 17 | 22 | 27 => assert!(matches!(answer, Ok(Ok(()))), "{signal}"),
                18..=21 => assert!(matches!(answer, Ok(Err(Errno::Notsup))), "{signal}"),
                1..=30 => {
                    let Err(HostError::Exit(code)) = answer else { panic!("signal {signal} does not end the run") };
                    assert_eq!(code as u64, 128 + signal);
                }
                _ => assert!(matches!(answer, Ok(Err(Errno::Inval))), "{signal}"),
            }
        }
    }

    fn yielding_returns() {
        assert_eq!(Guest::new().call("sched_yield", &[]), Ok(()));
    }

    fn unusable_grants_are_errors_at_the_start() {
        let error = |change: fn(&mut Grants)| {
            let mut grants = Grants::none();
            change(&mut grants);
            HostState::new(&grants).unwrap_err().to_string()
        };
        assert!(error(|g| g.args = vec!["a\0b".into()]).contains("zero byte"));
        assert!(error(|g| g.env = vec![("".into(), "x".into())]).contains("not a name"));
        assert!(error(|g| g.dirs = vec!["/nowhere/at/all".parse().unwrap()]).contains("/nowhere/at/all"));
        assert!(error(|g| g.dirs = vec!["/proc".parse().unwrap()]).contains("controls processes"));
        assert!(error(|g| g.dirs = vec!["/::/a".parse().unwrap(), "/tmp::/a".parse().unwrap()]).contains("/a"));
    }
}
