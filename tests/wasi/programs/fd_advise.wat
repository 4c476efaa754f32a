;; Advice is for files, of a kind that is known, about a range that can be.
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 4) (str "file")))
  (call $tell (str "normal") (call $fd_advise (local.get $file) (i64.const 0) (i64.const 4) (i32.const 0)))
  (call $tell (str "not needed") (call $fd_advise (local.get $file) (i64.const 2) (i64.const 0) (i32.const 4)))
  (call $tell (str "no such advice") (call $fd_advise (local.get $file) (i64.const 0) (i64.const 4) (i32.const 6)))
  (call $tell (str "a place that is none") (call $fd_advise (local.get $file) (i64.const -1) (i64.const 4) (i32.const 0)))
  (call $tell (str "a directory") (call $fd_advise (i32.const 3) (i64.const 0) (i64.const 4) (i32.const 0)))
  (call $tell (str "a stream") (call $fd_advise (i32.const 1) (i64.const 0) (i64.const 4) (i32.const 0)))
  (call $tell (str "nothing") (call $fd_advise (i32.const 99) (i64.const 0) (i64.const 4) (i32.const 0))))
;;= normal: ok
;;= not needed: ok
;;= no such advice: inval
;;= a place that is none: inval
;;= a directory: badf
;;= a stream: spipe
;;= nothing: badf
;;= exit 0
