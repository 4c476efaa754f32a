;; Receives from a connection; what is no socket receives nothing.
;; network
(func $from (param $label i32) (param $len i32) (param $fd i32) (param $flags i32)
  (call $tell (local.get $label) (local.get $len) (call $sock_recv
    (local.get $fd) (call $list (i32.const 5000) (i32.const 10)) (i32.const 1) (local.get $flags) (i32.const 96) (i32.const 100))))
(func (export "_start")
  (call $tell (str "a look") (call $sock_recv
    (i32.const 5) (call $list (i32.const 5000) (i32.const 1)) (i32.const 1) (i32.const 1) (i32.const 96) (i32.const 100)))
  (call $show (str "  got") (i32.const 5000) (i32.load (i32.const 96)))
  (call $tell (str "all of it") (call $sock_recv
    (i32.const 5) (call $list (i32.const 5000) (i32.const 5)) (i32.const 1) (i32.const 2) (i32.const 96) (i32.const 100)))
  (call $show (str "  got") (i32.const 5000) (i32.load (i32.const 96)))
  (call $from (str "a listener") (i32.const 6) (i32.const 0))
  (call $from (str "input") (i32.const 0) (i32.const 0))
  (call $from (str "a file") (call $open (i32.const 4) (str "file")) (i32.const 3))
  (call $from (str "no such flag") (i32.const 0) (i32.const 4))
  (call $from (str "nothing") (i32.const 99) (i32.const 0)))
;;= a look: ok
;;=   got: h
;;= all of it: ok
;;=   got: hello
;;= a listener: notconn
;;= input: notsock
;;= a file: notsock
;;= no such flag: inval
;;= nothing: badf
;;= exit 0
