;; Four clocks, of which two tell of the program only.
(func $rounded (param $at i32) (param $len i32)
  (call $value (local.get $at) (local.get $len) (i64.rem_u (i64.load (i32.const 5000)) (i64.const 1000000))))
(func (export "_start")
  (call $tell (str "time of day") (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 5000)))
  (call $value32 (str "after 2020") (i64.gt_u (i64.load (i32.const 5000)) (i64.const 1577836800000000000)))
  (call $rounded (str "past a millisecond"))
  (call $tell (str "since the start") (call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 5000)))
  (call $value32 (str "less than a minute") (i64.lt_u (i64.load (i32.const 5000)) (i64.const 60000000000)))
  (call $tell (str "time of the process") (call $clock_time_get (i32.const 2) (i64.const 0) (i32.const 5000)))
  (call $tell (str "time of the thread") (call $clock_time_get (i32.const 3) (i64.const 0) (i32.const 5000)))
  (call $value32 (str "less than a minute") (i64.lt_u (i64.load (i32.const 5000)) (i64.const 60000000000)))
  (call $rounded (str "past a millisecond"))
  (call $tell (str "no such clock") (call $clock_time_get (i32.const 4) (i64.const 0) (i32.const 5000)))
  (call $tell (str "past the end") (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 65530))))
;;= time of day: ok
;;= after 2020: 1
;;= past a millisecond: 0
;;= since the start: ok
;;= less than a minute: 1
;;= time of the process: ok
;;= time of the thread: ok
;;= less than a minute: 1
;;= past a millisecond: 0
;;= no such clock: inval
;;= past the end: fault
;;= exit 0
