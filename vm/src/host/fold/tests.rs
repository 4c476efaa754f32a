//! Handles: whose they are, of which kind, open or closed; what each need is given.

use super::call::{Call, Failure, HostValue, Nothing, Objects};
use super::handle::{Access, Handle, Kind};
use super::{Need, handle};
use crate::host::{DirGrant, Grants, HostError, HostState, table};

/// A heap in which references are places in lists.
#[derive(Default)]
struct Fake {
    values: Vec<HostValue>,
    bytes: Vec<Vec<u8>>,
}

impl Objects for Fake {
    fn bytes(&self, reference: u64) -> &[u8] {
        &self.bytes[reference as usize]
    }

    fn make_bytes(&mut self, bytes: &[u8]) -> Result<u64, HostError> {
        self.bytes.push(bytes.to_vec());
        Ok(self.bytes.len() as u64 - 1)
    }

    fn host_value(&self, reference: u64) -> Option<HostValue> {
        self.values.get(reference as usize).cloned()
    }

    fn make_externref(&mut self, value: HostValue) -> Result<u64, HostError> {
        self.values.push(value);
        Ok(self.values.len() as u64 - 1)
    }
}

fn call(host: &mut HostState, heap: &mut Fake, name: &str, arguments: &[u64]) -> Result<u64, HostError> {
    match table::lookup(super::MODULE, name).unwrap().call {
        table::HostCall::Objects(call) => call(host, heap, arguments),
        table::HostCall::Memory(_) => unreachable!(),
    }
}

fn need(name: &str, kind: &str) -> Need {
    Need { name: name.into(), kind: kind.into() }
}

/// A program with one directory, `data`, and its handle at 0.
fn program(writable: bool) -> (tempfile::TempDir, HostState, Fake) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), "text").unwrap();
    let dir = DirGrant { name: Some("data".into()), host: folder.path().into(), guest: "/data".into(), writable };
    let grants = Grants { dirs: vec![dir], ..Grants::none() };
    let host = HostState::new(&grants).unwrap();
    let values = host.capabilities(&grants, &[need("data", "Dir")]).unwrap();
    (folder, host, Fake { values, bytes: Vec::new() })
}

#[test]
fn files_are_read_and_written_through_handles() {
    let (folder, mut host, mut heap) = program(true);
    heap.bytes = vec![b"a".to_vec(), b"b".to_vec(), b"more".to_vec(), b"../a".to_vec()];
    let read = call(&mut host, &mut heap, "dir_read", &[0, 0]).unwrap();
    assert_eq!(heap.bytes[read as usize], b"text");
    assert_eq!(call(&mut host, &mut heap, "dir_write", &[0, 1, 2, 0]).unwrap(), 0);
    assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), b"more");
    assert_eq!(call(&mut host, &mut heap, "dir_write", &[0, 1, 2, 1]).unwrap(), 0);
    assert_eq!(std::fs::read(folder.path().join("b")).unwrap(), b"moremore");
    assert_eq!(call(&mut host, &mut heap, "dir_read", &[0, 3]).unwrap(), 0, "it leads out");
    assert_ne!(call(&mut host, &mut heap, "error", &[]).unwrap(), 0);
    heap.bytes.push(b"".to_vec());
    let here = heap.bytes.len() as u64 - 1;
    let listed = call(&mut host, &mut heap, "dir_list", &[0, here]).unwrap();
    let mut entries: Vec<_> = heap.bytes[listed as usize].split(|byte| *byte == 0).collect();
    entries.sort_unstable();
    assert_eq!(entries, [b"".as_slice(), b"fa", b"fb"]);
}

#[test]
fn a_weaker_handle_has_no_way_back() {
    let (folder, mut host, mut heap) = program(true);
    heap.bytes = vec![b"a".to_vec(), b"b".to_vec(), b"x".to_vec(), b".".to_vec()];
    let reads = call(&mut host, &mut heap, "dir_read_only", &[0]).unwrap();
    let appends = call(&mut host, &mut heap, "dir_append_only", &[0]).unwrap();
    let again = call(&mut host, &mut heap, "dir_append_only", &[reads]).unwrap();
    let below = call(&mut host, &mut heap, "dir_sub", &[reads, 3]).unwrap();
    for handle in [reads, again, below] {
        for mode in [0, 1, 2] {
            assert_ne!(call(&mut host, &mut heap, "dir_write", &[handle, 1, 2, mode]).unwrap(), 0);
        }
        assert_ne!(call(&mut host, &mut heap, "dir_make", &[handle, 1]).unwrap(), 0);
        assert_ne!(call(&mut host, &mut heap, "dir_remove", &[handle, 0]).unwrap(), 0);
        assert_ne!(call(&mut host, &mut heap, "dir_rename", &[handle, 0, 0, 1]).unwrap(), 0);
        assert_ne!(call(&mut host, &mut heap, "dir_rename", &[0, 0, handle, 1]).unwrap(), 0);
    }
    assert_ne!(call(&mut host, &mut heap, "dir_write", &[appends, 0, 2, 0]).unwrap(), 0);
    assert_eq!(call(&mut host, &mut heap, "dir_write", &[appends, 0, 2, 1]).unwrap(), 0);
    assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"textx");
}

