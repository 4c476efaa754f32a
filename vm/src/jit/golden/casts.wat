;; Tests and casts: to a final type, to one that has subtypes, from types whose references may be no objects, to small integers, and
;; branches on them.
(module
  (type $top (sub (struct (field i32))))
  (type $sub (sub $top (struct (field i32) (field i64))))
  (type $leaf (sub final $sub (struct (field i32) (field i64) (field f32))))
  (func (export "test a final type") (param (ref $top)) (result i32) (ref.test (ref $leaf) (local.get 0)))
  (func (export "test a type with subtypes") (param (ref null $top)) (result i32) (ref.test (ref $sub) (local.get 0)))
  (func (export "cast") (param (ref $top)) (result i64) (struct.get $sub 1 (ref.cast (ref $sub) (local.get 0))))
  (func (export "cast anything") (param anyref) (result (ref null $leaf)) (ref.cast (ref null $leaf) (local.get 0)))
  (func (export "cast to a small integer") (param anyref) (result i32) (i31.get_s (ref.cast (ref i31) (local.get 0))))
  (func (export "branch") (param (ref null $top)) (result i32)
    (block $is (result (ref $leaf))
      (br_on_cast $is (ref null $top) (ref $leaf) (local.get 0))
      (drop)
      (return (i32.const -1)))
    (struct.get $leaf 0))
  (func (export "make a small integer") (param i32) (result i32)
    (ref.eq (ref.i31 (local.get 0)) (ref.i31 (i32.const 3)))))
