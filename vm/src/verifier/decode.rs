//! Sections into a [`Module`], each first against the limits, then against the rules.

use std::ops::Range;

use wasmparser::{
    DataKind, ElementItems, ElementKind, ExternalKind, Operator, Parser, Payload, TableInit, TypeRef, ValidPayload,
    Validator, ValidatorResources,
};

use super::error::{Place, VerifyError};
use super::limits::{LimitKind, Limits};
use super::type_group::type_group;
use super::{FEATURES, Refused};
use crate::module::{
    Body, Bytes, ConstExpr, ConstOperator, ConstStep, DataSegment, ElementMode, ElementSegment, ExportKind, FuncIndex,
    GlobalIndex, Import, ImportCounts, ImportKind, MemoryIndex, Module, Names, TableIndex, TagIndex, TypeIndex,
};
use crate::runtime::types::{MOST, TypeRegistry};
use crate::types::{self, AddressType, GlobalType, MemoryType, TableType, ValType};

/// A module of which all but the function bodies is verified.
pub(super) struct Decoded {
    /// The module, but for what the bodies tell.
    pub(super) module: Module,
    /// What validation of the bodies needs; `None` if there are none.
    pub(super) resources: Option<ValidatorResources>,
}

/// Decodes everything up to the function bodies, of which it only notes where they are.
pub(super) fn decode(bytes: &Bytes, limits: &Limits, types: &TypeRegistry) -> Result<Decoded, Refused> {
    let mut validator = Validator::new_with_features(FEATURES);
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    let mut decoder = Decoder { module: empty_module(bytes.clone()), limits, types, items: 0, resources: None };
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        decoder.check_limits(&payload)?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => {
                decoder.resources.get_or_insert(function.resources);
                decoder.module.bodies.push(Body { bytes: to_usize(body.range()) });
            }
            _ => decoder.section(payload)?,
        }
    }
    let Decoder { mut module, resources, .. } = decoder;
    module.table_exported.resize(module.tables.len(), false);
    module.global_exported.resize(module.globals.len(), false);
    module.names = Names::of(bytes.clone());
    Ok(Decoded { module, resources })
}

fn empty_module(bytes: Bytes) -> Module {
    Module {
        bytes,
        types: Vec::new(),
        imports: Vec::new(),
        functions: Vec::new(),
        tables: Vec::new(),
        table_inits: Vec::new(),
        memories: Vec::new(),
        globals: Vec::new(),
        tags: Vec::new(),
        imported: ImportCounts::default(),
        global_inits: Vec::new(),
        exports: Vec::new(),
        host_memory: MemoryIndex(0),
        start: None,
        elements: Vec::new(),
        data: Vec::new(),
        bodies: Vec::new(),
        table_grows: Vec::new(),
        table_exported: Vec::new(),
        global_exported: Vec::new(),
        uses_heap: false,
        has_tail_calls: false,
        names: Names::default(),
    }
}

/// Offsets are those of bytes in memory.
fn to_usize(range: Range<u64>) -> Range<usize> {
    range.start as usize..range.end as usize
}

struct Decoder<'a> {
    module: Module,
    limits: &'a Limits,
    types: &'a TypeRegistry,
    /// Items in element segments so far.
    items: u64,
    resources: Option<ValidatorResources>,
}

