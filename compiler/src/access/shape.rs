//! Which parts of a type have a flag, and how parts vary with the whole.

use crate::syntax::Access;
use crate::typed::{AccessTree, EnumId, Field, Program, RecordId, TraitId, Ty, TyKind};

/// The flags of a value: as many as its type has, one after another from `base` on, those of a whole before those of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Tree {
    /// The type.
    pub(super) ty: Ty,
    /// The first flag.
    pub(super) base: u32,
}

/// How values of a part go when a value of the whole goes from one place to another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Variance {
    /// The same way: what is read from the whole.
    pub(super) same: bool,
    /// The other way: what functions in it take.
    pub(super) other: bool,
}

const SAME: Variance = Variance { same: true, other: false };
const OTHER: Variance = Variance { same: false, other: true };
const BOTH: Variance = Variance { same: true, other: true };

const UNKNOWN: u32 = u32::MAX;

/// See the module.
pub(super) struct Shapes<'p> {
    program: &'p Program,
    /// How many flags each type has; [`UNKNOWN`] until somebody asks.
    sizes: Vec<u32>,
    records: Vec<bool>,
    enums: Vec<bool>,
    traits: Vec<bool>,
    record_variances: Vec<Box<[Variance]>>,
    enum_variances: Vec<Box<[Variance]>>,
}

impl<'p> Shapes<'p> {
    pub(super) fn new(program: &'p Program) -> Self {
        let changes = |fields: &[Field]| fields.iter().any(|field| field.mutable || is_mutable(&field.access));
        let variances = |generics: usize| vec![Variance::default(); generics].into_boxed_slice();
        let mut shapes = Self {
            program,
            sizes: vec![UNKNOWN; program.types.len()],
            records: program.records.iter().map(|record| changes(&record.fields)).collect(),
            enums: program.enums.iter().map(|e| e.variants.iter().any(|variant| changes(&variant.fields))).collect(),
            traits: Vec::new(),
            record_variances: program.records.iter().map(|record| variances(record.generics.len())).collect(),
            enum_variances: program.enums.iter().map(|e| variances(e.generics.len())).collect(),
        };
        shapes.traits = (0..program.traits.len()).map(|index| shapes.changes_self(TraitId(index as u32))).collect();
        shapes.find_variances();
        shapes
    }

    /// Whether a trait, or one that it extends, has functions that change what they are called on.
    fn changes_self(&self, of: TraitId) -> bool {
        let (mut work, mut seen) = (vec![of], Vec::new());
        while let Some(of) = work.pop() {
            if seen.contains(&of) {
                continue;
            }
            seen.push(of);
            let declared = &self.program.traits[of.index()];
            if declared.changes_self {
                return true;
            }
            work.extend(declared.supers.iter().map(|(of, _)| *of));
        }
        false
    }

    /// The least variances that fit what fields are declared as.
    fn find_variances(&mut self) {
        let program = self.program;
        loop {
            let mut changed = false;
            for (index, record) in program.records.iter().enumerate() {
                let mut found = std::mem::take(&mut self.record_variances[index]);
                for field in &record.fields {
                    changed |= self.occurrences(field.ty, SAME, &mut found);
                }
                self.record_variances[index] = found;
            }
            for (index, e) in program.enums.iter().enumerate() {
                let mut found = std::mem::take(&mut self.enum_variances[index]);
                for field in e.variants.iter().flat_map(|variant| &variant.fields) {
                    changed |= self.occurrences(field.ty, SAME, &mut found);
                }
                self.enum_variances[index] = found;
            }
            if !changed {
                return;
            }
        }
    }

    /// Adds where parameters occur in a type; whether that is new. A type that is looked at itself counts as taken both ways.
    fn occurrences(&self, ty: Ty, way: Variance, found: &mut [Variance]) -> bool {
        if let TyKind::Param(index) = self.program.types.kind(ty) {
            let Some(known) = found.get_mut(*index as usize) else { return false };
            let new = Variance { same: known.same | way.same, other: known.other | way.other };
            let changed = new != *known;
            *known = new;
            return changed;
        }
        let mut changed = false;
        let mut index = 0;
        while let Some((part, variance)) = self.part(ty, index) {
            let variance = if variance == Variance::default() { BOTH } else { variance };
            let way = Variance {
                same: way.same && variance.same || way.other && variance.other,
                other: way.same && variance.other || way.other && variance.same,
            };
            changed |= self.occurrences(part, way, found);
            index += 1;
        }
        changed
    }

