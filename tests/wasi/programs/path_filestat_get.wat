;; Attributes of what is at a path, which may be a link.
(func $describe (param $label i32) (param $len i32) (param $follow i32) (param $at i32) (param $size i32)
  (i64.store (i32.const 5016) (i64.const 99)) (i64.store (i32.const 5032) (i64.const 99))
  (call $tell (local.get $label) (local.get $len)
    (call $path_filestat_get (i32.const 4) (local.get $follow) (local.get $at) (local.get $size) (i32.const 5000)))
  (call $value32 (str "  kind") (i32.load8_u (i32.const 5016)))
  (call $value (str "  size") (i64.load (i32.const 5032))))
(func (export "_start")
  (call $describe (str "a file") (i32.const 0) (str "file"))
  (call $describe (str "deeper") (i32.const 0) (str "folder/../folder/inner"))
  (call $describe (str "a link") (i32.const 0) (str "link"))
  (call $describe (str "where it leads") (i32.const 1) (str "link"))
  (call $describe (str "a link to outside") (i32.const 0) (str "out"))
  (call $describe (str "where that leads") (i32.const 1) (str "out"))
  (call $describe (str "outside") (i32.const 0) (str "../secret"))
  (call $describe (str "nothing") (i32.const 0) (str "none"))
  (call $tell (str "no such flag") (call $path_filestat_get (i32.const 4) (i32.const 2) (str "file") (i32.const 5000)))
  (call $tell (str "in a file") (call $path_filestat_get (call $open (i32.const 4) (str "file")) (i32.const 0) (str "file") (i32.const 5000)))
  (call $tell (str "in nothing") (call $path_filestat_get (i32.const 99) (i32.const 0) (str "file") (i32.const 5000)))
  (call $tell (str "past the end") (call $path_filestat_get (i32.const 4) (i32.const 0) (str "file") (i32.const 65500))))
;;= a file: ok
;;=   kind: 4
;;=   size: 10
;;= deeper: ok
;;=   kind: 4
;;=   size: 5
;;= a link: ok
;;=   kind: 7
;;=   size: 4
;;= where it leads: ok
;;=   kind: 4
;;=   size: 10
;;= a link to outside: ok
;;=   kind: 7
;;=   size: 9
;;= where that leads: perm
;;=   kind: 99
;;=   size: 99
;;= outside: perm
;;=   kind: 99
;;=   size: 99
;;= nothing: noent
;;=   kind: 99
;;=   size: 99
;;= no such flag: inval
;;= in a file: notdir
;;= in nothing: badf
;;= past the end: fault
;;= exit 0
