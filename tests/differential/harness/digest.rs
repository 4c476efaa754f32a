//! Functions that make one number of any value: of an object, of what it is and what it holds; of an exception, of its tag and
//! payload. What a host cannot look into, or cannot be given, is so seen by WebAssembly itself.

use std::borrow::Cow;

use wasm_encoder::{
    AbstractHeapType, BlockType, Catch, EntityType, FieldType, GlobalType, HeapType, Instruction, RefType, StorageType,
    ValType,
};

use super::assembly::{Assembly, Body};
use super::shape::Composite;
use Instruction as I;

/// How many elements of an array, and how many objects for one number, are looked at.
const ELEMENTS: i32 = 16;
pub const OBJECTS: i32 = 60;
/// How deep.
pub const DEPTH: i32 = 3;

/// What can be compared.
const EQ: HeapType = HeapType::Abstract { shared: false, ty: AbstractHeapType::Eq };

const ANY: ValType = ValType::Ref(RefType::ANYREF);

/// The functions, and what they stand on.
#[derive(Clone, Copy)]
pub struct Digest {
    /// What is made of a number and one more.
    pub mix: u32,
    any: u32,
    external: u32,
    func: u32,
    exn: u32,
    vector: u32,
    /// The number of a host value, and the host value of a number.
    number: u32,
    pub host_value: u32,
    /// How many objects may still be looked at.
    pub budget: u32,
}

impl Digest {
    /// What has to be imported; before anything is defined.
    pub fn import(assembly: &mut Assembly<'_>) -> (u32, u32) {
        let ty = assembly.ty(&[ValType::EXTERNREF], &[ValType::I32]);
        let number = assembly.import("host", "number", EntityType::Function(ty));
        let ty = assembly.ty(&[ValType::I32], &[ValType::EXTERNREF]);
        (number, assembly.import("host", "value", EntityType::Function(ty)))
    }

    /// Defines the functions, which know exceptions of these tags, of each of which the type is given too.
    pub fn define(assembly: &mut Assembly<'_>, (number, host_value): (u32, u32), tags: &[(u32, u32)]) -> Self {
        let ty = GlobalType { val_type: ValType::I32, mutable: true, shared: false };
        let budget = assembly.global(ty, &[I::I32Const(0)]);
        let first = assembly.next_func();
        let digest = Self {
            mix: first,
            any: first + 1,
            external: first + 2,
            func: first + 3,
            exn: first + 4,
            vector: first + 5,
            number,
            host_value,
            budget,
        };
        let i64 = ValType::I64;
        let ty = assembly.ty(&[i64, i64], &[i64]);
        assembly.func(ty, mix());
        let ty = assembly.ty(&[ANY, ValType::I32], &[i64]);
        let body = digest.any_body(assembly);
        assembly.func(ty, body);
        let ty = assembly.ty(&[ValType::EXTERNREF, ValType::I32], &[i64]);
        let mut body = Body::new(2);
        body.extend([I::LocalGet(0), I::AnyConvertExtern, I::LocalGet(1), I::Call(digest.any)]);
        assembly.func(ty, body);
        let ty = assembly.ty(&[ValType::FUNCREF], &[i64]);
        let body = digest.func_body(assembly);
        assembly.func(ty, body);
        let ty = assembly.ty(&[ValType::EXNREF, ValType::I32], &[i64]);
        let body = digest.exn_body(assembly, tags);
        assembly.func(ty, body);
        let ty = assembly.ty(&[ValType::V128], &[i64]);
        let mut body = Body::new(1);
        body.extend([
            I::LocalGet(0),
            I::I64x2ExtractLane(0),
            I::LocalGet(0),
            I::I64x2ExtractLane(1),
            I::Call(digest.mix),
        ]);
        assembly.func(ty, body);
        digest
    }

    /// What turns the value on the stack into its number; `depth` leaves how deep to look.
    pub fn number_of(
        &self,
        assembly: &Assembly<'_>,
        ty: ValType,
        depth: &[Instruction<'static>],
    ) -> Vec<Instruction<'static>> {
        match ty {
            ValType::I32 => vec![I::I64ExtendI32U],
            ValType::I64 => vec![],
            ValType::F32 => vec![I::I32ReinterpretF32, I::I64ExtendI32U],
            ValType::F64 => vec![I::I64ReinterpretF64],
            ValType::V128 => vec![I::Call(self.vector)],
            ValType::Ref(ty) => {
                let func = match assembly.shape.family(ty) {
                    AbstractHeapType::Func => return vec![I::Call(self.func)],
                    AbstractHeapType::Extern => self.external,
                    AbstractHeapType::Exn => self.exn,
                    _ => self.any,
                };
                depth.iter().cloned().chain([I::Call(func)]).collect()
            }
        }
    }

