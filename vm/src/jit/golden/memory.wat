;; Reserved memories need no checks: what is out of bounds ends in the guard, or past a large offset is compared.
(module (memory 1)
    (func (export "load") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
    (func (export "store") (param i32 i64) (i64.store8 (local.get 0) (local.get 1)))
    (func (export "far") (param i32) (result f64) (f64.load offset=0xfffffff0 (local.get 0)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))
