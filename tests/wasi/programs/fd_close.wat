;; A descriptor is closed once; granted directories and streams can be closed too.
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open (i32.const 3) (str "file")))
  (call $tell (str "a file") (call $fd_close (local.get $file)))
  (call $tell (str "again") (call $fd_close (local.get $file)))
  (call $value32 (str "the same number") (i32.eq (local.get $file) (call $open (i32.const 4) (str "file"))))
  (call $tell (str "a granted directory") (call $fd_close (i32.const 3)))
  (call $tell (str "which is gone") (call $path_unlink_file (i32.const 3) (str "file")))
  (call $tell (str "a stream") (call $fd_close (i32.const 0)))
  (call $tell (str "a number that is none") (call $fd_close (i32.const -1))))
;;= a file: ok
;;= again: badf
;;= the same number: 1
;;= a granted directory: ok
;;= which is gone: badf
;;= a stream: ok
;;= a number that is none: badf
;;= exit 0
