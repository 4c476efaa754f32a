;; The place in a file.
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 4) (str "file")))
  (call $must (call $fd_read (local.get $file) (call $list (i32.const 5000) (i32.const 3)) (i32.const 1) (i32.const 96)))
  (call $tell (str "a file") (call $fd_tell (local.get $file) (i32.const 5000)))
  (call $value (str "  at") (i64.load (i32.const 5000)))
  (call $tell (str "a directory") (call $fd_tell (i32.const 3) (i32.const 5000)))
  (call $tell (str "output") (call $fd_tell (i32.const 1) (i32.const 5000)))
  (call $tell (str "nothing") (call $fd_tell (i32.const 99) (i32.const 5000)))
  (call $tell (str "past the end of memory") (call $fd_tell (local.get $file) (i32.const 65530))))
;;= a file: ok
;;=   at: 3
;;= a directory: badf
;;= output: spipe
;;= nothing: badf
;;= past the end of memory: fault
;;= exit 0
