;; What is stored waits for the disk.
(func (export "_start")
  (call $tell (str "a file") (call $fd_sync (call $open_for_writing (i32.const 3) (str "file"))))
  (call $tell (str "a file for reading") (call $fd_sync (call $open (i32.const 4) (str "file"))))
  (call $tell (str "a granted directory") (call $fd_sync (i32.const 3)))
  (call $tell (str "a stream") (call $fd_sync (i32.const 1)))
  (call $tell (str "nothing") (call $fd_sync (i32.const 99))))
;;= a file: ok
;;= a file for reading: ok
;;= a granted directory: ok
;;= a stream: inval
;;= nothing: badf
;;= exit 0
