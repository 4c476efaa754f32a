;; Code that could throw and hardly ever does: a handler in the loop, calls in it, one throw in a million.
(module
  (tag $rare (param i64))

  (func $work (param $x i64) (result i64)
    (if (i64.eqz (i64.and (local.get $x) (i64.const 0xfffff00000000)))
      (then (throw $rare (local.get $x))))
    (i64.add (i64.mul (local.get $x) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))

  (func $guarded (param $x i64) (result i64)
    (block $rare (result i64)
      (try_table (result i64) (catch $rare $rare)
        (call $work (call $work (local.get $x))))
      (return))
    (i64.add (i64.const 0x123456789abcdef)))

  (func $rounds (param $x i64) (result i64) (local $n i32)
    (local.set $n (i32.const 10000))
    (loop $again
      (local.set $x (call $guarded (local.get $x)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n)))
    (local.get $x))

  (func $run (param $percent i32) (result i64) (local $round i32) (local $x i64)
    (local.set $round (i32.mul (local.get $percent) (i32.const 150)))
    (local.set $x (i64.const 88172645463325252))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $x (call $rounds (local.get $x)))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $x)))
