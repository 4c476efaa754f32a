//! A module that calls what another one exports, and makes numbers of what comes of it and of what is left behind.

use std::borrow::Cow;

use wasm_encoder::{BlockType, Catch, EntityType, ExportKind, Instruction, TableType, TagKind, TagType, ValType};

use super::assembly::{Assembly, Body};
use super::digest::{DEPTH as DIGEST_DEPTH, Digest, OBJECTS};
use super::provider::STATE;
use super::shape::{Item, Shape};
use super::values::{DEPTH, Source};
use crate::random::Random;
use Instruction as I;

/// How many elements of a table are looked at.
const ELEMENTS: i64 = 64;

/// The module and how many calls it exports, as `0`, `1` and so on: each exported function `each` times, but no more than
/// `most` in all. `state` is what exported globals and tables hold. `None` if there is no argument for some call.
pub fn driver(shape: &Shape, each: usize, most: usize, random: &mut Random) -> Option<(Vec<u8>, usize)> {
    let mut assembly = Assembly::new(shape);
    let host = Digest::import(&mut assembly);
    let state = assembly.import("provider", "state", EntityType::Global(STATE));
    let (mut funcs, mut tags, mut globals, mut tables) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (name, item) in &shape.exports {
        match *item {
            Item::Func(ty) => funcs.push((assembly.import("module", name, EntityType::Function(ty)), ty)),
            Item::Tag(func_type_idx) => {
                let ty = TagType { kind: TagKind::Exception, func_type_idx };
                tags.push((assembly.import("module", name, EntityType::Tag(ty)), func_type_idx));
            }
            Item::Global(ty) => globals.push((assembly.import("module", name, EntityType::Global(ty)), ty.val_type)),
            Item::Table(ty) => tables.push((assembly.import("module", name, EntityType::Table(ty)), ty)),
            Item::Memory(_) => {}
        }
    }
    let digest = Digest::define(&mut assembly, host, &tags);
    assembly.referred = funcs.iter().map(|(index, _)| *index).collect();
    let mut calls: Vec<(u32, u32)> = funcs.iter().flat_map(|func| std::iter::repeat_n(*func, each)).collect();
    while calls.len() > most {
        calls.swap_remove(random.below(calls.len()));
    }
    let ty = assembly.ty(&[], &[ValType::I64]);
    let driver = Driver { shape, state, digest, funcs };
    for (index, func) in calls.iter().enumerate() {
        let body = driver.call(&assembly, *func, random)?;
        let call = assembly.func(ty, body);
        assembly.export(&index.to_string(), ExportKind::Func, call);
    }
    let body = driver.state(&assembly, &globals, &tables);
    let look = assembly.func(ty, body);
    assembly.export("state", ExportKind::Func, look);
    Some((assembly.finish(), calls.len()))
}

struct Driver<'a> {
    shape: &'a Shape,
    state: u32,
    digest: Digest,
    funcs: Vec<(u32, u32)>,
}

impl Driver<'_> {
    /// Calls a function, and returns the number of its results or of the exception that it throws, which half of the calls
    /// leave to the host.
    fn call(&self, assembly: &Assembly<'_>, (func, ty): (u32, u32), random: &mut Random) -> Option<Body> {
        let source = Source { shape: self.shape, funcs: &self.funcs, host_value: Some(self.digest.host_value) };
        let mut body = Body::new(0);
        let number = body.local(ValType::I64);
        body.extend([I::I32Const(OBJECTS), I::GlobalSet(self.digest.budget)]);
        let guarded = random.one_in(2);
        if guarded {
            let catches = Cow::Owned(vec![Catch::AllRef { label: 0 }]);
            body.extend([I::Block(BlockType::Result(ValType::EXNREF)), I::TryTable(BlockType::Empty, catches)]);
        }
        for ty in self.shape.params(ty) {
            body.extend(source.push(*ty, DEPTH, random)?);
        }
        body.extend([I::Call(func)]);
        let results = self.shape.results(ty);
        let locals = body.take(results);
        body.extend([I::I64Const(23), I::LocalSet(number)]);
        self.digest.add_all(assembly, &mut body, results, &locals, number);
        let finish = [I::GlobalGet(self.state), I::Call(self.digest.mix)];
        body.extend([I::LocalGet(number)]).extend(finish.clone());
        if guarded {
            body.extend([I::Return, I::End, I::Unreachable, I::End]);
            body.extend(self.digest.number_of(assembly, ValType::EXNREF, &[I::I32Const(DIGEST_DEPTH)]));
            body.extend(finish);
        }
        Some(body)
    }

    /// The number of what globals and tables hold.
    fn state(&self, assembly: &Assembly<'_>, globals: &[(u32, ValType)], tables: &[(u32, TableType)]) -> Body {
        let mut body = Body::new(0);
        let number = body.local(ValType::I64);
        let (at, size) = (body.local(ValType::I64), body.local(ValType::I64));
        let reset = [I::I32Const(OBJECTS), I::GlobalSet(self.digest.budget)];
        for (global, ty) in globals {
            body.extend(reset.clone()).extend([I::LocalGet(number), I::GlobalGet(*global)]);
            body.extend(self.digest.number_of(assembly, *ty, &[I::I32Const(DIGEST_DEPTH)]));
            body.extend([I::Call(self.digest.mix), I::LocalSet(number)]);
        }
        for (table, ty) in tables {
            body.extend(reset.clone()).extend([I::TableSize(*table)]);
            body.extend((!ty.table64).then_some(I::I64ExtendI32U)).extend([I::LocalTee(size), I::LocalGet(number)]);
            body.extend([I::Call(self.digest.mix), I::LocalSet(number), I::I64Const(0), I::LocalSet(at)]);
            body.extend([I::Block(BlockType::Empty), I::Loop(BlockType::Empty)]);
            body.extend([I::LocalGet(at), I::LocalGet(size), I::I64GeU, I::BrIf(1)]);
            body.extend([I::LocalGet(at), I::I64Const(ELEMENTS), I::I64GeU, I::BrIf(1)]);
            body.extend([I::LocalGet(number), I::LocalGet(at)]).extend((!ty.table64).then_some(I::I32WrapI64));
            body.extend([I::TableGet(*table)]);
            let element = ValType::Ref(ty.element_type);
            body.extend(self.digest.number_of(assembly, element, &[I::I32Const(DIGEST_DEPTH)]));
            body.extend([I::Call(self.digest.mix), I::LocalSet(number)]);
            body.extend([I::LocalGet(at), I::I64Const(1), I::I64Add, I::LocalSet(at), I::Br(0), I::End, I::End]);
        }
        body.extend([I::LocalGet(number)]);
        body
    }
}
