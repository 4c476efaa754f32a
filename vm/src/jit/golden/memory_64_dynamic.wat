;; settings: dynamic
;; One compare where the offset is within the memory's smallest size, two where the sum may wrap.
(module (memory i64 1)
    (func (export "near") (param i64) (result i32) (i32.load offset=8 (local.get 0)))
    (func (export "far") (param i64) (result i32) (i32.load offset=65536 (local.get 0)))
    (func (export "constant") (result i32) (i32.load offset=65532 (i64.const 0))))
