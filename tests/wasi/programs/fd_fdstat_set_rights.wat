;; Rights are given up, and do not come back.
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 3) (str "file")))
  (call $tell (str "reading only") (call $fd_fdstat_set_rights (local.get $file) (i64.const 2) (i64.const 0)))
  (call $tell (str "read") (call $fd_read (local.get $file) (call $list (i32.const 5000) (i32.const 4)) (i32.const 1) (i32.const 8)))
  (call $tell (str "seek") (call $fd_seek (local.get $file) (i64.const 0) (i32.const 0) (i32.const 8)))
  (call $tell (str "seeking again") (call $fd_fdstat_set_rights (local.get $file) (i64.const 6) (i64.const 0)))
  (call $tell (str "what is opened through a directory") (call $fd_fdstat_set_rights (i32.const 3) (i64.const 0x2000) (i64.const 2)))
  (call $tell (str "open for reading") (call $path_open (i32.const 3) (i32.const 0) (str "file") (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 96)))
  (call $tell (str "open for writing") (call $path_open (i32.const 3) (i32.const 0) (str "file") (i32.const 0) (i64.const 0x40) (i64.const 0) (i32.const 0) (i32.const 96)))
  (call $tell (str "remove") (call $path_unlink_file (i32.const 3) (str "file")))
  (call $tell (str "nothing") (call $fd_fdstat_set_rights (i32.const 99) (i64.const 0) (i64.const 0))))
;;= reading only: ok
;;= read: ok
;;= seek: notcapable
;;= seeking again: notcapable
;;= what is opened through a directory: ok
;;= open for reading: ok
;;= open for writing: notcapable
;;= remove: notcapable
;;= nothing: badf
;;= exit 0
