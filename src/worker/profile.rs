//! Writing down where the program's time went, if somebody wants to know.

use std::collections::HashMap;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::rc::Rc;

use pinfold::job::{Run, descriptors};
use pinfold::profile::{Function, NAME, Profile};
use pinfold_vm::api::{Module, Sampled, Samples, Store};
use pinfold_vm::module::{FuncIndex, SOURCES, SourceMap, SourcePlace};

/// Nodes that there are at most: where functions were put into others, there are more than places that were seen.
const NODES: usize = 1 << 18;

/// Where it is written.
pub struct Room(&'static mut [u8]);

impl Room {
    /// Finds what the supervisor gave for it.
    pub fn prepare(run: &Run) -> io::Result<Option<Self>> {
        let (Some(number), Some(length)) = (descriptors::profile(run), run.insight.profile) else { return Ok(None) };
        // SAFETY: the supervisor gives it; nobody else uses it.
        let file = unsafe { OwnedFd::from_raw_fd(number) };
        crate::kept::map(&file, length as usize).map(|room| Some(Self(room)))
    }

    /// Writes what was seen of a store's programs.
    pub fn write<T>(self, store: &mut Store<T>, file: &Path) {
        if let Some(samples) = store.samples() {
            Telling::new(&samples, file).profile(&samples).write(self.0);
        }
    }
}

/// A module, and what it tells of its sources.
struct Source<'a> {
    module: &'a Module,
    map: Option<SourceMap<'a>>,
    /// Where functions begin: by name and file.
    beginnings: HashMap<(String, String), (u32, u32)>,
}

/// What is at a place of a module: functions, the outermost first, and the line in the innermost.
type Inlined = (Rc<[u32]>, Option<u32>);

/// Functions, with their numbers.
struct Telling<'a> {
    sources: Vec<Source<'a>>,
    /// The program's file, for functions without a source.
    file: String,
    functions: Vec<Function>,
    numbers: HashMap<Function, u32>,
    known: HashMap<(usize, FuncIndex, u32), Inlined>,
}

impl<'a> Telling<'a> {
    fn new(samples: &'a Samples, file: &Path) -> Self {
        let sources = samples.modules.iter().map(|module| {
            let map = module.custom_section(SOURCES).and_then(SourceMap::parse);
            let beginnings = map.iter().flat_map(SourceMap::beginnings);
            let beginnings = beginnings.map(|place| ((place.function, place.file), (place.line, place.column)));
            Source { module, beginnings: beginnings.collect(), map }
        });
        let (functions, numbers, known) = Default::default();
        Self { sources: sources.collect(), file: cut(&file.display().to_string()), functions, numbers, known }
    }

    fn profile(mut self, samples: &Samples) -> Profile {
        let mut nodes = vec![(0, self.of_ours("(root)"))];
        let mut children: HashMap<(u32, u32), u32> = HashMap::new();
        // The node of each place, and the line there.
        let mut of_places: Vec<(u32, Option<u32>)> = Vec::with_capacity(samples.places.len());
        let mut is_complete = samples.is_complete;
        for place in &samples.places {
            let (mut node, before) = of_places.get(place.parent).copied().unwrap_or_default();
            let (functions, line) = self.functions(&place.what);
            for function in functions.iter() {
                if self.is_entry(nodes.get(node as usize), *function) {
                    continue;
                }
                node = match children.get(&(node, *function)) {
                    Some(child) => *child,
                    None if nodes.len() == NODES => {
                        is_complete = false;
                        break;
                    }
                    None => {
                        nodes.push((node, *function));
                        children.insert((node, *function), nodes.len() as u32 - 1);
                        nodes.len() as u32 - 1
                    }
                };
            }
            // Code that was moved out of a function is a line of it.
            of_places.push((node, line.or(before.filter(|_| functions.is_empty()))));
        }
        let mut lines: HashMap<(u32, u32), u64> = HashMap::new();
        let mut taken: Vec<(u32, u32)> = Vec::with_capacity(samples.samples.len());
        for (place, micros) in &samples.samples {
            let Some((node, line)) = of_places.get(*place) else { continue };
            if let Some(line) = line {
                *lines.entry((*node, *line)).or_default() += u64::from(*micros);
            }
            match taken.last_mut().filter(|(last, _)| last == node) {
                Some((_, all)) => *all = all.saturating_add(*micros),
                None => taken.push((*node, *micros)),
            }
        }
        let mut lines: Vec<_> = lines.into_iter().map(|((node, line), micros)| (node, line, micros)).collect();
        lines.sort_unstable();
        Profile { functions: self.functions, nodes, samples: taken, lines, is_complete }
    }

