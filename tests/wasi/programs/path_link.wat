;; Hard links are made where both names may be written; none of what a symbolic link leads to.
;; look: data/new
;; look: data/folder/new
;; look: shown/new
(func $link (param $label i32) (param $len i32) (param $from i32) (param $at i32) (param $size i32) (param $to i32) (param $new i32) (param $length i32)
  (call $tell (local.get $label) (local.get $len) (call $path_link
    (local.get $from) (i32.const 0) (local.get $at) (local.get $size) (local.get $to) (local.get $new) (local.get $length))))
(func (export "_start")
  (call $link (str "a file") (i32.const 3) (str "file") (i32.const 3) (str "new"))
  (call $link (str "into a folder") (i32.const 3) (str "folder/inner") (i32.const 3) (str "folder/new"))
  (call $link (str "again") (i32.const 3) (str "file") (i32.const 3) (str "new"))
  (call $link (str "a directory") (i32.const 3) (str "folder") (i32.const 3) (str "other"))
  (call $link (str "outside") (i32.const 3) (str "../secret") (i32.const 3) (str "other"))
  (call $link (str "to outside") (i32.const 3) (str "file") (i32.const 3) (str "../other"))
  (call $link (str "nothing") (i32.const 3) (str "none") (i32.const 3) (str "other"))
  (call $link (str "from what is granted for reading") (i32.const 4) (str "file") (i32.const 3) (str "other"))
  (call $link (str "to what is granted for reading") (i32.const 3) (str "file") (i32.const 4) (str "new"))
  (call $link (str "in nothing") (i32.const 99) (str "file") (i32.const 3) (str "other"))
  (call $tell (str "where a link leads") (call $path_link (i32.const 3) (i32.const 1) (str "link") (i32.const 3) (str "other"))))
;;= a file: ok
;;= into a folder: ok
;;= again: exist
;;= a directory: perm
;;= outside: perm
;;= to outside: perm
;;= nothing: noent
;;= from what is granted for reading: rofs
;;= to what is granted for reading: rofs
;;= in nothing: badf
;;= where a link leads: inval
;;= data/new: "0123456789"
;;= data/folder/new: "inner"
;;= shown/new: entity not found
;;= exit 0
