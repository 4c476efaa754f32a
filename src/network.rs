//! Opening the connections that were granted: the only place where Pinfold touches a network, and always outside of the worker.
//!
//! A name is resolved here, and must not lead inside: whoever controls a public name can let it point to an address of this host or of
//! its network ("DNS rebinding"). Such addresses are reached only by who was granted them as such.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use pinfold_vm::host::{NetGrant, Role};

/// How long it may take to open one connection, the resolution of its name included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a connection that was granted is not there.
#[derive(Debug, thiserror::Error)]
pub enum NetworkError {
    /// The name is unknown, or nobody could be asked.
    #[error("cannot resolve {host}: {error}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver says.
        error: io::Error,
    },
    /// The name leads inside.
    #[error("{host} resolves to {address}, which is no public address; if that is wanted, grant it as such: {flag}")]
    NotPublic {
        /// The name.
        host: String,
        /// Its first address.
        address: IpAddr,
        /// The flag that grants it.
        flag: String,
    },
    /// Nobody answers there, or not in time.
    #[error("cannot connect to {origin}: {error}")]
    Connect {
        /// Host and port.
        origin: String,
        /// Why not.
        error: io::Error,
    },
    /// The program cannot be a server there.
    #[error("cannot listen on {origin}: {error}")]
    Listen {
        /// Address and port.
        origin: String,
        /// Why not.
        error: io::Error,
    },
}

/// Opens all connections, in order.
///
/// # Errors
/// If one cannot be opened, those before it are closed again.
pub fn open(grants: &[NetGrant]) -> Result<Vec<OwnedFd>, NetworkError> {
    let open = |grant: &NetGrant| match grant.role {
        Role::Connect => connect(grant).map(OwnedFd::from),
        Role::Listen => listen(grant).map(OwnedFd::from),
    };
    grants.iter().map(open).collect()
}

fn listen(grant: &NetGrant) -> Result<TcpListener, NetworkError> {
    let fail = |error| NetworkError::Listen { origin: grant.origin(), error };
    let address: IpAddr = grant.host.parse().map_err(|error| fail(io::Error::other(error)))?;
    TcpListener::bind((address, grant.port)).map_err(fail)
}

fn connect(grant: &NetGrant) -> Result<TcpStream, NetworkError> {
    let deadline = Instant::now() + PATIENCE;
    let left = || deadline.saturating_duration_since(Instant::now());
    let fail = |error| NetworkError::Connect { origin: grant.origin(), error };
    let mut last = fail(io::ErrorKind::TimedOut.into());
    for address in addresses(grant, left())? {
        let left = left();
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = fail(error),
        }
    }
    Err(last)
}

/// Where a grant may lead.
fn addresses(grant: &NetGrant, patience: Duration) -> Result<Vec<SocketAddr>, NetworkError> {
    if let Ok(address) = grant.host.parse::<IpAddr>() {
        return Ok(vec![(address, grant.port).into()]);
    }
    let found = resolve(&grant.host, grant.port, patience)
        .map_err(|error| NetworkError::Resolve { host: grant.host.clone(), error })?;
    admitted(grant, found)
}

