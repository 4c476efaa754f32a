;; Accepts connections where the host listens; what is no socket accepts nothing.
;; network
(func (export "_start")
  (call $tell (str "a client") (call $sock_accept (i32.const 6) (i32.const 0) (i32.const 96)))
  (call $tell (str "says") (call $sock_recv
    (i32.load (i32.const 96)) (call $list (i32.const 5000) (i32.const 2)) (i32.const 1) (i32.const 2) (i32.const 100) (i32.const 104)))
  (call $show (str "  got") (i32.const 5000) (i32.load (i32.const 100)))
  (call $tell (str "not a listener") (call $sock_accept (i32.const 5) (i32.const 0) (i32.const 96)))
  (call $tell (str "input") (call $sock_accept (i32.const 0) (i32.const 0) (i32.const 96)))
  (call $tell (str "a directory") (call $sock_accept (i32.const 3) (i32.const 4) (i32.const 96)))
  (call $tell (str "no such flag") (call $sock_accept (i32.const 3) (i32.const 1) (i32.const 96)))
  (call $tell (str "nothing") (call $sock_accept (i32.const 99) (i32.const 0) (i32.const 96)))
  (call $tell (str "past the end") (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 65534))))
;;= a client: ok
;;= says: ok
;;=   got: hi
;;= not a listener: inval
;;= input: notsock
;;= a directory: notsock
;;= no such flag: inval
;;= nothing: badf
;;= past the end: fault
;;= exit 0
