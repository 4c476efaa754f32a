//! Calls of which arguments and results are in two arrays: functions of the host that are lent what is in them, and fill them with what they give; functions of
//! a guest that are lent them. Nothing is allocated, and no handle made, for a call.

use std::any::Any;

use super::any::AnyRef;
use super::arrays::ArrayRef;
use super::error::{Error, Result};
use super::func::Func;
use super::host::{HostFunc, guarded};
use super::linker::Linker;
use super::store::{AsContext, AsContextMut};
use super::types::ArrayType;
use crate::heap;
use crate::runtime::call::{enter, on_host_stack};
use crate::runtime::context::HostContext;
use crate::runtime::instance::HostFunction;
use crate::runtime::store::StoreInner;
use crate::types::{FuncType, HeapType, RefType, TypeId, ValType};

/// What a host function is lent for a call: see [`Linker::func_lent`].
///
/// ```
/// use pinfold_vm::api::{ArrayType, Engine, FieldType, Lent, Linker, StorageType, ValType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let words = ArrayType::new(&engine, FieldType::mutable(ValType::I64))?;
/// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
/// let mut linker = Linker::new(&engine);
/// // Keeps the bytes that a guest lends it, and gives it none.
/// linker.func_lent("host", "keep", [&words, &bytes], |kept: &mut Vec<u8>, call: Lent<'_>| {
///     let [_, (bytes, used)] = call.arrays();
///     kept.extend(bytes.iter().take(used as usize));
///     Ok([&[], &[]])
/// })?;
/// assert!(linker.has("host", "keep"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Lent<'a> {
    value: Option<&'a (dyn Any + Send + Sync)>,
    number: i64,
    arrays: [(&'a [u8], i64); 2],
}

impl<'a> Lent<'a> {
    /// The host value that comes first, if it is one of this type.
    pub fn value<T: Any>(&self) -> Option<&'a T> {
        self.value?.downcast_ref()
    }

    /// The number that comes next.
    pub fn number(&self) -> i64 {
        self.number
    }

    /// The bytes of both arrays, as [`ArrayRef::bytes`] has them, each with the number that follows it.
    pub fn arrays(&self) -> [(&'a [u8], i64); 2] {
        self.arrays
    }
}

/// A guest's function of type `(ref array) (ref array) -> (ref null array) i64 (ref null array) i64`, whose arrays are of two types: see
/// [`Func::lending`].
///
/// ```
/// use pinfold_vm::api::{ArrayType, Engine, FieldType, Instance, Module, StorageType, Store, ValType};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::default();
/// let words = ArrayType::new(&engine, FieldType::mutable(ValType::I64))?;
/// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
/// let module = Module::new(&engine, wat::parse_str(r#"(module (func (export "run") (param i32)))"#)?)?;
/// let mut store = Store::new(&engine, ());
/// let run = Instance::new(&mut store, &module, &[])?.get_func(&store, "run").ok_or("there is none")?;
/// assert!(run.lending(&store, [&words, &bytes]).is_err(), "it takes something else");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LendingFunc {
    func: Func,
    types: [TypeId; 2],
}

