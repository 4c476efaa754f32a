//! Connections that are granted: which, how they are written, and where the program finds them.
//!
//! A program cannot make a socket. Whoever runs it opens what was granted, and hands it in as a descriptor (see
//! [`HostState::add_socket`](super::HostState::add_socket)).

use std::fmt;
use std::net::IpAddr;

use super::Grants;

/// A connection, or a place to be a server at.
///
/// ```
/// use pinfold_vm::host::NetGrant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let grant = NetGrant::connect("api=example.com:443")?;
/// assert_eq!((grant.name.as_deref(), grant.origin().as_str()), (Some("api"), "example.com:443"));
/// assert!(NetGrant::listen("127.0.0.1:8080").is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetGrant {
    /// The parameter it is bound to; the program finds its descriptor's number in the variable `PINFOLD_FD_<name>`.
    pub name: Option<String>,
    /// Who begins.
    pub role: Role,
    /// A name or an address; an address where the program listens.
    pub host: String,
    /// The port, not zero.
    pub port: u16,
}

/// Who begins a connection.
///
/// ```
/// use pinfold_vm::host::{NetGrant, Role};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert_eq!(NetGrant::listen("127.0.0.1:8080")?.role, Role::Listen);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Role {
    /// The host, before the program runs.
    Connect,
    /// Others, whom the program accepts.
    Listen,
}

/// Text that is no such grant.
///
/// ```
/// use pinfold_vm::host::NetGrant;
///
/// let wrong = NetGrant::connect("example.com").unwrap_err();
/// assert_eq!((wrong.form, wrong.problem), ("[NAME=]HOST:PORT", "PORT is missing"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not written {form}: {problem}")]
pub struct NetGrantError {
    /// What was written.
    pub text: String,
    /// How it is written.
    pub form: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl NetGrant {
    /// A connection, written `[NAME=]HOST:PORT`. HOST is a name, an IPv4 address, or an IPv6 address in brackets.
    ///
    /// # Errors
    /// If it is not written so.
    pub fn connect(text: &str) -> Result<Self, NetGrantError> {
        Self::parse(text, Role::Connect)
    }

    /// A place to be a server at, written `[NAME=]ADDR:PORT`.
    ///
    /// # Errors
    /// If it is not written so.
    pub fn listen(text: &str) -> Result<Self, NetGrantError> {
        Self::parse(text, Role::Listen)
    }

    fn parse(text: &str, role: Role) -> Result<Self, NetGrantError> {
        let form = match role {
            Role::Connect => "[NAME=]HOST:PORT",
            Role::Listen => "[NAME=]ADDR:PORT",
        };
        let error = |problem| NetGrantError { text: text.into(), form, problem };
        let (name, origin) = match text.split_once('=') {
            Some((name, origin)) if super::is_identifier(name) => (Some(name.to_owned()), origin),
            Some(_) => return Err(error("NAME is letters, digits and _")),
            None => (None, text),
        };
        let (host, port) = origin.rsplit_once(':').ok_or_else(|| error("PORT is missing"))?;
        let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(|| error("PORT is 1 to 65535"))?;
        let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(address) if address.parse::<std::net::Ipv6Addr>().is_ok() => address,
            Some(_) => return Err(error("in brackets stands an IPv6 address")),
            None if host.contains(':') => return Err(error("an IPv6 address stands in brackets")),
            None => host,
        };
        if host.parse::<IpAddr>().is_err() {
            if role == Role::Listen {
                return Err(error("ADDR is an address of this host, such as 127.0.0.1, or 0.0.0.0 for all"));
            }
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if host.is_empty() || host.len() > 253 || !host.chars().all(is_name) {
                return Err(error("HOST is no name and no address"));
            }
        }
        Ok(Self { name, role, host: host.to_owned(), port })
    }

    /// The origin as it is written: `HOST:PORT`.
    pub fn origin(&self) -> String {
        let Self { host, port, .. } = self;
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }
}

impl fmt::Display for NetGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        f.write_str(&self.origin())
    }
}

impl Grants {
    /// The connections that are granted, each with the number of its descriptor inside: after the directories.
    #[doc(hidden)]
    pub fn sockets(&self) -> impl Iterator<Item = (usize, &NetGrant)> {
        let first = super::descriptor::Descriptors::FIRST + self.dirs.len();
        (first..).zip(&self.net)
    }

    /// The variables that tell the program which descriptors these are.
    pub(super) fn socket_variables(&self) -> impl Iterator<Item = String> {
        self.sockets()
            .filter_map(|(number, grant)| grant.name.as_ref().map(|name| format!("PINFOLD_FD_{name}={number}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_understood() {
        let parse = |text| NetGrant::connect(text).map(|grant| (grant.name, grant.host, grant.port));
        assert_eq!(parse("api.example.com:443"), Ok((None, "api.example.com".into(), 443)));
        assert_eq!(parse("api=127.0.0.1:80"), Ok((Some("api".into()), "127.0.0.1".into(), 80)));
        assert_eq!(parse("[::1]:8080"), Ok((None, "::1".into(), 8080)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["a=example.com:443", "127.0.0.1:1", "x=[fe80::1]:65535"] {
            assert_eq!(NetGrant::connect(text).map(|grant| grant.to_string()).as_deref(), Ok(text));
        }
    }

    #[test]
    fn what_is_no_origin_is_an_error() {
        let longest = format!("{}:80", "a".repeat(254));
        for text in [
            "",
            "example.com",
            ":80",
            "a:0",
            "a:65536",
            "a:http",
            "::1:80",
            "[a]:80",
            "a b:80",
            "a/b:80",
            "-=a:1",
            &longest,
        ] {
            assert!(NetGrant::connect(text).is_err(), "{text}");
        }
        assert!(NetGrant::listen("localhost:80").is_err());
        assert!(NetGrant::listen("0.0.0.0:80").is_ok());
    }

    #[test]
    fn numbers_follow_the_directories() {
        let mut grants = Grants { net: vec![NetGrant::connect("api=example.com:1").unwrap()], ..Grants::none() };
        assert_eq!(grants.sockets().map(|(number, _)| number).collect::<Vec<_>>(), [3]);
        grants.dirs.push("/".parse().unwrap());
        assert_eq!(grants.socket_variables().collect::<Vec<_>>(), ["PINFOLD_FD_api=4"]);
    }
}
