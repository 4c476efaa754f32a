;; Strings, as arrays of bytes: a builder that doubles, appended words and numbers, an exact copy, a hash of it.
(module
  (type $bytes (array (mut i8)))
  (type $builder (struct (field $bytes (mut (ref $bytes))) (field $len (mut i32))))

  (data $word "the quick brown fox, ")

  (func $reserve (param $to (ref $builder)) (param $more i32)
    (local $needed i32) (local $size i32) (local $grown (ref $bytes))
    (local.set $needed (i32.add (struct.get $builder $len (local.get $to)) (local.get $more)))
    (local.set $size (array.len (struct.get $builder $bytes (local.get $to))))
    (if (i32.le_u (local.get $needed) (local.get $size)) (then (return)))
    (loop $double
      (local.set $size (i32.shl (local.get $size) (i32.const 1)))
      (br_if $double (i32.lt_u (local.get $size) (local.get $needed))))
    (local.set $grown (array.new_default $bytes (local.get $size)))
    (array.copy $bytes $bytes (local.get $grown) (i32.const 0) (struct.get $builder $bytes (local.get $to)) (i32.const 0)
      (struct.get $builder $len (local.get $to)))
    (struct.set $builder $bytes (local.get $to) (local.get $grown)))

  (func $append_byte (param $to (ref $builder)) (param $byte i32) (local $len i32)
    (call $reserve (local.get $to) (i32.const 1))
    (local.set $len (struct.get $builder $len (local.get $to)))
    (array.set $bytes (struct.get $builder $bytes (local.get $to)) (local.get $len) (local.get $byte))
    (struct.set $builder $len (local.get $to) (i32.add (local.get $len) (i32.const 1))))

  (func $append (param $to (ref $builder)) (param $from (ref $bytes)) (local $len i32)
    (call $reserve (local.get $to) (array.len (local.get $from)))
    (local.set $len (struct.get $builder $len (local.get $to)))
    (array.copy $bytes $bytes (struct.get $builder $bytes (local.get $to)) (local.get $len) (local.get $from) (i32.const 0)
      (array.len (local.get $from)))
    (struct.set $builder $len (local.get $to) (i32.add (local.get $len) (array.len (local.get $from)))))

  (func $append_number (param $to (ref $builder)) (param $number i32)
    (if (i32.ge_u (local.get $number) (i32.const 10))
      (then (call $append_number (local.get $to) (i32.div_u (local.get $number) (i32.const 10)))))
    (call $append_byte (local.get $to)
      (i32.add (i32.const 48) (i32.rem_u (local.get $number) (i32.const 10)))))

  (func $finish (param $from (ref $builder)) (result (ref $bytes)) (local $exact (ref $bytes))
    (local.set $exact (array.new_default $bytes (struct.get $builder $len (local.get $from))))
    (array.copy $bytes $bytes (local.get $exact) (i32.const 0) (struct.get $builder $bytes (local.get $from)) (i32.const 0)
      (struct.get $builder $len (local.get $from)))
    (local.get $exact))

  (func $hash (param $bytes (ref $bytes)) (result i32) (local $i i32) (local $hash i32)
    (local.set $hash (i32.const 0x811c9dc5))
    (loop $next
      (if (i32.lt_u (local.get $i) (array.len (local.get $bytes)))
        (then
          (local.set $hash
            (i32.mul
              (i32.xor (local.get $hash) (array.get_u $bytes (local.get $bytes) (local.get $i)))
              (i32.const 0x01000193)))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next))))
    (local.get $hash))

  (func $run (param $percent i32) (result i64)
    (local $word (ref $bytes)) (local $builder (ref $builder)) (local $round i32) (local $i i32) (local $sum i64)
    (local.set $word (array.new_data $bytes $word (i32.const 0) (i32.const 21)))
    (local.set $round (i32.mul (local.get $percent) (i32.const 350)))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $builder (struct.new $builder (array.new_default $bytes (i32.const 16)) (i32.const 0)))
          (local.set $i (i32.const 200))
          (loop $next
            (call $append (local.get $builder) (local.get $word))
            (call $append_number (local.get $builder) (i32.mul (local.get $i) (local.get $round)))
            (call $append_byte (local.get $builder) (i32.const 59))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (br_if $next (local.get $i)))
          (local.set $sum
            (i64.add
              (i64.rotl (local.get $sum) (i64.const 1))
              (i64.extend_i32_u (call $hash (call $finish (local.get $builder))))))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $sum)))
