;; `array.copy` of 1 MiB: between two arrays, and inside of one, where source and target overlap, both ways.
(module
  (type $bytes (array (mut i8)))

  (func $run (param $percent i32) (result i64)
    (local $a (ref $bytes)) (local $b (ref $bytes)) (local $round i32) (local $i i32) (local $sum i64)
    (local.set $a (array.new_default $bytes (i32.const 0x200000)))
    (local.set $b (array.new_default $bytes (i32.const 0x200000)))
    (loop $fill
      (array.set $bytes (local.get $a) (local.get $i) (i32.shr_u (i32.mul (local.get $i) (i32.const 0x9e3779b1)) (i32.const 9)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 0x200000))))
    (local.set $round (i32.mul (local.get $percent) (i32.const 100)))
    (loop $again
      (if (local.get $round)
        (then
          (array.copy $bytes $bytes
            (local.get $b) (i32.and (i32.mul (local.get $round) (i32.const 4099)) (i32.const 0xfffff))
            (local.get $a) (i32.and (i32.mul (local.get $round) (i32.const 31)) (i32.const 0xfffff))
            (i32.const 0x100000))
          (array.copy $bytes $bytes
            (local.get $b) (i32.and (local.get $round) (i32.const 0xff))
            (local.get $b) (i32.const 100)
            (i32.const 0x100000))
          (array.copy $bytes $bytes
            (local.get $a) (i32.and (i32.mul (local.get $round) (i32.const 71)) (i32.const 0xfffff))
            (local.get $b) (i32.and (i32.mul (local.get $round) (i32.const 1021)) (i32.const 0xfffff))
            (i32.const 0x100000))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.set $i (i32.const 0))
    (loop $read
      (local.set $sum
        (i64.add (i64.mul (local.get $sum) (i64.const 31))
          (i64.extend_i32_u
            (i32.add (array.get_u $bytes (local.get $a) (local.get $i))
              (array.get_s $bytes (local.get $b) (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 17)))
      (br_if $read (i32.lt_u (local.get $i) (i32.const 0x200000))))
    (local.get $sum)))
