//! Types: the groups in which they refer to one another, and their order.

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;
use wasm_encoder::{
    AbstractHeapType, ArrayType, CompositeInnerType, CompositeType, ConstExpr, FieldType, FuncType, HeapType, RefType,
    StorageType, StructType, SubType, TypeSection, ValType,
};

use crate::ir::{FieldDef, Heap, Storage, TypeDef, TypeId, TypeTable, Val};

/// Which types there are in the module, in what order.
#[derive(Debug)]
pub(crate) struct TypeNumbers {
    /// Types that refer to one another are together.
    groups: Vec<Vec<TypeId>>,
    numbers: Vec<Option<u32>>,
}

/// The same in every process.
fn hash(value: &impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Tarjan's algorithm, with a stack of its own.
struct Components<'t> {
    types: &'t TypeTable,
    index: Vec<Option<u32>>,
    low: Vec<u32>,
    on_stack: Vec<bool>,
    stack: Vec<TypeId>,
    next: u32,
    groups: Vec<Vec<TypeId>>,
}

impl TypeNumbers {
    /// The types that these need. In modules whose types are to be equal (`canonical`), the order in a group follows from nothing but what is
    /// in it.
    pub fn new(types: &TypeTable, used: impl Iterator<Item = TypeId>, canonical: bool) -> Self {
        let count = types.len();
        let mut components = Components {
            types,
            index: vec![None; count],
            low: vec![0; count],
            on_stack: vec![false; count],
            stack: Vec::new(),
            next: 0,
            groups: Vec::new(),
        };
        for id in used {
            components.visit(id);
        }
        if canonical {
            components.order();
        }
        let mut numbers = vec![None; count];
        for (number, id) in (0..).zip(components.groups.iter().flatten()) {
            numbers[id.index()] = Some(number);
        }
        Self { groups: components.groups, numbers }
    }

    /// The number of a type.
    pub fn number(&self, id: TypeId) -> u32 {
        self.numbers[id.index()].unwrap_or(0)
    }

    /// The type of a value.
    pub fn val(&self, val: Val) -> ValType {
        match val {
            Val::I32 => ValType::I32,
            Val::I64 => ValType::I64,
            Val::F64 => ValType::F64,
            Val::Ref(heap) => ValType::Ref(RefType { nullable: false, heap_type: self.heap(heap) }),
            Val::Null(heap) => ValType::Ref(RefType { nullable: true, heap_type: self.heap(heap) }),
        }
    }

    /// What a reference refers to.
    pub fn heap(&self, heap: Heap) -> HeapType {
        match heap {
            Heap::Any => HeapType::Abstract { shared: false, ty: AbstractHeapType::Any },
            Heap::Extern => HeapType::Abstract { shared: false, ty: AbstractHeapType::Extern },
            Heap::Type(id) => HeapType::Concrete(self.number(id)),
        }
    }

    /// Zero or null.
    pub fn zero(&self, val: Val) -> ConstExpr {
        match val {
            Val::I32 => ConstExpr::i32_const(0),
            Val::I64 => ConstExpr::i64_const(0),
            Val::F64 => ConstExpr::f64_const(0.0.into()),
            Val::Ref(heap) | Val::Null(heap) => ConstExpr::ref_null(self.heap(heap)),
        }
    }

    /// The section.
    pub fn section(&self, types: &TypeTable) -> TypeSection {
        let mut section = TypeSection::new();
        for group in &self.groups {
            let mut subtypes: Vec<SubType> = group.iter().map(|&id| self.subtype(types.get(id))).collect();
            match (subtypes.pop(), subtypes.is_empty()) {
                (Some(only), true) => section.ty().subtype(&only),
                (last, _) => {
                    subtypes.extend(last);
                    section.ty().rec(subtypes);
                }
            }
        }
        section
    }

