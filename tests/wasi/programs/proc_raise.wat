;; Signals that are ignored by default do nothing, the others end the program as they would.
(func (export "_start")
  (call $tell (str "a child has ended") (call $proc_raise (i32.const 16)))
  (call $tell (str "stop") (call $proc_raise (i32.const 18)))
  (call $tell (str "no such signal") (call $proc_raise (i32.const 99)))
  (call $tell (str "abort") (call $proc_raise (i32.const 6))))
;;= a child has ended: ok
;;= stop: notsup
;;= no such signal: inval
;;= exit 134