impl Decoder<'_> {
    /// Compares counts with the limits, before anything is made from the section.
    fn check_limits(&self, payload: &Payload<'_>) -> Result<(), VerifyError> {
        let module = &self.module;
        let check = |kind, before: usize, count: u32, range: Range<u64>| {
            self.limits.check(kind, before as u64 + u64::from(count), || Place::at(range.start))
        };
        match payload {
            Payload::TypeSection(s) => check(LimitKind::Types, 0, s.count(), s.range()),
            Payload::ImportSection(s) => check(LimitKind::Imports, 0, s.count(), s.range()),
            Payload::FunctionSection(s) => check(LimitKind::Functions, module.functions.len(), s.count(), s.range()),
            Payload::TableSection(s) => check(LimitKind::Tables, module.tables.len(), s.count(), s.range()),
            Payload::MemorySection(s) => check(LimitKind::Memories, module.memories.len(), s.count(), s.range()),
            Payload::GlobalSection(s) => check(LimitKind::Globals, module.globals.len(), s.count(), s.range()),
            Payload::TagSection(s) => check(LimitKind::Tags, module.tags.len(), s.count(), s.range()),
            Payload::ExportSection(s) => check(LimitKind::Exports, 0, s.count(), s.range()),
            Payload::ElementSection(s) => check(LimitKind::ElementSegments, 0, s.count(), s.range()),
            Payload::DataCountSection { count, range } => check(LimitKind::DataSegments, 0, *count, range.clone()),
            Payload::DataSection(s) => check(LimitKind::DataSegments, 0, s.count(), s.range()),
            Payload::CodeSectionEntry(body) => {
                let (range, index) = (body.range(), module.imported.functions + module.bodies.len() as u32);
                let place = || Place::within(index, range.start);
                self.limits.check(LimitKind::FunctionBytes, range.end - range.start, place)
            }
            _ => Ok(()),
        }
    }

    /// Decodes a section that obeys the rules.
    fn section(&mut self, payload: Payload<'_>) -> Result<(), Refused> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section.into_iter_with_offsets() {
                    let (offset, group) = group?;
                    self.type_group(offset, &group)?;
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(offset, import)?;
                }
            }
            Payload::FunctionSection(section) => {
                for ty in section {
                    self.module.functions.push(TypeIndex(ty?));
                }
            }
            Payload::TableSection(section) => {
                for table in section.into_iter_with_offsets() {
                    let (offset, table) = table?;
                    self.table(offset, table.ty)?;
                    self.module.table_inits.push(match &table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(expr) => Some(const_expr(expr)?),
                    });
                }
            }
            Payload::MemorySection(section) => {
                for memory in section.into_iter_with_offsets() {
                    let (offset, memory) = memory?;
                    self.memory(offset, memory)?;
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    let global = global?;
                    self.module.globals.push(self.global_type(global.ty));
                    self.module.global_inits.push(const_expr(&global.init_expr)?);
                }
            }
            Payload::TagSection(section) => {
                for tag in section {
                    self.module.tags.push(TypeIndex(tag?.func_type_idx));
                }
            }
            Payload::ExportSection(section) => self.exports(section)?,
            Payload::StartSection { func, .. } => self.module.start = Some(FuncIndex(func)),
            Payload::ElementSection(section) => {
                for segment in section {
                    self.element_segment(segment?)?;
                }
            }
            Payload::DataSection(section) => {
                for segment in section {
                    self.data_segment(segment?)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, offset: u64, import: wasmparser::Import<'_>) -> Result<(), Refused> {
        let module = &mut self.module;
        let kind = match import.ty {
            TypeRef::Func(ty) => {
                module.functions.push(TypeIndex(ty));
                module.imported.functions += 1;
                ImportKind::Func(TypeIndex(ty))
            }
            TypeRef::Table(ty) => {
                module.imported.tables += 1;
                ImportKind::Table(self.table(offset, ty)?)
            }
            TypeRef::Memory(ty) => {
                module.imported.memories += 1;
                ImportKind::Memory(self.memory(offset, ty)?)
            }
            TypeRef::Global(ty) => {
                let ty = self.global_type(ty);
                self.module.globals.push(ty);
                self.module.imported.globals += 1;
                ImportKind::Global(ty)
            }
            TypeRef::Tag(tag) => {
                module.tags.push(TypeIndex(tag.func_type_idx));
                self.limits.check(LimitKind::Tags, module.tags.len() as u64, || Place::at(offset))?;
                module.imported.tags += 1;
                ImportKind::Tag(TypeIndex(tag.func_type_idx))
            }
            TypeRef::FuncExact(_) => return Err(beyond(offset, "an import")),
        };
        self.module.imports.push(Import { module: import.module.into(), name: import.name.into(), kind });
        Ok(())
    }

    /// A group of types of the type section.
    fn type_group(&mut self, offset: u64, group: &wasmparser::RecGroup) -> Result<(), Refused> {
        let group = type_group(&self.module, group);
        let Some(group) = self.types.intern(group) else {
            let reason = format!("the engine has {MOST} types already, which is all it can have");
            return Err(Refused::Own(VerifyError::Invalid { place: Place::at(offset), reason }));
        };
        self.module.types.extend(group);
        Ok(())
    }

    fn global_type(&self, ty: wasmparser::GlobalType) -> GlobalType {
        GlobalType { value: self.module.val_type(ty.content_type), mutable: ty.mutable }
    }

    fn table(&mut self, offset: u64, ty: wasmparser::TableType) -> Result<TableType, Refused> {
        self.limits.check(LimitKind::Tables, self.module.tables.len() as u64 + 1, || Place::at(offset))?;
        self.limits.check(LimitKind::TableElements, ty.initial, || Place::at(offset))?;
        let element = ValType::Ref(self.module.ref_type(ty.element_type));
        let limits = types::Limits { min: ty.initial, max: ty.maximum };
        let ty = TableType { address: AddressType::of(ty.table64), element, limits };
        self.module.tables.push(ty);
        Ok(ty)
    }

    fn memory(&mut self, offset: u64, ty: wasmparser::MemoryType) -> Result<MemoryType, Refused> {
        self.limits.check(LimitKind::Memories, self.module.memories.len() as u64 + 1, || Place::at(offset))?;
        self.limits.check(LimitKind::MemoryPages, ty.initial, || Place::at(offset))?;
        let limits = types::Limits { min: ty.initial, max: ty.maximum };
        let ty = MemoryType { address: AddressType::of(ty.memory64), limits };
        self.module.memories.push(ty);
        Ok(ty)
    }

    fn exports(&mut self, section: wasmparser::ExportSectionReader<'_>) -> Result<(), Refused> {
        let module = &mut self.module;
        module.table_exported.resize(module.tables.len(), false);
        module.global_exported.resize(module.globals.len(), false);
        for export in section.into_iter_with_offsets() {
            let (offset, export) = export?;
            let index = export.index as usize;
            let kind = match export.kind {
                ExternalKind::Func => ExportKind::Func(FuncIndex(export.index)),
                ExternalKind::Table => {
                    module.table_exported[index] = true;
                    ExportKind::Table(TableIndex(export.index))
                }
                ExternalKind::Memory => {
                    if export.name == "memory" {
                        module.host_memory = MemoryIndex(export.index);
                    }
                    ExportKind::Memory(MemoryIndex(export.index))
                }
                ExternalKind::Global => {
                    module.global_exported[index] = true;
                    ExportKind::Global(GlobalIndex(export.index))
                }
                ExternalKind::Tag => ExportKind::Tag(TagIndex(export.index)),
                ExternalKind::FuncExact => return Err(beyond(offset, "an export")),
            };
            module.exports.push((export.name.into(), kind));
        }
        Ok(())
    }

    fn element_segment(&mut self, segment: wasmparser::Element<'_>) -> Result<(), Refused> {
        let count = match &segment.items {
            ElementItems::Functions(items) => items.count(),
            ElementItems::Expressions(_, items) => items.count(),
        };
        self.items += u64::from(count);
        self.limits.check(LimitKind::ElementItems, self.items, || Place::at(segment.range.start))?;
        let mode = match &segment.kind {
            ElementKind::Passive => ElementMode::Passive,
            ElementKind::Declared => ElementMode::Declared,
            ElementKind::Active { table_index, offset_expr } => {
                ElementMode::Active { table: TableIndex(table_index.unwrap_or(0)), offset: const_expr(offset_expr)? }
            }
        };
        let (element, items) = match segment.items {
            ElementItems::Functions(items) => {
                let items = items.into_iter().map(|index| Ok(ConstExpr::Func(FuncIndex(index?))));
                (ValType::FUNCREF, items.collect::<Result<Vec<_>, Refused>>()?)
            }
            ElementItems::Expressions(ty, items) => {
                let items = items.into_iter().map(|expr| const_expr(&expr?));
                (ValType::Ref(self.module.ref_type(ty)), items.collect::<Result<Vec<_>, Refused>>()?)
            }
        };
        self.module.elements.push(ElementSegment { element, items, mode });
        Ok(())
    }

    fn data_segment(&mut self, segment: wasmparser::Data<'_>) -> Result<(), Refused> {
        let end = segment.range.end as usize;
        let active = match &segment.kind {
            DataKind::Passive => None,
            DataKind::Active { memory_index, offset_expr } => {
                Some((MemoryIndex(*memory_index), const_expr(offset_expr)?))
            }
        };
        self.module.data.push(DataSegment { bytes: end - segment.data.len()..end, active });
        Ok(())
    }
}

