;; Binary trees: one that lives long, and many of growing depth that are built, counted and dropped.
(module
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))

  (func $make (param $depth i32) (result (ref $node))
    (if (i32.eqz (local.get $depth)) (then (return (struct.new_default $node))))
    (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
    (struct.new $node (call $make (local.get $depth)) (call $make (local.get $depth))))

  (func $count (param $node (ref $node)) (result i32)
    (block $leaf
      (return
        (i32.add
          (i32.const 1)
          (i32.add
            (call $count (br_on_null $leaf (struct.get $node $left (local.get $node))))
            (call $count (ref.as_non_null (struct.get $node $right (local.get $node))))))))
    (i32.const 1))

  (func $run (param $percent i32) (result i64)
    (local $long (ref null $node)) (local $depth i32) (local $turns i32) (local $sum i64)
    (local.set $long (call $make (i32.const 16)))
    (local.set $depth (i32.const 4))
    (loop $deeper
      ;; As many nodes at each depth.
      (local.set $turns
        (i32.div_u (i32.mul (local.get $percent) (i32.shl (i32.const 1) (i32.sub (i32.const 21) (local.get $depth))))
          (i32.const 100)))
      (loop $again
        (if (local.get $turns)
          (then
            (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $count (call $make (local.get $depth))))))
            (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
            (br $again))))
      (local.set $sum (i64.mul (local.get $sum) (i64.const 31)))
      (local.set $depth (i32.add (local.get $depth) (i32.const 2)))
      (br_if $deeper (i32.le_u (local.get $depth) (i32.const 16))))
    (i64.add (local.get $sum) (i64.extend_i32_u (call $count (ref.as_non_null (local.get $long)))))))
