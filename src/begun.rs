//! What a program that has begun found of its host: written into its snapshot by the worker that took it, and read by the one that goes on.
//!
//! No grant is in it. What the program was told of its arguments, its environment and its directories it may have remembered, so that the
//! run that goes on must be given the same, or nothing of the kind.

use std::fmt;

use pinfold_vm::api::Module;
use pinfold_vm::host::{Found, Grants};
use pinfold_vm::module::Escaped;
use serde::{Deserialize, Serialize};

/// The name of the custom section.
pub const SECTION: &str = "pinfold.begun";

/// What a program found before its snapshot was taken.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The call that it was about to make; none if it was taken between calls.
    pub before: Option<String>,
    /// Its arguments, if it asked for them.
    pub arguments: Option<Vec<String>>,
    /// Its environment, `NAME=value`, if it asked for it.
    pub environment: Option<Vec<String>>,
    /// Its directories, if it asked for those: their names, and whether they may be changed.
    pub directories: Option<Vec<(String, bool)>>,
    /// Whether it read a clock.
    pub clock: bool,
    /// Whether it drew random numbers: all runs that go on have the same ones.
    pub random: bool,
    /// Nanoseconds that it had run.
    pub elapsed: u64,
}

/// A grant that differs from what the program found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Differs {
    what: &'static str,
    flag: &'static str,
    found: Vec<String>,
}

impl fmt::Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, flag, found } = self;
        let found = match found.as_slice() {
            [] => "none".to_owned(),
            found => found.iter().map(|one| Escaped(one).to_string()).collect::<Vec<_>>().join(" "),
        };
        write!(
            f,
            "it had asked for its {what} before its snapshot was taken, and found {found}. Run it with the same, or take \
             another snapshot: `pinfold snapshot {flag}`"
        )
    }
}

impl Begun {
    /// What a module's snapshot says; none if it says nothing that is known.
    pub fn of(module: &Module) -> Option<Self> {
        serde_json::from_slice(module.custom_section(SECTION)?).ok()
    }

    /// As it is written into a snapshot.
    ///
    /// # Errors
    /// Those of serialization.
    pub fn written(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    /// The first thing that a run is given otherwise than the program found it. Without arguments or variables it is given what it found.
    pub fn differs(&self, grants: &Grants) -> Option<Differs> {
        let arguments = grants.args.get(1..).unwrap_or_default();
        if let Some(found) = &self.arguments
            && let Some(found) = found.get(1..)
            && !arguments.is_empty()
            && arguments != found
        {
            return Some(Differs { what: "arguments", flag: "FILE ARGS", found: found.to_vec() });
        }
        let environment: Vec<String> = grants.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if let Some(found) = &self.environment
            && !environment.is_empty()
            && environment != *found
        {
            return Some(Differs { what: "environment", flag: "--env KEY=VALUE", found: found.clone() });
        }
        let found = self.directories.as_ref()?;
        let directories: Vec<_> = grants.dirs.iter().map(|dir| (dir.guest.clone(), dir.writable)).collect();
        // A connection is the descriptor after those of the directories.
        let is_same = directories == *found && grants.net.is_empty();
        let shown = |(name, writable): &(String, bool)| format!("{name}{}", if *writable { ":rw" } else { "" });
        let found = found.iter().map(shown).collect();
        (!is_same).then_some(Differs { what: "directories", flag: "--dir HOST::GUEST", found })
    }

    /// What a run that goes on is to find again.
    pub fn found(&self) -> Found {
        Found { args: self.arguments.clone(), environ: self.environment.clone(), elapsed: self.elapsed }
    }
}

#[cfg(test)]
mod tests {
    use pinfold_vm::host::DirGrant;

    use super::*;

    fn grants(args: &[&str], env: &[(&str, &str)], dirs: &[(&str, bool)]) -> Grants {
        let owned = |text: &&str| (*text).to_owned();
        let dir = |(guest, writable): &(&str, bool)| DirGrant {
            name: None,
            host: "/host".into(),
            guest: (*guest).to_owned(),
            writable: *writable,
        };
        Grants {
            args: args.iter().map(owned).collect(),
            env: env.iter().map(|(name, value)| (owned(name), owned(value))).collect(),
            dirs: dirs.iter().map(dir).collect(),
            ..Grants::none()
        }
    }

    #[test]
    fn a_run_is_given_the_same_or_nothing() {
        let begun = Begun {
            arguments: Some(vec!["program".into(), "one".into()]),
            environment: Some(vec!["A=b".into()]),
            directories: Some(vec![("/data".into(), false)]),
            ..Begun::default()
        };
        let same = [("/data", false)];
        for (grants, what) in [
            (grants(&["other"], &[], &same), None),
            (grants(&["other", "one"], &[("A", "b")], &same), None),
            (grants(&["other", "two"], &[], &same), Some("arguments")),
            (grants(&["other"], &[("A", "c")], &same), Some("environment")),
            (grants(&["other"], &[], &[]), Some("directories")),
            (grants(&["other"], &[], &[("/data", true)]), Some("directories")),
        ] {
            assert_eq!(begun.differs(&grants).map(|differs| differs.what), what, "{grants:?}");
        }
        // What it did not ask for is the run's affair.
        assert_eq!(Begun::default().differs(&grants(&["p", "x"], &[("A", "b")], &same)), None);
    }

    #[test]
    fn the_message_names_what_was_found_without_obeying_it() {
        let begun = Begun { directories: Some(vec![("/\u{1b}[2J".into(), true)]), ..Begun::default() };
        let told = begun.differs(&grants(&["p"], &[], &[])).map(|differs| differs.to_string()).unwrap_or_default();
        assert!(told.contains("and found /\\u{1b}[2J:rw.") && told.contains("pinfold snapshot --dir"), "{told}");
    }
}
