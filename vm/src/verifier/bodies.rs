//! Function bodies: validated once each, on several cores where that pays.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use wasmparser::{BinaryReader, FuncToValidate, FuncValidator, FuncValidatorAllocations, ValidatorResources};

use super::decode::Decoded;
use super::error::Place;
use super::limits::{LimitKind, Limits};
use super::{FEATURES, Options, Refused};
use crate::module::{DefinedFunc, Module};
use crate::runtime::threads::{available, share};

/// Bodies that a thread takes at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// Less code than this is not worth another thread.
const BYTES_PER_THREAD: usize = 128 << 10;

/// What the threads share.
struct Work<'a> {
    bytes: &'a [u8],
    module: &'a Module,
    resources: &'a ValidatorResources,
    limits: &'a Limits,
    /// Ends of the chunks: indices of bodies.
    chunks: Vec<usize>,
    next: AtomicUsize,
    /// The first faulty body found so far.
    fault: Mutex<Option<(usize, Refused)>>,
    table_grows: Vec<AtomicBool>,
    uses_heap: AtomicBool,
    has_tail_calls: AtomicBool,
}

/// What bodies tell of their module.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Of each table, whether a `table.grow` names it.
    pub(crate) table_grows: Vec<bool>,
    /// Whether any operator works on objects of the heap.
    pub(crate) uses_heap: bool,
    /// Whether any function ends by a tail call.
    pub(crate) has_tail_calls: bool,
}

/// Verifies all bodies.
pub(super) fn verify(bytes: &[u8], decoded: &Decoded, options: &Options) -> Result<Found, Refused> {
    let tables = decoded.module.tables.len();
    let Some(resources) = &decoded.resources else {
        return Ok(Found { table_grows: vec![false; tables], uses_heap: false, has_tail_calls: false });
    };
    let (chunks, code) = chunks(&decoded.module);
    let mut work = Work::new(bytes, &decoded.module, resources, &options.limits);
    work.chunks = chunks;
    let useful = code / BYTES_PER_THREAD;
    let helpers = if useful < 2 { 0 } else { threads(options).min(useful) - 1 };
    share(helpers, &|| work.run());
    let fault = work.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
    match fault {
        Some((_, refused)) => Err(refused),
        None => Ok(work.found()),
    }
}

/// Verifies one body.
pub(super) fn verify_one(
    module: &Module,
    resources: &ValidatorResources,
    limits: &Limits,
    func: DefinedFunc,
) -> Result<Found, Refused> {
    let work = Work::new(&module.bytes, module, resources, limits);
    work.body(func.index(), FuncValidatorAllocations::default())?;
    Ok(work.found())
}

/// Threads that may work, at least one. Asking the system for its cores costs more than verifying
/// a small module.
fn threads(options: &Options) -> usize {
    match options.threads {
        0 => available(),
        threads => threads,
    }
}

/// Cuts the bodies into chunks; also says how many bytes they are together.
fn chunks(module: &Module) -> (Vec<usize>, usize) {
    let bodies = &module.bodies;
    let (mut ends, mut size, mut total) = (Vec::new(), 0, 0);
    for (index, body) in bodies.iter().enumerate() {
        size += body.bytes.len();
        if size >= CHUNK_BYTES || index + 1 == bodies.len() {
            ends.push(index + 1);
            total += size;
            size = 0;
        }
    }
    (ends, total)
}

impl<'a> Work<'a> {
    fn new(bytes: &'a [u8], module: &'a Module, resources: &'a ValidatorResources, limits: &'a Limits) -> Self {
        Self {
            bytes,
            module,
            resources,
            limits,
            chunks: Vec::new(),
            next: AtomicUsize::new(0),
            fault: Mutex::new(None),
            table_grows: module.tables.iter().map(|_| AtomicBool::new(false)).collect(),
            uses_heap: AtomicBool::new(false),
            has_tail_calls: AtomicBool::new(false),
        }
    }

    fn found(&self) -> Found {
        Found {
            table_grows: self.table_grows.iter().map(|grows| grows.load(Ordering::Relaxed)).collect(),
            uses_heap: self.uses_heap.load(Ordering::Relaxed),
            has_tail_calls: self.has_tail_calls.load(Ordering::Relaxed),
        }
    }

