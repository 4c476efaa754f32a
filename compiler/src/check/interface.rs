//! What a program offers to a host that embeds it: the root's public functions whose parameters and results cross.
//!
//! What crosses by value is numbers, texts, bytes, `dyn Error` as its message, and collections, tuples, records and enums of those. The
//! standard library's records are its own, and do not, but for those that are named here; those of the module `host` do, which is made
//! for a program by who embeds it. A capability is a parameter that the host grants.

use rustc_hash::{FxHashMap, FxHashSet};

use super::declare::Code;
use super::scope::{Def, PRELUDE};
use super::{Checker, Owner, function_ids};
use crate::names::Name;
use crate::typed::interface::{Crossing, Export, Interface, Param};
use crate::typed::{Field, FnId, Module, ModuleId, Ty, TyKind};

/// How many types may cross.
const MAX_TYPES: usize = 4096;
/// How many may be looked at for that, those of functions included that then do not cross.
const MAX_LOOKS: usize = 16 * MAX_TYPES;
/// How deep they may be in one another.
const MAX_DEPTH: u32 = 128;

/// An interface in the making.
#[derive(Default)]
struct Finding {
    interface: Interface,
    numbers: FxHashMap<Ty, usize>,
    /// Types that were found not to cross.
    never: FxHashSet<Ty>,
    looks: usize,
    depth: u32,
    /// Whether a function is left out because there is too much.
    is_too_much: bool,
}

