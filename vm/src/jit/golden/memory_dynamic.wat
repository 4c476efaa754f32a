;; settings: dynamic
;; Memories that may move: base and length are read again, an address out of bounds becomes zero, which faults.
(module (memory 1)
    (func (export "load") (param i32) (result i32) (i32.load offset=8 (local.get 0)))
    (func (export "copy") (param i32 i32)
        (i32.store (local.get 0) (i32.load (local.get 1)))))
