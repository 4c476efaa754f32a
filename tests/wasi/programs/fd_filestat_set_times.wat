;; Times are set as given, or to now.
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open_for_writing (i32.const 3) (str "file")))
  (call $tell (str "both") (call $fd_filestat_set_times (local.get $file) (i64.const 1000000001) (i64.const 2000000002) (i32.const 5)))
  (call $must (call $fd_filestat_get (local.get $file) (i32.const 5000)))
  (call $value (str "read at") (i64.load (i32.const 5040)))
  (call $value (str "changed at") (i64.load (i32.const 5048)))
  (call $tell (str "changed now") (call $fd_filestat_set_times (local.get $file) (i64.const 0) (i64.const 0) (i32.const 8)))
  (call $must (call $fd_filestat_get (local.get $file) (i32.const 5000)))
  (call $value (str "read at") (i64.load (i32.const 5040)))
  (call $value32 (str "changed after 2020") (i64.gt_u (i64.load (i32.const 5048)) (i64.const 1577836800000000000)))
  (call $tell (str "given and now") (call $fd_filestat_set_times (local.get $file) (i64.const 0) (i64.const 0) (i32.const 3)))
  (call $tell (str "no such flag") (call $fd_filestat_set_times (local.get $file) (i64.const 0) (i64.const 0) (i32.const 16)))
  (call $tell (str "granted for reading") (call $fd_filestat_set_times (call $open_as (i32.const 4) (str "file") (i32.const 0) (global.get $DIRECTORY)) (i64.const 0) (i64.const 0) (i32.const 4)))
  (call $tell (str "a stream") (call $fd_filestat_set_times (i32.const 1) (i64.const 0) (i64.const 0) (i32.const 4)))
  (call $tell (str "nothing") (call $fd_filestat_set_times (i32.const 99) (i64.const 0) (i64.const 0) (i32.const 4))))
;;= both: ok
;;= read at: 1000000001
;;= changed at: 2000000002
;;= changed now: ok
;;= read at: 1000000001
;;= changed after 2020: 1
;;= given and now: inval
;;= no such flag: inval
;;= granted for reading: rofs
;;= a stream: inval
;;= nothing: badf
;;= exit 0
