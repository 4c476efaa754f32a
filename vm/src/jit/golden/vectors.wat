;; A dot product's inner step, and a search's.
(module (memory 1)
    (func (export "dot") (param i32 i32 v128) (result v128)
        (f32x4.add (local.get 2) (f32x4.mul (v128.load (local.get 0)) (v128.load (local.get 1)))))
    (func (export "find") (param i32 i32) (result i32)
        (i8x16.bitmask (i8x16.eq (v128.load (local.get 0)) (i8x16.splat (local.get 1)))))
    (func (export "shuffle") (param v128 v128) (result v128)
        (i8x16.shuffle 0 16 1 17 2 18 3 19 4 20 5 21 6 22 7 23 (local.get 0) (local.get 1))))