#[test]
fn what_is_no_handle_of_the_program_ends_it() {
    let (_folder, mut host, mut heap) = program(true);
    let (_other_folder, other, other_heap) = program(true);
    heap.bytes = vec![b"a".to_vec()];
    // A value of the host's that is no handle, a handle of another program, one of another kind, and nothing at all.
    heap.values.push(std::sync::Arc::new(7));
    heap.values.push(other_heap.values[0].clone());
    heap.values.push(std::sync::Arc::new(Handle::new(&host, Kind::Console)));
    for forged in 1..=4 {
        let result = call(&mut host, &mut heap, "dir_read", &[forged, 0]);
        assert!(matches!(result, Err(HostError::NoCapability)), "{forged}");
    }
    for (row, arguments) in [("clock_now", 1), ("random_int", 1), ("env_keys", 1), ("args_all", 1), ("net_origins", 1)]
    {
        let result = call(&mut host, &mut heap, row, &vec![0; arguments]);
        assert!(matches!(result, Err(HostError::NoCapability)), "{row}");
    }
    drop(other);
}

#[test]
fn a_handle_of_a_program_that_has_ended_is_no_handle_of_any() {
    let (_folder, host, ended) = program(true);
    drop(host);
    // One of so many would be where the other was.
    let others: Vec<_> = (0..200).map(|_| HostState::new(&Grants::none()).unwrap()).collect();
    for mut host in others {
        let mut heap = Fake { values: ended.values.clone(), bytes: vec![b"a".to_vec()] };
        assert!(matches!(call(&mut host, &mut heap, "dir_read", &[0, 0]), Err(HostError::NoCapability)));
    }
}

#[test]
fn a_closed_file_ends_whoever_uses_it_and_a_dropped_one_is_closed() {
    let (_folder, mut host, mut heap) = program(false);
    heap.bytes = vec![b"a".to_vec()];
    let file = call(&mut host, &mut heap, "dir_open", &[0, 0, 0]).unwrap();
    let read = call(&mut host, &mut heap, "file_read", &[file, 2]).unwrap();
    assert_eq!(heap.bytes[read as usize], b"te");
    let limited = call(&mut host, &mut heap, "file_limit", &[file, 1]).unwrap();
    let read = call(&mut host, &mut heap, "file_read", &[limited, 10]).unwrap();
    assert_eq!(heap.bytes[read as usize], b"x");
    call(&mut host, &mut heap, "file_close", &[limited]).unwrap();
    let result = call(&mut host, &mut heap, "file_read", &[file, 2]);
    assert!(matches!(result, Err(HostError::ClosedCapability)));
    // As many as may be open at a time, again and again.
    for _ in 0..2000 {
        let file = call(&mut host, &mut heap, "dir_open", &[0, 0, 0]).unwrap();
        assert_ne!(file, 0);
        heap.values.truncate(1);
    }
}

#[test]
fn needs_are_met_by_grants_of_their_name_or_the_only_one() {
    let dir = |name: Option<&str>| DirGrant {
        name: name.map(str::to_owned),
        host: "/".into(),
        guest: "/".into(),
        writable: false,
    };
    let grants = |dirs: Vec<DirGrant>| Grants { dirs, ..Grants::none() };
    let missing = |grants: Grants, needs: &[Need]| grants.missing(needs).len();
    let (a, b) = (need("a", "Dir"), need("b", "Dir"));
    assert_eq!(missing(grants(vec![dir(Some("a"))]), std::slice::from_ref(&a)), 0);
    assert_eq!(missing(grants(vec![dir(Some("b"))]), std::slice::from_ref(&a)), 1);
    assert_eq!(missing(grants(vec![dir(None)]), std::slice::from_ref(&a)), 0);
    assert_eq!(missing(grants(vec![dir(None)]), &[a.clone(), b.clone()]), 2);
    assert_eq!(missing(grants(vec![dir(None), dir(Some("b"))]), &[a.clone(), b]), 0);
    assert_eq!(missing(Grants::none(), &[need("c", "Clock"), need("r", "Random"), need("o", "Console")]), 3);
    assert_eq!(missing(Grants::none(), &[need("x", "Gate")]), 1);
    let message = Grants::none().missing(&[a]).remove(0).to_string();
    assert_eq!(message, "a: Dir is not granted; grant it with --dir a=PATH, or --dir a=PATH:rw for writing");
    assert!(Need::parse(b"a Dir\nb Net\n").is_some_and(|needs| needs.len() == 2));
    assert_eq!(Need::parse(b"a"), None);
}

#[test]
fn numbers_are_shown_as_short_as_can_be_and_read_exactly() {
    let (_folder, mut host, mut heap) = program(false);
    for (value, text) in [(0.1, "0.1"), (3.0, "3.0"), (1e21, "1e21"), (5e-324, "5e-324"), (f64::INFINITY, "inf")] {
        let shown = call(&mut host, &mut heap, "float_text", &[value.to_bits()]).unwrap();
        assert_eq!(heap.bytes[shown as usize], text.as_bytes());
        assert_eq!(call(&mut host, &mut heap, "float_parse", &[shown]).unwrap(), value.to_bits());
    }
    heap.bytes.push(b"1.5x".to_vec());
    let bad = heap.bytes.len() as u64 - 1;
    assert!(f64::from_bits(call(&mut host, &mut heap, "float_parse", &[bad]).unwrap()).is_nan());
    assert_ne!(call(&mut host, &mut heap, "error", &[]).unwrap(), 0);
}

#[test]
fn access_is_ordered() {
    assert!(Access::Read < Access::Append && Access::Append < Access::Write);
    let (_folder, mut host, _) = program(false);
    let granted = handle::Open::granted(3);
    let dir = handle::Dir { open: granted, access: Access::Read };
    assert!(matches!(dir.allow(Access::Append), Err(Failure::Errno(_))));
    let _ = Call::new(&mut host, &mut Nothing);
}
