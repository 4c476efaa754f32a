;; Writes at a place, and leaves the descriptor where it was.
;; look: data/file
;; look: shown/file
(func $at (param $label i32) (param $len i32) (param $fd i32) (param $offset i64)
  (call $tell (local.get $label) (local.get $len)
    (call $fd_pwrite (local.get $fd) (call $list (str "XY")) (i32.const 1) (local.get $offset) (i32.const 96))))
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open_for_writing (i32.const 3) (str "file")))
  (call $at (str "in the middle") (local.get $file) (i64.const 3))
  (call $value32 (str "  written") (i32.load (i32.const 96)))
  (call $at (str "past the end") (local.get $file) (i64.const 11))
  (call $must (call $fd_tell (local.get $file) (i32.const 5000)))
  (call $value (str "still at") (i64.load (i32.const 5000)))
  (call $at (str "a place that is none") (local.get $file) (i64.const -1))
  (call $at (str "opened for reading") (call $open (i32.const 3) (str "file")) (i64.const 0))
  (call $at (str "granted for reading") (call $open (i32.const 4) (str "file")) (i64.const 0))
  (call $at (str "a directory") (i32.const 3) (i64.const 0))
  (call $at (str "output") (i32.const 1) (i64.const 0))
  (call $at (str "nothing") (i32.const 99) (i64.const 0))
  (call $tell (str "from nowhere") (call $fd_pwrite (local.get $file) (call $list (i32.const 65530) (i32.const 10)) (i32.const 1) (i64.const 0) (i32.const 96))))
;;= in the middle: ok
;;=   written: 2
;;= past the end: ok
;;= still at: 0
;;= a place that is none: inval
;;= opened for reading: notcapable
;;= granted for reading: notcapable
;;= a directory: isdir
;;= output: spipe
;;= nothing: badf
;;= from nowhere: fault
;;= data/file: "012XY56789\0XY"
;;= shown/file: "0123456789"
;;= exit 0
