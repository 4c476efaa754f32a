//! Namespaces: which a process is made with, and who it is in them.

use std::fs;
use std::io;

use crate::error::{Context, LayerError};
use crate::plan::{Layer, Layers};

/// The flags by which a process is made in namespaces of its own.
pub fn clone_flags(layers: Layers) -> u64 {
    layers.iter().fold(0, |flags, layer| flags | layer.clone_flag())
}

/// Says who a process in a new user namespace is: root there, whoever made it outside, and nobody else exists.
pub fn map_identity(pid: i32) -> Result<(), LayerError> {
    let write = |file: &str, text: String| fs::write(format!("/proc/{pid}/{file}"), text);
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    // Groups could take rights away, so they must not be given up by an ordinary user.
    match write("setgroups", "deny".into()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).context(Layer::User, "deny groups"),
        _ => {}
    }
    write("uid_map", format!("0 {} 1", uid.as_raw())).context(Layer::User, "map the user")?;
    write("gid_map", format!("0 {} 1", gid.as_raw())).context(Layer::User, "map the group")
}

/// Takes the host's name away.
pub fn set_host_name() -> Result<(), LayerError> {
    rustix::system::sethostname(b"pinfold").context(Layer::Uts, "set the host name")?;
    rustix::system::setdomainname(b"").context(Layer::Uts, "set the domain name")
}
