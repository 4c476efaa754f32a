;; Tests and casts down a hierarchy ten deep, to types that others extend and to final ones.
(module
  (type $c0 (sub (struct (field $f0 i32))))
  (type $c1 (sub $c0 (struct (field i32) (field $f1 i32))))
  (type $c2 (sub $c1 (struct (field i32) (field i32) (field $f2 i32))))
  (type $c3 (sub $c2 (struct (field i32) (field i32) (field i32))))
  (type $c4 (sub $c3 (struct (field i32) (field i32) (field i32))))
  (type $c5 (sub $c4 (struct (field i32) (field i32) (field i32))))
  (type $c6 (sub $c5 (struct (field i32) (field i32) (field i32))))
  (type $c7 (sub $c6 (struct (field i32) (field i32) (field i32))))
  (type $c8 (sub $c7 (struct (field i32) (field i32) (field i32))))
  (type $c9 (sub $c8 (struct (field i32) (field i32) (field i32) (field $f9 i32))))
  (type $final2 (sub final $c1 (struct (field i32) (field i32) (field $g2 i64))))
  (type $final5 (sub final $c4 (struct (field i32) (field i32) (field i32) (field $g5 i64))))
  (type $final10 (sub final $c9 (struct (field i32) (field i32) (field i32) (field i32) (field $g10 i64))))
  (type $all (array (mut anyref)))

  (func $object (param $n i32) (result (ref $c0))
    (block $1 (block $2 (block $3 (block $4 (block $5 (block $6 (block $7 (block $8
      (br_table $1 $2 $3 $4 $5 $6 $7 $8 (i32.and (i32.shr_u (i32.mul (local.get $n) (i32.const 0x9e3779b1)) (i32.const 13)) (i32.const 7))))
      (return (struct.new $c1 (local.get $n) (i32.const 1))))
      (return (struct.new $c3 (local.get $n) (i32.const 2) (i32.const 3))))
      (return (struct.new $c5 (local.get $n) (i32.const 4) (i32.const 5))))
      (return (struct.new $c7 (local.get $n) (i32.const 6) (i32.const 7))))
      (return (struct.new $c9 (local.get $n) (i32.const 8) (i32.const 9) (i32.const 10))))
      (return (struct.new $final2 (local.get $n) (i32.const 11) (i64.const 12))))
      (return (struct.new $final5 (local.get $n) (i32.const 13) (i32.const 14) (i64.const 15))))
    (struct.new $final10 (local.get $n) (i32.const 16) (i32.const 17) (i32.const 18) (i64.const 19)))

  ;; As a chain of cases does it: final types first, then from the deepest class up.
  (func $kind (param $it (ref $c0)) (result i64)
    (block $is10 (result (ref $final10))
      (block $is5 (result (ref $final5))
        (block $is2 (result (ref $final2))
          (block $isc9 (result (ref $c9))
            (block $isc7 (result (ref $c7))
              (block $isc3 (result (ref $c3))
                (br_on_cast $is10 (ref $c0) (ref $final10) (local.get $it))
                (br_on_cast $is5 (ref $c0) (ref $final5))
                (br_on_cast $is2 (ref $c0) (ref $final2))
                (br_on_cast $isc9 (ref $c0) (ref $c9))
                (br_on_cast $isc7 (ref $c0) (ref $c7))
                (br_on_cast $isc3 (ref $c0) (ref $c3))
                (return (i64.extend_i32_u (struct.get $c0 $f0))))
              (return (i64.extend_i32_u (struct.get $c3 2))))
            (return (i64.extend_i32_u (struct.get $c7 1))))
          (return (i64.extend_i32_u (struct.get $c9 $f9))))
        (return (struct.get $final2 $g2)))
      (return (struct.get $final5 $g5)))
    (return (struct.get $final10 $g10)))

  (func $visit (param $all (ref $all)) (result i64)
    (local $i i32) (local $sum i64) (local $any anyref) (local $it (ref $c0))
    (loop $next
      (local.set $any (array.get $all (local.get $all) (local.get $i)))
      ;; Succeeds always.
      (local.set $it (ref.cast (ref $c0) (local.get $any)))
      (local.set $sum
        (i64.add (local.get $sum)
          (i64.add
            (call $kind (local.get $it))
            (i64.extend_i32_u
              (i32.add
                (i32.add (ref.test (ref $c2) (local.get $any)) (ref.test (ref $c6) (local.get $it)))
                (i32.shl (ref.test (ref $final5) (local.get $any)) (i32.const 3)))))))
      ;; Down to the middle, where the object is one of those.
      (if (ref.test (ref $c4) (local.get $it))
        (then
          (local.set $sum
            (i64.add (local.get $sum)
              (i64.extend_i32_u (struct.get $c4 1 (ref.cast (ref $c4) (local.get $it))))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $all)))))
    (local.get $sum))

  (func $run (param $percent i32) (result i64)
    (local $all (ref $all)) (local $round i32) (local $i i32) (local $sum i64)
    (local.set $all (array.new_default $all (i32.const 1024)))
    (loop $fill
      (array.set $all (local.get $all) (local.get $i) (call $object (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const 1024))))
    (local.set $round (i32.mul (local.get $percent) (i32.const 200)))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $sum (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (call $visit (local.get $all))))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $sum)))
