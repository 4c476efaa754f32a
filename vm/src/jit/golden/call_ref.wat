;; Calls of function references, with references kept over them; null faults.
(module
  (type $s (struct (field i32)))
  (type $f (func (param (ref $s)) (result (ref null $s))))
  (func (export "call") (param $f (ref null $f)) (param $a (ref $s)) (result i32)
    (drop (call_ref $f (local.get $a) (local.get $f)))
    (struct.get $s 0 (local.get $a)))
  (func (export "tail") (param $f (ref $f)) (param $a (ref $s)) (result (ref null $s))
    (return_call_ref $f (local.get $a) (local.get $f)))
  (func (export "twice") (param $f (ref $f)) (param $a (ref $s)) (result (ref null $s))
    (drop (call_ref $f (local.get $a) (local.get $f)))
    (call_ref $f (local.get $a) (local.get $f))))