    /// Takes chunks until none is left, or an earlier one is found faulty.
    fn run(&self) {
        let mut allocations = FuncValidatorAllocations::default();
        loop {
            let chunk = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&end) = self.chunks.get(chunk) else { return };
            let start = chunk.checked_sub(1).map_or(0, |before| self.chunks[before]);
            for body in start..end {
                match self.body(body, std::mem::take(&mut allocations)) {
                    Ok(back) => allocations = back,
                    Err(refused) => return self.report(body, refused),
                }
            }
        }
    }

    /// Chunks are taken in order, so whoever finds a fault need not look at later ones, and all
    /// earlier ones are already in someone's hands.
    fn report(&self, body: usize, refused: Refused) {
        self.next.store(self.chunks.len(), Ordering::Relaxed);
        let mut fault = self.fault.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if fault.as_ref().is_none_or(|(other, _)| body < *other) {
            *fault = Some((body, refused));
        }
    }

    fn body(&self, body: usize, allocations: FuncValidatorAllocations) -> Result<FuncValidatorAllocations, Refused> {
        let module = self.module;
        let index = module.imported.functions + body as u32;
        let function = FuncToValidate {
            resources: self.resources.clone(),
            index,
            ty: module.functions[index as usize].0,
            features: FEATURES,
        };
        let mut validator = function.into_validator(allocations);
        let range = module.bodies[body].bytes.clone();
        let reader = BinaryReader::new_features(&self.bytes[range.clone()], range.start as u64, FEATURES);
        self.operators(&mut validator, reader).map_err(|refused| match refused {
            Refused::Rules(error, _) => Refused::Rules(error, Some(index)),
            own => own,
        })?;
        Ok(validator.into_allocations())
    }

    fn operators(
        &self,
        validator: &mut FuncValidator<ValidatorResources>,
        mut reader: BinaryReader<'_>,
    ) -> Result<(), Refused> {
        let bytes = &self.bytes[reader.original_position() as usize..];
        let index = validator.index();
        let check = |kind, found: u32, offset| {
            self.limits.check(kind, u64::from(found), || Place::within(index, offset)).map_err(Refused::from)
        };
        validator.read_locals(&mut reader)?;
        check(LimitKind::Locals, validator.len_locals(), reader.original_position())?;
        while !reader.eof() {
            let (at, offset) = (reader.current_position(), reader.original_position());
            reader.visit_operator(&mut validator.visitor(offset))??;
            check(LimitKind::Operands, validator.operand_stack_height(), offset)?;
            match bytes.get(at) {
                Some(&(BLOCK..=IF | TRY_TABLE)) => {
                    check(LimitKind::Nesting, validator.control_stack_height() - 1, offset)?
                }
                Some(&(RETURN_CALL | RETURN_CALL_INDIRECT | RETURN_CALL_REF)) => {
                    self.has_tail_calls.store(true, Ordering::Relaxed);
                }
                Some(&OBJECTS) => self.uses_heap.store(true, Ordering::Relaxed),
                Some(&MISCELLANEOUS) => self.note_table_grow(&bytes[at + 1..]),
                _ => {}
            }
        }
        reader.finish_expression(&validator.visitor(reader.original_position()))?;
        Ok(())
    }

    /// `operator` is one of those with a second opcode, just validated, from that opcode on.
    #[cold]
    fn note_table_grow(&self, operator: &[u8]) {
        let mut reader = BinaryReader::new(operator, 0);
        if let (Ok(TABLE_GROW), Ok(table)) = (reader.read_var_u32(), reader.read_var_u32())
            && let Some(grows) = self.table_grows.get(table as usize)
        {
            grows.store(true, Ordering::Relaxed);
        }
    }
}

// Opcodes (WebAssembly 3.0, section 5.4).
const BLOCK: u8 = 0x02;
const IF: u8 = 0x04;
const RETURN_CALL: u8 = 0x12;
const RETURN_CALL_INDIRECT: u8 = 0x13;
const RETURN_CALL_REF: u8 = 0x15;
const TRY_TABLE: u8 = 0x1f;
const OBJECTS: u8 = 0xfb;
const MISCELLANEOUS: u8 = 0xfc;
const TABLE_GROW: u32 = 15;
