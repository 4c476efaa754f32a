//! Running the tests and examples of a module in Fold, each in an instance of its own that was granted nothing.

use std::io::{self, Write};
use std::mem::ManuallyDrop;

use pinfold::answer::{Answer, Finding, TestName, Tested};
use pinfold::bundle::{Bundle, Source};
use pinfold::job::{EndKind, Ending, Test, TierName};
use pinfold::{exit, fold, trace};
use pinfold_compiler::check::{self, STANDARD};
use pinfold_compiler::driver::Checked;
use pinfold_compiler::examples::{Example, examples};
use pinfold_compiler::{Options, syntax};
use pinfold_vm::api::{
    Advance, Config, Engine, Error, Linker, Module, Store, StoreLimits, TrapKind, available, stop_from_outside,
};
use pinfold_vm::host::{Grants, HostState};

use crate::refusal;
use crate::run::{Host, state};

/// What is made before lock-down.
pub struct Prepared {
    engine: Engine,
    host: HostState,
}

/// Makes all that cannot be made after lock-down.
pub fn prepare(test: &Test) -> Result<Prepared, Error> {
    let mut config = Config::new();
    config.tier(TierName::Auto.into());
    let engine = Engine::new(&config)?;
    let host = HostState::new(&Grants::none()).map_err(Error::host)?;
    Advance { threads: (available() - 1).max(1), memories: 0, stack: stack(test), program: None, image: None }
        .make(&engine)?;
    stop_from_outside();
    // The standard library asks for randomness, once, at the first use of a map.
    drop(std::hash::RandomState::new());
    Ok(Prepared { engine, host })
}

fn stack(test: &Test) -> usize {
    usize::try_from(test.max_stack).unwrap_or(usize::MAX).min(1 << 40)
}

/// What is run.
enum Case<'a> {
    /// A test of the module, by its number in the program.
    Test(usize),
    /// An example, as a program of its own.
    Example(&'a Example),
}

/// Runs the tests and examples of the first source, and tells of each.
pub fn run(job: &Test, prepared: Prepared, bundle: &Bundle, out: &mut dyn Write) -> io::Result<Ending> {
    let done = Ok(Ending::new(EndKind::Exit, 0, None));
    let standard = match standard(job) {
        Some(None) => return Ok(Ending::new(EndKind::NotStarted, exit::REFUSED, Some("there is no such file".into()))),
        Some(Some(file)) => Some(Bundle { sources: vec![file], ..Bundle::default() }),
        None => None,
    };
    let is_standard = standard.is_some();
    let bundle = standard.as_ref().unwrap_or(bundle);
    let tell = |findings: Vec<Finding>, out: &mut dyn Write| {
        findings.into_iter().try_for_each(|finding| Answer::Finding(Box::new(finding)).write(out))
    };
    let Some(root) = bundle.sources.first() else { return done };
    // Examples of the standard library import it as all programs do.
    let around = if is_standard { &Bundle::default() } else { bundle };
    let own = match (!is_standard).then(|| Own::new(bundle)).transpose() {
        Ok(own) => own,
        Err(findings) => {
            tell(findings, out)?;
            return done;
        }
    };
    let text = std::str::from_utf8(&root.bytes).unwrap_or_default();
    let import = own.as_ref().map_or(is_standard && !root.module.starts_with("prelude/"), |own| own.can_be_imported);
    let examples = examples(text, import.then_some(root.module.as_str()));
    let cases = cases(job, own.as_ref(), root, &examples);
    Answer::Tests(cases.iter().map(|(name, _)| name.clone()).collect()).write(out)?;
    out.flush()?;
    let mut runner = Runner::new(job, prepared);
    let compiled = own.as_ref().map(|own| own.compile(&runner.engine));
    for (_, case) in cases.iter().skip(job.skip) {
        let tested = match (case, &compiled) {
            (Case::Test(number), Some(Ok(module))) => runner.test(module, &format!("test {number}")),
            (Case::Test(_), Some(Err(tested))) => Ok(tested.clone()),
            (Case::Test(_), None) => continue,
            (Case::Example(example), _) => runner.example(around, root, example),
        };
        match tested {
            Ok(tested) => {
                Answer::Tested(tested).write(out)?;
                out.flush()?;
            }
            Err(frames) => {
                return Ok(Ending { frames, ..Ending::new(EndKind::Timeout, exit::TIMEOUT, None) });
            }
        }
    }
    done
}

/// The file of the standard library that is wanted, if one is, and if there is one of that name.
fn standard(job: &Test) -> Option<Option<Source>> {
    let wanted = job.standard.as_ref()?;
    let file = STANDARD.iter().find(|(path, _)| path == wanted);
    Some(file.map(|(path, text)| Source {
        package: 0,
        module: path.trim_end_matches(".fold").into(),
        name: format!("std/{path}"),
        bytes: text.as_bytes().to_vec(),
    }))
}

