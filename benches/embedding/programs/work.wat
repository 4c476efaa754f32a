(module
    ;; One page with the table of words, then room for a text.
    (memory (export "memory") 3)

    (func (export "mix") (param $turns i64) (result i64) (local $x i64) (local $odd i64) (local $turn i64)
        (local.set $x (i64.const 1))
        (block $done
            (loop $next
                (br_if $done (i64.ge_s (local.get $turn) (local.get $turns)))
                (local.set $x (i64.rem_s
                    (i64.add (i64.mul (local.get $x) (i64.const 16807)) (i64.rem_s (local.get $turn) (i64.const 127)))
                    (i64.const 2147483647)))
                (if (i64.eq (i64.rem_s (local.get $x) (i64.const 2)) (i64.const 1))
                    (then (local.set $odd (i64.add (local.get $odd) (i64.const 1)))))
                (local.set $turn (i64.add (local.get $turn) (i64.const 1)))
                (br $next)))
        (i64.add (local.get $x) (local.get $odd)))

    ;; Where the host may put a text of so many bytes.
    (func (export "room") (param $len i32) (result i32)
        (if (i32.gt_u (local.get $len) (i32.const 131072)) (then unreachable))
        (i32.const 65536))

    ;; The place of a word in the table of 4096 entries: its place in the text, its length, how often it was there.
    (func $entry (param $word i32) (param $len i32) (result i32) (local $hash i32) (local $at i32) (local $entry i32)
        (local.set $hash (i32.const 0x811c9dc5))
        (loop $next
            (local.set $hash (i32.mul
                (i32.xor (local.get $hash) (i32.load8_u (i32.add (local.get $word) (local.get $at))))
                (i32.const 0x01000193)))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $len))))
        (loop $probe
            (local.set $entry (i32.shl (i32.and (local.get $hash) (i32.const 4095)) (i32.const 4)))
            (if (i32.eqz (i32.load offset=4 (local.get $entry)))
                (then
                    (i32.store (local.get $entry) (local.get $word))
                    (i32.store offset=4 (local.get $entry) (local.get $len))
                    (return (local.get $entry))))
            (if (call $same (local.get $entry) (local.get $word) (local.get $len)) (then (return (local.get $entry))))
            (local.set $hash (i32.add (local.get $hash) (i32.const 1)))
            (br $probe))
        unreachable)
    (func $same (param $entry i32) (param $word i32) (param $len i32) (result i32) (local $other i32) (local $at i32)
        (if (i32.ne (i32.load offset=4 (local.get $entry)) (local.get $len)) (then (return (i32.const 0))))
        (local.set $other (i32.load (local.get $entry)))
        (loop $next
            (if (i32.ne
                    (i32.load8_u (i32.add (local.get $other) (local.get $at)))
                    (i32.load8_u (i32.add (local.get $word) (local.get $at))))
                (then (return (i32.const 0))))
            (br_if $next (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 1))) (local.get $len))))
        (i32.const 1))

    (func (export "words") (param $text i32) (param $len i32) (result i64)
        (local $end i32) (local $word i32) (local $entry i32) (local $sum i64) (local $count i64)
        (memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))
        (local.set $end (i32.add (local.get $text) (local.get $len)))
        (local.set $word (local.get $text))
        (block $done
            (loop $next
                ;; To the end of the word.
                (block $ended
                    (loop $byte
                        (br_if $ended (i32.ge_u (local.get $text) (local.get $end)))
                        (br_if $ended (i32.eq (i32.load8_u (local.get $text)) (i32.const 32)))
                        (local.set $text (i32.add (local.get $text) (i32.const 1)))
                        (br $byte)))
                (if (i32.gt_u (local.get $text) (local.get $word))
                    (then
                        (local.set $entry (call $entry (local.get $word) (i32.sub (local.get $text) (local.get $word))))
                        (i32.store offset=8 (local.get $entry)
                            (i32.add (i32.load offset=8 (local.get $entry)) (i32.const 1)))))
                (br_if $done (i32.ge_u (local.get $text) (local.get $end)))
                (local.set $text (i32.add (local.get $text) (i32.const 1)))
                (local.set $word (local.get $text))
                (br $next)))
        (local.set $entry (i32.const 0))
        (loop $next
            (local.set $count (i64.load32_u offset=8 (local.get $entry)))
            (local.set $sum (i64.add (local.get $sum)
                (i64.mul (i64.mul (local.get $count) (local.get $count)) (i64.load32_u offset=4 (local.get $entry)))))
            (br_if $next (i32.lt_u
                (local.tee $entry (i32.add (local.get $entry) (i32.const 16))) (i32.const 65536))))
        (local.get $sum)))
