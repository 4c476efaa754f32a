//! `:grant` and `:revoke`: another authority for a session, which is another worker with the entries of this one.

use std::collections::HashSet;

use pinfold::job::Request;
use pinfold::supervisor::Replied;
use pinfold_compiler::lexer::KEYWORDS;
use pinfold_vm::host::{ClockGrant, Console, DirGrant, NetGrant};
use pinfold_vm::module::Escaped;

use super::replay::{self, Plan};
use super::{Repl, begin, is_error};
use crate::run::Settings;

/// What `:grant` takes.
const FORMS: &str =
    "dir NAME=HOST[:rw], net NAME=HOST:PORT, listen NAME=ADDR:PORT, env KEY[=VALUE], console, clock, random";

impl Repl<'_> {
    /// Grants or revokes something; `forced` if what is lost by that may be.
    pub(super) fn authorize(&mut self, command: &str, text: &str) {
        let (command, forced) = command.strip_suffix('!').map_or((command, false), |command| (command, true));
        let is_grant = command == ":grant";
        if !self.is_person {
            return self.complain(&format!(
                "{command} is for a person at a terminal: the flags of `pinfold repl` say what a session without one is granted"
            ));
        }
        let mut settings = self.settings.clone();
        let done = if is_grant { grant(&mut settings, text) } else { revoke(&mut settings, text) };
        match done.and_then(|name| self.check_name(&name, is_grant).map(|()| name)) {
            Ok(name) => self.renew(command, text, forced, settings, &name),
            Err(why) => self.complain(&why),
        }
    }

    /// What is granted gets a name that nothing has yet.
    fn check_name(&mut self, name: &str, is_grant: bool) -> Result<(), String> {
        if !is_grant || name == "env" {
            return Ok(());
        }
        if KEYWORDS.contains(&name) {
            return Err(format!("`{name}` is a reserved word: give it another name"));
        }
        if self.variables().iter().any(|(variable, ..)| variable == name) {
            return Err(format!("there is a variable `{name}` already: give it another name"));
        }
        Ok(())
    }

    /// Makes the session anew with other grants, if nothing is lost by that, or it may be.
    fn renew(&mut self, command: &str, text: &str, forced: bool, settings: Settings, changed: &str) {
        let plan = self.plan(changed);
        if !plan.lost.is_empty() && !forced {
            println!(
                "another authority is another worker, in which the entries so far are run again. These would be lost,"
            );
            println!("since they depend on what cannot be run again: {}", list(&plan));
            println!("`{command}! {}` does it all the same", Escaped(text));
            return;
        }
        // What it listens at is free for the next one.
        let ended = self.session().end();
        if let Some(Ok(outcome)) = ended {
            outcome.remains.finish();
        }
        let begun = begin(self.args, &settings, None);
        let session = match begun {
            Ok(session) => {
                self.settings = settings;
                session
            }
            Err(why) => {
                self.complain(&why);
                match begin(self.args, &self.settings, None) {
                    Ok(session) => session,
                    Err(why) => return self.complain(&why),
                }
            }
        };
        *self.session() = session;
        self.run_again(&plan);
        self.show_authority();
    }

    /// What can be run again where this is granted or revoked.
    fn plan(&mut self, changed: &str) -> Plan {
        let offers = self.settings.grants.offers();
        let granted: HashSet<String> = offers.iter().map(|need| need.name.clone()).collect();
        // These do the same in each worker.
        let is_same = |kind: &str| matches!(kind, "Console" | "Env" | "Args");
        let mut unrepeatable: HashSet<String> =
            offers.into_iter().filter(|need| !is_same(&need.kind)).map(|need| need.name).collect();
        unrepeatable.insert(changed.to_owned());
        let names = self.variables().into_iter().map(|(name, ..)| name);
        let variables = names.filter(|name| !granted.contains(name) && name != "it").collect();
        replay::plan(&self.ran, &variables, &unrepeatable)
    }

    /// Runs entries again; what they write is not shown again.
    fn run_again(&mut self, plan: &Plan) {
        let ran = std::mem::take(&mut self.ran);
        let (all, mut missed) = (ran.len(), Vec::new());
        for (entry, _) in ran.into_iter().zip(&plan.again).filter(|(_, again)| **again) {
            let answer = self.session().ask_silently(&Request::Enter(entry.text.clone()));
            let Ok(Some(Replied { reply, .. })) = answer else { return self.is_gone() };
            let failed = reply.ended.is_some() || reply.findings.iter().any(is_error);
            if failed && entry.end == replay::End::Done {
                missed.push(entry.text);
            } else {
                self.ran.push(entry);
            }
        }
        if all > 0 {
            println!("{} of {all} entries were run again", self.ran.len());
        }
        if !plan.lost.is_empty() {
            println!("lost: {}", list(plan));
        }
        for text in missed {
            self.complain(&format!("this went otherwise than before, and is lost: {}", Escaped(&text)));
        }
    }
}

