//! Connections: granted by address, open when the program starts, and nothing else reachable.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;

use super::*;

/// Says `ping` on descriptor 3, and prints what comes back; or accepts a connection there, and sends back what it gets.
const PROGRAM: &str = r#"
(module
  (import "wasi_snapshot_preview1" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_shutdown" (func $shutdown (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $environ (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\64\00\00\00\04\00\00\00")  ;; four bytes at 100
  (data (i32.const 8) "\c8\00\00\00\00\01\00\00")  ;; 256 at 200
  (data (i32.const 100) "ping")
  (func $ok (param i32) (if (local.get 0) (then unreachable)))
  ;; Receives at 200, and leaves the length at 12.
  (func $receive (param i32)
    (call $ok (call $recv (local.get 0) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 12) (i32.const 16))))
  (func (export "ask")
    (call $ok (call $send (i32.const 3) (i32.const 0) (i32.const 1) (i32.const 0) (i32.const 16)))
    (call $receive (i32.const 3))
    (call $ok (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16))))
  (func (export "serve") (local $fd i32)
    (call $ok (call $accept (i32.const 3) (i32.const 0) (i32.const 20)))
    (local.set $fd (i32.load (i32.const 20)))
    (call $receive (local.get $fd))
    (call $ok (call $send (local.get $fd) (i32.const 8) (i32.const 1) (i32.const 0) (i32.const 16)))
    (call $ok (call $shutdown (local.get $fd) (i32.const 2))))
  (func (export "environment")
    (call $ok (call $environ (i32.const 2000) (i32.const 200)))
    (call $ok (call $sizes (i32.const 16) (i32.const 12)))
    (call $ok (call $write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16)))))
"#;

/// An address of the loopback network that no other test has, so that every port is free there.
fn own_address() -> Ipv4Addr {
    let [_, _, high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 77, high, low)
}

#[test]
fn a_granted_connection_is_open_when_the_program_starts() {
    let scratch = Scratch::new("connect");
    let program = scratch.file("net.wat", PROGRAM.as_bytes());
    for tier in TIERS {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let origin = format!("api={}", server.local_addr().unwrap());
        let answer = thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let mut asked = [0; 4];
            connection.read_exact(&mut asked).unwrap();
            connection.write_all(b"pong\n").unwrap();
            asked
        });
        let output = run(&["run", "--tier", tier, "--net", &origin, "--invoke", "ask", &program]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), "pong\n", "{}", stderr(&output));
        assert_eq!(&answer.join().unwrap(), b"ping");
    }
}

#[test]
fn a_granted_address_is_listened_on() {
    let scratch = Scratch::new("listen");
    let program = scratch.file("net.wat", PROGRAM.as_bytes());
    let address = (own_address(), 8001);
    let place = format!("{}:{}", address.0, address.1);
    let mut server = pinfold(&["run", "--none", "--listen", &place, "--invoke", "serve", &program]).spawn().unwrap();
    let mut connection = loop {
        match TcpStream::connect(address) {
            Ok(connection) => break connection,
            Err(error) => assert!(server.try_wait().unwrap().is_none(), "{error}"),
        }
        thread::yield_now();
    };
    connection.write_all(b"hello").unwrap();
    let mut back = String::new();
    connection.read_to_string(&mut back).unwrap();
    assert_eq!(back, "hello");
    assert!(server.wait().unwrap().success());
}

#[test]
fn a_name_tells_the_program_where_its_connection_is() {
    let scratch = Scratch::new("names");
    let program = scratch.file("net.wat", PROGRAM.as_bytes());
    let place = format!("web={}:8002", own_address());
    let directory = format!("{}::/data", scratch.0.display());
    let output = run(&["run", "--dir", &directory, "--listen", &place, "--invoke", "environment", &program]);
    assert_eq!(output.stdout, b"PINFOLD_FD_web=4\0", "{}", stderr(&output));
}

#[test]
fn what_was_not_granted_is_not_there() {
    let scratch = Scratch::new("ungranted");
    let program = scratch.file("net.wat", PROGRAM.as_bytes());
    let output = run(&["run", "--invoke", "ask", &program]);
    assert_eq!(output.status.code(), Some(134), "there is no descriptor 3: {}", stderr(&output));
}

#[test]
fn connections_that_cannot_be_had_are_told() {
    let scratch = Scratch::new("refused");
    let program = scratch.file("net.wat", PROGRAM.as_bytes());
    let nobody = format!("{}:8003", own_address());
    for (flags, message) in [
        (["--net", nobody.as_str()], "cannot connect to"),
        (["--net", "name.invalid:80"], "cannot resolve name.invalid"),
        (["--listen", "198.51.100.1:80"], "cannot listen on 198.51.100.1:80"),
    ] {
        let output = run(&["run", flags[0], flags[1], "--invoke", "ask", &program]);
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(125));
    }
    let output = run(&["run", "--net", "localhost", &program]);
    assert!(stderr(&output).contains("PORT is missing"), "{}", stderr(&output));
}
