//! Running the entries of a session, as they are asked for.

use std::mem::ManuallyDrop;
use std::time::Instant;

use pinfold::job::{EndKind, Ending, Reply, Request, Run, Told};
use pinfold::question::{Candidate, UNLIMITED};
use pinfold::session::{Entered, Live};
use pinfold::{exit, fold};
use pinfold_compiler::check::probe::{self, Kind};
use pinfold_vm::api::{Error, Linker, Store, StoreLimits};
use pinfold_vm::host::Grants;

use crate::Channel;
use crate::run::{self, Host, Prepared, state};
use crate::show;

/// A session, of which nothing is given back while it lasts.
struct Worker<'a> {
    job: &'a Run,
    live: ManuallyDrop<Live<Host>>,
    /// Units of work that an entry may do.
    fuel: u64,
}

/// Answers until nobody asks any more.
pub fn run(job: &Run, prepared: Prepared, channel: &Channel) -> Ending {
    let done = |kind, code, message| Ending::new(kind, code, message);
    let mut worker = match Worker::new(job, prepared) {
        Ok(worker) => worker,
        Err(error) => return done(EndKind::NotStarted, exit::REFUSED, Some(error.to_string())),
    };
    loop {
        let Ok(Some(request)) = channel.request() else { return done(EndKind::Exit, exit::SUCCESS, None) };
        let reply = worker.answer(request);
        let sent = reply.into_message().map_err(std::io::Error::from).and_then(|message| channel.send(&message));
        if let Err(error) = sent {
            return done(EndKind::NotStarted, exit::REFUSED, Some(error.to_string()));
        }
    }
}

impl<'a> Worker<'a> {
    fn new(job: &'a Run, prepared: Prepared) -> Result<Self, Error> {
        let (engine, host) = prepared.into_parts();
        let engine = ManuallyDrop::new(engine);
        let limits = StoreLimits { memory: job.max_memory, stack: run::stack(job), ..StoreLimits::default() };
        let mut store = Store::with_limits(&engine, Host::new(host), limits);
        store.connect(state);
        let mut linker = Linker::new(&engine);
        linker.host_table(&job.grants, state);
        let live = ManuallyDrop::new(Live::new(&engine, store, linker)?);
        let mut worker = Self { job, live, fuel: job.fuel.unwrap_or(UNLIMITED) };
        let first = worker.enter(&first_entry(&job.grants));
        let wrong = first.findings.into_iter().next().map(|found| found.text);
        match first.ended.and_then(|ending| ending.message).or(wrong) {
            Some(message) => Err(Error::host(message)),
            None => Ok(worker),
        }
    }

    fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Enter(text) => self.enter(&text),
            Request::Type(text) => self.ty(&text),
            Request::Variables => {
                let variables = self.live.session().variables();
                let variables =
                    variables.map(|(name, ty, mutable)| (name.to_owned(), ty.to_owned(), mutable)).collect();
                Reply { variables, ..Reply::default() }
            }
            Request::Complete { before, after } => {
                let found = self.live.session().complete(&before, &after);
                Reply { candidates: found.into_iter().map(candidate).collect(), ..Reply::default() }
            }
            Request::Doc(text) => self.doc(&text),
            Request::Fuel(units) => {
                self.fuel = units.unwrap_or(UNLIMITED);
                Reply::default()
            }
            Request::Explore(_) => Reply::default(),
            Request::Show(stage, text) => show::show(self.live.session(), self.live.engine(), stage, &text),
        }
    }

    fn doc(&self, text: &str) -> Reply {
        let Some((found, members)) = self.live.session().documented(text) else { return Reply::default() };
        let head = if found.ty.is_empty() { &found.name } else { &found.ty };
        let mut text = match found.kind {
            Kind::Variable | Kind::Field => format!("{}: {}\n", found.name, found.ty),
            _ => format!("{head}\n"),
        };
        if !found.doc.is_empty() {
            text += &format!("\n{}\n", found.doc.trim_end());
        }
        if !members.is_empty() {
            text.push('\n');
        }
        for member in &members {
            let head = if member.ty.is_empty() { &member.name } else { &member.ty };
            text += &match member.doc.lines().next() {
                Some(first) => format!("  {head}\n      {first}\n"),
                None => format!("  {head}\n"),
            };
        }
        let text = text.trim_end().to_owned();
        Reply { value: Some(Told { text, ..Told::default() }), ..Reply::default() }
    }

    fn ty(&self, text: &str) -> Reply {
        match self.live.session().check(text) {
            Ok(entry) => {
                let text = entry.value_type().unwrap_or("()").to_owned();
                Reply { value: Some(Told { text, ..Told::default() }), ..Reply::default() }
            }
            Err(rejected) => Reply { findings: fold::rejections(&rejected), ..Reply::default() },
        }
    }

    fn enter(&mut self, text: &str) -> Reply {
        let Self { job, live, fuel } = self;
        let start = Instant::now();
        let mut began = start;
        let metered = live.store().set_fuel(*fuel);
        state(live.store().data_mut()).set_output_left(job.grants.output_limit);
        // An entry that was stopped stays so; the next one is another.
        live.store().set_deadline(None);
        let entry = Some(live.session().next_name());
        let entered = match metered {
            Ok(()) => live.enter(text, |store, needs| {
                began = Instant::now();
                run::handed(job, store, needs)
            }),
            // A session that counts no fuel has no limit.
            Err(error) => Entered::Failed(error),
        };
        // What one wrote that was stopped is passed on all the same.
        live.store().set_deadline(None);
        live.store().data_mut().flush();
        let used = live.store().get_fuel().map_or(0, |left| fuel.saturating_sub(left));
        let seconds = [(began - start).as_secs_f64(), began.elapsed().as_secs_f64()];
        let reply = match entered {
            Entered::Done { value, warnings } => {
                let value = value.map(|value| Told { text: value.text, ty: Some(value.ty), omitted: 0 });
                Reply {
                    value,
                    findings: warnings.map(|found| fold::rejections(&found)).unwrap_or_default(),
                    ..Reply::default()
                }
            }
            Entered::Rejected(rejected) => Reply { findings: fold::rejections(&rejected), ..Reply::default() },
            Entered::Failed(error) => {
                let modules = |name: Option<&str>| name.and_then(|name| live.module(name));
                Reply { ended: Some(run::explain(&error, job, &modules)), ..Reply::default() }
            }
        };
        Reply { seconds, entry, fuel: used, ..reply }
    }
}

fn candidate(found: probe::Candidate) -> Candidate {
    Candidate { name: found.name, kind: found.kind.name().to_owned(), ty: found.ty }
}

/// Binds what was granted, each under the name of its grant.
fn first_entry(grants: &Grants) -> String {
    let needs = grants.offers();
    if needs.is_empty() {
        return String::new();
    }
    let list: Vec<String> = needs.iter().map(|need| format!("{}: {}", need.name, need.kind)).collect();
    let binds = needs.iter().map(|need| format!("let {0} = {0}\n", need.name));
    format!("needs {}\n{}", list.join(", "), binds.collect::<String>())
}
