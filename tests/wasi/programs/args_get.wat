;; Arguments come with their ends, each where its pointer says; there is no room past the memory.
;; argument: first
;; argument: second argument
(func (export "_start")
  (call $tell (str "all") (call $args_get (i32.const 5000) (i32.const 5100)))
  (call $show (str "0") (i32.load (i32.const 5000)) (i32.const 8))
  (call $show (str "1") (i32.load (i32.const 5004)) (i32.const 5))
  (call $show (str "2") (i32.load (i32.const 5008)) (i32.const 15))
  (call $value32 (str "end of 2") (i32.load8_u (i32.add (i32.const 15) (i32.load (i32.const 5008)))))
  (call $tell (str "pointers past the end") (call $args_get (i32.const 65534) (i32.const 5100)))
  (call $tell (str "texts past the end") (call $args_get (i32.const 5000) (i32.const 65534))))
;;= all: ok
;;= 0: args_get
;;= 1: first
;;= 2: second argument
;;= end of 2: 0
;;= pointers past the end: fault
;;= texts past the end: fault
;;= exit 0