impl Func {
    /// The same function, to be lent arrays of these types.
    ///
    /// # Errors
    /// If it takes or gives something else than [`LendingFunc`] says, or something is of another store or engine.
    ///
    /// ```
    /// use pinfold_vm::api::{ArrayRef, ArrayType, Engine, FieldType, Linker, Module, StorageType, Store, ValType};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::default();
    /// let words = ArrayType::new(&engine, FieldType::mutable(ValType::I64))?;
    /// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
    /// let module = r#"(module
    ///     (type $words (array (mut i64)))
    ///     (type $bytes (array (mut i8)))
    ///     (func (export "double") (param (ref $words) (ref $bytes)) (result (ref null $words) i64 (ref null $bytes) i64)
    ///         (array.set $words (local.get 0) (i32.const 0)
    ///             (i64.mul (i64.const 2) (array.get $words (local.get 0) (i32.const 0))))
    ///         (local.get 0) (i64.const 1) (ref.null $bytes) (i64.const 0)))"#;
    /// let mut store = Store::new(&engine, ());
    /// let instance = Linker::new(&engine).instantiate(&mut store, &Module::new(&engine, wat::parse_str(module)?)?)?;
    /// let double = instance.get_func(&store, "double").ok_or("there is no such function")?.lending(&store, [&words, &bytes])?;
    ///
    /// let (words, bytes) = (ArrayRef::new_default(&mut store, &words, 1)?, ArrayRef::new_default(&mut store, &bytes, 0)?);
    /// words.bytes_mut(&mut store)?[0] = 21;
    /// let [given, nothing] = double.call(&mut store, [&words, &bytes])?;
    /// // None is another array than the one that was lent.
    /// assert!(given.0.is_none() && nothing.0.is_none());
    /// assert_eq!((words.bytes(&store)?[0], given.1, nothing.1), (42, 1, 0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn lending(&self, store: impl AsContext, types: [&ArrayType; 2]) -> Result<LendingFunc> {
        let ty = self.ty(&store)?;
        let store = store.inner();
        let [first, second] = types;
        let [first_type, second_type] = [first.of_engine(&store.engine)?, second.of_engine(&store.engine)?];
        let params = [first.non_null(), second.non_null()];
        let results = [first.nullable(), ValType::I64, second.nullable(), ValType::I64];
        let all = |from: &[ValType], to: &[ValType]| {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| store.engine.types.matches(*from, *to))
        };
        if !all(&params, ty.params()) || !all(ty.results(), &results) {
            return Err(Error::Type(format!("the function's type is {ty}, not {}", FuncType::new(params, results))));
        }
        Ok(LendingFunc { func: *self, types: [first_type.id, second_type.id] })
    }
}

impl LendingFunc {
    /// Calls it with these arrays. Of each that comes back there is the number after it, and the array itself if it is another one.
    ///
    /// # Errors
    /// If the arrays are of other types, or something is of another store; and how the call ended, if it did not return.
    pub fn call(&self, mut store: impl AsContextMut, arrays: [&ArrayRef; 2]) -> Result<[(Option<ArrayRef>, i64); 2]> {
        let store = store.inner_mut();
        let func = self.func.raw(store)?;
        let mut buffer = [0_u64; 4];
        for ((array, id), slot) in arrays.iter().zip(self.types).zip(&mut buffer) {
            if !array.0.is_of_type(store, id) {
                return Err(Error::Type("an argument is of another type".into()));
            }
            *slot = array.0.reference(store)?.into();
        }
        // SAFETY: the buffer has the slots of the type that `lending` saw, and so have the arguments; `raw` checked the function.
        let ended = unsafe { enter(store.context(), func, buffer.as_mut_ptr()) };
        let given = ended.map(|()| {
            let [first, first_number, second, second_number] = buffer;
            let other = |lent: &ArrayRef, given: u64| {
                let given = given as u32;
                (given != lent.0.bits()).then(|| AnyRef::from_reference(store, given).map(ArrayRef)).flatten()
            };
            [(other(arrays[0], first), first_number as i64), (other(arrays[1], second), second_number as i64)]
        });
        store.bury();
        given.map_err(Error::from)
    }
}

/// A closure, and the types of the arrays that it is lent and gives.
struct Lender<F> {
    types: [ArrayType; 2],
    /// Their numbers.
    ids: [Option<TypeId>; 2],
    func: F,
}

