;; Operators that can trap, and those whose result Wasm fixes where processors differ.
(module
    (func (export "divide") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
    (func (export "rest") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
    (func (export "truncate") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
    (func (export "saturate") (param f32) (result i64) (i64.trunc_sat_f32_u (local.get 0)))
    (func (export "min") (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
    (func (export "shift") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1))))
