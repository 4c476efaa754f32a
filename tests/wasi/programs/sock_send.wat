;; Sends over a connection, whose other end says it again; what is no socket sends nothing.
;; network
(func $to (param $label i32) (param $len i32) (param $fd i32) (param $flags i32)
  (call $tell (local.get $label) (local.get $len) (call $sock_send
    (local.get $fd) (call $list (str "text")) (i32.const 1) (local.get $flags) (i32.const 96))))
(func (export "_start")
  (call $to (str "a connection") (i32.const 5) (i32.const 0))
  (call $tell (str "back") (call $sock_recv
    (i32.const 5) (call $list (i32.const 5000) (i32.const 9)) (i32.const 1) (i32.const 2) (i32.const 96) (i32.const 100)))
  (call $show (str "  got") (i32.const 5000) (i32.load (i32.const 96)))
  (call $to (str "a listener") (i32.const 6) (i32.const 0))
  (call $to (str "output") (i32.const 1) (i32.const 0))
  (call $to (str "a file") (call $open (i32.const 4) (str "file")) (i32.const 0))
  (call $to (str "no such flag") (i32.const 1) (i32.const 1))
  (call $to (str "nothing") (i32.const 99) (i32.const 0)))
;;= a connection: ok
;;= back: ok
;;=   got: hellotext
;;= a listener: pipe
;;= output: notsock
;;= a file: notsock
;;= no such flag: inval
;;= nothing: badf
;;= exit 0
