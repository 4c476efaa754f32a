//! Types of objects, as WebAssembly has them.

use rustc_hash::FxHashMap;

/// A number of [`TypeTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TypeId(pub u32);

impl TypeId {
    /// As an index.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a reference refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Heap {
    /// Anything in the heap.
    Any,
    /// Something of the host.
    Extern,
    /// An object of this type.
    Type(TypeId),
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Val {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 64-bit floating-point number.
    F64,
    /// Reference, never null.
    Ref(Heap),
    /// Reference, perhaps null.
    Null(Heap),
}

impl Val {
    /// What it refers to.
    pub fn heap(self) -> Option<Heap> {
        match self {
            Val::Ref(heap) | Val::Null(heap) => Some(heap),
            _ => None,
        }
    }

    /// The type that has null too.
    pub fn nullable(self) -> Val {
        match self {
            Val::Ref(heap) => Val::Null(heap),
            other => other,
        }
    }
}

/// What a field or element is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Storage {
    /// A byte, read as an unsigned 32-bit integer.
    I8,
    /// A value.
    Val(Val),
}

impl Storage {
    /// The type of what is read.
    pub fn unpacked(self) -> Val {
        match self {
            Storage::I8 => Val::I32,
            Storage::Val(val) => val,
        }
    }
}

/// A field, or the elements of an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FieldDef {
    /// What is stored.
    pub storage: Storage,
    /// Whether it can be assigned.
    pub mutable: bool,
}

impl FieldDef {
    /// A field that is never assigned.
    pub fn constant(val: Val) -> Self {
        Self { storage: Storage::Val(val), mutable: false }
    }
}

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TypeDef {
    /// Fields, after those of the type that it extends.
    Struct {
        /// All fields.
        fields: Vec<FieldDef>,
        /// What it extends.
        parent: Option<TypeId>,
        /// Whether others extend it.
        open: bool,
    },
    /// Elements.
    Array(FieldDef),
    /// Parameters and results.
    Func(Vec<Val>, Vec<Val>),
}

impl TypeDef {
    /// The same without what it refers to.
    pub fn without_types(&self) -> TypeDef {
        let plain = |val: Val| match val {
            Val::Ref(Heap::Type(_)) => Val::Ref(Heap::Type(TypeId(0))),
            Val::Null(Heap::Type(_)) => Val::Null(Heap::Type(TypeId(0))),
            other => other,
        };
        let field = |field: &FieldDef| match field.storage {
            Storage::Val(val) => FieldDef { storage: Storage::Val(plain(val)), ..*field },
            Storage::I8 => *field,
        };
        let vals = |vals: &[Val]| vals.iter().map(|&val| plain(val)).collect();
        match self {
            TypeDef::Struct { fields, parent, open } => TypeDef::Struct {
                fields: fields.iter().map(field).collect(),
                parent: parent.map(|_| TypeId(0)),
                open: *open,
            },
            TypeDef::Array(element) => TypeDef::Array(field(element)),
            TypeDef::Func(params, results) => TypeDef::Func(vals(params), vals(results)),
        }
    }
}

/// All types. Equal ones are one, but for those that refer to themselves.
#[derive(Debug, Default)]
pub(crate) struct TypeTable {
    defs: Vec<Option<TypeDef>>,
    numbers: FxHashMap<TypeDef, TypeId>,
}

impl TypeTable {
    /// The type that is this.
    pub fn intern(&mut self, def: TypeDef) -> TypeId {
        if let Some(&id) = self.numbers.get(&def) {
            return id;
        }
        let id = self.declare();
        self.numbers.insert(def.clone(), id);
        self.defs[id.index()] = Some(def);
        id
    }

    /// A new type that is told later.
    pub fn declare(&mut self) -> TypeId {
        self.defs.push(None);
        TypeId(self.defs.len() as u32 - 1)
    }

    /// Tells what a declared type is.
    pub fn define(&mut self, id: TypeId, def: TypeDef) {
        self.defs[id.index()] = Some(def);
    }

    /// What a type is.
    pub fn get(&self, id: TypeId) -> &TypeDef {
        const EMPTY: &TypeDef = &TypeDef::Func(Vec::new(), Vec::new());
        self.defs[id.index()].as_ref().unwrap_or(EMPTY)
    }

    /// A field of a struct.
    pub fn field(&self, id: TypeId, index: u32) -> FieldDef {
        match self.get(id) {
            TypeDef::Struct { fields, .. } => fields[index as usize],
            _ => unreachable!("a field of what has none"),
        }
    }

    /// The elements of an array.
    pub fn element(&self, id: TypeId) -> FieldDef {
        match self.get(id) {
            TypeDef::Array(field) => *field,
            _ => unreachable!("an element of what has none"),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.defs.len()
    }

    /// A final struct with these fields.
    pub fn structure(&mut self, fields: Vec<FieldDef>) -> TypeId {
        self.intern(TypeDef::Struct { fields, parent: None, open: false })
    }

    /// A final struct that extends another.
    pub fn extension(&mut self, parent: TypeId, fields: Vec<FieldDef>) -> TypeId {
        self.intern(TypeDef::Struct { fields, parent: Some(parent), open: false })
    }

    /// What closures and enums with a tag extend: one number.
    pub fn tagged(&mut self) -> TypeId {
        self.intern(TypeDef::Struct { fields: vec![FieldDef::constant(Val::I32)], parent: None, open: true })
    }

    /// A `dyn` value: the first index of its methods in the table, and what it is.
    pub fn dynamic(&mut self) -> TypeId {
        self.structure(vec![FieldDef::constant(Val::I32), FieldDef::constant(Val::Null(Heap::Any))])
    }

    /// A mutable array.
    pub fn array(&mut self, storage: Storage) -> TypeId {
        self.intern(TypeDef::Array(FieldDef { storage, mutable: true }))
    }

    /// Texts.
    pub fn bytes(&mut self) -> TypeId {
        self.array(Storage::I8)
    }

    /// Functions.
    pub fn func(&mut self, params: Vec<Val>, results: Vec<Val>) -> TypeId {
        self.intern(TypeDef::Func(params, results))
    }
}
