;; What is no socket receives nothing. Sockets come from the host, which gives none here.
(func $from (param $label i32) (param $len i32) (param $fd i32) (param $flags i32)
  (call $tell (local.get $label) (local.get $len) (call $sock_recv
    (local.get $fd) (call $list (i32.const 5000) (i32.const 10)) (i32.const 1) (local.get $flags) (i32.const 96) (i32.const 100))))
(func (export "_start")
  (call $from (str "input") (i32.const 0) (i32.const 0))
  (call $from (str "a file") (call $open (i32.const 4) (str "file")) (i32.const 3))
  (call $from (str "no such flag") (i32.const 0) (i32.const 4))
  (call $from (str "nothing") (i32.const 99) (i32.const 0)))
;;= input: notsock
;;= a file: notsock
;;= no such flag: inval
;;= nothing: badf
;;= exit 0
