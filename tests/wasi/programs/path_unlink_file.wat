;; Files and links are removed where that may be.
;; look: data/file
;; look: secret
;; look: shown/file
(func $remove (param $label i32) (param $len i32) (param $dir i32) (param $at i32) (param $size i32)
  (call $tell (local.get $label) (local.get $len) (call $path_unlink_file (local.get $dir) (local.get $at) (local.get $size))))
(func (export "_start")
  (call $remove (str "a file") (i32.const 3) (str "file"))
  (call $remove (str "again") (i32.const 3) (str "file"))
  (call $remove (str "a link to outside") (i32.const 3) (str "out"))
  (call $remove (str "a directory") (i32.const 3) (str "folder"))
  (call $remove (str "a file as a directory") (i32.const 3) (str "folder/inner/"))
  (call $remove (str "outside") (i32.const 3) (str "../secret"))
  (call $remove (str "granted for reading") (i32.const 4) (str "file"))
  (call $remove (str "in a stream") (i32.const 0) (str "file"))
  (call $remove (str "in nothing") (i32.const 99) (str "file")))
;;= a file: ok
;;= again: noent
;;= a link to outside: ok
;;= a directory: isdir
;;= a file as a directory: notdir
;;= outside: perm
;;= granted for reading: rofs
;;= in a stream: notdir
;;= in nothing: badf
;;= data/file: entity not found
;;= secret: "the secret that nobody granted"
;;= shown/file: "0123456789"
;;= exit 0
