;; Times of what is at a path are set where it may be written.
(func $set (param $label i32) (param $len i32) (param $dir i32) (param $follow i32) (param $at i32) (param $size i32)
  (call $tell (local.get $label) (local.get $len) (call $path_filestat_set_times
    (local.get $dir) (local.get $follow) (local.get $at) (local.get $size) (i64.const 1000000001) (i64.const 2000000002) (i32.const 5))))
(func $times (param $at i32) (param $size i32)
  (call $must (call $path_filestat_get (i32.const 3) (i32.const 0) (local.get $at) (local.get $size) (i32.const 5000)))
  (call $value (str "  read at") (i64.load (i32.const 5040)))
  (call $value (str "  changed at") (i64.load (i32.const 5048))))
(func (export "_start")
  (call $set (str "a link") (i32.const 3) (i32.const 0) (str "link"))
  (call $times (str "link"))
  (call $set (str "where it leads") (i32.const 3) (i32.const 1) (str "link"))
  (call $times (str "file"))
  (call $set (str "a directory") (i32.const 3) (i32.const 0) (str "folder"))
  (call $set (str "where a link leads outside") (i32.const 3) (i32.const 1) (str "out"))
  (call $set (str "outside") (i32.const 3) (i32.const 0) (str "../secret"))
  (call $set (str "nothing") (i32.const 3) (i32.const 0) (str "none"))
  (call $set (str "granted for reading") (i32.const 4) (i32.const 0) (str "file"))
  (call $set (str "in nothing") (i32.const 99) (i32.const 0) (str "file"))
  (call $tell (str "given and now") (call $path_filestat_set_times
    (i32.const 3) (i32.const 0) (str "file") (i64.const 0) (i64.const 0) (i32.const 12))))
;;= a link: ok
;;=   read at: 1000000001
;;=   changed at: 2000000002
;;= where it leads: ok
;;=   read at: 1000000001
;;=   changed at: 2000000002
;;= a directory: ok
;;= where a link leads outside: perm
;;= outside: perm
;;= nothing: noent
;;= granted for reading: rofs
;;= in nothing: badf
;;= given and now: inval
;;= exit 0