    /// Whether a function is that at the bottom of a stack once more: `main` of a program in Fold is called by what is exported as such, which
    /// comes from the same place.
    fn is_entry(&self, bottom: Option<&(u32, u32)>, function: u32) -> bool {
        let is_main = || self.functions.get(function as usize).is_some_and(|function| function.name == "main");
        bottom.is_some_and(|(before, bottom)| *before == 0 && *bottom == function) && function != 0 && is_main()
    }

    /// What is at a place.
    fn functions(&mut self, what: &Sampled) -> Inlined {
        let name = match what {
            Sampled::Root => return Inlined::default(),
            Sampled::Guest { module, func, offset } => return self.guest(*module, *func, *offset),
            Sampled::Deeper => "(deeper frames)",
            Sampled::Gone => "(a module that is gone)",
            Sampled::Host(Some(name)) => &cut(name),
            Sampled::Host(None) => "(host)",
            Sampled::Runtime => "(runtime)",
        };
        ([self.of_ours(name)].into(), None)
    }

    fn guest(&mut self, module: usize, func: FuncIndex, offset: u32) -> Inlined {
        let key = (module, func, offset);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let found = self.find(module, func, offset).unwrap_or_default();
        self.known.insert(key, found.clone());
        found
    }

    fn find(&mut self, number: usize, func: FuncIndex, offset: u32) -> Option<Inlined> {
        let source = self.sources.get(number)?;
        let module = source.module.inner();
        let mut places = Vec::new();
        if let (Some(map), Some(defined)) = (&source.map, module.defined(func)) {
            places = match offset {
                // Where it was in the function is not known: there, but not in one that was put into it.
                0 => map.first_places(defined).pop().into_iter().collect(),
                _ => module.source_places(map, func, offset),
            };
            if places.is_empty() {
                // Code has places where it may fail, or calls. What comes before the first leads there.
                places = map.first_places(defined);
            }
        }
        if places.is_empty() {
            let name = module.names().function(func).map_or_else(|| format!("function {}", func.0), cut);
            let begins = module.body_offset(func).map(|at| (1, at.saturating_add(1)));
            let function = Function { name, file: self.file.clone(), begins };
            return Some(([self.number(function)].into(), None));
        }
        let line = places.first().filter(|_| offset != 0).map(|place| place.line);
        // What was moved out of a function is called from there: that one stands before it already.
        places.retain(|place| !place.function.is_empty());
        let functions: Vec<Function> = places.into_iter().rev().map(|place| source.function(place)).collect();
        Some((functions.into_iter().map(|function| self.number(function)).collect(), line))
    }

    fn of_ours(&mut self, name: &str) -> u32 {
        self.number(Function { name: name.to_owned(), ..Function::default() })
    }

    fn number(&mut self, function: Function) -> u32 {
        let next = self.functions.len() as u32;
        *self.numbers.entry(function).or_insert_with_key(|function| {
            self.functions.push(function.clone());
            next
        })
    }
}

impl Source<'_> {
    fn function(&self, place: SourcePlace) -> Function {
        let key = (place.function, place.file);
        let begins = self.beginnings.get(&key).copied();
        Function { name: cut(&key.0), file: cut(&key.1), begins }
    }
}

/// The beginning of a name.
fn cut(name: &str) -> String {
    name.chars().take(NAME).collect()
}