    /// What a type is.
    pub(super) fn kind(&self, ty: Ty) -> &'p TyKind {
        self.program.types.kind(ty)
    }

    /// A part of a type: arguments, parts, an element; of a function its parameters, then its result.
    pub(super) fn part(&self, ty: Ty, index: usize) -> Option<(Ty, Variance)> {
        let variance = |all: &[Variance]| all.get(index).copied().unwrap_or(BOTH);
        match self.kind(ty) {
            TyKind::Array(element) => (index == 0).then_some((*element, SAME)),
            TyKind::Tuple(parts) => parts.get(index).map(|&part| (part, SAME)),
            TyKind::Record(id, args) => args.get(index).map(|&arg| (arg, variance(&self.record_variances[id.index()]))),
            TyKind::Enum(id, args) => args.get(index).map(|&arg| (arg, variance(&self.enum_variances[id.index()]))),
            TyKind::Dyn(_, args) => args.get(index).map(|&arg| (arg, BOTH)),
            TyKind::Fn(params, result) => match params.get(index) {
                Some(&param) => Some((param, OTHER)),
                None => (index == params.len()).then_some((*result, SAME)),
            },
            _ => None,
        }
    }

    /// Whether a type has a flag of its own, before those of its parts.
    pub(super) fn has_flag(&self, ty: Ty) -> bool {
        match self.kind(ty) {
            TyKind::Buffer | TyKind::Array(_) | TyKind::Param(_) => true,
            TyKind::Record(id, _) => self.records[id.index()],
            TyKind::Enum(id, _) => self.enums[id.index()],
            TyKind::Dyn(id, _) => self.traits[id.index()],
            _ => false,
        }
    }

    /// Whether a trait has functions that change what they are called on.
    pub(super) fn trait_changes(&self, of: TraitId) -> bool {
        self.traits[of.index()]
    }

    /// How many flags a type has.
    pub(super) fn size(&mut self, ty: Ty) -> u32 {
        let known = self.sizes[ty.index()];
        if known != UNKNOWN {
            return known;
        }
        let mut size = u32::from(self.has_flag(ty));
        let mut index = 0;
        while let Some((part, _)) = self.part(ty, index) {
            size += self.size(part);
            index += 1;
        }
        self.sizes[ty.index()] = size;
        size
    }

    /// The parts of a tree, with their flags.
    pub(super) fn parts(&mut self, tree: Tree) -> Vec<(Tree, Variance)> {
        let mut parts = Vec::new();
        let mut base = tree.base + u32::from(self.has_flag(tree.ty));
        while let Some((ty, variance)) = self.part(tree.ty, parts.len()) {
            parts.push((Tree { ty, base }, variance));
            base += self.size(ty);
        }
        parts
    }

    /// One part of a tree.
    pub(super) fn part_tree(&mut self, tree: Tree, index: usize) -> Option<Tree> {
        let mut base = tree.base + u32::from(self.has_flag(tree.ty));
        for before in 0..index {
            let (ty, _) = self.part(tree.ty, before)?;
            base += self.size(ty);
        }
        let (ty, _) = self.part(tree.ty, index)?;
        Some(Tree { ty, base })
    }

    /// The declared fields of a record.
    pub(super) fn record_fields(&self, id: RecordId) -> &'p [Field] {
        &self.program.records[id.index()].fields
    }

    /// The declared fields of a variant.
    pub(super) fn variant_fields(&self, id: EnumId, tag: u32) -> &'p [Field] {
        &self.program.enums[id.index()].variants[tag as usize].fields
    }
}

/// Whether something in a type is declared as mutable.
fn is_mutable(access: &AccessTree) -> bool {
    match access {
        AccessTree::Leaf => false,
        AccessTree::Node { access, parts } => *access == Some(Access::Mutable) || parts.iter().any(is_mutable),
    }
}