    /// Adds values of these types in locals to the number in another.
    pub fn add_all(&self, assembly: &Assembly<'_>, body: &mut Body, types: &[ValType], locals: &[u32], number: u32) {
        for (ty, local) in types.iter().zip(locals) {
            body.extend([I::LocalGet(number), I::LocalGet(*local)]);
            body.extend(self.number_of(assembly, *ty, &[I::I32Const(DEPTH)]));
            body.extend([I::Call(self.mix), I::LocalSet(number)]);
        }
    }

    fn any_body(&self, assembly: &Assembly<'_>) -> Body {
        let mut body = Body::new(2);
        let number = body.local(ValType::I64);
        let constant = |number| [I::If(BlockType::Empty), I::I64Const(number), I::Return, I::End];
        body.extend([I::LocalGet(0), I::RefIsNull]).extend(constant(0));
        body.extend([I::GlobalGet(self.budget), I::I32Const(0), I::I32LeS]).extend(constant(7));
        body.extend([I::GlobalGet(self.budget), I::I32Const(1), I::I32Sub, I::GlobalSet(self.budget)]);
        body.extend([I::LocalGet(0), I::RefTestNonNull(HeapType::I31), I::If(BlockType::Empty)]);
        body.extend([I::I64Const(11), I::LocalGet(0), I::RefCastNonNull(HeapType::I31), I::I31GetS, I::I64ExtendI32S]);
        body.extend([I::Call(self.mix), I::Return, I::End]);
        body.extend([I::LocalGet(0), I::RefTestNonNull(EQ), I::I32Eqz, I::If(BlockType::Empty)]);
        body.extend([I::I64Const(17), I::LocalGet(0), I::ExternConvertAny, I::Call(self.number), I::I64ExtendI32U]);
        body.extend([I::Call(self.mix), I::Return, I::End]);
        body.extend([I::I64Const(13), I::LocalSet(number)]);
        for (index, ty) in assembly.shape.types.iter().enumerate() {
            let index = index as u32;
            if matches!(ty.composite, Composite::Func(..)) {
                continue;
            }
            let heap_type = HeapType::Concrete(index);
            let typed = body.local(ValType::Ref(RefType { nullable: true, heap_type }));
            body.extend([I::LocalGet(0), I::RefTestNonNull(heap_type), I::If(BlockType::Empty)]);
            body.extend([I::LocalGet(0), I::RefCastNonNull(heap_type), I::LocalSet(typed)]);
            body.extend([I::LocalGet(number), I::I64Const(i64::from(index)), I::Call(self.mix), I::LocalSet(number)]);
            match &ty.composite {
                Composite::Struct(fields) => self.fields(assembly, &mut body, index, fields, typed, number),
                Composite::Array(field) => self.elements(assembly, &mut body, index, field, typed, number),
                Composite::Func(..) => {}
            }
            body.extend([I::End]);
        }
        body.extend([I::LocalGet(number)]);
        body
    }

    fn fields(&self, assembly: &Assembly<'_>, body: &mut Body, ty: u32, fields: &[FieldType], typed: u32, number: u32) {
        body.extend([I::LocalGet(1), I::If(BlockType::Empty)]);
        for (field_index, field) in fields.iter().enumerate() {
            let (struct_type_index, field_index) = (ty, field_index as u32);
            body.extend([I::LocalGet(number), I::LocalGet(typed)]);
            let ty = match field.element_type {
                StorageType::I8 => {
                    body.extend([I::StructGetS { struct_type_index, field_index }]);
                    ValType::I32
                }
                StorageType::I16 => {
                    body.extend([I::StructGetU { struct_type_index, field_index }]);
                    ValType::I32
                }
                StorageType::Val(ty) => {
                    body.extend([I::StructGet { struct_type_index, field_index }]);
                    ty
                }
            };
            body.extend(self.number_of(assembly, ty, &DEEPER));
            body.extend([I::Call(self.mix), I::LocalSet(number)]);
        }
        body.extend([I::End]);
    }

