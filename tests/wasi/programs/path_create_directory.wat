;; Directories are made below what may be written, and nowhere else.
;; look: data/new
;; look: data/folder/new
;; look: new
;; look: shown/new
(func $make (param $label i32) (param $len i32) (param $dir i32) (param $at i32) (param $size i32)
  (call $tell (local.get $label) (local.get $len) (call $path_create_directory (local.get $dir) (local.get $at) (local.get $size))))
(func (export "_start")
  (call $make (str "new") (i32.const 3) (str "new"))
  (call $make (str "again") (i32.const 3) (str "new"))
  (call $make (str "deeper") (i32.const 3) (str "folder/new/"))
  (call $make (str "below what is not there") (i32.const 3) (str "none/new"))
  (call $make (str "below a file") (i32.const 3) (str "file/new"))
  (call $make (str "outside") (i32.const 3) (str "../new"))
  (call $make (str "absolute") (i32.const 3) (str "/data/new"))
  (call $make (str "without a name") (i32.const 3) (str ""))
  (call $make (str "granted for reading") (i32.const 4) (str "new"))
  (call $make (str "in a stream") (i32.const 1) (str "new"))
  (call $make (str "in nothing") (i32.const 99) (str "new"))
  (call $make (str "a name past the end") (i32.const 3) (i32.const 65530) (i32.const 10)))
;;= new: ok
;;= again: exist
;;= deeper: ok
;;= below what is not there: noent
;;= below a file: notdir
;;= outside: perm
;;= absolute: perm
;;= without a name: noent
;;= granted for reading: rofs
;;= in a stream: notdir
;;= in nothing: badf
;;= a name past the end: fault
;;= data/new: is a directory
;;= data/folder/new: is a directory
;;= new: entity not found
;;= shown/new: entity not found
;;= exit 0