/// A valid constant expression: most are one operator and `end`.
fn const_expr(expr: &wasmparser::ConstExpr<'_>) -> Result<ConstExpr, Refused> {
    let mut reader = expr.get_operators_reader();
    let first = const_step(&mut reader)?;
    let mut steps: Vec<ConstStep> = first.into_iter().collect();
    if reader.is_end_then_eof()
        && let [ConstStep::Operand(only)] = &steps[..]
    {
        return Ok(only.clone());
    }
    while !reader.is_end_then_eof() {
        steps.extend(const_step(&mut reader)?);
    }
    Ok(ConstExpr::Steps(steps.into()).fold())
}

/// A step; none for what changes no bits.
fn const_step(reader: &mut wasmparser::OperatorsReader<'_>) -> Result<Option<ConstStep>, Refused> {
    let offset = reader.original_position();
    let step = match reader.read()? {
        Operator::I32Add => ConstStep::I32(ConstOperator::Add),
        Operator::I32Sub => ConstStep::I32(ConstOperator::Sub),
        Operator::I32Mul => ConstStep::I32(ConstOperator::Mul),
        Operator::I64Add => ConstStep::I64(ConstOperator::Add),
        Operator::I64Sub => ConstStep::I64(ConstOperator::Sub),
        Operator::I64Mul => ConstStep::I64(ConstOperator::Mul),
        Operator::RefI31 => ConstStep::I31,
        Operator::StructNew { struct_type_index } => {
            ConstStep::Struct { ty: TypeIndex(struct_type_index), default: false }
        }
        Operator::StructNewDefault { struct_type_index } => {
            ConstStep::Struct { ty: TypeIndex(struct_type_index), default: true }
        }
        Operator::ArrayNew { array_type_index } => ConstStep::Array(TypeIndex(array_type_index)),
        Operator::ArrayNewDefault { array_type_index } => ConstStep::ArrayDefault(TypeIndex(array_type_index)),
        Operator::ArrayNewFixed { array_type_index, array_size } => {
            ConstStep::ArrayFixed { ty: TypeIndex(array_type_index), len: array_size }
        }
        // References of both families look the same.
        Operator::AnyConvertExtern | Operator::ExternConvertAny => return Ok(None),
        Operator::I32Const { value } => ConstStep::Operand(ConstExpr::Value(u128::from(value as u32))),
        Operator::I64Const { value } => ConstStep::Operand(ConstExpr::Value(u128::from(value as u64))),
        Operator::F32Const { value } => ConstStep::Operand(ConstExpr::Value(u128::from(value.bits()))),
        Operator::F64Const { value } => ConstStep::Operand(ConstExpr::Value(u128::from(value.bits()))),
        Operator::V128Const { value } => ConstStep::Operand(ConstExpr::Value(value.i128() as u128)),
        Operator::RefNull { .. } => ConstStep::Operand(ConstExpr::Null),
        Operator::RefFunc { function_index } => ConstStep::Operand(ConstExpr::Func(FuncIndex(function_index))),
        Operator::GlobalGet { global_index } => ConstStep::Operand(ConstExpr::Global(GlobalIndex(global_index))),
        _ => return Err(beyond(offset, "a constant expression")),
    };
    Ok(Some(step))
}

/// What [`FEATURES`] rule out, should `wasmparser` ever let it pass.
fn beyond(offset: u64, what: &str) -> Refused {
    let reason = format!("{what} that Pinfold does not know");
    Refused::Own(VerifyError::Invalid { place: Place::at(offset), reason })
}
