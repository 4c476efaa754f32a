;; Clocks are as coarse as was granted: a millisecond.
(func (export "_start")
  (call $tell (str "time of day") (call $clock_res_get (i32.const 0) (i32.const 5000)))
  (call $value (str "nanoseconds") (i64.load (i32.const 5000)))
  (call $tell (str "processor time") (call $clock_res_get (i32.const 3) (i32.const 5000)))
  (call $tell (str "no such clock") (call $clock_res_get (i32.const 4) (i32.const 5000)))
  (call $tell (str "past the end") (call $clock_res_get (i32.const 0) (i32.const 65530))))
;;= time of day: ok
;;= nanoseconds: 1000000
;;= processor time: ok
;;= no such clock: inval
;;= past the end: fault
;;= exit 0
