;; A descriptor moves to the number of another, which is closed.
(func (export "_start")
  (local $first i32) (local $second i32)
  (local.set $first (call $open (i32.const 4) (str "file")))
  (local.set $second (call $open (i32.const 4) (str "folder/inner")))
  (call $tell (str "the second over the first") (call $fd_renumber (local.get $second) (local.get $first)))
  (call $must (call $fd_read (local.get $first) (call $list (i32.const 5000) (i32.const 10)) (i32.const 1) (i32.const 96)))
  (call $show (str "  read there") (i32.const 5000) (i32.load (i32.const 96)))
  (call $tell (str "the second again") (call $fd_close (local.get $second)))
  (call $tell (str "onto itself") (call $fd_renumber (local.get $first) (local.get $first)))
  (call $tell (str "from nothing") (call $fd_renumber (i32.const 99) (local.get $first)))
  (call $tell (str "to nothing") (call $fd_renumber (local.get $first) (i32.const 99))))
;;= the second over the first: ok
;;=   read there: inner
;;= the second again: badf
;;= onto itself: ok
;;= from nothing: badf
;;= to nothing: badf
;;= exit 0
