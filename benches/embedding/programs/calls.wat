;; Records cross as their fields, and a text in them as its place in memory.
(module
    (import "desk" "add" (func $add (param i64 i64) (result i64)))
    (import "desk" "rate" (func $rate (param $id i64) (param $price f64) (param $name i32) (param $len i32) (param $paid i32) (result f64)))
    (memory (export "memory") 1)
    (data (i32.const 16) "twenty bytes of text")

    (func (export "nothing"))
    (func (export "add") (param $a i64) (param $b i64) (result i64) (i64.add (local.get $a) (local.get $b)))

    ;; Where the host may put a text until the next call.
    (func (export "room") (param $len i32) (result i32)
        (if (i32.gt_u (local.get $len) (i32.const 64512)) (then unreachable))
        (i32.const 1024))
    (func (export "rate") (param $id i64) (param $price f64) (param $name i32) (param $len i32) (param $paid i32) (result f64)
        (if (result f64) (local.get $paid)
            (then (f64.add
                (f64.add (f64.mul (local.get $price) (f64.const 2)) (f64.convert_i64_s (local.get $id)))
                (f64.convert_i32_u (local.get $len))))
            (else (f64.const 0))))

    (func (export "numbers") (param $turns i64) (result i64) (local $sum i64) (local $turn i64)
        (block $done
            (loop $next
                (br_if $done (i64.ge_s (local.get $turn) (local.get $turns)))
                (local.set $sum (call $add (local.get $sum) (local.get $turn)))
                (local.set $turn (i64.add (local.get $turn) (i64.const 1)))
                (br $next)))
        (local.get $sum))
    (func (export "records") (param $turns i64) (result f64) (local $sum f64) (local $turn i64)
        (block $done
            (loop $next
                (br_if $done (i64.ge_s (local.get $turn) (local.get $turns)))
                (local.set $sum (f64.add (local.get $sum)
                    (call $rate (local.get $turn) (f64.const 9.5) (i32.const 16) (i32.const 20) (i32.const 1))))
                (local.set $turn (i64.add (local.get $turn) (i64.const 1)))
                (br $next)))
        (local.get $sum)))