fn list(plan: &Plan) -> String {
    plan.lost.iter().map(|name| format!("`{}`", Escaped(name))).collect::<Vec<_>>().join(", ")
}

/// Adds a grant; its name.
fn grant(settings: &mut Settings, text: &str) -> Result<String, String> {
    let (kind, what) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let what = what.trim();
    let grants = &mut settings.grants;
    let already = |name: &str| Err(format!("`{name}` is granted already"));
    let unnamed = || format!("`:grant {kind} NAME=…`: entries use it by its name");
    let name = match kind {
        "dir" => {
            let dir: DirGrant = what.parse().map_err(|error: pinfold_vm::host::DirGrantError| error.to_string())?;
            let name = dir.name.clone().ok_or_else(unnamed)?;
            grants.dirs.push(dir);
            name
        }
        "net" | "listen" => {
            let read = if kind == "net" { NetGrant::connect } else { NetGrant::listen };
            let net = read(what).map_err(|error| error.to_string())?;
            let name = net.name.clone().ok_or_else(unnamed)?;
            grants.net.push(net);
            name
        }
        "env" => {
            let (key, value) = match what.split_once('=') {
                Some((key, value)) => (key, Some(value.to_owned())),
                None => (what, std::env::var(what).ok()),
            };
            let value = value.filter(|_| !key.is_empty());
            let value = value.ok_or_else(|| format!("there is no variable `{}` here", Escaped(key)))?;
            grants.env.retain(|(other, _)| other != key);
            grants.env.push((key.to_owned(), value));
            "env".to_owned()
        }
        "console" if matches!(grants.console, Console::Inherit) => return already(kind),
        "clock" if grants.clock.is_some() => return already(kind),
        "random" if grants.random => return already(kind),
        "console" => {
            grants.console = Console::Inherit;
            kind.to_owned()
        }
        "clock" => {
            grants.clock = Some(ClockGrant::default());
            kind.to_owned()
        }
        "random" => {
            grants.random = true;
            kind.to_owned()
        }
        _ => return Err(format!("what is granted is written {FORMS}")),
    };
    Ok(name)
}

/// Takes a grant away; its name.
fn revoke(settings: &mut Settings, text: &str) -> Result<String, String> {
    let name = text.trim();
    let grants = &mut settings.grants;
    let before = (grants.dirs.len(), grants.net.len(), grants.env.len());
    grants.dirs.retain(|dir| dir.name.as_deref() != Some(name));
    grants.net.retain(|net| net.name.as_deref() != Some(name));
    if before.0 != grants.dirs.len() || before.1 != grants.net.len() {
        return Ok(name.to_owned());
    }
    match name {
        "console" if matches!(grants.console, Console::Inherit) => grants.console = Console::Discard,
        "clock" if grants.clock.is_some() => grants.clock = None,
        "random" if grants.random => grants.random = false,
        _ => {
            grants.env.retain(|(key, _)| key != name);
            if before.2 == grants.env.len() {
                return Err(format!("nothing is granted as `{}`; :caps lists what is", Escaped(name)));
            }
            return Ok("env".to_owned());
        }
    }
    Ok(name.to_owned())
}
