;; Space is made for a file that may be written, which grows where it is shorter.
;; look: data/file
;; look: shown/file
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open_for_writing (i32.const 3) (str "file")))
  (call $tell (str "two more bytes") (call $fd_allocate (local.get $file) (i64.const 0) (i64.const 12)))
  (call $tell (str "no length") (call $fd_allocate (local.get $file) (i64.const 0) (i64.const 0)))
  (call $tell (str "a place that is none") (call $fd_allocate (local.get $file) (i64.const -1) (i64.const 4)))
  (call $tell (str "opened for reading") (call $fd_allocate (call $open (i32.const 3) (str "file")) (i64.const 0) (i64.const 20)))
  (call $tell (str "granted for reading") (call $fd_allocate (call $open (i32.const 4) (str "file")) (i64.const 0) (i64.const 20)))
  (call $tell (str "a directory") (call $fd_allocate (i32.const 3) (i64.const 0) (i64.const 4)))
  (call $tell (str "nothing") (call $fd_allocate (i32.const 99) (i64.const 0) (i64.const 4))))
;;= two more bytes: ok
;;= no length: inval
;;= a place that is none: inval
;;= opened for reading: notcapable
;;= granted for reading: notcapable
;;= a directory: badf
;;= nothing: badf
;;= data/file: "0123456789\0\0"
;;= shown/file: "0123456789"
;;= exit 0