/// Asks the system's resolver, which knows no deadline of its own.
fn resolve(host: &str, port: u16, patience: Duration) -> io::Result<Vec<SocketAddr>> {
    keep_to_own_sources();
    let (tell, hear) = mpsc::channel();
    let name = (host.to_owned(), port);
    let ask = move || {
        // Nobody hears it any more once it is late.
        let _ = tell.send(name.to_socket_addrs().map(Vec::from_iter));
    };
    std::thread::Builder::new().name("pinfold-resolver".into()).spawn(ask)?;
    hear.recv_timeout(patience).unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// An executable that has the C library inside asks what that knows by itself, `/etc/hosts` and DNS: other sources that a host may have are
/// libraries, made for the C library of the host.
fn keep_to_own_sources() {
    // SAFETY: a plain call: where whatever loads libraries is in memory, if that was needed.
    let loader = unsafe { libc::getauxval(libc::AT_BASE) };
    if loader == 0 {
        // SAFETY: strings that end with zero. If it fails nothing has changed.
        unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
    }
}

unsafe extern "C" {
    /// See the GNU C library's manual, "NSS Configuration File".
    fn __nss_configure_lookup(database: *const libc::c_char, services: *const libc::c_char) -> libc::c_int;
}

/// Of the addresses of a name, those that it may have.
fn admitted(grant: &NetGrant, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NetworkError> {
    let is_local_name = grant.host == "localhost" || grant.host.ends_with(".localhost");
    let may = |ip: IpAddr| if is_local_name { ip.is_loopback() } else { is_public(ip) };
    let first = found.first().copied();
    let addresses: Vec<SocketAddr> = found.into_iter().filter(|address| may(address.ip())).collect();
    match first {
        _ if !addresses.is_empty() => Ok(addresses),
        Some(first) => {
            let as_such = NetGrant { host: first.ip().to_string(), ..grant.clone() };
            let flag = format!("--net {as_such}");
            Err(NetworkError::NotPublic { host: grant.host.clone(), address: first.ip(), flag })
        }
        None => Err(NetworkError::Resolve { host: grant.host.clone(), error: io::ErrorKind::NotFound.into() }),
    }
}

/// Whether an address is one of the public network, by IANA's registries of special-purpose addresses (RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || a == 0
        // Shared by customers of a provider.
        || (a == 100 && b & 0b1100_0000 == 64)
        // Protocol assignments; relays between protocols; measurement.
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && b & 0b1111_1110 == 18)
        // Multicast, reserved, broadcast.
        || a >= 224)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // An IPv4 address in another form: mapped, translated, tunnelled.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x2002, high, low, ..] => embedded(high, low),
        // Protocol assignments, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Nothing else was ever given out.
        [first, ..] => first & 0b1110_0000_0000_0000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_addresses_are_not_public_in_any_form() {
        for address in [
            "127.0.0.1",
            "127.8.8.8",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fec0::1",
            "100::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn outer_addresses_are() {
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    fn admits(grant: &str, addresses: &[&str]) -> Result<Vec<String>, String> {
        let grant = NetGrant::connect(grant).unwrap();
        let found = addresses.iter().map(|address| (address.parse::<IpAddr>().unwrap(), grant.port).into()).collect();
        let shown = |addresses: Vec<SocketAddr>| addresses.iter().map(ToString::to_string).collect();
        admitted(&grant, found).map(shown).map_err(|error| error.to_string())
    }

    #[test]
    fn a_name_that_leads_inside_leads_nowhere() {
        assert_eq!(admits("a.example:1", &["10.0.0.1", "8.8.8.8", "::1"]), Ok(vec!["8.8.8.8:1".into()]));
        let refused = admits("db=a.example:5432", &["fd00::7"]).unwrap_err();
        assert!(refused.ends_with("grant it as such: --net db=[fd00::7]:5432"), "{refused}");
        assert!(admits("a.example:1", &[]).is_err());
    }

    #[test]
    fn the_local_host_is_granted_by_its_name_too() {
        assert_eq!(admits("localhost:1", &["127.0.0.1"]), Ok(vec!["127.0.0.1:1".into()]));
        assert!(admits("localhost:1", &["8.8.8.8"]).is_err());
        assert!(admits("notlocalhost:1", &["127.0.0.1"]).is_err());
    }

    #[test]
    fn an_address_is_taken_as_it_is() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let grant = NetGrant::connect(&server.local_addr().unwrap().to_string()).unwrap();
        assert_eq!(open(std::slice::from_ref(&grant)).map(|sockets| sockets.len()).ok(), Some(1));
        drop(server);
        let error = open(&[grant]).unwrap_err().to_string();
        assert!(error.starts_with("cannot connect to 127.0.0.1:"), "{error}");
    }

    #[test]
    fn a_place_that_is_taken_is_said_to_be() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let grant = NetGrant::listen(&server.local_addr().unwrap().to_string()).unwrap();
        let error = open(&[grant]).unwrap_err().to_string();
        assert!(error.starts_with("cannot listen on 127.0.0.1:"), "{error}");
    }
}
