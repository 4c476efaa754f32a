;; Empty directories are removed where that may be.
;; look: data/empty
;; look: data/folder/inner
(func $remove (param $label i32) (param $len i32) (param $dir i32) (param $at i32) (param $size i32)
  (call $tell (local.get $label) (local.get $len) (call $path_remove_directory (local.get $dir) (local.get $at) (local.get $size))))
(func (export "_start")
  (call $must (call $path_create_directory (i32.const 3) (str "empty")))
  (call $remove (str "an empty one") (i32.const 3) (str "empty"))
  (call $remove (str "again") (i32.const 3) (str "empty"))
  (call $remove (str "one that is not empty") (i32.const 3) (str "folder"))
  (call $remove (str "a file") (i32.const 3) (str "file"))
  (call $remove (str "a link") (i32.const 3) (str "link"))
  (call $remove (str "outside") (i32.const 3) (str "../shown"))
  (call $remove (str "itself") (i32.const 3) (str "."))
  (call $remove (str "granted for reading") (i32.const 4) (str "folder"))
  (call $remove (str "in nothing") (i32.const 99) (str "folder")))
;;= an empty one: ok
;;= again: noent
;;= one that is not empty: notempty
;;= a file: notdir
;;= a link: notdir
;;= outside: perm
;;= itself: inval
;;= granted for reading: rofs
;;= in nothing: badf
;;= data/empty: entity not found
;;= data/folder/inner: "inner"
;;= exit 0
