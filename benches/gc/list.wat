;; Linked lists: made, mapped, filtered, turned round in place, summed and dropped; the last 64 stay alive in a ring.
(module
  (type $cell (struct (field $value i64) (field $next (mut (ref null $cell)))))
  (type $ring (array (mut (ref null $cell))))

  (func $numbers (param $count i32) (param $seed i64) (result (ref null $cell)) (local $list (ref null $cell))
    (loop $next
      (if (local.get $count)
        (then
          (local.set $seed
            (i64.add (i64.mul (local.get $seed) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
          (local.set $list (struct.new $cell (i64.shr_u (local.get $seed) (i64.const 40)) (local.get $list)))
          (local.set $count (i32.sub (local.get $count) (i32.const 1)))
          (br $next))))
    (local.get $list))

  ;; 3 × x + 1 of each, in the other order.
  (func $map (param $list (ref null $cell)) (result (ref null $cell))
    (local $cell (ref $cell)) (local $mapped (ref null $cell))
    (block $end
      (loop $next
        (local.set $cell (br_on_null $end (local.get $list)))
        (local.set $mapped
          (struct.new $cell
            (i64.add (i64.mul (struct.get $cell $value (local.get $cell)) (i64.const 3)) (i64.const 1))
            (local.get $mapped)))
        (local.set $list (struct.get $cell $next (local.get $cell)))
        (br $next)))
    (local.get $mapped))

  ;; The even ones, in the other order.
  (func $filter (param $list (ref null $cell)) (result (ref null $cell))
    (local $cell (ref $cell)) (local $kept (ref null $cell))
    (block $end
      (loop $next
        (local.set $cell (br_on_null $end (local.get $list)))
        (if (i64.eqz (i64.and (struct.get $cell $value (local.get $cell)) (i64.const 1)))
          (then
            (local.set $kept (struct.new $cell (struct.get $cell $value (local.get $cell)) (local.get $kept)))))
        (local.set $list (struct.get $cell $next (local.get $cell)))
        (br $next)))
    (local.get $kept))

  (func $reverse (param $list (ref null $cell)) (result (ref null $cell))
    (local $cell (ref $cell)) (local $before (ref null $cell))
    (block $end
      (loop $next
        (local.set $cell (br_on_null $end (local.get $list)))
        (local.set $list (struct.get $cell $next (local.get $cell)))
        (struct.set $cell $next (local.get $cell) (local.get $before))
        (local.set $before (local.get $cell))
        (br $next)))
    (local.get $before))

  (func $sum (param $list (ref null $cell)) (result i64) (local $cell (ref $cell)) (local $sum i64)
    (block $end
      (loop $next
        (local.set $cell (br_on_null $end (local.get $list)))
        (local.set $sum
          (i64.add (i64.rotl (local.get $sum) (i64.const 1)) (struct.get $cell $value (local.get $cell))))
        (local.set $list (struct.get $cell $next (local.get $cell)))
        (br $next)))
    (local.get $sum))

  (func $run (param $percent i32) (result i64)
    (local $ring (ref $ring)) (local $round i32) (local $slot i32) (local $sum i64)
    (local.set $ring (array.new_default $ring (i32.const 64)))
    (local.set $round (i32.mul (local.get $percent) (i32.const 250)))
    (loop $again
      (if (local.get $round)
        (then
          (local.set $slot (i32.and (local.get $round) (i32.const 63)))
          ;; What a list leaves is read once more before the next takes its place.
          (local.set $sum
            (i64.add (local.get $sum) (call $sum (array.get $ring (local.get $ring) (local.get $slot)))))
          (array.set $ring (local.get $ring) (local.get $slot)
            (call $reverse
              (call $filter (call $map (call $numbers (i32.const 1000) (i64.extend_i32_u (local.get $round)))))))
          (local.set $round (i32.sub (local.get $round) (i32.const 1)))
          (br $again))))
    (local.get $sum)))