    fn subtype(&self, def: &TypeDef) -> SubType {
        let (is_final, parent, inner) = match def {
            TypeDef::Struct { fields, parent, open } => {
                let fields = fields.iter().map(|&field| self.field(field)).collect();
                (!open, *parent, CompositeInnerType::Struct(StructType { fields }))
            }
            TypeDef::Array(field) => (true, None, CompositeInnerType::Array(ArrayType(self.field(*field)))),
            TypeDef::Func(params, results) => {
                let vals = |vals: &[Val]| -> Vec<ValType> { vals.iter().map(|&val| self.val(val)).collect() };
                (true, None, CompositeInnerType::Func(FuncType::new(vals(params), vals(results))))
            }
        };
        SubType {
            is_final,
            supertype_idxs: parent.into_iter().map(|id| self.number(id)).collect(),
            composite_type: CompositeType { inner, shared: false, descriptor: None, describes: None },
        }
    }

    fn field(&self, field: FieldDef) -> FieldType {
        let element_type = match field.storage {
            Storage::I8 => StorageType::I8,
            Storage::Val(val) => StorageType::Val(self.val(val)),
        };
        FieldType { element_type, mutable: field.mutable }
    }
}

impl Components<'_> {
    fn visit(&mut self, root: TypeId) {
        if self.index[root.index()].is_some() {
            return;
        }
        self.enter(root);
        let mut path = vec![(root, self.edges(root), 0)];
        while let Some((id, edges, at)) = path.last_mut() {
            let id = *id;
            let Some(&edge) = edges.get(*at) else {
                self.leave(id);
                path.pop();
                if let Some((parent, ..)) = path.last() {
                    let low = self.low[id.index()];
                    self.low[parent.index()] = self.low[parent.index()].min(low);
                }
                continue;
            };
            *at += 1;
            match self.index[edge.index()] {
                None => {
                    self.enter(edge);
                    let edges = self.edges(edge);
                    path.push((edge, edges, 0));
                }
                Some(index) if self.on_stack[edge.index()] => self.low[id.index()] = self.low[id.index()].min(index),
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, id: TypeId) {
        self.index[id.index()] = Some(self.next);
        self.low[id.index()] = self.next;
        self.next += 1;
        self.stack.push(id);
        self.on_stack[id.index()] = true;
    }

    fn leave(&mut self, id: TypeId) {
        if Some(self.low[id.index()]) != self.index[id.index()] {
            return;
        }
        let begin = self.stack.iter().position(|&each| each == id).unwrap_or(0);
        let group = self.stack.split_off(begin);
        for each in &group {
            self.on_stack[each.index()] = false;
        }
        self.groups.push(group);
    }

    /// Orders each group: as it is walked through from the member from which the walk is least, by what it meets.
    fn order(&mut self) {
        let mut hashes = vec![0; self.types.len()];
        for at in 0..self.groups.len() {
            let group = &self.groups[at];
            let walks = group.iter().map(|&first| self.walk(group, first, &hashes));
            let Some((print, order)) = walks.min() else { continue };
            for (index, &id) in order.iter().enumerate() {
                hashes[id.index()] = hash(&(index, &print));
            }
            self.groups[at] = order;
        }
    }

    /// The members of a group in the order of a walk from one of them, and what the walk meets.
    fn walk(&self, group: &[TypeId], first: TypeId, hashes: &[u64]) -> (Vec<u64>, Vec<TypeId>) {
        let (mut print, mut order, mut next) = (Vec::new(), vec![first], 0);
        while let Some(&id) = order.get(next) {
            next += 1;
            print.push(hash(&self.types.get(id).without_types()));
            for edge in self.edges(id) {
                if !group.contains(&edge) {
                    print.push(hashes[edge.index()]);
                    continue;
                }
                let place = order.iter().position(|&other| other == edge);
                let place = place.unwrap_or_else(|| {
                    order.push(edge);
                    order.len() - 1
                });
                print.push(place as u64);
            }
        }
        (print, order)
    }

    fn edges(&self, id: TypeId) -> Vec<TypeId> {
        let vals: Vec<Val> = match self.types.get(id) {
            TypeDef::Struct { fields, parent, .. } => {
                let own = fields.iter().map(|field| field.storage.unpacked());
                own.chain(parent.map(|id| Val::Ref(Heap::Type(id)))).collect()
            }
            TypeDef::Array(field) => vec![field.storage.unpacked()],
            TypeDef::Func(params, results) => params.iter().chain(results).copied().collect(),
        };
        vals.into_iter()
            .filter_map(|val| match val.heap() {
                Some(Heap::Type(id)) => Some(id),
                _ => None,
            })
            .collect()
    }
}
