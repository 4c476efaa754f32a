;; Waits for input, for room, for a pipe and for time; what is wrong with one wait is told in its event.
;; stdin: typed text
(func $wait (param $place i32) (param $kind i32) (param $what i32) (param $userdata i64)
  (i64.store (local.get $place) (local.get $userdata))
  (i32.store8 offset=8 (local.get $place) (local.get $kind))
  (i32.store offset=16 (local.get $place) (local.get $what)))
(func $poll (param $label i32) (param $len i32) (param $count i32)
  (local $at i32) (local $left i32)
  (call $tell (local.get $label) (local.get $len)
    (call $poll_oneoff (i32.const 5000) (i32.const 6000) (local.get $count) (i32.const 96)))
  (local.set $at (i32.const 6000))
  (local.set $left (i32.load (i32.const 96)))
  (block $done (loop $next
    (br_if $done (i32.eqz (local.get $left)))
    (call $value (str "  event of") (i64.load (local.get $at)))
    (call $tell (str "    error") (i32.load16_u offset=8 (local.get $at)))
    (call $value32 (str "    kind") (i32.load8_u offset=10 (local.get $at)))
    (call $value (str "    bytes") (i64.load offset=16 (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 32)))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br $next))))
(func (export "_start")
  (call $wait (i32.const 5000) (i32.const 1) (i32.const 0) (i64.const 11))
  (call $poll (str "input") (i32.const 1))
  (call $wait (i32.const 5000) (i32.const 2) (i32.const 1) (i64.const 12))
  (call $poll (str "room for output") (i32.const 1))
  (call $wait (i32.const 5000) (i32.const 1) (call $open (i32.const 4) (str "pipe")) (i64.const 13))
  (call $poll (str "a pipe") (i32.const 1))
  (call $wait (i32.const 5000) (i32.const 1) (call $open (i32.const 4) (str "file")) (i64.const 14))
  (call $wait (i32.const 5048) (i32.const 1) (i32.const 99) (i64.const 15))
  (call $poll (str "a file, and nothing") (i32.const 2))
  ;; A millisecond.
  (call $wait (i32.const 5000) (i32.const 0) (i32.const 1) (i64.const 16))
  (i64.store (i32.const 5024) (i64.const 1000000))
  (call $poll (str "time") (i32.const 1))
  ;; A time of day that was long ago.
  (call $wait (i32.const 5000) (i32.const 0) (i32.const 0) (i64.const 17))
  (i32.store16 (i32.const 5040) (i32.const 1))
  (call $poll (str "a time that has come") (i32.const 1))
  (call $wait (i32.const 5000) (i32.const 0) (i32.const 9) (i64.const 18))
  (call $poll (str "no such clock") (i32.const 1))
  (i32.store (i32.const 96) (i32.const 0))
  (call $wait (i32.const 5000) (i32.const 3) (i32.const 0) (i64.const 19))
  (call $poll (str "no such kind") (i32.const 1))
  (call $poll (str "nothing to wait for") (i32.const 0))
  (call $tell (str "past the end") (call $poll_oneoff (i32.const 65530) (i32.const 6000) (i32.const 1) (i32.const 96))))
;;= input: ok
;;=   event of: 11
;;=     error: ok
;;=     kind: 1
;;=     bytes: 10
;;= room for output: ok
;;=   event of: 12
;;=     error: ok
;;=     kind: 2
;;=     bytes: 0
;;= a pipe: ok
;;=   event of: 13
;;=     error: ok
;;=     kind: 1
;;=     bytes: 13
;;= a file, and nothing: ok
;;=   event of: 14
;;=     error: ok
;;=     kind: 1
;;=     bytes: 10
;;=   event of: 15
;;=     error: badf
;;=     kind: 1
;;=     bytes: 0
;;= time: ok
;;=   event of: 16
;;=     error: ok
;;=     kind: 0
;;=     bytes: 0
;;= a time that has come: ok
;;=   event of: 17
;;=     error: ok
;;=     kind: 0
;;=     bytes: 0
;;= no such clock: ok
;;=   event of: 18
;;=     error: inval
;;=     kind: 0
;;=     bytes: 0
;;= no such kind: inval
;;= nothing to wait for: inval
;;= past the end: fault
;;= exit 0
