;; Exceptions that are thrown, with a number and an object, through eight frames, two of which catch other tags.
(module
  (type $reason (struct (field $code i32)))
  (tag $error (param i64 (ref $reason)))
  (tag $other)

  (func $down (param $depth i32) (param $x i64) (result i64)
    (if (i32.eqz (local.get $depth))
      (then (throw $error (local.get $x) (struct.new $reason (i32.wrap_i64 (local.get $x))))))
    (if (i32.eqz (i32.and (local.get $depth) (i32.const 3)))
      (then
        (block $other
          (try_table (catch $other $other)
            (return (i64.add (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $x)) (i64.const 1)))))))
    (i64.add (call $down (i32.sub (local.get $depth) (i32.const 1)) (local.get $x)) (i64.const 1)))

  (func $caught (param $x i64) (result i64) (local $reason (ref $reason))
    (block $error (result i64 (ref $reason))
      (try_table (catch $error $error)
        (return (call $down (i32.const 8) (local.get $x))))
      (unreachable))
    (local.set $reason)
    (i64.add (i64.extend_i32_u (struct.get $reason $code (local.get $reason)))))

  (func $run (param $percent i32) (result i64) (local $round i32) (local $sum i64)
    (local.set $round (i32.mul (local.get $percent) (i32.const 8000)))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $sum
            (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (call $caught (i64.extend_i32_u (local.get $round)))))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $sum)))
