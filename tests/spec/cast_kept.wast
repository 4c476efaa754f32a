;; A cast leaves its operand where it is: what made the operand has to put it where the cast looks, also if the next
;; instruction takes it from elsewhere.

(module
  (type $s (struct (field i32)))
  (type $a (array i8))
  (global $none (mut (ref null $s)) (ref.null $s))
  (func (export "cast, is_null") (result i32) (ref.is_null (ref.cast (ref $s) (struct.new_default $s))))
  (func (export "cast null, is_null") (result i32) (ref.is_null (ref.cast (ref null $s) (global.get $none))))
  (func (export "non_null, is_null") (param i32) (result i32)
    (ref.is_null (ref.as_non_null (ref.i31 (i32.add (local.get 0) (i32.const 1))))))
  (func (export "cast, eq") (param i32) (result i32)
    (ref.eq (ref.cast (ref i31) (ref.i31 (i32.add (local.get 0) (i32.const 1)))) (ref.i31 (i32.const 3))))
  (func (export "cast fails, is_null") (result i32)
    (ref.is_null (ref.cast (ref $a) (block (result anyref) (struct.new_default $s))))))

(assert_return (invoke "cast, is_null") (i32.const 0))
(assert_return (invoke "cast null, is_null") (i32.const 1))
(assert_return (invoke "non_null, is_null" (i32.const 5)) (i32.const 0))
(assert_return (invoke "cast, eq" (i32.const 2)) (i32.const 1))
(assert_return (invoke "cast, eq" (i32.const 5)) (i32.const 0))
(assert_trap (invoke "cast fails, is_null") "cast failure")
