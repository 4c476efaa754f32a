//! Types, each once: equal types have equal numbers.

use rustc_hash::FxHashMap;

use super::{EnumId, RecordId, TraitId};

/// A type of [`Types`]; equal where the types are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ty(u32);

/// What a type is.
///
/// Access (`var`, `let`) is not part of it: it has no meaning at run time, and a check of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TyKind {
    /// 64-bit signed integer.
    Int,
    /// 64-bit floating-point number.
    Float,
    /// True or false.
    Bool,
    /// A Unicode scalar value.
    Char,
    /// Immutable UTF-8 text.
    String,
    /// Raw mutable bytes of a fixed number, laid out like a [`String`](TyKind::String); the standard library's.
    Buffer,
    /// Raw array of a fixed length; the standard library's.
    Array(Ty),
    /// A handle of the host (`externref`); the standard library's.
    Extern,
    /// What has no value.
    Never,
    /// Several values; none: `()`.
    Tuple(Box<[Ty]>),
    /// A record with arguments.
    Record(RecordId, Box<[Ty]>),
    /// An enum with arguments.
    Enum(EnumId, Box<[Ty]>),
    /// A function value.
    Fn(Box<[Ty]>, Ty),
    /// Anything that implements a trait, a capability's interface among them.
    Dyn(TraitId, Box<[Ty]>),
    /// A type parameter, by its place among those of the function: first those of its `impl` (of a trait: `Self`, then
    /// the trait's), then its own.
    Param(u32),
    /// Not known yet; gone after checking.
    Infer(u32),
    /// Of something that is wrong, which was told.
    Error,
}

/// How deep a type may nest.
pub const MAX_DEPTH: u16 = 128;

/// How many parts a type may have, counted each time they occur.
pub const MAX_SIZE: u32 = 4096;

/// What is known of a type without looking into it.
#[derive(Clone, Copy, Debug)]
struct Shape {
    depth: u16,
    size: u32,
    infer: bool,
    param: bool,
    error: bool,
}

/// All types of a compilation.
///
/// No type is deeper than [`MAX_DEPTH`] or larger than [`MAX_SIZE`]: in its place stands [`Ty::ERROR`], and
/// [`take_exceeded`](Types::take_exceeded) tells.
#[derive(Clone, Debug)]
pub struct Types {
    kinds: Vec<TyKind>,
    shapes: Vec<Shape>,
    numbers: FxHashMap<TyKind, Ty>,
    exceeded: bool,
}

impl Ty {
    /// [`TyKind::Int`]
    pub const INT: Ty = Ty(0);
    /// [`TyKind::Float`]
    pub const FLOAT: Ty = Ty(1);
    /// [`TyKind::Bool`]
    pub const BOOL: Ty = Ty(2);
    /// [`TyKind::Char`]
    pub const CHAR: Ty = Ty(3);
    /// [`TyKind::String`]
    pub const STRING: Ty = Ty(4);
    /// [`TyKind::Buffer`]
    pub const BUFFER: Ty = Ty(5);
    /// [`TyKind::Extern`]
    pub const EXTERN: Ty = Ty(6);
    /// [`TyKind::Never`]
    pub const NEVER: Ty = Ty(7);
    /// `()`
    pub const UNIT: Ty = Ty(8);
    /// [`TyKind::Error`]
    pub const ERROR: Ty = Ty(9);

    /// As an index, below [`Types::len`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl Default for Types {
    fn default() -> Self {
        let mut types = Self { kinds: Vec::new(), shapes: Vec::new(), numbers: FxHashMap::default(), exceeded: false };
        for kind in [
            TyKind::Int,
            TyKind::Float,
            TyKind::Bool,
            TyKind::Char,
            TyKind::String,
            TyKind::Buffer,
            TyKind::Extern,
            TyKind::Never,
            TyKind::Tuple(Box::new([])),
            TyKind::Error,
        ] {
            types.intern(kind);
        }
        types
    }
}

impl Types {
    /// The type of this kind.
    pub fn intern(&mut self, kind: TyKind) -> Ty {
        if let Some(&ty) = self.numbers.get(&kind) {
            return ty;
        }
        let shape = self.shape_of(&kind);
        if shape.depth > MAX_DEPTH || shape.size > MAX_SIZE {
            self.exceeded = true;
            return Ty::ERROR;
        }
        let ty = Ty(self.kinds.len() as u32);
        self.kinds.push(kind.clone());
        self.shapes.push(shape);
        self.numbers.insert(kind, ty);
        ty
    }

