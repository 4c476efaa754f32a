;; Pauses: 2^24 objects that stay alive (512 MiB at 32 bytes each), into which new ones are put while short-lived ones
;; come and go. The work is cut into slices; those that take much longer than others were interrupted by the collector.
;; Prints to 2, in nanoseconds: the slices' number, their median, the longest; then of those longer than a millisecond and
;; than eight times the median their number, median, 99th percentile and sum.
(module
  (type $node (struct (field $key i64) (field $data i64) (field $left (mut (ref null $node))) (field $right (mut (ref null $node)))))
  (type $chunk (array (mut (ref null $node))))
  (type $graph (array (mut (ref null $chunk))))
  (global $seed (mut i64) (i64.const 88172645463325252))

  (func $random (result i32)
    (global.set $seed
      (i64.add (i64.mul (global.get $seed) (i64.const 6364136223846793005)) (i64.const 1442695040888963407)))
    (i32.wrap_i64 (i64.shr_u (global.get $seed) (i64.const 33))))

  (func $node (param $graph (ref $graph)) (param $at i32) (result (ref $node))
    (ref.as_non_null
      (array.get $chunk (array.get $graph (local.get $graph) (i32.and (i32.shr_u (local.get $at) (i32.const 12)) (i32.const 4095)))
        (i32.and (local.get $at) (i32.const 4095)))))

  (func $build (result (ref $graph))
    (local $graph (ref $graph)) (local $chunk (ref $chunk)) (local $i i32) (local $j i32) (local $last (ref null $node))
    (local.set $graph (array.new_default $graph (i32.const 4096)))
    (loop $chunks
      (local.set $chunk (array.new_default $chunk (i32.const 4096)))
      (array.set $graph (local.get $graph) (local.get $i) (local.get $chunk))
      (local.set $j (i32.const 0))
      (loop $nodes
        (local.set $last
          (struct.new $node (i64.extend_i32_u (local.get $i)) (i64.extend_i32_u (local.get $j)) (local.get $last) (ref.null $node)))
        (array.set $chunk (local.get $chunk) (local.get $j) (local.get $last))
        (local.set $j (i32.add (local.get $j) (i32.const 1)))
        (br_if $nodes (i32.lt_u (local.get $j) (i32.const 4096))))
      ;; Chunks are not chained, so that what is unlinked dies.
      (local.set $last (ref.null $node))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $chunks (i32.lt_u (local.get $i) (i32.const 4096))))
    (local.get $graph))

  ;; Replaces objects, links others anew, and makes short-lived ones.
  (func $slice (param $graph (ref $graph)) (result i64)
    (local $turns i32) (local $at i32) (local $i i32) (local $sum i64) (local $old (ref $node)) (local $short (ref null $node))
    (local.set $turns (i32.const 100))
    (loop $again
      (local.set $at (call $random))
      (local.set $old (call $node (local.get $graph) (local.get $at)))
      (local.set $sum (i64.add (local.get $sum) (struct.get $node $key (local.get $old))))
      ;; In the place of one object a new one, which holds on to the old one's links.
      (array.set $chunk
        (ref.as_non_null
          (array.get $graph (local.get $graph) (i32.and (i32.shr_u (local.get $at) (i32.const 12)) (i32.const 4095))))
        (i32.and (local.get $at) (i32.const 4095))
        (struct.new $node (i64.extend_i32_u (local.get $at)) (local.get $sum) (ref.null $node)
          (struct.get $node $right (local.get $old))))
      ;; An old object that leads to a new one.
      (struct.set $node $right (call $node (local.get $graph) (call $random))
        (struct.new $node (local.get $sum) (i64.const 1) (ref.null $node) (ref.null $node)))
      (local.set $short (ref.null $node))
      (local.set $i (i32.const 16))
      (loop $more
        (local.set $short (struct.new $node (local.get $sum) (i64.extend_i32_u (local.get $i)) (local.get $short) (ref.null $node)))
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (br_if $more (local.get $i)))
      (local.set $sum (i64.add (local.get $sum) (struct.get $node $data (local.get $short))))
      (local.set $turns (i32.sub (local.get $turns) (i32.const 1)))
      (br_if $again (local.get $turns)))
    (local.get $sum))

  ;; Sorts `count` numbers of 64 bits from byte 1024 on: Shell's way.
  (func $sort (param $count i32) (local $gap i32) (local $i i32) (local $j i32) (local $x i64)
    (local.set $gap (i32.const 1))
    (loop $wider
      (local.set $gap (i32.add (i32.mul (local.get $gap) (i32.const 3)) (i32.const 1)))
      (br_if $wider (i32.lt_u (local.get $gap) (local.get $count))))
    (loop $gaps
      (local.set $gap (i32.div_u (local.get $gap) (i32.const 3)))
      (local.set $i (local.get $gap))
      (block $end
        (loop $insert
          (br_if $end (i32.ge_u (local.get $i) (local.get $count)))
          (local.set $x (i64.load offset=1024 (i32.shl (local.get $i) (i32.const 3))))
          (local.set $j (local.get $i))
          (block $place
            (loop $down
              (br_if $place (i32.lt_u (local.get $j) (local.get $gap)))
              (br_if $place
                (i64.le_u
                  (i64.load offset=1024 (i32.shl (i32.sub (local.get $j) (local.get $gap)) (i32.const 3))) (local.get $x)))
              (i64.store offset=1024 (i32.shl (local.get $j) (i32.const 3))
                (i64.load offset=1024 (i32.shl (i32.sub (local.get $j) (local.get $gap)) (i32.const 3))))
              (local.set $j (i32.sub (local.get $j) (local.get $gap)))
              (br $down)))
          (i64.store offset=1024 (i32.shl (local.get $j) (i32.const 3)) (local.get $x))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $insert)))
      (br_if $gaps (i32.gt_u (local.get $gap) (i32.const 1)))))

  (func $sample (param $at i32) (result i64) (i64.load offset=1024 (i32.shl (local.get $at) (i32.const 3))))

  (func $report (param $count i32) (local $from i32) (local $long i32) (local $limit i64) (local $sum i64)
    (call $sort (local.get $count))
    (local.set $limit (i64.mul (call $sample (i32.shr_u (local.get $count) (i32.const 1))) (i64.const 8)))
    ;; Clocks may tell no more than milliseconds.
    (if (i64.lt_u (local.get $limit) (i64.const 1000000)) (then (local.set $limit (i64.const 1000000))))
    (call $print (i32.const 2) (i64.extend_i32_u (local.get $count)))
    (call $print (i32.const 2) (call $sample (i32.shr_u (local.get $count) (i32.const 1))))
    (call $print (i32.const 2) (call $sample (i32.sub (local.get $count) (i32.const 1))))
    (local.set $from (local.get $count))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $from)))
        (br_if $end (i64.le_u (call $sample (i32.sub (local.get $from) (i32.const 1))) (local.get $limit)))
        (local.set $from (i32.sub (local.get $from) (i32.const 1)))
        (local.set $sum (i64.add (local.get $sum) (call $sample (local.get $from))))
        (br $next)))
    (local.set $long (i32.sub (local.get $count) (local.get $from)))
    (call $print (i32.const 2) (i64.extend_i32_u (local.get $long)))
    (if (local.get $long)
      (then
        (call $print (i32.const 2) (call $sample (i32.add (local.get $from) (i32.shr_u (local.get $long) (i32.const 1)))))
        (call $print (i32.const 2)
          (call $sample
            (i32.add (local.get $from) (i32.div_u (i32.mul (local.get $long) (i32.const 99)) (i32.const 100)))))
        (call $print (i32.const 2) (local.get $sum)))))

  (func $run (param $percent i32) (result i64)
    (local $graph (ref $graph)) (local $slices i32) (local $at i32) (local $start i64) (local $sum i64)
    (local.set $graph (call $build))
    (local.set $slices (i32.mul (local.get $percent) (i32.const 100)))
    (if (i32.gt_u (local.get $slices) (i32.const 200000)) (then (local.set $slices (i32.const 200000))))
    (loop $again
      (if (i32.lt_u (local.get $at) (local.get $slices))
        (then
          (local.set $start (call $now))
          (local.set $sum (i64.add (local.get $sum) (call $slice (local.get $graph))))
          (i64.store offset=1024 (i32.shl (local.get $at) (i32.const 3)) (i64.sub (call $now) (local.get $start)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br $again))))
    (call $report (local.get $slices))
    (local.get $sum)))