/// What is run, in order: tests as they are written, then examples.
fn cases<'a>(job: &Test, own: Option<&Own>, root: &Source, examples: &'a [Example]) -> Vec<(TestName, Case<'a>)> {
    let tests =
        own.into_iter().flat_map(|own| fold::tests(&own.checked)).map(|(name, number)| (name, Case::Test(number)));
    let examples = examples.iter().map(|example| {
        let name = match &example.of {
            Some(of) => format!("example of {of}"),
            None => "example of the module".into(),
        };
        let line = u32::try_from(example.line).unwrap_or(u32::MAX);
        (TestName { name, file: root.name.clone(), line }, Case::Example(example))
    });
    let is_wanted = |(name, _): &(TestName, Case<'_>)| job.filter.as_ref().is_none_or(|part| name.name.contains(part));
    tests.chain(examples).filter(is_wanted).collect()
}

/// The module that is tested, with its tests.
struct Own {
    checked: Checked,
    can_be_imported: bool,
}

impl Own {
    fn new(bundle: &Bundle) -> Result<Self, Vec<Finding>> {
        let checked = fold::checked(bundle, check::Options { needs_main: false, ..check::Options::default() })?;
        // A script is no module, and neither is one whose name is none.
        let is_word = |part: &str| {
            part.chars().all(|c| c == '_' || c.is_alphanumeric()) && !part.starts_with(|c: char| c.is_numeric())
        };
        let can_be_imported = bundle.sources.first().is_some_and(|root| {
            root.module.split('/').all(is_word) && fold::tree(root).is_some_and(|tree| is_module(&tree))
        });
        Ok(Self { checked, can_be_imported })
    }

    fn compile(&self, engine: &Engine) -> Result<ManuallyDrop<Module>, Tested> {
        compile(&self.checked, engine)
    }
}

fn is_module(tree: &syntax::File) -> bool {
    tree.body.is_empty() && tree.needs.is_none()
}

fn compile(checked: &Checked, engine: &Engine) -> Result<ManuallyDrop<Module>, Tested> {
    let options = Options { tests: true, ..Options::default() };
    let bytes = checked.compile(options).map_err(|rejected| Tested::Rejected(fold::rejections(&rejected)))?;
    let module =
        Module::new(engine, bytes).map_err(|error| failed(format!("the compiler made what is no module: {error}")))?;
    Ok(ManuallyDrop::new(module))
}

fn failed(message: String) -> Tested {
    Tested::Failed { message, frames: Vec::new() }
}

/// One store for all of them, since room was set aside for one. Fold has no variables outside of functions, and a handle of the host is
/// never handed over: instances know nothing of one another.
struct Runner {
    engine: ManuallyDrop<Engine>,
    store: ManuallyDrop<Store<Host>>,
}

/// How a test ended; the stack of one whose time was over.
type Ran = Result<Tested, Vec<String>>;

impl Runner {
    fn new(job: &Test, prepared: Prepared) -> Self {
        let Prepared { engine, host } = prepared;
        let limits = StoreLimits { memory: job.max_memory, stack: stack(job), ..StoreLimits::default() };
        let mut store = Store::with_limits(&engine, Host::new(host), limits);
        store.connect(state);
        // Giving memory back takes system calls that are not there any more; the process ends soon.
        Self { engine: ManuallyDrop::new(engine), store: ManuallyDrop::new(store) }
    }

    /// Compiles an example, and runs what it does and its tests.
    fn example(&mut self, bundle: &Bundle, root: &Source, example: &Example) -> Ran {
        let source = Source { bytes: example.text.clone().into_bytes(), ..root.clone() };
        let checked = match fold::example(bundle, &source) {
            Ok(checked) => checked,
            Err(findings) => return Ok(Tested::Rejected(findings)),
        };
        let module = match compile(&checked, &self.engine) {
            Ok(module) => module,
            Err(tested) => return Ok(tested),
        };
        let main = checked.program.main.is_some().then(|| "main".to_owned());
        // Those of the modules that it imports are not its own.
        for name in main.into_iter().chain(fold::tests(&checked).map(|(_, number)| format!("test {number}"))) {
            match self.test(&module, &name)? {
                Tested::Passed => {}
                other => return Ok(other),
            }
        }
        Ok(Tested::Passed)
    }

    /// Calls an export in an instance of its own.
    fn test(&mut self, module: &Module, name: &str) -> Ran {
        let grants = Grants::none();
        let mut linker = ManuallyDrop::new(Linker::new(&self.engine));
        linker.host_table(&grants, state);
        for import in &refusal::check(module, &grants, false) {
            refusal::trap_when_called(&mut linker, state, import);
        }
        let store = &mut *self.store;
        let result = linker.instantiate(&mut *store, module).and_then(|instance| {
            let missing = || Error::NoExport { name: name.to_owned(), kind: "function" };
            instance.get_func(&*store, name).ok_or_else(missing)?.call(&mut *store, &[], &mut [])
        });
        let trap = match result {
            Ok(()) => return Ok(Tested::Passed),
            Err(Error::Trap(trap)) => trap,
            Err(error) => return Ok(failed(error.to_string())),
        };
        let frames = trace::frames(&trap, &|_| Some(module)).0.iter().map(ToString::to_string).collect();
        let message = match (trap.kind, &trap.source) {
            (TrapKind::Timeout | TrapKind::Interrupted, _) => return Err(frames),
            (TrapKind::Exit, Some(why)) => format!("error: {why}"),
            (TrapKind::Host, Some(why)) => why.to_string(),
            _ => format!("the test trapped: {trap}"),
        };
        Ok(Tested::Failed { message, frames })
    }
}
