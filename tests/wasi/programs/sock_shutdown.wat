;; Says that nothing more will be sent, which ends what the other end says again; what is no socket is not shut down.
;; network
(func (export "_start")
  (call $tell (str "a connection") (call $sock_shutdown (i32.const 5) (i32.const 2)))
  (call $tell (str "to its end") (call $sock_recv
    (i32.const 5) (call $list (i32.const 5000) (i32.const 9)) (i32.const 1) (i32.const 2) (i32.const 96) (i32.const 100)))
  (call $show (str "  got") (i32.const 5000) (i32.load (i32.const 96)))
  (call $tell (str "sending") (call $sock_send (i32.const 5) (call $list (str "text")) (i32.const 1) (i32.const 0) (i32.const 96)))
  (call $tell (str "input") (call $sock_shutdown (i32.const 0) (i32.const 1)))
  (call $tell (str "a directory") (call $sock_shutdown (i32.const 3) (i32.const 3)))
  (call $tell (str "neither way") (call $sock_shutdown (i32.const 0) (i32.const 0)))
  (call $tell (str "nothing") (call $sock_shutdown (i32.const 99) (i32.const 2))))
;;= a connection: ok
;;= to its end: ok
;;=   got: hello
;;= sending: pipe
;;= input: notsock
;;= a directory: notsock
;;= neither way: inval
;;= nothing: badf
;;= exit 0
