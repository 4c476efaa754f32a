//! Connections that were granted.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::call::Answer;
use super::console::{number, read, write_all};
use super::handle::{Handle, Kind, Open, Origin};
use super::{Call, Count, Done, Text, rows};
use crate::host::wasi::Errno;

rows! {
    net_origins(net: handle) -> text, Sockets, "The origins that were granted, each ended by a line feed.";
    net_only(net: handle, origin: text) -> handle(optional), Sockets, "The same with one of its origins only.";
    net_connect(net: handle, origin: text) -> handle(optional), Sockets, "The connection to an origin.";
    net_accept(net: handle, address: text) -> handle(optional), Sockets, "The next connection that somebody makes to an address.";
    conn_read(connection: handle, most: int) -> text(optional), Sockets, "Reads at most so many bytes; none at the end.";
    conn_write(connection: handle, bytes: text) -> int, Sockets, "Sends all bytes.";
    conn_shutdown(connection: handle) -> int, Sockets, "Says that nothing more will be sent.";
    conn_close(connection: handle), Sockets, "Closes it.";
}

/// Most that is read at once.
const MOST: i64 = 16 << 20;
/// What `sock_shutdown` ends: sending.
const SENDING: u64 = 2;

fn find<'a>(call: &Call<'_>, origins: &'a [Origin], name: Text, listens: bool) -> Answer<&'a Origin> {
    let name = call.text(name)?;
    let fits = |origin: &&Origin| *origin.name == *name && origin.listens == listens;
    Ok(origins.iter().find(fits).ok_or(Errno::Notcapable)?)
}

fn net_origins(_: &mut Call<'_>, net: Arc<Handle>) -> Answer<Vec<u8>> {
    Ok(net.net()?.iter().flat_map(|origin| [&*origin.name, "\n"]).collect::<String>().into_bytes())
}

fn net_only(call: &mut Call<'_>, net: Arc<Handle>, origin: Text) -> Answer<Handle> {
    let name = call.text(origin)?;
    let only: Vec<Origin> = net.net()?.iter().filter(|origin| *origin.name == *name).cloned().collect();
    if only.is_empty() {
        return Err(Errno::Notcapable.into());
    }
    Ok(call.make_handle(Kind::Net(only)))
}

fn net_connect(call: &mut Call<'_>, net: Arc<Handle>, origin: Text) -> Answer<Handle> {
    let origin = find(call, net.net()?, origin, false)?;
    // The host made one connection, before the program began.
    if origin.taken.swap(true, Ordering::Relaxed) {
        return Err(Errno::Isconn.into());
    }
    let open = Open::new(call.host, origin.fd);
    Ok(call.make_handle(Kind::Connection(open)))
}

fn net_accept(call: &mut Call<'_>, net: Arc<Handle>, address: Text) -> Answer<Handle> {
    call.tidy()?;
    let fd = u64::from(find(call, net.net()?, address, true)?.fd);
    let mut new = [0; 4];
    call.wasi("sock_accept", &mut new, &[fd, 0, 0])?;
    let open = Open::new(call.host, number(&new, 0) as u32);
    Ok(call.make_handle(Kind::Connection(open)))
}

fn conn_read(call: &mut Call<'_>, connection: Arc<Handle>, most: i64) -> Answer<Vec<u8>> {
    read(call, connection.connection()?.fd()?, most.clamp(0, MOST) as usize)
}

fn conn_write(call: &mut Call<'_>, connection: Arc<Handle>, bytes: Text) -> Answer<Count> {
    let bytes = call.bytes(bytes).to_vec();
    write_all(call, connection.connection()?.fd()?, &bytes)?;
    Ok(Count(bytes.len() as u64))
}

fn conn_shutdown(call: &mut Call<'_>, connection: Arc<Handle>) -> Answer<Done> {
    call.wasi("sock_shutdown", &mut [], &[connection.connection()?.fd()?, SENDING])?;
    Ok(Done)
}

fn conn_close(call: &mut Call<'_>, connection: Arc<Handle>) -> Answer<()> {
    match connection.connection()?.close() {
        Some(fd) => call.wasi("fd_close", &mut [], &[fd]),
        None => Ok(()),
    }
}
