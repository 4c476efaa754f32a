;; What is no socket accepts nothing. Sockets come from the host, which gives none here.
(func (export "_start")
  (call $tell (str "input") (call $sock_accept (i32.const 0) (i32.const 0) (i32.const 96)))
  (call $tell (str "a directory") (call $sock_accept (i32.const 3) (i32.const 4) (i32.const 96)))
  (call $tell (str "no such flag") (call $sock_accept (i32.const 3) (i32.const 1) (i32.const 96)))
  (call $tell (str "nothing") (call $sock_accept (i32.const 99) (i32.const 0) (i32.const 96)))
  (call $tell (str "past the end") (call $sock_accept (i32.const 3) (i32.const 0) (i32.const 65534))))
;;= input: notsock
;;= a directory: notsock
;;= no such flag: inval
;;= nothing: badf
;;= past the end: fault
;;= exit 0
