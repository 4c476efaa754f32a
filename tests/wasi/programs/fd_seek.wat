;; Places are from the start, from here, or from the end, and never before the start.
(func $to (param $label i32) (param $len i32) (param $fd i32) (param $by i64) (param $whence i32)
  (call $tell (local.get $label) (local.get $len) (call $fd_seek (local.get $fd) (local.get $by) (local.get $whence) (i32.const 5000)))
  (call $value (str "  at") (i64.load (i32.const 5000))))
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 4) (str "file")))
  (call $to (str "from the start") (local.get $file) (i64.const 4) (i32.const 0))
  (call $to (str "from here") (local.get $file) (i64.const -1) (i32.const 1))
  (call $to (str "from the end") (local.get $file) (i64.const 5) (i32.const 2))
  (call $to (str "before the start") (local.get $file) (i64.const -16) (i32.const 1))
  (call $tell (str "from elsewhere") (call $fd_seek (local.get $file) (i64.const 0) (i32.const 3) (i32.const 5000)))
  (call $tell (str "a directory") (call $fd_seek (i32.const 3) (i64.const 0) (i32.const 0) (i32.const 5000)))
  (call $tell (str "input") (call $fd_seek (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 5000)))
  (call $tell (str "a pipe") (call $fd_seek (call $open (i32.const 4) (str "pipe")) (i64.const 0) (i32.const 0) (i32.const 5000)))
  (call $tell (str "nothing") (call $fd_seek (i32.const 99) (i64.const 0) (i32.const 0) (i32.const 5000)))
  (call $tell (str "past the end of memory") (call $fd_seek (local.get $file) (i64.const 0) (i32.const 0) (i32.const 65530))))
;;= from the start: ok
;;=   at: 4
;;= from here: ok
;;=   at: 3
;;= from the end: ok
;;=   at: 15
;;= before the start: inval
;;=   at: 15
;;= from elsewhere: inval
;;= a directory: badf
;;= input: spipe
;;= a pipe: spipe
;;= nothing: badf
;;= past the end of memory: fault
;;= exit 0
