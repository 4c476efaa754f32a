;; Reads at a place, and leaves the descriptor where it was.
(func $at (param $label i32) (param $len i32) (param $fd i32) (param $offset i64)
  (call $tell (local.get $label) (local.get $len)
    (call $fd_pread (local.get $fd) (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (local.get $offset) (i32.const 96))))
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 4) (str "file")))
  (call $at (str "in the middle") (local.get $file) (i64.const 3))
  (call $show (str "  read") (i32.const 5000) (i32.load (i32.const 96)))
  (call $at (str "near the end") (local.get $file) (i64.const 8))
  (call $show (str "  read") (i32.const 5000) (i32.load (i32.const 96)))
  (call $at (str "past the end") (local.get $file) (i64.const 100))
  (call $value32 (str "  read") (i32.load (i32.const 96)))
  (call $must (call $fd_tell (local.get $file) (i32.const 5000)))
  (call $value (str "still at") (i64.load (i32.const 5000)))
  (call $at (str "a place that is none") (local.get $file) (i64.const -1))
  (call $at (str "a directory") (i32.const 3) (i64.const 0))
  (call $at (str "input") (i32.const 0) (i64.const 0))
  (call $at (str "a pipe") (call $open (i32.const 4) (str "pipe")) (i64.const 0))
  (call $at (str "nothing") (i32.const 99) (i64.const 0))
  (call $tell (str "into nowhere") (call $fd_pread (local.get $file) (call $list (i32.const 65530) (i32.const 10)) (i32.const 1) (i64.const 0) (i32.const 96))))
;;= in the middle: ok
;;=   read: 3456
;;= near the end: ok
;;=   read: 89
;;= past the end: ok
;;=   read: 0
;;= still at: 0
;;= a place that is none: inval
;;= a directory: isdir
;;= input: spipe
;;= a pipe: spipe
;;= nothing: badf
;;= into nowhere: fault
;;= exit 0
