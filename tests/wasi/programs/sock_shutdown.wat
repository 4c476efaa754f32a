;; What is no socket is not shut down. Sockets come from the host, which gives none here.
(func (export "_start")
  (call $tell (str "input") (call $sock_shutdown (i32.const 0) (i32.const 1)))
  (call $tell (str "a directory") (call $sock_shutdown (i32.const 3) (i32.const 3)))
  (call $tell (str "neither way") (call $sock_shutdown (i32.const 0) (i32.const 0)))
  (call $tell (str "nothing") (call $sock_shutdown (i32.const 99) (i32.const 2))))
;;= input: notsock
;;= a directory: notsock
;;= neither way: inval
;;= nothing: badf
;;= exit 0
