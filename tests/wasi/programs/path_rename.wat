;; Names change below what may be written, also from one folder to another.
;; look: data/file
;; look: data/renamed
;; look: data/folder/moved
;; look: secret
;; look: shown/file
(func $rename (param $label i32) (param $len i32) (param $from i32) (param $at i32) (param $size i32) (param $to i32) (param $new i32) (param $length i32)
  (call $tell (local.get $label) (local.get $len) (call $path_rename
    (local.get $from) (local.get $at) (local.get $size) (local.get $to) (local.get $new) (local.get $length))))
(func (export "_start")
  (call $rename (str "a file") (i32.const 3) (str "file") (i32.const 3) (str "renamed"))
  (call $rename (str "into a folder") (i32.const 3) (str "renamed") (i32.const 3) (str "folder/moved"))
  (call $rename (str "over another") (i32.const 3) (str "folder/inner") (i32.const 3) (str "folder/moved"))
  (call $rename (str "a folder") (i32.const 3) (str "folder/") (i32.const 3) (str "other"))
  (call $rename (str "and back") (i32.const 3) (str "other") (i32.const 3) (str "folder"))
  (call $rename (str "a folder into itself") (i32.const 3) (str "folder") (i32.const 3) (str "folder/deeper"))
  (call $rename (str "a file as a folder") (i32.const 3) (str "folder/moved/") (i32.const 3) (str "other"))
  (call $rename (str "from outside") (i32.const 3) (str "../secret") (i32.const 3) (str "stolen"))
  (call $rename (str "to outside") (i32.const 3) (str "folder/moved") (i32.const 3) (str "../secret"))
  (call $rename (str "nothing") (i32.const 3) (str "none") (i32.const 3) (str "other"))
  (call $rename (str "from what is granted for reading") (i32.const 4) (str "file") (i32.const 3) (str "stolen"))
  (call $rename (str "to what is granted for reading") (i32.const 3) (str "folder/moved") (i32.const 4) (str "file"))
  (call $rename (str "in nothing") (i32.const 99) (str "file") (i32.const 3) (str "other")))
;;= a file: ok
;;= into a folder: ok
;;= over another: ok
;;= a folder: ok
;;= and back: ok
;;= a folder into itself: inval
;;= a file as a folder: notdir
;;= from outside: perm
;;= to outside: perm
;;= nothing: noent
;;= from what is granted for reading: rofs
;;= to what is granted for reading: rofs
;;= in nothing: badf
;;= data/file: entity not found
;;= data/renamed: entity not found
;;= data/folder/moved: "inner"
;;= secret: "the secret that nobody granted"
;;= shown/file: "0123456789"
;;= exit 0
