;; Variables are those that were granted, and no others.
;; variable: COLOUR=green
;; variable: EMPTY=
(func (export "_start")
  (call $tell (str "all") (call $environ_get (i32.const 5000) (i32.const 5100)))
  (call $show (str "0") (i32.load (i32.const 5000)) (i32.const 12))
  (call $show (str "1") (i32.load (i32.const 5004)) (i32.const 6))
  (call $value32 (str "end of 1") (i32.load8_u (i32.add (i32.const 6) (i32.load (i32.const 5004)))))
  (call $tell (str "past the end") (call $environ_get (i32.const 5000) (i32.const 65530))))
;;= all: ok
;;= 0: COLOUR=green
;;= 1: EMPTY=
;;= end of 1: 0
;;= past the end: fault
;;= exit 0