impl Checker<'_> {
    /// Finds the interface, and reaches what the standard library has for it.
    pub(super) fn find_interface(&mut self, root: ModuleId) {
        let mut found = Finding::default();
        for id in function_ids(&self.program) {
            let function = &self.program.functions[id.index()];
            let declared = &self.declared.fns[id.index()];
            let is_offered = function.module == root
                && function.public
                && declared.owner == Owner::Module
                && matches!(declared.source, Code::Fn(_));
            if !is_offered || self.program.main.as_ref().is_some_and(|main| main.function == id) {
                continue;
            }
            let before = found.interface.types.len();
            found.is_too_much = false;
            match self.export(&mut found, id) {
                Ok(export) => found.interface.functions.push(export),
                Err(why) => {
                    found.interface.types.truncate(before);
                    found.numbers.retain(|_, number| *number < before);
                    found.interface.kept.push((id, why));
                }
            }
        }
        for export in &found.interface.functions {
            for param in &export.params {
                if let Param::Capability(of) = param
                    && let Some(maker) = self.maker(*of)
                {
                    self.reach_fn(maker);
                }
            }
        }
        if !found.interface.functions.is_empty() || self.program.modules.iter().any(is_host) {
            self.reach_wire();
        }
        self.program.interface = found.interface;
    }

    fn export(&mut self, found: &mut Finding, id: FnId) -> Result<Export, String> {
        let function = self.program.functions[id.index()].clone();
        if !function.generics.is_empty() {
            return Err("it has type parameters".into());
        }
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let name = self.text(param.name).to_owned();
            params.push(match self.program.types.kind(param.ty) {
                TyKind::Dyn(of, _) if self.maker(*of).is_some() => Param::Capability(*of),
                _ if param.mutable => return Err(format!("its parameter `{name}` is `var`")),
                _ => match self.crossing(found, param.ty) {
                    Some(ty) => Param::Value(ty),
                    None => return Err(format!("its parameter `{name}` is of type `{}`", self.show(param.ty))),
                },
            });
        }
        match self.crossing(found, function.result) {
            Some(result) => Ok(Export { function: id, params, result }),
            None => Err(format!("it gives a `{}`", self.show(function.result))),
        }
    }

    /// The number of a type, if it crosses.
    fn crossing(&mut self, found: &mut Finding, ty: Ty) -> Option<usize> {
        if let Some(&number) = found.numbers.get(&ty) {
            return Some(number);
        }
        let number = found.interface.types.len();
        if number >= MAX_TYPES || found.looks >= MAX_LOOKS || found.depth >= MAX_DEPTH {
            found.is_too_much = true;
        }
        if found.is_too_much || found.never.contains(&ty) {
            return None;
        }
        // Before what is in it, which may be of this type.
        found.numbers.insert(ty, number);
        found.interface.types.push((ty, Crossing::Plain("")));
        found.looks += 1;
        found.depth += 1;
        let crossing = self.how(found, ty);
        found.depth -= 1;
        match crossing {
            Some(crossing) => {
                found.interface.types[number].1 = crossing;
                Some(number)
            }
            None => {
                // Less of it may cross elsewhere.
                if !found.is_too_much {
                    found.never.insert(ty);
                }
                None
            }
        }
    }

    fn how(&mut self, found: &mut Finding, ty: Ty) -> Option<Crossing> {
        let lang = self.program.lang;
        Some(match self.program.types.kind(ty).clone() {
            TyKind::Int => Crossing::Plain("Int"),
            TyKind::Float => Crossing::Plain("Float"),
            TyKind::Bool => Crossing::Plain("Bool"),
            TyKind::Char => Crossing::Plain("Char"),
            TyKind::String => Crossing::Plain("String"),
            TyKind::Dyn(error, _) if Some(error) == lang.error => Crossing::Plain("Error"),
            TyKind::Tuple(parts) => self.crossing_of(found, "Tuple", &parts)?,
            TyKind::Record(id, args) if Some(id) == lang.list => self.crossing_of(found, "List", &args)?,
            TyKind::Record(id, args) if Some(id) == lang.set || Some(id) == lang.map => {
                // Its functions ask for that, its type alone does not.
                if !lang.hash.is_some_and(|hash| self.implements(args[0], hash)) {
                    return None;
                }
                self.crossing_of(found, if args.len() == 1 { "Set" } else { "Map" }, &args)?
            }
            TyKind::Record(id, _) if Some(id) == lang.bytes => Crossing::Plain("Bytes"),
            TyKind::Enum(id, args) if Some(id) == lang.option => self.crossing_of(found, "Option", &args)?,
            TyKind::Enum(id, args) if Some(id) == lang.result => self.crossing_of(found, "Result", &args)?,
            TyKind::Record(id, args) => {
                let record = self.program.records[id.index()].clone();
                if !self.is_open(record.module) {
                    return None;
                }
                Crossing::Record(record.name, self.crossing_fields(found, &record.fields, &args)?)
            }
            TyKind::Enum(id, args) => {
                let declared = self.program.enums[id.index()].clone();
                if !self.is_open(declared.module) && Some(id) != lang.ordering {
                    return None;
                }
                let mut variants = Vec::with_capacity(declared.variants.len());
                for variant in &declared.variants {
                    variants.push((variant.name, self.crossing_fields(found, &variant.fields, &args)?));
                }
                Crossing::Enum(declared.name, variants)
            }
            _ => return None,
        })
    }

    fn crossing_of(&mut self, found: &mut Finding, name: &'static str, parts: &[Ty]) -> Option<Crossing> {
        let parts = parts.iter().map(|&part| self.crossing(found, part));
        Some(Crossing::Of(name, parts.collect::<Option<_>>()?))
    }

    fn crossing_fields(&mut self, found: &mut Finding, fields: &[Field], args: &[Ty]) -> Option<Vec<(Name, usize)>> {
        let mut crossing = Vec::with_capacity(fields.len());
        for field in fields {
            let ty = self.program.types.substitute(field.ty, args);
            if self.program.types.take_exceeded() {
                return None;
            }
            crossing.push((field.name, self.crossing(found, ty)?));
        }
        Some(crossing)
    }

    /// Whether what a module declares crosses by what it holds.
    fn is_open(&self, module: ModuleId) -> bool {
        let module = &self.program.modules[module.index()];
        !module.standard || is_host(module)
    }

    /// Reaches what puts values on the wire and takes them off.
    fn reach_wire(&mut self) {
        // The compiler calls them for what crosses.
        self.reach_any_argument();
        let scope = &self.scopes[PRELUDE.index()];
        let is_wire = |name: &&Name| self.names.text(**name).starts_with("wire_");
        let defs = scope.order.iter().filter(is_wire).filter_map(|name| Some(scope.entries.get(name)?.def));
        for def in defs.collect::<Vec<_>>() {
            if let Def::Fn(id) = def {
                self.reach_fn(id);
            }
        }
    }
}

/// Whether a module is the one that a host makes of its own capabilities.
fn is_host(module: &Module) -> bool {
    module.standard && &*module.path == "host"
}
