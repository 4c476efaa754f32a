;; Calls inside a batch are direct, imported and indirect ones go through a function reference.
(module
    (import "m" "f" (func $imported (param i32) (result i32)))
    (table 4 funcref) (table $grows 4 funcref)
    (type $t (func (param i32) (result i32)))
    (func $own (param i32) (result i32) (local.get 0))
    (func (export "direct") (param i32) (result i32) (call $own (local.get 0)))
    (func (export "imported") (param i32) (result i32) (call $imported (local.get 0)))
    (func (export "indirect") (param i32) (result i32) (call_indirect (type $t) (i32.const 7) (local.get 0)))
    (func (export "tail") (param i32) (result i32) (return_call_indirect $grows (type $t) (i32.const 7) (local.get 0)))
    (func (export "grow") (param i32) (result i32) (table.grow $grows (ref.null func) (local.get 0))))
