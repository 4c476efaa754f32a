;; One round of everything that a heap holds: what is made is mostly forgotten at once, the rest kept in rings that the next rounds
;; overwrite. What a round returns depends on its number and on those before it, and on nothing else.
(module
  (type $leaf (struct (field $key i64)))
  (type $node (struct (field $value i64) (field $weight f64) (field $small i8) (field $next (mut (ref null $node)))))
  (type $tree (struct (field $left (ref null $tree)) (field $right (ref null $tree))))
  (type $bytes (array (mut i8)))
  (type $numbers (array (mut f64)))
  (type $vectors (array (mut v128)))
  (type $objects (array (mut anyref)))
  (type $outside (array (mut externref)))
  (type $thrown (array (mut exnref)))
  (rec
    (type $code (func (param (ref $closure)) (param i64) (result i64)))
    (type $closure (sub (struct (field $code (ref $code))))))
  (type $adder (sub final $closure (struct (field (ref $code)) (field $number i64))))

  (import "host" "make" (func $make (param i64) (result externref)))
  (import "host" "look" (func $look (param externref) (result i64)))
  (tag $fail (param i64 anyref))
  (elem declare func $add)
  (table $table 64 anyref)
  (global $last (mut anyref) (ref.null any))
  (global $ring (ref $objects) (array.new_default $objects (i32.const 256)))
  (global $outside (ref $outside) (array.new_default $outside (i32.const 64)))
  (global $thrown (ref $thrown) (array.new_default $thrown (i32.const 64)))

  (func $list (param $seed i64) (result (ref null $node)) (local $i i32) (local $list (ref null $node))
    (local.set $i (i32.const 1000))
    (loop $more
      (local.set $list
        (struct.new $node (i64.add (local.get $seed) (i64.extend_i32_u (local.get $i))) (f64.convert_i32_u (local.get $i))
          (local.get $i) (local.get $list)))
      (br_if $more (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (local.get $list))

  (func $sum (param $list (ref null $node)) (result i64) (local $sum i64)
    (block $end
      (loop $next
        (local.set $sum
          (i64.add (local.get $sum)
            (i64.add (struct.get $node $value (br_on_null $end (local.get $list)))
              (i64.extend_i32_s (struct.get_s $node $small (local.get $list))))))
        (local.set $list (struct.get $node $next (local.get $list)))
        (br $next))
      (unreachable))
    (local.get $sum))

  (func $tree (param $depth i32) (result (ref $tree))
    (if (result (ref $tree)) (local.get $depth)
      (then
        (struct.new $tree (call $tree (i32.sub (local.get $depth) (i32.const 1)))
          (call $tree (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new_default $tree))))

  (func $count (param $tree (ref null $tree)) (result i64)
    (if (ref.is_null (local.get $tree)) (then (return (i64.const 0))))
    (i64.add (i64.const 1)
      (i64.add (call $count (struct.get $tree $left (local.get $tree))) (call $count (struct.get $tree $right (local.get $tree))))))

  ;; Arrays of numbers, short ones and every 32nd time one of those that are too large for the nursery.
  (func $arrays (param $seed i64) (result i64)
    (local $n i32) (local $bytes (ref $bytes)) (local $numbers (ref $numbers)) (local $vectors (ref $vectors)) (local $copy (ref $bytes))
    (local.set $n (i32.add (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 0xfff)) (i32.const 16)))
    (if (i32.eqz (i32.and (i32.wrap_i64 (i64.shr_u (local.get $seed) (i64.const 12))) (i32.const 31)))
      (then (local.set $n (i32.mul (local.get $n) (i32.const 50)))))
    (local.set $bytes (array.new $bytes (i32.wrap_i64 (local.get $seed)) (local.get $n)))
    (local.set $copy (array.new_default $bytes (local.get $n)))
    (array.copy $bytes $bytes (local.get $copy) (i32.const 3) (local.get $bytes) (i32.const 0) (i32.const 13))
    (array.fill $bytes (local.get $copy) (i32.const 0) (i32.const 7) (i32.const 5))
    (local.set $numbers (array.new $numbers (f64.convert_i64_s (local.get $seed)) (i32.and (local.get $n) (i32.const 255))))
    (local.set $vectors (array.new_default $vectors (i32.and (local.get $n) (i32.const 63))))
    (array.set $objects (global.get $ring) (i32.and (local.get $n) (i32.const 127)) (local.get $bytes))
    (global.set $last (local.get $vectors))
    (i64.add
      (i64.extend_i32_u (i32.add (array.get_u $bytes (local.get $copy) (i32.const 15)) (array.len (local.get $bytes))))
      (i64.extend_i32_u (i32.add (array.len (local.get $numbers)) (array.len (local.get $vectors))))))

  ;; An old array of references, into which young objects are put.
  (func $old (param $seed i64) (local $i i32) (local $to (ref null $objects))
    (local.set $to
      (block $is (result (ref null $objects))
        (br_on_cast $is anyref (ref $objects) (table.get $table (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 63))))
        (drop)
        (array.new $objects (ref.i31 (i32.const 5)) (i32.const 40))))
    (table.set $table (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 63)) (local.get $to))
    (local.set $i (i32.const 40))
    (loop $next
      (local.set $i (i32.sub (local.get $i) (i32.const 1)))
      (array.set $objects (local.get $to) (local.get $i)
        (if (result anyref) (i32.and (local.get $i) (i32.const 1))
          (then (struct.new $leaf (local.get $seed)))
          (else (ref.i31 (i32.wrap_i64 (local.get $seed))))))
      (br_if $next (local.get $i)))
    ;; And a run of them, in another's place.
    (array.copy $objects $objects (local.get $to) (i32.const 0) (local.get $to) (i32.const 20) (i32.const 9)))

  (func $thrower (param $seed i64) (param $deep i32)
    (if (local.get $deep) (then (call $thrower (local.get $seed) (i32.sub (local.get $deep) (i32.const 1)))))
    (throw $fail (local.get $seed) (struct.new $leaf (local.get $seed))))

  (func $exceptions (param $seed i64) (result i64) (local $caught exnref) (local $number i64) (local $any anyref)
    (block $one (result i64 anyref exnref)
      (try_table (catch_ref $fail $one) (call $thrower (local.get $seed) (i32.const 3)))
      (unreachable))
    (local.set $caught)
    (local.set $any)
    (local.set $number)
    (array.set $thrown (global.get $thrown) (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 63)) (local.get $caught))
    ;; Thrown again, and its payload taken.
    (block $again (result i64 anyref)
      (try_table (catch $fail $again) (throw_ref (local.get $caught)))
      (unreachable))
    (local.set $any)
    (i64.add (local.get $number))
    (i64.add (struct.get $leaf $key (ref.cast (ref $leaf) (local.get $any)))))

  ;; Values of the host, also as a guest sees them among its own.
  (func $values (param $seed i64) (result i64) (local $value externref)
    (local.set $value (call $make (local.get $seed)))
    (array.set $outside (global.get $outside) (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 63)) (local.get $value))
    (array.set $objects (global.get $ring) (i32.add (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 63)) (i32.const 128))
      (any.convert_extern (local.get $value)))
    (call $look
      (array.get $outside (global.get $outside) (i32.and (i32.mul (i32.wrap_i64 (local.get $seed)) (i32.const 7)) (i32.const 63)))))

  (func $add (type $code)
    (i64.add (local.get 1) (struct.get $adder $number (ref.cast (ref $adder) (local.get 0)))))

  (func $closures (param $seed i64) (result i64) (local $i i32) (local $f (ref null $closure))
    (local.set $i (i32.const 100))
    (loop $next
      (local.set $f (struct.new $adder (ref.func $add) (local.get $seed)))
      (local.set $seed (call_ref $code (ref.as_non_null (local.get $f)) (local.get $seed) (struct.get $closure $code (local.get $f))))
      (br_if $next (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
    (array.set $objects (global.get $ring) (i32.const 255) (local.get $f))
    (local.get $seed))

  ;; A round; what it leaves for the host to keep.
  (func (export "round") (param $seed i64) (result i64 anyref) (local $list (ref null $node))
    (local.set $list (call $list (local.get $seed)))
    (array.set $objects (global.get $ring) (i32.add (i32.and (i32.wrap_i64 (local.get $seed)) (i32.const 31)) (i32.const 200))
      (local.get $list))
    (call $old (local.get $seed))
    (i64.add (call $sum (local.get $list)) (call $arrays (local.get $seed)))
    (i64.add (call $count (call $tree (i32.const 9))))
    (i64.add (call $exceptions (local.get $seed)))
    (i64.add (call $values (local.get $seed)))
    (i64.add (call $closures (local.get $seed)))
    (global.get $last)))
