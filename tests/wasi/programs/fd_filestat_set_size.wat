;; Files are cut and grow where they may be written.
;; look: data/file
;; look: data/folder/inner
;; look: shown/file
(func (export "_start")
  (call $tell (str "shorter") (call $fd_filestat_set_size (call $open_for_writing (i32.const 3) (str "file")) (i64.const 4)))
  (call $tell (str "longer") (call $fd_filestat_set_size (call $open_for_writing (i32.const 3) (str "folder/inner")) (i64.const 7)))
  (call $tell (str "no size") (call $fd_filestat_set_size (call $open_for_writing (i32.const 3) (str "file")) (i64.const -1)))
  (call $tell (str "opened for reading") (call $fd_filestat_set_size (call $open (i32.const 3) (str "file")) (i64.const 1)))
  (call $tell (str "granted for reading") (call $fd_filestat_set_size (call $open (i32.const 4) (str "file")) (i64.const 1)))
  (call $tell (str "a directory") (call $fd_filestat_set_size (i32.const 3) (i64.const 1)))
  (call $tell (str "a stream") (call $fd_filestat_set_size (i32.const 1) (i64.const 1)))
  (call $tell (str "nothing") (call $fd_filestat_set_size (i32.const 99) (i64.const 1))))
;;= shorter: ok
;;= longer: ok
;;= no size: inval
;;= opened for reading: notcapable
;;= granted for reading: notcapable
;;= a directory: notcapable
;;= a stream: inval
;;= nothing: badf
;;= data/file: "0123"
;;= data/folder/inner: "inner\0\0"
;;= shown/file: "0123456789"
;;= exit 0
