;; What is no socket sends nothing. Sockets come from the host, which gives none here.
(func $to (param $label i32) (param $len i32) (param $fd i32) (param $flags i32)
  (call $tell (local.get $label) (local.get $len) (call $sock_send
    (local.get $fd) (call $list (str "text")) (i32.const 1) (local.get $flags) (i32.const 96))))
(func (export "_start")
  (call $to (str "output") (i32.const 1) (i32.const 0))
  (call $to (str "a file") (call $open (i32.const 4) (str "file")) (i32.const 0))
  (call $to (str "no such flag") (i32.const 1) (i32.const 1))
  (call $to (str "nothing") (i32.const 99) (i32.const 0)))
;;= output: notsock
;;= a file: notsock
;;= no such flag: inval
;;= nothing: badf
;;= exit 0