    fn elements(&self, assembly: &Assembly<'_>, body: &mut Body, ty: u32, field: &FieldType, typed: u32, number: u32) {
        let at = body.local(ValType::I32);
        body.extend([I::LocalGet(number), I::LocalGet(typed), I::ArrayLen, I::I64ExtendI32U, I::Call(self.mix)]);
        body.extend([I::LocalSet(number), I::I32Const(0), I::LocalSet(at)]);
        body.extend([I::Block(BlockType::Empty), I::LocalGet(1), I::I32Eqz, I::BrIf(0), I::Loop(BlockType::Empty)]);
        body.extend([I::LocalGet(at), I::LocalGet(typed), I::ArrayLen, I::I32GeU, I::BrIf(1)]);
        body.extend([I::LocalGet(at), I::I32Const(ELEMENTS), I::I32GeU, I::BrIf(1)]);
        body.extend([I::LocalGet(number), I::LocalGet(typed), I::LocalGet(at)]);
        let ty = match field.element_type {
            StorageType::I8 => {
                body.extend([I::ArrayGetU(ty)]);
                ValType::I32
            }
            StorageType::I16 => {
                body.extend([I::ArrayGetS(ty)]);
                ValType::I32
            }
            StorageType::Val(element) => {
                body.extend([I::ArrayGet(ty)]);
                element
            }
        };
        body.extend(self.number_of(assembly, ty, &DEEPER));
        body.extend([I::Call(self.mix), I::LocalSet(number)]);
        body.extend([I::LocalGet(at), I::I32Const(1), I::I32Add, I::LocalSet(at), I::Br(0), I::End, I::End]);
    }

    /// Of a function: of which types it is.
    fn func_body(&self, assembly: &Assembly<'_>) -> Body {
        let mut body = Body::new(1);
        let number = body.local(ValType::I64);
        body.extend([I::LocalGet(0), I::RefIsNull, I::If(BlockType::Empty), I::I64Const(2), I::Return, I::End]);
        for (index, ty) in assembly.shape.types.iter().enumerate() {
            if matches!(ty.composite, Composite::Func(..)) {
                let test = I::RefTestNonNull(HeapType::Concrete(index as u32));
                body.extend([I::LocalGet(number), I::LocalGet(0), test, I::I64ExtendI32U, I::Call(self.mix)]);
                body.extend([I::LocalSet(number)]);
            }
        }
        body.extend([I::LocalGet(number)]);
        body
    }

    /// Of an exception: throws it, and looks at what the handler for its tag is given.
    fn exn_body(&self, assembly: &mut Assembly<'_>, tags: &[(u32, u32)]) -> Body {
        let mut body = Body::new(2);
        let number = body.local(ValType::I64);
        body.extend([I::LocalGet(0), I::RefIsNull, I::If(BlockType::Empty), I::I64Const(3), I::Return, I::End]);
        let payloads: Vec<Vec<ValType>> = tags.iter().map(|(_, ty)| assembly.shape.params(*ty).to_vec()).collect();
        // The last tag's block is the innermost, but for that of all others.
        for payload in &payloads {
            let ty = assembly.ty(&[], payload);
            body.extend([I::Block(BlockType::FunctionType(ty))]);
        }
        let caught = (0..tags.len()).map(|i| Catch::One { tag: tags[i].0, label: (tags.len() - i) as u32 });
        let catches: Vec<Catch> = caught.chain([Catch::All { label: 0 }]).collect();
        body.extend([I::Block(BlockType::Empty), I::TryTable(BlockType::Empty, Cow::Owned(catches))]);
        body.extend([I::LocalGet(0), I::ThrowRef, I::End, I::Unreachable, I::End]);
        body.extend([I::I64Const(5), I::Return]);
        for (i, payload) in payloads.iter().enumerate().rev() {
            body.extend([I::End]);
            let locals = body.take(payload);
            body.extend([I::I64Const(19 + i as i64), I::LocalSet(number)]);
            for (ty, local) in payload.iter().zip(locals) {
                body.extend([I::LocalGet(number), I::LocalGet(local)]);
                // Exceptions in exceptions are looked at as deep as objects in objects.
                body.extend(self.number_of(assembly, *ty, &DEEPER));
                body.extend([I::Call(self.mix), I::LocalSet(number)]);
            }
            body.extend([I::LocalGet(number), I::Return]);
        }
        body
    }
}

/// One less than how deep the function itself was to look.
const DEEPER: [Instruction<'static>; 3] = [I::LocalGet(1), I::I32Const(1), I::I32Sub];

fn mix() -> Body {
    let mut body = Body::new(2);
    body.extend([I::LocalGet(0), I::I64Const(5), I::I64Rotl, I::LocalGet(1), I::I64Xor]);
    body.extend([I::I64Const(0x9e37_79b9_7f4a_7c15_u64 as i64), I::I64Mul, I::LocalTee(0)]);
    body.extend([I::LocalGet(0), I::I64Const(29), I::I64ShrU, I::I64Xor]);
    body
}