impl<T: 'static> Linker<T> {
    /// Defines a host function of type `(ref extern) i64 (ref array) i64 (ref array) i64 -> (ref array) (ref array)`, whose arrays are of these two types, of
    /// mutable numbers.
    ///
    /// The closure gets the embedder's data, and [what the guest passed](Lent). What bytes it returns are put at the beginnings of the same two
    /// arrays, which are what the guest gets back; if there is no room for them, it gets a new array with just these. It runs on the stack of whoever called into the guest, as
    /// what [`Caller::on_host_stack`](super::Caller::on_host_stack) runs does. For calls that are made often this takes a fraction of what a closure does that takes and returns [`ArrayRef`]s.
    ///
    /// ```
    /// use pinfold_vm::api::{ArrayType, Engine, FieldType, Lent, Linker, Module, Result, StorageType, Store, ValType, ExternRef};
    ///
    /// # fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    /// let engine = Engine::default();
    /// let words = ArrayType::new(&engine, FieldType::mutable(ValType::I64))?;
    /// let bytes = ArrayType::new(&engine, FieldType::mutable(StorageType::I8))?;
    /// let mut linker = Linker::new(&engine);
    /// linker.func_lent("host", "louder", [&words, &bytes], |text: &mut Vec<u8>, call: Lent<'_>| {
    ///     let [_, (bytes, used)] = call.arrays();
    ///     text.clear();
    ///     text.extend(bytes.iter().take(used as usize).map(u8::to_ascii_uppercase));
    ///     Ok([&[], text])
    /// })?;
    /// let module = r#"(module
    ///     (type $words (array (mut i64)))
    ///     (type $bytes (array (mut i8)))
    ///     (import "host" "louder" (func $louder (param (ref extern) i64 (ref $words) i64 (ref $bytes) i64) (result (ref $words) (ref $bytes))))
    ///     (func (export "run") (param $who (ref extern)) (result i32)
    ///         (call $louder
    ///             (local.get $who) (i64.const 0)
    ///             (array.new_fixed $words 0) (i64.const 0)
    ///             (array.new_fixed $bytes 2 (i32.const 0x68) (i32.const 0x69)) (i64.const 1))
    ///         (array.get_u $bytes (i32.const 0))
    ///         (return)))"#;
    /// let mut store = Store::new(&engine, Vec::new());
    /// let instance = linker.instantiate(&mut store, &Module::new(&engine, wat::parse_str(module)?)?)?;
    /// let run = instance.get_typed_func::<ExternRef, u32>(&store, "run")?;
    /// assert_eq!(run.call(&mut store, ExternRef::new(()))?, u32::from(b'H'));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the types are of another engine, or not of mutable numbers, and as [`Self::func_wrap`].
    pub fn func_lent<F>(&mut self, module: &str, name: &str, types: [&ArrayType; 2], func: F) -> Result<&mut Self>
    where
        F: for<'d, 'a> Fn(&'d mut T, Lent<'a>) -> Result<[&'d [u8]; 2]> + Send + Sync + 'static,
    {
        for ty in types {
            ty.of_engine(self.engine())?;
            let element = ty.element();
            if !element.mutable || element.storage.unpacked().is_ref() {
                return Err(Error::Type(format!("{ty:?} is no array of mutable numbers")));
            }
        }
        let array = RefType::non_null(HeapType::Array).into();
        let params =
            [RefType::non_null(HeapType::Extern).into(), ValType::I64, array, ValType::I64, array, ValType::I64];
        let ty = FuncType::new(params, types.map(ArrayType::non_null));
        let lender = Lender { types: types.map(Clone::clone), ids: types.map(|ty| ty.heap_type().defined()), func };
        self.define_new_host(module, name, HostFunc::lent(ty, call::<T, F>, lender))
    }
}

