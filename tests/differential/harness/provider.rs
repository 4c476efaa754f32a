//! A module that provides what another one imports. Its functions add what they were called with to a number, ask the host for
//! the next one, and answer by that: with values, by throwing, or by a trap.

use wasm_encoder::{BlockType, EntityType, ExportKind, GlobalType, Instruction, ValType};

use super::assembly::{Assembly, Body};
use super::digest::{Digest, OBJECTS};
use super::shape::{Item, Shape};
use super::values::{DEPTH, Source};
use crate::random::Random;
use Instruction as I;

/// The global that holds the number.
pub const STATE: GlobalType = GlobalType { val_type: ValType::I64, mutable: true, shared: false };

/// The module; it exports what it provides for the import with index `n` as `n`. `None` if two imports have one name but
/// different types, or nothing can be made for one.
pub fn provider(shape: &Shape, random: &mut Random) -> Option<Vec<u8>> {
    let mut assembly = Assembly::new(shape);
    let ty = assembly.ty(&[ValType::I64], &[ValType::I64]);
    let answer = assembly.import("host", "answer", EntityType::Function(ty));
    let host = Digest::import(&mut assembly);
    // The import that each is the same as: itself, or one before.
    let mut first = Vec::new();
    for (index, import) in shape.imports.iter().enumerate() {
        let same = |other: &&super::shape::Import| other.module == import.module && other.name == import.name;
        let before = shape.imports[..index].iter().position(|other| same(&other));
        if before.is_some_and(|before| shape.imports[before].item != import.item) {
            return None;
        }
        first.push(before.unwrap_or(index));
    }
    let own = |index: &usize| first[*index] == *index;
    let mut tags = Vec::new();
    for import in (0..first.len()).filter(own).map(|index| &shape.imports[index]) {
        if let Item::Tag(ty) = import.item {
            tags.push((assembly.tag(ty), ty));
        }
    }
    let digest = Digest::define(&mut assembly, host, &tags);
    let mut funcs = Vec::new();
    for import in (0..first.len()).filter(own).map(|index| &shape.imports[index]) {
        if let Item::Func(ty) = import.item {
            funcs.push((assembly.next_func() + funcs.len() as u32, ty));
        }
    }
    assembly.referred = funcs.iter().map(|(index, _)| *index).collect();
    let state = assembly.global(STATE, &[I::I64Const(random.next() as i64)]);
    assembly.export("state", ExportKind::Global, state);
    let answers = Answers { shape, answer, state, tags, funcs, digest };
    let mut indices: Vec<(ExportKind, u32)> = Vec::new();
    let (mut next_tag, mut next_func) = (answers.tags.iter(), answers.funcs.iter());
    for (index, import) in shape.imports.iter().enumerate() {
        let provided = match import.item {
            _ if first[index] != index => indices[first[index]],
            Item::Func(ty) => {
                let body = answers.body(&assembly, ty, random)?;
                assembly.func(ty, body);
                (ExportKind::Func, next_func.next()?.0)
            }
            Item::Table(ty) => (ExportKind::Table, assembly.table(ty)),
            Item::Memory(ty) => (ExportKind::Memory, assembly.memory(ty)),
            Item::Global(ty) => {
                let source = Source { shape, funcs: &answers.funcs, host_value: None };
                let value = source.push(ty.val_type, DEPTH, random)?;
                (ExportKind::Global, assembly.global(ty, &value))
            }
            Item::Tag(_) => (ExportKind::Tag, next_tag.next()?.0),
        };
        indices.push(provided);
        assembly.export(&index.to_string(), provided.0, provided.1);
    }
    Some(assembly.finish())
}

/// How functions answer.
struct Answers<'a> {
    shape: &'a Shape,
    answer: u32,
    state: u32,
    tags: Vec<(u32, u32)>,
    funcs: Vec<(u32, u32)>,
    digest: Digest,
}

impl Answers<'_> {
    fn body(&self, assembly: &Assembly<'_>, ty: u32, random: &mut Random) -> Option<Body> {
        let source = Source { shape: self.shape, funcs: &self.funcs, host_value: Some(self.digest.host_value) };
        let params = self.shape.params(ty);
        let mut body = Body::new(params.len());
        let number = body.local(ValType::I64);
        body.extend([I::I32Const(OBJECTS), I::GlobalSet(self.digest.budget)]);
        body.extend([I::GlobalGet(self.state), I::LocalSet(number)]);
        let locals: Vec<u32> = (0..params.len() as u32).collect();
        self.digest.add_all(assembly, &mut body, params, &locals, number);
        body.extend([I::LocalGet(number), I::Call(self.answer), I::GlobalSet(self.state)]);
        body.extend([I::GlobalGet(self.state), I::I64Const(24), I::I64RemU, I::I64Eqz]);
        body.extend([I::If(BlockType::Empty), I::Unreachable, I::End]);
        if !self.tags.is_empty() {
            let (tag, ty) = *random.pick(&self.tags);
            body.extend(self.bits(8, 15)).extend([I::I32Eqz, I::If(BlockType::Empty)]);
            for ty in self.shape.params(ty) {
                body.extend(source.push(*ty, DEPTH, random)?);
            }
            body.extend([I::Throw(tag), I::End]);
        }
        for (i, ty) in self.shape.results(ty).iter().enumerate() {
            body.extend(source.push(*ty, DEPTH, random)?);
            body.extend(source.push(*ty, DEPTH, random)?);
            body.extend(self.bits(16 + i as i64 % 40, 1)).extend([I::TypedSelect(*ty)]);
        }
        Some(body)
    }

    /// Leaves some bits of the number.
    fn bits(&self, from: i64, mask: i32) -> [Instruction<'static>; 6] {
        [I::GlobalGet(self.state), I::I64Const(from), I::I64ShrU, I::I32WrapI64, I::I32Const(mask), I::I32And]
    }
}
