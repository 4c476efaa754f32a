;; Writes to output, errors, files and pipes.
;; look: data/file
;; look: shown/file
(func $to (param $label i32) (param $len i32) (param $fd i32)
  (call $tell (local.get $label) (local.get $len)
    (call $fd_write (local.get $fd) (call $list (str "text\n")) (i32.const 1) (i32.const 96))))
(func (export "_start")
  (local $file i32)
  (call $to (str "output") (i32.const 1))
  (call $value32 (str "  written") (i32.load (i32.const 96)))
  (local.set $file (call $open_for_writing (i32.const 3) (str "file")))
  (call $to (str "a file") (local.get $file))
  (call $to (str "again") (local.get $file))
  (call $to (str "a pipe") (call $open_as (i32.const 3) (str "pipe") (i32.const 0) (global.get $WRITE)))
  (call $to (str "opened for reading") (call $open (i32.const 3) (str "file")))
  (call $to (str "granted for reading") (call $open (i32.const 4) (str "file")))
  (call $to (str "input") (i32.const 0))
  (call $to (str "a directory") (i32.const 3))
  (call $to (str "nothing") (i32.const 99))
  (call $tell (str "from nowhere") (call $fd_write (i32.const 1) (call $list (i32.const 65530) (i32.const 10)) (i32.const 1) (i32.const 96)))
  (call $tell (str "too many buffers") (call $fd_write (i32.const 1) (i32.const 5000) (i32.const 1025) (i32.const 96))))
;;= text
;;= output: ok
;;=   written: 5
;;= a file: ok
;;= again: ok
;;= a pipe: ok
;;= opened for reading: notcapable
;;= granted for reading: notcapable
;;= input: notcapable
;;= a directory: isdir
;;= nothing: badf
;;= from nowhere: fault
;;= too many buffers: inval
;;= data/file: "text\ntext\n"
;;= shown/file: "0123456789"
;;= exit 0
