;; What has data waits for the disk.
(func (export "_start")
  (call $tell (str "a file") (call $fd_datasync (call $open_for_writing (i32.const 3) (str "file"))))
  (call $tell (str "a file for reading") (call $fd_datasync (call $open (i32.const 4) (str "file"))))
  (call $tell (str "a directory") (call $fd_datasync (call $open_directory (i32.const 3) (str "folder"))))
  (call $tell (str "a stream") (call $fd_datasync (i32.const 1)))
  (call $tell (str "nothing") (call $fd_datasync (i32.const 99))))
;;= a file: ok
;;= a file for reading: ok
;;= a directory: ok
;;= a stream: inval
;;= nothing: badf
;;= exit 0
