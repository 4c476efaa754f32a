//! The stack of a program that was ended, in words.

use std::fmt;

use pinfold_vm::api::{self, Module, Trap};
use pinfold_vm::module::{FuncIndex, SOURCES, SourceMap, SourcePlace};

/// Frames that are told.
const FRAMES: usize = 80;

/// Where a program was.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("at.fold", "fn first(list: List<Int>) -> Int { list[0] }\npub fn at() -> Int { first([]) }")?;
/// let ended = program.call::<i64>("at", ()).unwrap_err();
/// let functions: Vec<&str> = ended.stack().iter().map(|frame| frame.function.as_str()).collect();
/// assert!(functions.iter().any(|name| name.ends_with("first")) && functions.iter().any(|name| name.ends_with("at")));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// The function, as it is called in the program.
    pub function: String,
    /// Where in its source, if that is known.
    pub place: Option<Place>,
    /// Where in its module, if no source is known.
    pub offset: Option<u32>,
}

/// A place in a source.
///
/// ```
/// use pinfold::Vm;
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let program = Vm::new()?.compile("at.fold", "pub fn at() -> Int {\n    [1, 2][2]\n}")?;
/// let ended = program.call::<i64>("at", ()).unwrap_err();
/// assert_eq!(ended.place().map(|place| (place.file.as_str(), place.line)), Some(("at.fold", 2)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1, in characters.
    pub column: u32,
}

impl Frame {
    /// From its text, which may be anything.
    #[doc(hidden)]
    pub fn read(text: &str) -> Self {
        let place = |text: &str| {
            let mut parts = text.rsplitn(3, ':');
            let (column, line) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            Some(Place { file: parts.next()?.to_owned(), line, column })
        };
        match text.split_once("  ").and_then(|(function, rest)| Some((function, place(rest)?))) {
            Some((function, place)) => Self { function: function.to_owned(), place: Some(place), offset: None },
            None => Self { function: text.to_owned(), place: None, offset: None },
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        if let Some(Place { file, line, column }) = &self.place {
            write!(f, "  {file}:{line}:{column}")?;
        }
        self.offset.map_or(Ok(()), |offset| write!(f, " at {offset:#x}"))
    }
}

/// The modules of a store, by their names.
#[doc(hidden)]
pub type Modules<'m> = dyn Fn(Option<&str>) -> Option<&'m Module> + 'm;

/// A module and what it tells of its sources.
type Mapped<'m> = (&'m Module, SourceMap<'m>);

fn mapped<'m>(modules: &Modules<'m>, name: Option<&str>) -> Option<Mapped<'m>> {
    let module = modules(name)?;
    Some((module, SourceMap::parse(module.custom_section(SOURCES)?)?))
}

/// The frames of a trap, newest first, and how many more there are: with places in sources where their modules tell them.
#[doc(hidden)]
pub fn frames(trap: &Trap, modules: &Modules<'_>) -> (Vec<Frame>, usize) {
    let mut last: (Option<&str>, Option<Mapped<'_>>) = (None, mapped(modules, None));
    let mut frames: Vec<Frame> = Vec::new();
    let mut before = String::new();
    for (number, frame) in trap.frames.iter().enumerate() {
        let name = frame.module.as_deref();
        if last.0 != name {
            last = (name, mapped(modules, name));
        }
        let places =
            last.1.as_ref().map(|(module, map)| module.inner().source_places(map, FuncIndex(frame.func), frame.offset));
        let mut places = places.unwrap_or_default();
        let is_known = !places.is_empty();
        // What ends the program is called from elsewhere in the same function, of which there is a frame already.
        places.retain(|place| !place.function.is_empty());
        let inner = places.len().checked_sub(2).and_then(|at| places.get(at)).map_or(&before, |inner| &inner.function);
        if number + 1 == trap.frames.len() && places.last().is_some_and(|last| is_export(&last.function, inner)) {
            places.pop();
        } else if !is_known {
            frames.push(offset(frame));
        }
        before = places.last().map_or(before, |place| place.function.clone());
        frames.extend(places.into_iter().map(place));
    }
    let more = frames.len().saturating_sub(FRAMES);
    frames.truncate(FRAMES);
    (frames, more + trap.omitted)
}

/// Whether a function is exported and does nothing but call what is written, which is `inner`.
fn is_export(function: &str, inner: &str) -> bool {
    match function.strip_prefix("call ") {
        Some(called) => inner.rsplit('.').next() == Some(called),
        None => function == inner && (function == "main" || function.starts_with("test ")),
    }
}

fn place(place: SourcePlace) -> Frame {
    let SourcePlace { function, file, line, column } = place;
    Frame { function, place: Some(Place { file, line, column }), offset: None }
}

fn offset(frame: &api::Frame) -> Frame {
    let function = frame.name.as_ref().map_or_else(|| format!("function {}", frame.func), ToString::to_string);
    Frame { function, place: None, offset: Some(frame.offset) }
}
