//! `examples/http-client.fold`, and servers of all sorts that it may meet.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;

use super::*;

fn example() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/http-client.fold").display().to_string()
}

/// Runs the example with a server that gives this answer to whatever it is asked. What the program did, and what it asked.
fn with_server(tier: &str, answer: &[u8]) -> (Output, String) {
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let origin = format!("api={}", server.local_addr().unwrap());
    thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let (mut connection, _) = server.accept().unwrap();
            let (mut asked, mut byte) = (Vec::new(), [0]);
            while !asked.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap() == 1 {
                asked.push(byte[0]);
            }
            // A client that has seen enough may be gone before all of it is sent.
            let _ = connection.write_all(answer);
            String::from_utf8(asked).unwrap()
        });
        let output = run(&["run", "--tier", tier, "--net", &origin, &example()]);
        (output, asked.join().unwrap())
    })
}

#[test]
fn the_client_writes_what_a_server_answers() {
    let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/expected/http-client.txt");
    for tier in TIERS {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n\r\nHello from a test\n",
            "HTTP/1.1 200 OK\r\ncontent-type:text/plain\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nHello \r\nB\r\nfrom a test\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nHello from a test",
        ] {
            let (output, asked) = with_server(tier, answer.as_bytes());
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            if std::env::var_os("EXPECT").is_some() {
                std::fs::write(&expected, &output.stdout).unwrap();
            }
            assert_eq!(stdout(&output), std::fs::read_to_string(&expected).unwrap());
            let (line, headers) = asked.split_once("\r\n").unwrap();
            assert_eq!(line, "GET /greeting HTTP/1.1");
            assert!(headers.contains("Host: 127.0.0.1:") && headers.contains("Connection: close\r\n"), "{headers}");
        }
    }
}

#[test]
fn servers_that_answer_something_else_end_in_an_error_that_says_so() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(65 << 20));
    for (answer, message) in [
        ("", "the answer is no HTTP: its head does not end"),
        ("HTTP/1.1 200 OK\r\nContent-", "the answer is no HTTP: its head does not end"),
        (
            "\u{1}\u{2}rubbish \u{7}\r\n\r\nmore",
            r#"the answer is no HTTP: its first line is "\u{1}\u{2}rubbish \u{7}""#,
        ),
        ("SSH-2.0-server\r\n\r\n", r#"the answer is no HTTP: its first line is "SSH-2.0-server""#),
        ("HTTP/1.1 fine\r\n\r\n", r#"the answer is no HTTP: its status is "fine""#),
        ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", r#"the answer is no HTTP: a header is "nothing""#),
        ("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "the answer is no HTTP: it has 5 bytes instead of 100"),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nx", "the answer is no HTTP: it has 1 bytes instead of -1"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort",
            "the answer is no HTTP: a chunk is cut off",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx\r\n",
            "the answer is no HTTP: a chunk is cut off",
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\n\r\n",
            "the server answers 302 Found, see http://example.com/",
        ),
        ("HTTP/1.1 500 Oh\r\n\r\n", "the server answers 500 Oh"),
        (&long, "the answer is longer than 64 MiB"),
    ] {
        let (output, _) = with_server("auto", answer.as_bytes());
        assert_eq!(stdout(&output), "", "{message}");
        assert!(stderr(&output).contains(message), "{message}: {}", stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{message}");
    }
}

#[test]
fn without_its_grant_the_client_does_not_begin() {
    let output = run(&["run", &example()]);
    assert_eq!(stdout(&output), "");
    assert!(
        stderr(&output).contains("api: Net is not granted; grant it with --net api=HOST:PORT"),
        "{}",
        stderr(&output)
    );
    assert_eq!(output.status.code(), Some(125));
    // A grant of another name is for another parameter.
    let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let other = format!("other={}", server.local_addr().unwrap());
    let output = run(&["run", "--net", &other, &example()]);
    assert!(stderr(&output).contains("--net api=HOST:PORT"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(125));
}
