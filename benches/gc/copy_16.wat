;; `array.copy` of 16 bytes, to and from places all over two arrays of 4 KiB.
(module
  (type $bytes (array (mut i8)))

  (func $copies (param $a (ref $bytes)) (param $b (ref $bytes)) (local $n i32)
    (local.set $n (i32.const 10000))
    (loop $again
      (array.copy $bytes $bytes
        (local.get $a) (i32.and (i32.mul (local.get $n) (i32.const 37)) (i32.const 0xfef))
        (local.get $b) (i32.and (i32.mul (local.get $n) (i32.const 101)) (i32.const 0xfef))
        (i32.const 16))
      (array.copy $bytes $bytes
        (local.get $b) (i32.and (i32.mul (local.get $n) (i32.const 71)) (i32.const 0xfef))
        (local.get $a) (i32.and (i32.mul (local.get $n) (i32.const 43)) (i32.const 0xfef))
        (i32.const 16))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $again (local.get $n))))

  (func $run (param $percent i32) (result i64)
    (local $a (ref $bytes)) (local $b (ref $bytes)) (local $round i32) (local $i i32) (local $sum i64)
    (local.set $a (array.new_default $bytes (i32.const 4096)))
    (local.set $b (array.new_default $bytes (i32.const 4096)))
    (loop $fill
      (array.set $bytes (local.get $a) (local.get $i) (i32.mul (local.get $i) (i32.const 7)))
      (array.set $bytes (local.get $b) (local.get $i) (i32.mul (local.get $i) (i32.const 13)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 4096))))
    (local.set $round (i32.mul (local.get $percent) (i32.const 200)))
    (loop $again
      (if (local.get $round)
        (then
          (call $copies (local.get $a) (local.get $b))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.set $i (i32.const 0))
    (loop $read
      (local.set $sum
        (i64.add (i64.mul (local.get $sum) (i64.const 31))
          (i64.extend_i32_u
            (i32.add (array.get_u $bytes (local.get $a) (local.get $i))
              (array.get_s $bytes (local.get $b) (local.get $i))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $read (i32.lt_u (local.get $i) (i32.const 4096))))
    (local.get $sum)))
