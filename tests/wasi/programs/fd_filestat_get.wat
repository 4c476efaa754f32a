;; Kind, links and size of what is open; of a stream its kind.
(func $describe (param $at i32) (param $len i32) (param $fd i32)
  (call $tell (local.get $at) (local.get $len) (call $fd_filestat_get (local.get $fd) (i32.const 5000)))
  (call $value32 (str "  kind") (i32.load8_u (i32.const 5016)))
  (call $value (str "  size") (i64.load (i32.const 5032))))
(func (export "_start")
  (call $describe (str "a file") (call $open (i32.const 4) (str "file")))
  (call $value (str "  links") (i64.load (i32.const 5024)))
  (call $value32 (str "  changed after 2020") (i64.gt_u (i64.load (i32.const 5048)) (i64.const 1577836800000000000)))
  (call $must (call $fd_filestat_get (i32.const 3) (i32.const 5000)))
  (call $value32 (str "a directory's kind") (i32.load8_u (i32.const 5016)))
  (call $describe (str "output") (i32.const 1))
  (call $tell (str "nothing") (call $fd_filestat_get (i32.const 99) (i32.const 5000)))
  (call $tell (str "past the end") (call $fd_filestat_get (i32.const 3) (i32.const 65500))))
;;= a file: ok
;;=   kind: 4
;;=   size: 10
;;=   links: 1
;;=   changed after 2020: 1
;;= a directory's kind: 3
;;= output: ok
;;=   kind: 0
;;=   size: 0
;;= nothing: badf
;;= past the end: fault
;;= exit 0