    fn shape_of(&self, kind: &TyKind) -> Shape {
        let mut shape = Shape { depth: 0, size: 1, infer: false, param: false, error: false };
        let mut add = |part: Ty| {
            let part = self.shapes[part.0 as usize];
            shape.depth = shape.depth.max(part.depth + 1);
            shape.size = shape.size.saturating_add(part.size);
            shape.infer |= part.infer;
            shape.param |= part.param;
            shape.error |= part.error;
        };
        match kind {
            TyKind::Array(element) => add(*element),
            TyKind::Tuple(parts) => parts.iter().copied().for_each(&mut add),
            TyKind::Record(_, args) | TyKind::Enum(_, args) | TyKind::Dyn(_, args) => {
                args.iter().copied().for_each(&mut add);
            }
            TyKind::Fn(params, result) => {
                params.iter().copied().for_each(&mut add);
                add(*result);
            }
            TyKind::Param(_) => shape.param = true,
            TyKind::Infer(_) => shape.infer = true,
            TyKind::Error => shape.error = true,
            _ => {}
        }
        shape
    }

    /// The parts that a type consists of: arguments, parts of a tuple, an element; of a function its parameters.
    pub fn parts(&self, ty: Ty) -> &[Ty] {
        match self.kind(ty) {
            TyKind::Array(element) => std::slice::from_ref(element),
            TyKind::Tuple(parts) | TyKind::Fn(parts, _) => parts,
            TyKind::Record(_, args) | TyKind::Enum(_, args) | TyKind::Dyn(_, args) => args,
            _ => &[],
        }
    }

    /// Whether a [`TyKind::Infer`] is in a type.
    pub fn has_infer(&self, ty: Ty) -> bool {
        self.shapes[ty.0 as usize].infer
    }

    /// Whether a [`TyKind::Param`] is in a type.
    pub fn has_param(&self, ty: Ty) -> bool {
        self.shapes[ty.0 as usize].param
    }

    /// Whether a [`TyKind::Error`] is in a type.
    pub fn has_error(&self, ty: Ty) -> bool {
        self.shapes[ty.0 as usize].error
    }

    /// How deep a type nests; 0 if it has no parts.
    pub fn depth(&self, ty: Ty) -> u16 {
        self.shapes[ty.0 as usize].depth
    }

    /// How many parts it has in all, itself among them.
    pub fn size(&self, ty: Ty) -> u32 {
        self.shapes[ty.0 as usize].size
    }

    /// Whether a type was refused for its depth or size since this was asked last.
    pub fn take_exceeded(&mut self) -> bool {
        std::mem::take(&mut self.exceeded)
    }

    /// Sets what [`take_exceeded`](Self::take_exceeded) tells next.
    pub fn set_exceeded(&mut self, exceeded: bool) {
        self.exceeded = exceeded;
    }

    /// What a type is.
    pub fn kind(&self, ty: Ty) -> &TyKind {
        &self.kinds[ty.0 as usize]
    }

    /// The tuple of these types.
    pub fn tuple(&mut self, parts: &[Ty]) -> Ty {
        self.intern(TyKind::Tuple(parts.into()))
    }

    /// The type of functions.
    pub fn function(&mut self, params: &[Ty], result: Ty) -> Ty {
        self.intern(TyKind::Fn(params.into(), result))
    }

    /// A type with each type parameter replaced by its argument.
    pub fn substitute(&mut self, ty: Ty, args: &[Ty]) -> Ty {
        if args.is_empty() || !self.has_param(ty) {
            return ty;
        }
        self.map(ty, &mut |_, kind| match kind {
            TyKind::Param(index) => args.get(*index as usize).copied(),
            _ => None,
        })
    }

    /// A type with parts replaced, from the outside: where `replace` gives none for a part, its own parts are gone through.
    pub fn map(&mut self, ty: Ty, replace: &mut impl FnMut(&mut Self, &TyKind) -> Option<Ty>) -> Ty {
        let kind = self.kind(ty).clone();
        if let Some(other) = replace(self, &kind) {
            return other;
        }
        let mut all = |types: &mut Self, parts: &[Ty]| -> Box<[Ty]> {
            parts.iter().map(|&part| types.map(part, replace)).collect()
        };
        let kind = match kind {
            TyKind::Array(element) => TyKind::Array(all(self, &[element])[0]),
            TyKind::Tuple(parts) => TyKind::Tuple(all(self, &parts)),
            TyKind::Record(id, args) => TyKind::Record(id, all(self, &args)),
            TyKind::Enum(id, args) => TyKind::Enum(id, all(self, &args)),
            TyKind::Dyn(id, args) => TyKind::Dyn(id, all(self, &args)),
            TyKind::Fn(params, result) => {
                let params = all(self, &params);
                TyKind::Fn(params, all(self, &[result])[0])
            }
            leaf => leaf,
        };
        self.intern(kind)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.kinds.len()
    }

    /// Never: some are there from the beginning.
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }
}
