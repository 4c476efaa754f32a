//! Code that another process makes. Each scenario runs in a process of its own, since a process has one code memory, with a second one beside it
//! that compiles.

#![allow(missing_docs, clippy::unwrap_used)]

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use pinfold_vm::api::{
    CompilerService, Compiling, Config, Engine, Error, Linker, Module, Store, Tier, Val, code_memory, readable,
};

const PROGRAM: &str = r#"(module
    (import "host" "add" (func $add (param i32 i32) (result i32)))
    (import "host" "fail" (func $fail))
    (memory 1) (table $t 4 4 funcref) (tag $tag (param i32))
    (type $pair (struct (field i32) (field (mut i32))))
    (type $binary (func (param i32 i32) (result i32)))
    (elem (table $t) (i32.const 0) func $add $mul)
    (func $mul (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
    (func (export "loop") (param i32) (result i32) (local i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (call $mul (local.get 0) (i32.const 3))))
            (i32.store (i32.and (local.get 1) (i32.const 0xfffc)) (local.get 1))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func $fib (export "fib") (param i32) (result i32)
        (if (result i32) (i32.lt_u (local.get 0) (i32.const 2)) (then (local.get 0))
            (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2)))))))
    (func (export "objects") (param i32) (result i32) (local (ref null $pair)) (local i32)
        (loop
            (local.set 1 (struct.new $pair (local.get 0) (local.get 2)))
            (local.set 2 (i32.add (struct.get $pair 0 (local.get 1)) (struct.get $pair 1 (local.get 1))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 2))
    (func $throws (param i32) (throw $tag (local.get 0)))
    (func (export "exceptions") (param i32) (result i32) (local i32)
        (loop
            (local.set 1 (i32.add (local.get 1) (block (result i32) (try_table (catch $tag 0) (call $throws (local.get 0))) (i32.const 0))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func (export "indirect") (param i32) (result i32) (local i32)
        (loop
            (local.set 1 (call_indirect $t (type $binary) (local.get 1) (local.get 0) (i32.and (local.get 0) (i32.const 1))))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1))
    (func (export "trap") (param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 16))))
    (func (export "host fails") (param i32) (result i32) (call $fail) (local.get 0))
    (func $odd (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0)) (else (return_call $even (i32.sub (local.get 0) (i32.const 1))))))
    (func $even (export "tail") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1)) (else (return_call $odd (i32.sub (local.get 0) (i32.const 1)))))))"#;

/// What every export gives, traps included.
fn results(engine: &Engine, module: &Module) -> Vec<String> {
    let mut linker = Linker::new(engine);
    linker.func_wrap("host", "add", |a: i32, b: i32| a.wrapping_add(b)).unwrap();
    linker.func_wrap("host", "fail", || -> Result<(), Error> { Err(Error::host("as it likes")) }).unwrap();
    let mut store = Store::new(engine, ());
    let instance = linker.instantiate(&mut store, module).unwrap();
    let mut all = Vec::new();
    for (name, _) in module.exports() {
        for argument in [1, 20_000_i32.min(if name == "fib" { 22 } else { i32::MAX })] {
            let func = instance.get_func(&store, name).unwrap();
            let mut out = [Val::I32(0)];
            let result = match func.call(&mut store, &[Val::I32(argument)], &mut out) {
                Ok(()) => format!("{out:?}"),
                Err(Error::Trap(trap)) => format!("{:?} {:?}", trap.kind, trap.frames),
                Err(other) => panic!("{name}: {other}"),
            };
            all.push(format!("{name} {argument}: {result}"));
        }
    }
    all
}

fn program() -> Vec<u8> {
    wat::parse_str(PROGRAM).unwrap()
}

fn interpreted() -> Vec<String> {
    let engine = Engine::new(Config::new().tier(Tier::Interpreter)).unwrap();
    results(&engine, &Module::new(&engine, program()).unwrap())
}

fn config(tier: Tier) -> Config {
    let mut config = Config::new();
    config.tier(tier);
    config
}

/// This test program again, doing only one thing.
fn again(what: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", what, "--ignored", "--nocapture"]);
    command
}

/// Runs a scenario in a process of its own.
fn apart(what: &str) {
    let status = again(what).status().unwrap();
    assert!(status.success(), "{what}: {status}");
}