/// # Safety
/// `context` is of a function that `func_lent` defined with these parameters; the buffer has the type's slots.
unsafe extern "sysv64" fn call<T: 'static, F>(context: *mut HostContext, buffer: *mut u64) -> bool
where
    F: for<'d, 'a> Fn(&'d mut T, Lent<'a>) -> Result<[&'d [u8]; 2]>,
{
    // SAFETY: by contract. The guest waits, so that nothing in its heap moves or changes until something is allocated there, which is
    // after the closure has returned; the embedder's data is no part of the store, which the closure cannot reach.
    unsafe {
        guarded(context, || {
            let host: &HostFunction = &*context.cast();
            let lender = &*host.target.cast::<Lender<F>>();
            let store: *mut StoreInner = StoreInner::of((*context).store);
            // Types are numbered by their engine, and linkers are not kept from stores of another one.
            if host.checked || lender.types[0].of_engine(&(*store).engine).is_err() {
                return Err(Error::Type("the import gives arrays of other types than the function does".into()));
            }
            let data = &mut *(*store).data.cast::<T>();
            let [value, number, first, first_number, second, second_number] = *buffer.cast::<[u64; 6]>();
            let arrays = [first as u32, second as u32];
            let first = bytes(&*store, lender, 0, arrays[0])?;
            let second = bytes(&*store, lender, 1, arrays[1])?;
            let handle = (*store).heap.as_ref().and_then(|heap| heap.handles().get(value as u32));
            let lent = Lent {
                value: handle.map(|value| &**value),
                number: number as i64,
                arrays: [(&*first, first_number as i64), (&*second, second_number as i64)],
            };
            let given = on_host_stack((*context).store, || (lender.func)(data, lent))?;
            // In the convention results take the first slots.
            let results = &mut *buffer.cast::<[u64; 2]>();
            if given[0].len() > first.len() || given[1].len() > second.len() {
                *results = refill(&mut *store, &lender.types, arrays, given)?.map(u64::from);
                return Ok(());
            }
            for (room, given) in [first, second].into_iter().zip(given) {
                room.cast::<u8>().copy_from_nonoverlapping(given.as_ptr(), given.len());
            }
            *results = arrays.map(u64::from);
            Ok(())
        })
    }
}

/// The bytes of an array that a guest passes, which may be of another type than the function's.
fn bytes<F>(store: &StoreInner, lender: &Lender<F>, which: usize, array: u32) -> Result<*mut [u8]> {
    // SAFETY: by its type it is a reference to an array of the store's.
    let header = unsafe { heap::header((*store.context()).heap.base, array) };
    if lender.ids[which].map(heap::header_of) != Some(header) {
        return Err(Error::Type(format!("an argument is no {:?}", lender.types[which])));
    }
    // SAFETY: as above.
    let len = unsafe { store.array_len(array) } as usize * lender.types[which].element().storage.bytes() as usize;
    let start = store.array_bytes(array, len as u64).ok_or(Error::Stale("the array"))?;
    Ok(std::ptr::slice_from_raw_parts_mut(start.as_ptr(), len))
}

/// Puts what there is no room for in new arrays.
#[cold]
fn refill(store: &mut StoreInner, types: &[ArrayType; 2], arrays: [u32; 2], given: [&[u8]; 2]) -> Result<[u32; 2]> {
    // Making one may move the other.
    let mut kept = arrays.map(|array| ArrayRef(AnyRef::root(store, array)));
    for ((array, ty), given) in kept.iter_mut().zip(types).zip(given) {
        if let Some(room) = array.bytes_mut(&mut View(store))?.get_mut(..given.len()) {
            room.copy_from_slice(given);
        } else {
            *array = ArrayRef::from_bytes(View(store), ty, given)?;
        }
    }
    let [first, second] = &kept;
    Ok([first.0.reference(store)?, second.0.reference(store)?])
}

/// A store without its data's type, to be changed.
struct View<'a>(&'a mut StoreInner);

impl AsContext for View<'_> {
    type Data = ();

    fn inner(&self) -> &StoreInner {
        self.0
    }
}

impl AsContextMut for View<'_> {
    fn inner_mut(&mut self) -> &mut StoreInner {
        self.0
    }
}

impl std::fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lent").field("number", &self.number).field("arrays", &self.arrays).finish_non_exhaustive()
    }
}
