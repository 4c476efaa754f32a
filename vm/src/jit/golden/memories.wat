;; Each memory has a base of its own; only copies name two.
(module (import "m" "a" (memory $a 2)) (memory $b 1) (memory $c i64 1 4)
    (func (export "add") (param i32) (result i32) (i32.add (i32.load $a (local.get 0)) (i32.load $b (local.get 0))))
    (func (export "copy") (param i32 i64 i32) (memory.copy $b $c (local.get 0) (local.get 1) (local.get 2)))
    (func (export "grow") (param i64) (result i64) (memory.grow $c (local.get 0))))