/// A compiler in another process; where it finds what was kept, and leaves what is to be.
struct Compiler {
    process: Child,
    code: OwnedFd,
    channel: Option<UnixStream>,
}

impl Compiler {
    fn start(tier: Tier, kept: Option<&Path>) -> Self {
        Self::start_with(tier, kept, Stdio::null())
    }

    fn start_with(tier: Tier, kept: Option<&Path>, stdout: Stdio) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let code = code_memory().unwrap();
        for fd in [theirs.as_raw_fd(), code.as_raw_fd()] {
            // SAFETY: ours; the child is to have it.
            unsafe { libc::fcntl(fd, libc::F_SETFD, 0) };
        }
        let mut command = again("compiler");
        command.env("COMPILE", format!("{} {} {tier:?}", theirs.as_raw_fd(), code.as_raw_fd()));
        if let Some(kept) = kept {
            command.env("KEPT", kept);
        }
        command.stdout(stdout);
        Self { process: command.spawn().unwrap(), code, channel: Some(ours) }
    }

    fn engine(&mut self, tier: Tier) -> Engine {
        let channel = self.channel.take().unwrap().into();
        let other = Compiling { channel, code: readable(&self.code).unwrap() };
        Engine::with_compiler(&config(tier), other).unwrap()
    }

    /// Whether it ended as it should, now that nobody asks any more.
    fn end(mut self) {
        drop(self.channel.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
#[ignore = "the process that compiles, in all of these tests"]
fn compiler() {
    let Ok(what) = std::env::var("COMPILE") else { return };
    let mut words = what.split(' ');
    // SAFETY: given by the test that started this process.
    let [channel, code] = [(); 2].map(|()| unsafe { OwnedFd::from_raw_fd(words.next().unwrap().parse().unwrap()) });
    let tier = [Tier::Jit, Tier::JitLazy, Tier::Auto, Tier::EveryLoop];
    let named = words.next().unwrap();
    let tier = tier.into_iter().find(|tier| format!("{tier:?}") == named).unwrap();
    let mut service = CompilerService::new(&config(tier), channel, code, None, 1).unwrap();
    if let Some(path) = std::env::var_os("KEPT").map(PathBuf::from) {
        let to = path.clone();
        service = service.keeping(
            path.exists().then(|| Box::new(move || std::fs::read(path)) as _),
            Some(Box::new(move |bytes| std::fs::write(to, bytes))),
        );
    }
    let result = service.run();
    println!("the compiler ended: {result:?}");
    result.unwrap();
}

/// A message as it crosses: what is asked, and words.
fn message(ask: u32, words: &[u32]) -> Vec<u8> {
    [ask, 4 * words.len() as u32].iter().chain(words).flat_map(|word| word.to_le_bytes()).collect()
}

/// The program as a module is handed over, with so many tables that grow, and what else is said of its functions.
fn module_message(tables: &[u32], uses_heap: u32, tail_calls: u32) -> Vec<u8> {
    let program = program();
    let head: Vec<u32> = [&[tables.len() as u32], tables, &[uses_heap, tail_calls, 0, program.len() as u32]].concat();
    let mut all = message(0, &head);
    all[4..8].copy_from_slice(&((4 * head.len() + program.len()) as u32).to_le_bytes());
    all.extend_from_slice(&program);
    all
}

/// Whoever has taken over what runs code can ask what he likes: what makes no sense ends the compiler, which says so.
#[test]
fn what_a_compiler_is_asked_is_looked_at() {
    let honest = module_message(&[0], 1, 1);
    let functions = |list: &[u32]| message(1, &[&[list.len() as u32], list].concat());
    let cases: [(&str, Vec<Vec<u8>>); 14] = [
        ("nobody knows what", vec![message(99, &[])]),
        ("there is no module", vec![functions(&[0])]),
        ("there is no module", vec![message(5, &[])]),
        ("there is a module", vec![honest.clone(), honest.clone()]),
        ("no such function", vec![honest.clone(), functions(&[10_000])]),
        ("no such function", vec![honest.clone(), message(2, &[u32::MAX, 0])]),
        ("no such trampoline", vec![honest.clone(), message(3, &[4, 0])]),
        ("no such type", vec![honest.clone(), message(3, &[0, 10_000])]),
        ("no function's type", vec![honest.clone(), message(3, &[0, 0])]),
        ("no such type", vec![message(4, &[0, 1, 99, 0])]),
        ("cut off", vec![honest.clone(), message(1, &[1000])]),
        ("other tables", vec![module_message(&[], 1, 1)]),
        ("another function than was said", vec![module_message(&[0], 0, 1), functions(&[3])]),
        ("too long", vec![[1, u32::MAX].iter().flat_map(|word| word.to_le_bytes()).collect()]),
    ];
    for (why, messages) in cases {
        let mut compiler = Compiler::start_with(Tier::Jit, None, Stdio::piped());
        let mut channel = compiler.channel.take().unwrap();
        messages.iter().for_each(|message| channel.write_all(message).unwrap());
        // It is not for want of further questions that it ends.
        channel.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        std::io::copy(&mut channel, &mut std::io::sink()).unwrap_or_else(|_| panic!("{why}: it goes on"));
        let ended = compiler.process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&ended.stdout).into_owned();
        assert!(!ended.status.success() && text.contains(why), "{why}: {text}");
    }
}

fn agrees(tier: Tier) {
    let mut compiler = Compiler::start(tier, None);
    let engine = compiler.engine(tier);
    let module = Module::new(&engine, program()).unwrap();
    assert_eq!(results(&engine, &module), interpreted());
    assert!(module.compiled() > 0);
    drop((module, engine));
    compiler.end();
}

macro_rules! apart {
    ($($(#[$doc:meta])* fn $name:ident = $body:block)*) => {
        mod scenarios {
            use super::*;
            $(#[test] #[ignore = "a process of its own"] $(#[$doc])* fn $name() $body)*
        }
        $(#[test] fn $name() { apart(concat!("scenarios::", stringify!($name))); })*
    };
}

apart! {
    fn all_is_compiled_ahead = { agrees(Tier::Jit) }
    fn functions_are_compiled_as_they_are_called = { agrees(Tier::JitLazy) }
    fn every_loop_is_entered = { agrees(Tier::EveryLoop) }
    fn what_is_hot_is_compiled_in_the_background = {
        let mut compiler = Compiler::start(Tier::Auto, None);
        let engine = compiler.engine(Tier::Auto);
        let module = Module::new(&engine, program()).unwrap();
        let expected = interpreted();
        let mut turns = 0;
        while module.compiled() < 4 {
            assert_eq!(results(&engine, &module), expected);
            turns += 1;
            assert!(turns < 10_000, "nothing is compiled");
        }
        assert_eq!(results(&engine, &module), expected);
    }

    fn whoever_runs_code_cannot_write_it = {
        let mut compiler = Compiler::start(Tier::Jit, None);
        let readable = readable(&compiler.code).unwrap();
        let engine = compiler.engine(Tier::Jit);
        let module = Module::new(&engine, program()).unwrap();
        assert!(module.compiled() > 0);
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let of_code: Vec<_> = maps.lines().filter(|line| line.contains("pinfold-code")).collect();
        assert!(of_code.len() == 1 && of_code[0].contains("r-xs"), "{of_code:?}");
        let base = usize::from_str_radix(of_code[0].split('-').next().unwrap(), 16).unwrap() as *mut libc::c_void;
        let denied = |result: i32| result == -1 && std::io::Error::last_os_error().raw_os_error() == Some(libc::EACCES);
        // SAFETY: the calls are refused.
        unsafe {
            assert!(denied(libc::mprotect(base, 4096, libc::PROT_READ | libc::PROT_WRITE)));
            let write = libc::PROT_READ | libc::PROT_WRITE;
            let again = libc::mmap(std::ptr::null_mut(), 4096, write, libc::MAP_SHARED, readable.as_raw_fd(), 0);
            assert!(again == libc::MAP_FAILED && denied(-1));
        }
        assert!(File::from(readable).write(b"code").is_err());
        // To be sure that the same is possible for whoever may write.
        // SAFETY: a fresh mapping.
        let own = unsafe {
            libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED, compiler.code.as_raw_fd(), 0)
        };
        assert_ne!(own, libc::MAP_FAILED);
    }

    fn without_the_other_process_all_is_interpreted = {
        let mut compiler = Compiler::start(Tier::Auto, None);
        let engine = compiler.engine(Tier::Auto);
        compiler.process.kill().unwrap();
        let module = Module::new(&engine, program()).unwrap();
        assert_eq!(results(&engine, &module), interpreted());
        assert_eq!(module.compiled(), 0);
        compiler.process.wait().unwrap();
    }

    fn a_second_module_is_interpreted = {
        let mut compiler = Compiler::start(Tier::JitLazy, None);
        let engine = compiler.engine(Tier::JitLazy);
        let first = Module::new(&engine, program()).unwrap();
        let expected = interpreted();
        assert_eq!(results(&engine, &first), expected);
        let second = Module::new(&engine, program()).unwrap();
        assert_eq!(results(&engine, &second), expected);
        assert!(first.compiled() > 0 && second.compiled() == 0);
    }

    fn code_that_was_kept_is_placed_by_the_other_process = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code");
        let kept = folder.path().join("facts");
        again("scenarios::code_is_kept").env("FOLDER", folder.path()).status().unwrap();
        assert!(path.metadata().unwrap().len() > 0);
        let mut compiler = Compiler::start(Tier::Auto, Some(&path));
        let engine = compiler.engine(Tier::Auto);
        let facts = std::fs::read(kept).unwrap();
        // SAFETY: kept by the process before.
        let (module, fits) = unsafe { Module::with_kept(&engine, program(), || Some(facts)) }.unwrap();
        fits.unwrap();
        // It comes while the program runs.
        assert_eq!(results(&engine, &module), interpreted());
        let adopted = loop {
            match module.adopted() {
                Some(adopted) => break adopted,
                None => std::thread::yield_now(),
            }
        };
        assert!(adopted.unwrap() > 0);
        assert_eq!(results(&engine, &module), interpreted());
    }

    /// The first half of the one before.
    fn code_is_kept = {
        let Some(folder) = std::env::var_os("FOLDER").map(PathBuf::from) else { return };
        let mut compiler = Compiler::start(Tier::EveryLoop, Some(&folder.join("code")));
        let engine = compiler.engine(Tier::EveryLoop);
        let module = Module::new(&engine, program()).unwrap();
        results(&engine, &module);
        std::fs::write(folder.join("facts"), module.keep()).unwrap();
        drop((module, engine));
        compiler.end();
    }

    /// Whoever has taken over the compiler can say what he likes: it is believed as far as it can be so, or not at all.
    fn what_a_compiler_says_is_looked_at = {
        let mut honest = Compiler::start(Tier::JitLazy, None);
        let mut to_honest = honest.channel.take().unwrap();
        let (ours, theirs) = UnixStream::pair().unwrap();
        honest.channel = Some(ours);
        let engine = honest.engine(Tier::JitLazy);
        let module = Module::new(&engine, program()).unwrap();
        let liar = std::thread::spawn(move || {
            let mut state = 0x9e37_79b9_7f4a_7c15_u64;
            let mut random = move || {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                (state >> 33) as u32
            };
            let mut channel = theirs;
            let mut head = [0; 8];
            while channel.read_exact(&mut head).is_ok() {
                let [ask, length] = [0, 4].map(|at| u32::from_le_bytes(head[at..at + 4].try_into().unwrap()));
                let mut message = vec![0; length as usize];
                channel.read_exact(&mut message).unwrap();
                let answer = if ask == 0 {
                    // How types are numbered it has to say as it is, to be asked for more.
                    to_honest.write_all(&head).unwrap();
                    to_honest.write_all(&message).unwrap();
                    to_honest.read_exact(&mut head).unwrap();
                    let mut answer = vec![0; u32::from_le_bytes(head[4..].try_into().unwrap()) as usize];
                    to_honest.read_exact(&mut answer).unwrap();
                    answer
                } else {
                    // Lists of a few words, small numbers among large ones.
                    let mut word = || match random() { word if word & 1 == 0 => word >> 1 & 3, word => word };
                    let words: Vec<u32> = (0..word() % 40).map(|_| word()).collect();
                    words.into_iter().flat_map(u32::to_le_bytes).collect()
                };
                let kind = if ask == 0 || random() % 8 != 0 { 1 } else { random() % 4 };
                channel.write_all(&kind.to_le_bytes()).unwrap();
                channel.write_all(&(answer.len() as u32).to_le_bytes()).unwrap();
                if channel.write_all(&answer).is_err() { return; }
            }
        });
        assert_eq!(results(&engine, &module), interpreted());
        assert_eq!(module.compiled(), 0);
        drop((module, engine));
        liar.join().unwrap();
    }
}
