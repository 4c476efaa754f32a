//! The checker is right about code as it comes, and sees whatever is broken in it.

use std::collections::HashSet;
use std::sync::Arc;

use cranelift_codegen::control::ControlPlane;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{InstBuilder, types};
use cranelift_codegen::{Context, isa};

use super::*;
use crate::jit::lower;
use crate::jit::maker::flags;
use crate::module::DefinedFunc;
use crate::runtime::code::ModuleCode;
use crate::runtime::config::CodeConfig;
use crate::runtime::types::TypeRegistry;
use crate::verifier::{self, Options};

/// Functions that keep references over calls, each in its way. Nothing in them is there for nothing: whatever is
/// taken out of the code that keeps them must be missed.
const KEEPING: &str = r#"
(module
  (type $s (struct (field $n (mut i32)) (field $next (mut (ref null $s)))))
  (type $a (array (mut (ref null $s))))
  (type $f (func (param (ref null $s)) (result (ref null $s))))
  (tag $e (param (ref null $s)))
  (global $g (mut (ref null $s)) (ref.null $s))
  (table $t 1 (ref null $s))
  (func $f (type $f) (local.get 0))
  (func $in_a_parameter (param $a (ref $s)) (result i32)
    (struct.get $s $n (local.get $a))
    (drop (call $f (local.get $a)))
    (i32.add (struct.get $s $n (local.get $a))))
  (func $among_operands (param $a (ref $s)) (result (ref $a))
    (array.new_fixed $a 3 (local.get $a) (call $f (global.get $g)) (call $f (table.get $t (i32.const 0)))))
  (func $of_an_allocation (param $a (ref null $s)) (result (ref $s))
    (struct.new $s (i32.const 1) (struct.new $s (i32.const 2) (local.get $a))))
  (func $around_a_loop (param $n i32) (result (ref null $s)) (local $list (ref null $s))
    (loop $again
      (local.set $list (struct.new $s (local.get $n) (local.get $list)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $list))
  (func $to_a_handler (param $a (ref $s)) (param $f (ref $f)) (result i32)
    (block $h (result (ref null $s))
      (try_table (catch $e $h) (drop (call_ref $f (local.get $a) (local.get $f))))
      (return (i32.const 0)))
    (struct.set $s $next (local.get $a))
    (struct.get $s $n (local.get $a)))
  (func $where_ways_meet (param $a (ref $s)) (param $b (ref $s)) (param $c i32)
    (if (local.get $c) (then (local.set $a (local.get $b))) (else (drop (call $f (local.get $b)))))
    (struct.set $s $next (local.get $a) (call $f (local.get $b))))
  (func $of_a_copy (param $to (ref $a)) (param $from (ref $a)) (result (ref $s))
    (array.copy $a $a (local.get $to) (i32.const 0) (local.get $from) (i32.const 0) (i32.const 1))
    (struct.new $s (i32.const 1) (array.get $a (local.get $to) (i32.const 0)))))
"#;

/// Answers that were found before a call and are used after it, and an element of an array that is never there.
const ANSWERING: &str = r#"
(module
  (type $s (struct (field i32)))
  (type $a (array (mut i32)))
  (func $f)
  (func $equal (param eqref eqref) (result i32)
    (ref.eq (local.get 0) (local.get 1)) (call $f))
  (func $null (param eqref) (result i32) (ref.is_null (local.get 0)) (call $f))
  (func $test (param eqref) (result i32) (ref.test (ref $s) (local.get 0)) (call $f))
  (func $small (param $i i31ref) (param $a (ref $a)) (result i32)
    (i31.get_u (local.get $i)) (call $f) (i32.shr_u (i32.const 3))
    (array.get $a (local.get $a) (i31.get_s (local.get $i))) (i32.add))
  (func $nowhere (param $i i32) (result i32) (array.get $a (ref.null $a) (local.get $i)))
  (func $made (param $i i32) (result i31ref) (ref.i31 (local.get $i)) (call $f))
  (func $again (param $i i31ref) (result i31ref) (ref.i31 (i31.get_s (local.get $i))) (call $f))
  (func $constants (param $i i32) (result i31ref)
    (select (result i31ref) (ref.i31 (i32.const 7)) (ref.null i31) (local.get $i)) (call $f)))
"#;

struct Checked {
    func: Function,
    ty: FuncType,
    claims: Claims,
}

impl Checked {
    fn check(&self) -> Result<(), Unsound> {
        check(&self.func, &self.ty, &self.claims)
    }
}

/// The functions of a module, as they go to instruction selection.
fn compiled(text: &str) -> Vec<Checked> {
    let bytes: Arc<[u8]> = wat::parse_str(text).unwrap().into();
    let module = verifier::verify(bytes.into(), &Options::default(), &TypeRegistry::default()).unwrap();
    let config = CodeConfig { check_code: true, ..CodeConfig::default() };
    let code = ModuleCode::new(module, config);
    let isa = isa::lookup_by_name("x86_64").unwrap().finish(flags(&config).unwrap()).unwrap();
    let own: HashSet<_> = (0..code.module.defined_count() as u32).map(DefinedFunc).collect();
    let funcs = (0..code.module.defined_count() as u32).map(DefinedFunc);
    let make = |func| {
        let lowered = lower::function(&*isa, &code, func, None, &own, &mut Default::default()).ok().unwrap();
        let mut context = Context::for_function(lowered.func);
        context.compile(&*isa, &mut ControlPlane::default()).map_err(|error| error.inner).unwrap();
        let ty = code.module.func_type(code.module.func_index(func)).clone();
        Checked { func: context.func, ty, claims: lowered.claims.unwrap() }
    };
    funcs.map(make).collect()
}

fn insts(func: &Function) -> Vec<Inst> {
    func.layout.blocks().flat_map(|block| func.layout.block_insts(block)).collect()
}

/// Uses one value instead of another, wherever that is used.
fn replace(func: &mut Function, old: Value, new: Value) {
    for inst in insts(func) {
        func.dfg.map_inst_values(inst, |value| if value == old { new } else { value });
    }
}

fn is_used(func: &Function, value: Value) -> bool {
    insts(func).into_iter().any(|inst| func.dfg.inst_values(inst).any(|used| used == value))
}

/// Puts a copy of a call in its place whose stack map lacks an entry.
fn drop_entry(checked: &mut Checked, call: Inst, lacking: usize) {
    let func = &mut checked.func;
    let entries = func.dfg.user_stack_map_entries(call).unwrap().to_vec();
    let copy = func.dfg.clone_inst(call);
    let results: Vec<_> =
        func.dfg.inst_results(call).iter().copied().zip(func.dfg.inst_results(copy).iter().copied()).collect();
    func.layout.insert_inst(copy, call);
    func.layout.remove_inst(call);
    for (_, entry) in entries.into_iter().enumerate().filter(|(at, _)| *at != lacking) {
        func.dfg.append_user_stack_map_entry(copy, entry);
    }
    for (old, new) in results {
        replace(&mut checked.func, old, new);
        if checked.claims.born.contains(&old) {
            checked.claims.born.insert(new);
        }
    }
}

/// The slot that an instruction stores to or loads from.
fn slot(checked: &Checked, inst: Inst, is_store: bool) -> Option<StackSlot> {
    match Code::new(&checked.func, &checked.ty, &checked.claims).access(inst) {
        Some(Access::Store(slot, _)) if is_store => Some(slot),
        Some(Access::Load(slot)) if !is_store => Some(slot),
        _ => None,
    }
}

/// Breaks each function of [`KEEPING`] in each place where `places` finds one; each time the error must be as `expected` says.
fn broken<P>(
    places: impl Fn(&Checked) -> Vec<P>,
    mut break_at: impl FnMut(&mut Checked, &P),
    expected: impl Fn(&Unsound) -> bool,
) -> usize {
    let count = compiled(KEEPING).len();
    let mut tried = 0;
    for at in 0..count {
        let original = || compiled(KEEPING).swap_remove(at);
        for place in places(&original()) {
            let mut checked = original();
            break_at(&mut checked, &place);
            tried += 1;
            match checked.check() {
                Err(error) if expected(&error) => {}
                other => panic!("{other:?} in\n{}", checked.func.display()),
            }
        }
    }
    tried
}

#[test]
fn code_as_it_comes_is_sound() {
    for checked in compiled(KEEPING).into_iter().chain(compiled(ANSWERING)) {
        assert_eq!(checked.check(), Ok(()), "\n{}", checked.func.display());
    }
}

#[test]
fn a_slot_missing_from_a_stack_map_is_seen() {
    let places = |checked: &Checked| {
        let entries = |inst| checked.func.dfg.user_stack_map_entries(inst).map_or(0, <[_]>::len);
        insts(&checked.func).into_iter().flat_map(|inst| (0..entries(inst)).map(move |at| (inst, at))).collect()
    };
    let tried = broken(
        places,
        |checked, (call, entry)| drop_entry(checked, *call, *entry),
        |error| matches!(error, Unsound::Unmended { .. } | Unsound::Unset { .. }),
    );
    assert!(tried >= 10, "{tried}");
}

#[test]
fn a_missing_store_is_seen() {
    let places = |checked: &Checked| {
        insts(&checked.func).into_iter().filter(|inst| slot(checked, *inst, true).is_some()).collect()
    };
    let tried = broken(
        places,
        |checked, store| checked.func.layout.remove_inst(*store),
        |error| matches!(error, Unsound::Unset { .. }),
    );
    assert!(tried >= 10, "{tried}");
}

/// Each load from a slot whose value is used, and what was stored in its slot.
fn reloads(checked: &Checked) -> Vec<(Inst, Value)> {
    let func = &checked.func;
    let all = insts(func);
    let stored = |wanted| {
        let store = all.iter().find(|inst| slot(checked, **inst, true) == Some(wanted))?;
        Some(func.dfg.inst_args(*store)[0])
    };
    let reload = |inst: &Inst| {
        let slot = slot(checked, *inst, false)?;
        is_used(func, func.dfg.first_result(*inst)).then_some((*inst, stored(slot)?))
    };
    all.iter().filter_map(reload).collect()
}

#[test]
fn a_reference_that_is_not_loaded_again_after_a_call_is_seen() {
    let skip = |checked: &mut Checked, (load, stored): &(Inst, Value)| {
        let loaded = checked.func.dfg.first_result(*load);
        checked.func.layout.remove_inst(*load);
        replace(&mut checked.func, loaded, *stored);
    };
    let tried = broken(reloads, skip, |error| matches!(error, Unsound::Stale { .. }));
    assert!(tried >= 8, "{tried}");
}

/// The addresses in the heap that are made of a reference.
fn addresses(func: &Function, reference: Value) -> Vec<Value> {
    let made = |from: Value, by: Opcode| {
        let is = move |inst: &Inst| func.dfg.insts[*inst].opcode() == by && func.dfg.inst_args(*inst).contains(&from);
        insts(func).into_iter().filter(is).map(|inst| func.dfg.first_result(inst))
    };
    made(reference, Opcode::Uextend).flat_map(|wide| made(wide, Opcode::Iadd)).collect()
}

#[test]
fn an_address_kept_over_a_call_is_seen() {
    let places = |checked: &Checked| {
        let pairs = |(load, stored): (Inst, Value)| {
            let old = addresses(&checked.func, stored);
            let new = addresses(&checked.func, checked.func.dfg.first_result(load));
            old.into_iter().flat_map(move |old| new.clone().into_iter().map(move |new| (old, new))).collect::<Vec<_>>()
        };
        reloads(checked).into_iter().flat_map(pairs).collect()
    };
    let keep = |checked: &mut Checked, (old, new): &(Value, Value)| replace(&mut checked.func, *new, *old);
    let tried = broken(places, keep, |error| matches!(error, Unsound::Stale { .. }));
    assert!(tried >= 1, "{tried}");
}

#[test]
fn a_reference_that_the_lowering_did_not_tell_of_is_seen() {
    let places = |checked: &Checked| {
        let func = &checked.func;
        let makes = |inst: &Inst| {
            let opcode = func.dfg.insts[*inst].opcode();
            opcode.is_call()
                && func
                    .dfg
                    .call_signature(*inst)
                    .is_some_and(|signature| !checked.claims.signatures.contains_key(&signature))
                || opcode.can_load() && slot(checked, *inst, false).is_none()
        };
        let results = insts(func).into_iter().filter(makes).flat_map(|inst| func.dfg.inst_results(inst));
        let mut born: Vec<Value> = results.copied().filter(|value| checked.claims.born.contains(value)).collect();
        born.retain(|value| is_used(func, *value));
        born.sort();
        born
    };
    let forget = |checked: &mut Checked, value: &Value| assert!(checked.claims.born.remove(value));
    let tried = broken(places, forget, |error| matches!(error, Unsound::NotAReference { .. }));
    assert!(tried >= 6, "{tried}");
}

#[test]
fn a_number_in_the_place_of_a_reference_is_seen() {
    let places = |checked: &Checked| {
        insts(&checked.func).into_iter().filter(|inst| slot(checked, *inst, true).is_some()).collect()
    };
    let store_number = |checked: &mut Checked, store: &Inst| {
        let mut cursor = FuncCursor::new(&mut checked.func).at_inst(*store);
        let number = cursor.ins().iconst(types::I32, 8);
        let address = checked.func.dfg.inst_args(*store)[1];
        checked.func.dfg.map_inst_values(*store, |value| if value == address { value } else { number });
    };
    let tried = broken(places, store_number, |error| matches!(error, Unsound::NotAReference { .. }));
    assert!(tried >= 10, "{tried}");
}

#[test]
fn a_slot_whose_address_is_passed_on_is_seen() {
    let places = |checked: &Checked| {
        insts(&checked.func).into_iter().filter(|inst| slot(checked, *inst, true).is_some()).collect()
    };
    let pass_on = |checked: &mut Checked, store: &Inst| {
        let address = checked.func.dfg.inst_args(*store)[1];
        let mut cursor = FuncCursor::new(&mut checked.func).at_inst(*store);
        cursor.ins().iadd_imm_s(address, 4);
    };
    broken(places, pass_on, |error| matches!(error, Unsound::Escapes { .. }));
}
