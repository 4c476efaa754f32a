//! Whoever is at the other ends of the connections that are granted.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use pinfold_vm::host::NetGrant;

/// The other ends for one run: a server that says `hello` and then whatever is said to it, and a client that says `hi`.
pub struct Peer {
    /// A connection to the server, and a place for the client to connect to.
    pub grants: Vec<NetGrant>,
    is_over: Arc<AtomicBool>,
}

impl Peer {
    pub fn new() -> io::Result<Self> {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let connection = NetGrant::connect(&server.local_addr()?.to_string());
        // An address of the loopback network that no other suite has.
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let place = (Ipv4Addr::new(127, 79, high, low), 8080);
        let listener = NetGrant::listen(&format!("{}:{}", place.0, place.1));
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        thread::spawn(move || serve(&server));
        thread::spawn(move || call(place, &over));
        Ok(Self { grants: connection.into_iter().chain(listener).collect(), is_over })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

fn serve(server: &TcpListener) -> io::Result<()> {
    let (mut connection, _) = server.accept()?;
    connection.write_all(b"hello")?;
    let mut bytes = [0; 100];
    loop {
        match connection.read(&mut bytes)? {
            0 => return Ok(()),
            len => connection.write_all(&bytes[..len])?,
        }
    }
}

/// Connects as soon as someone listens.
fn call(place: (Ipv4Addr, u16), is_over: &AtomicBool) -> io::Result<()> {
    while !is_over.load(Ordering::Relaxed) {
        if let Ok(mut connection) = TcpStream::connect(place) {
            connection.write_all(b"hi")?;
            return connection.read(&mut [0; 100]).map(drop);
        }
        thread::yield_now();
    }
    Ok(())
}
