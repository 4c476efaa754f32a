;; A hash map whose keys are objects of two kinds, told apart by casts: put, get with keys made anew, remove.
(module
  (type $object (sub (struct)))
  (type $number (sub final $object (struct (field $value i64))))
  (type $pair (sub final $object (struct (field $first i32) (field $second i32))))
  (type $entry
    (struct (field $hash i32) (field $key (ref $object)) (field $value (mut (ref $object))) (field $next (mut (ref null $entry)))))
  (type $buckets (array (mut (ref null $entry))))
  (type $map (struct (field $buckets (mut (ref $buckets))) (field $count (mut i32))))

  (func $hash (param $key (ref $object)) (result i32) (local $h i64) (local $pair (ref $pair))
    (block $mix
      (block $number (result (ref $number))
        (local.set $pair (ref.cast (ref $pair) (br_on_cast $number (ref $object) (ref $number) (local.get $key))))
        (local.set $h
          (i64.or
            (i64.shl (i64.extend_i32_u (struct.get $pair $first (local.get $pair))) (i64.const 32))
            (i64.extend_i32_u (struct.get $pair $second (local.get $pair)))))
        (br $mix))
      (local.set $h (struct.get $number $value)))
    (local.set $h (i64.mul (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 32))) (i64.const 0x9e3779b97f4a7c15)))
    (i32.wrap_i64 (i64.shr_u (local.get $h) (i64.const 32))))

  (func $equal (param $a (ref $object)) (param $b (ref $object)) (result i32)
    (local $p (ref $pair)) (local $q (ref $pair)) (local $n (ref $number))
    (if (ref.eq (local.get $a) (local.get $b)) (then (return (i32.const 1))))
    (block $number (result (ref $number))
      (local.set $p (ref.cast (ref $pair) (br_on_cast $number (ref $object) (ref $number) (local.get $a))))
      (if (i32.eqz (ref.test (ref $pair) (local.get $b))) (then (return (i32.const 0))))
      (local.set $q (ref.cast (ref $pair) (local.get $b)))
      (return
        (i32.and
          (i32.eq (struct.get $pair $first (local.get $p)) (struct.get $pair $first (local.get $q)))
          (i32.eq (struct.get $pair $second (local.get $p)) (struct.get $pair $second (local.get $q))))))
    (local.set $n)
    (block $other (result (ref $object))
      (return
        (i64.eq (struct.get $number $value (local.get $n))
          (struct.get $number $value
            (br_on_cast_fail $other (ref $object) (ref $number) (local.get $b))))))
    (drop)
    (i32.const 0))

  (func $find (param $map (ref $map)) (param $key (ref $object)) (result (ref null $entry))
    (local $hash i32) (local $entry (ref $entry)) (local $buckets (ref $buckets)) (local $at (ref null $entry))
    (local.set $hash (call $hash (local.get $key)))
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $at
      (array.get $buckets (local.get $buckets)
        (i32.and (local.get $hash) (i32.sub (array.len (local.get $buckets)) (i32.const 1)))))
    (block $none
      (loop $next
        (local.set $entry (br_on_null $none (local.get $at)))
        (if (i32.eq (struct.get $entry $hash (local.get $entry)) (local.get $hash))
          (then
            (if (call $equal (struct.get $entry $key (local.get $entry)) (local.get $key))
              (then (return (local.get $entry))))))
        (local.set $at (struct.get $entry $next (local.get $entry)))
        (br $next)))
    (ref.null $entry))

  (func $grow (param $map (ref $map))
    (local $old (ref $buckets)) (local $new (ref $buckets)) (local $mask i32) (local $i i32) (local $slot i32)
    (local $entry (ref $entry)) (local $next (ref null $entry))
    (local.set $old (struct.get $map $buckets (local.get $map)))
    (local.set $new (array.new_default $buckets (i32.shl (array.len (local.get $old)) (i32.const 1))))
    (local.set $mask (i32.sub (array.len (local.get $new)) (i32.const 1)))
    (loop $bucket
      (local.set $next (array.get $buckets (local.get $old) (local.get $i)))
      (block $end
        (loop $chain
          (local.set $entry (br_on_null $end (local.get $next)))
          (local.set $next (struct.get $entry $next (local.get $entry)))
          (local.set $slot (i32.and (struct.get $entry $hash (local.get $entry)) (local.get $mask)))
          (struct.set $entry $next (local.get $entry) (array.get $buckets (local.get $new) (local.get $slot)))
          (array.set $buckets (local.get $new) (local.get $slot) (local.get $entry))
          (br $chain)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $bucket (i32.lt_u (local.get $i) (array.len (local.get $old)))))
    (struct.set $map $buckets (local.get $map) (local.get $new)))

  (func $put (param $map (ref $map)) (param $key (ref $object)) (param $value (ref $object))
    (local $entry (ref null $entry)) (local $hash i32) (local $buckets (ref $buckets)) (local $slot i32)
    (local.set $entry (call $find (local.get $map) (local.get $key)))
    (if (i32.eqz (ref.is_null (local.get $entry)))
      (then
        (struct.set $entry $value (local.get $entry) (local.get $value))
        (return)))
    (if (i32.ge_u (struct.get $map $count (local.get $map)) (array.len (struct.get $map $buckets (local.get $map))))
      (then (call $grow (local.get $map))))
    (local.set $hash (call $hash (local.get $key)))
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $slot (i32.and (local.get $hash) (i32.sub (array.len (local.get $buckets)) (i32.const 1))))
    (array.set $buckets (local.get $buckets) (local.get $slot)
      (struct.new $entry (local.get $hash) (local.get $key) (local.get $value)
        (array.get $buckets (local.get $buckets) (local.get $slot))))
    (struct.set $map $count (local.get $map) (i32.add (struct.get $map $count (local.get $map)) (i32.const 1))))

  (func $remove (param $map (ref $map)) (param $key (ref $object))
    (local $entry (ref null $entry)) (local $before (ref null $entry)) (local $at (ref null $entry)) (local $slot i32)
    (local $buckets (ref $buckets))
    (local.set $entry (call $find (local.get $map) (local.get $key)))
    (if (ref.is_null (local.get $entry)) (then (return)))
    (local.set $buckets (struct.get $map $buckets (local.get $map)))
    (local.set $slot
      (i32.and (struct.get $entry $hash (local.get $entry)) (i32.sub (array.len (local.get $buckets)) (i32.const 1))))
    (local.set $at (array.get $buckets (local.get $buckets) (local.get $slot)))
    (struct.set $map $count (local.get $map) (i32.sub (struct.get $map $count (local.get $map)) (i32.const 1)))
    (loop $next
      (if (i32.eqz (ref.eq (local.get $at) (local.get $entry)))
        (then
          (local.set $before (local.get $at))
          (local.set $at (struct.get $entry $next (local.get $at)))
          (br $next))))
    (if (ref.is_null (local.get $before))
      (then
        (array.set $buckets (local.get $buckets) (local.get $slot) (struct.get $entry $next (local.get $entry))))
      (else (struct.set $entry $next (local.get $before) (struct.get $entry $next (local.get $entry))))))

  ;; Every third key is a pair.
  (func $key (param $n i32) (result (ref $object))
    (if (result (ref $object)) (i32.rem_u (local.get $n) (i32.const 3))
      (then (struct.new $number (i64.mul (i64.extend_i32_u (local.get $n)) (i64.const 0x100000001b3))))
      (else (struct.new $pair (local.get $n) (i32.const 7)))))

  (func $run (param $percent i32) (result i64)
    (local $map (ref $map)) (local $round i32) (local $i i32) (local $sum i64) (local $found (ref null $entry))
    (local.set $round (i32.div_u (i32.mul (local.get $percent) (i32.const 140)) (i32.const 100)))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $map (struct.new $map (array.new_default $buckets (i32.const 16)) (i32.const 0)))
          (local.set $i (i32.const 20000))
          (loop $next
            (call $put (local.get $map) (call $key (local.get $i)) (struct.new $number (i64.extend_i32_u (local.get $i))))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (br_if $next (local.get $i)))
          (local.set $i (i32.const 20000))
          (loop $next
            (call $remove (local.get $map) (call $key (local.get $i)))
            (local.set $i (i32.sub (local.get $i) (i32.const 2)))
            (br_if $next (local.get $i)))
          ;; Half of these are there.
          (local.set $i (i32.const 20000))
          (loop $next
            (local.set $found (call $find (local.get $map) (call $key (local.get $i))))
            (local.set $sum (i64.rotl (local.get $sum) (i64.const 1)))
            (if (i32.eqz (ref.is_null (local.get $found)))
              (then
                (local.set $sum
                  (i64.add (local.get $sum)
                    (struct.get $number $value (ref.cast (ref $number) (struct.get $entry $value (local.get $found))))))))
            (local.set $i (i32.sub (local.get $i) (i32.const 1)))
            (br_if $next (local.get $i)))
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (struct.get $map $count (local.get $map)))))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $sum)))
