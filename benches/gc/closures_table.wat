;; The closures of `closures.wat` with an index into a table for code, called by `call_indirect`.
(module
  (type $closure (sub (struct (field $code i32))))
  (type $code (func (param (ref $closure)) (param i64) (result i64)))
  (type $adder (sub final $closure (struct (field i32) (field $number i64))))
  (type $scaler (sub final $closure (struct (field i32) (field $times i64) (field $plus i64))))
  (type $pair (sub final $closure (struct (field i32) (field $first (ref $closure)) (field $second (ref $closure)))))
  (type $all (array (mut (ref null $closure))))
  (table $codes funcref (elem $add $scale $both))

  (func $apply (param $f (ref $closure)) (param $x i64) (result i64)
    (call_indirect $codes (type $code) (local.get $f) (local.get $x) (struct.get $closure $code (local.get $f))))

  (func $add (type $code)
    (i64.add (local.get 1) (struct.get $adder $number (ref.cast (ref $adder) (local.get 0)))))

  (func $scale (type $code) (local $own (ref $scaler))
    (local.set $own (ref.cast (ref $scaler) (local.get 0)))
    (i64.add
      (i64.mul (local.get 1) (struct.get $scaler $times (local.get $own)))
      (struct.get $scaler $plus (local.get $own))))

  (func $both (type $code) (local $own (ref $pair))
    (local.set $own (ref.cast (ref $pair) (local.get 0)))
    (call $apply (struct.get $pair $second (local.get $own))
      (call $apply (struct.get $pair $first (local.get $own)) (local.get 1))))

  (func $adder (param $n i64) (result (ref $closure)) (struct.new $adder (i32.const 0) (local.get $n)))
  (func $scaler (param $n i64) (result (ref $closure))
    (struct.new $scaler (i32.const 1) (local.get $n) (i64.const 7)))
  (func $pair (param $a (ref $closure)) (param $b (ref $closure)) (result (ref $closure))
    (struct.new $pair (i32.const 2) (local.get $a) (local.get $b)))

  (func $apply_all (param $all (ref $all)) (param $x i64) (result i64) (local $i i32)
    (block $end
      (loop $next
        (local.set $x
          (call $apply (br_on_null $end (array.get $all (local.get $all) (local.get $i))) (local.get $x)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $i) (i32.const 64)))))
    (local.get $x))

  (func $run (param $percent i32) (result i64)
    (local $all (ref $all)) (local $round i32) (local $i i32) (local $x i64)
    (local.set $all (array.new_default $all (i32.const 64)))
    (local.set $round (i32.mul (local.get $percent) (i32.const 10000)))
    (loop $again
      (if (local.get $round)
        (then
          ;; One of the 64 is made anew, all are applied one after the other.
          (local.set $i (i32.and (local.get $round) (i32.const 63)))
          (array.set $all (local.get $all) (local.get $i)
            (if (result (ref $closure)) (i32.rem_u (local.get $round) (i32.const 3))
              (then
                (if (result (ref $closure)) (i32.and (local.get $round) (i32.const 1))
                  (then (call $adder (i64.extend_i32_u (local.get $round))))
                  (else (call $scaler (i64.extend_i32_u (local.get $round))))))
              (else
                (call $pair (call $adder (i64.const 3)) (call $scaler (i64.extend_i32_u (local.get $i)))))))
          (local.set $x (call $apply_all (local.get $all) (local.get $x)))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $x)))
