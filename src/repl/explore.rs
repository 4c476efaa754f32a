//! `pinfold repl --wasm FILE`: a module is explored. Calls of its exports run in a confined worker, in the interpreter, and can be stepped
//! through.

use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::sync::{Arc, Mutex};

use pinfold::exit;
use pinfold::job::{Request, Task};
use pinfold::question::Explore;
use pinfold::supervisor::{self, Replied};
use pinfold_vm::module::Escaped;
use pinfold_vm::verifier::Limits;

use super::editor::{Editor, Line};
use super::help::EXPLORING;
use super::{Args, Shared, help, lost, start_with, tell};
use crate::run::Settings;

/// Bytes of a memory that are shown where nobody says how many.
const LENGTH: u64 = 64;

/// Explores a module.
///
/// # Errors
/// If it cannot be read, or is none.
pub(super) fn run(args: &Args, settings: &Settings, file: &Path) -> Result<u8, String> {
    let program = supervisor::read_program(file, Limits::default().module_bytes).map_err(|error| error.to_string())?;
    let mut session = start_with(args, settings, program, None, |mut run| {
        run.file = file.into();
        run.fuel = settings.fuel;
        Task::Explore(Box::new(run))
    })?;
    // The first question tells whether it is a module.
    if !matches!(session.ask(&Request::Explore(Explore::Exports)), Ok(Some(_))) {
        return Err(lost(&mut session, args));
    }
    let mut explorer = Explorer { args, session: Arc::new(Mutex::new(session)), failed: false };
    if io::stdin().is_terminal() { explorer.interact() } else { explorer.read(io::stdin().lock()) }
}

struct Explorer<'a> {
    args: &'a Args,
    session: Shared,
    failed: bool,
}

impl Explorer<'_> {
    fn interact(&mut self) -> Result<u8, String> {
        println!("Pinfold {}: a module is explored. :help tells more, Ctrl-D ends.", env!("CARGO_PKG_VERSION"));
        let mut editor = Editor::new(self.session.clone(), &EXPLORING).map_err(|error| error.to_string())?;
        editor.shows("wasm", &[]);
        loop {
            match editor.read().map_err(|error| error.to_string())? {
                Line::Entry(text) if !self.line(&text)? => return Ok(exit::SUCCESS),
                Line::End => return Ok(exit::SUCCESS),
                Line::Entry(_) | Line::Cleared => {}
            }
        }
    }

    fn read(&mut self, input: impl BufRead) -> Result<u8, String> {
        for line in input.lines() {
            let line = line.map_err(|error| format!("the input cannot be read: {error}"))?;
            if !self.line(&line)? {
                break;
            }
        }
        Ok(if self.failed { exit::FAILURE } else { exit::SUCCESS })
    }

    /// Does what a line says; `false` if that is to end.
    fn line(&mut self, line: &str) -> Result<bool, String> {
        let mut words = line.split_whitespace();
        let Some(command) = words.next() else { return Ok(true) };
        let rest: Vec<String> = words.map(str::to_owned).collect();
        let asked = match command {
            ":quit" | ":q" => return Ok(false),
            ":help" | ":h" => {
                println!("NAME ARGUMENT… calls a function that the module exports.");
                help::list(&EXPLORING);
                return Ok(true);
            }
            ":exports" => Ok(Explore::Exports),
            ":globals" => Ok(Explore::Globals),
            ":mem" => memory(&rest),
            ":break" | ":b" => Ok(Explore::Break(rest.into_iter().next())),
            ":clear" => Ok(Explore::Clear),
            ":step" | ":s" => match rest.first().map(|count| count.parse()) {
                None => Ok(Explore::Step(1)),
                Some(Ok(count)) => Ok(Explore::Step(count)),
                Some(Err(_)) => Err(":step takes how many operators to go on".to_owned()),
            },
            ":continue" | ":c" => Ok(Explore::Continue),
            ":stop" => Ok(Explore::Stop),
            ":locals" => Ok(Explore::Locals),
            ":stack" => Ok(Explore::Stack),
            ":where" => Ok(Explore::Where),
            other if other.starts_with(':') => Err(format!("there is no command {}; :help lists them", Escaped(other))),
            name => Ok(Explore::Call { name: name.to_owned(), arguments: rest }),
        };
        match asked {
            Ok(asked) => self.ask(asked)?,
            Err(why) => self.complain(&why),
        }
        Ok(true)
    }

    fn complain(&mut self, message: &str) {
        self.failed = true;
        eprintln!("pinfold: {message}");
    }

    fn ask(&mut self, asked: Explore) -> Result<(), String> {
        let mut session = self.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match session.ask(&Request::Explore(asked)) {
            Ok(Some(Replied { reply, stopped })) => {
                drop(session);
                self.failed |= reply.ended.is_some();
                tell(&reply, stopped, self.args);
                Ok(())
            }
            Ok(None) => Err(lost(&mut session, self.args)),
            Err(error) => {
                drop(session);
                self.complain(&error.to_string());
                Ok(())
            }
        }
    }
}

/// `[MEMORY:]ADDRESS [LENGTH]`
fn memory(words: &[String]) -> Result<Explore, String> {
    let wrong = || ":mem takes [MEMORY:]ADDRESS [LENGTH]".to_owned();
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).map_err(|_| wrong()),
        None => text.parse().map_err(|_| wrong()),
    };
    let (place, length) = match words {
        [place] => (place, LENGTH),
        [place, length] => (place, number(length)?),
        _ => return Err(wrong()),
    };
    let (index, address) = place.split_once(':').unwrap_or(("0", place));
    Ok(Explore::Memory { index: index.parse().map_err(|_| wrong())?, address: number(address)?, length })
}
