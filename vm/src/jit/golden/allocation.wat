;; Structs are made inline, with references kept in registers but where the nursery is full; arrays by the runtime. Only
;; references that are used later are stored for the collector, and taken from there again.
(module
  (type $s (struct (field i32) (field (ref null $s))))
  (type $a (array (mut (ref null $s))))
  (func (export "cons") (param $n i32) (param $list (ref null $s)) (result (ref $s))
    (struct.new $s (local.get $n) (local.get $list)))
  (func (export "default") (result (ref $s)) (struct.new_default $s))
  (func (export "list") (param $n i32) (result (ref null $s)) (local $list (ref null $s))
    (loop $again
      (local.set $list (struct.new $s (local.get $n) (local.get $list)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $list))
  (func (export "only what is used") (param $kept (ref $s)) (param $done (ref null $s)) (result (ref $a) i32)
    (array.new $a (local.get $done) (i32.const 4))
    (struct.get $s 0 (local.get $kept)))
  (func (export "fixed") (param (ref null $s)) (result (ref $a))
    (array.new_fixed $a 2 (local.get 0) (ref.null $s))))
