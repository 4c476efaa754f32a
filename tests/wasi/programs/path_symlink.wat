;; Links are made where names may be; an absolute one leads outside, and is refused.
;; look: data/new
;; look: shown/new
(func $link (param $label i32) (param $len i32) (param $target i32) (param $length i32) (param $dir i32) (param $at i32) (param $size i32)
  (call $tell (local.get $label) (local.get $len) (call $path_symlink
    (local.get $target) (local.get $length) (local.get $dir) (local.get $at) (local.get $size))))
(func (export "_start")
  (call $link (str "to a file") (str "folder/inner") (i32.const 3) (str "new"))
  (call $link (str "again") (str "file") (i32.const 3) (str "new"))
  (call $link (str "to outside") (str "../secret") (i32.const 3) (str "leads-out"))
  (call $tell (str "which cannot be followed") (call $path_open (i32.const 3) (i32.const 1) (str "leads-out") (i32.const 0)
    (global.get $READ) (i64.const 0) (i32.const 0) (i32.const 96)))
  (call $link (str "absolute") (str "/etc/passwd") (i32.const 3) (str "other"))
  (call $link (str "to nowhere") (str "") (i32.const 3) (str "other"))
  (call $link (str "made outside") (str "file") (i32.const 3) (str "../other"))
  (call $link (str "granted for reading") (str "file") (i32.const 4) (str "new"))
  (call $link (str "in nothing") (str "file") (i32.const 99) (str "new")))
;;= to a file: ok
;;= again: exist
;;= to outside: ok
;;= which cannot be followed: perm
;;= absolute: perm
;;= to nowhere: noent
;;= made outside: perm
;;= granted for reading: rofs
;;= in nothing: badf
;;= data/new: "inner"
;;= shown/new: entity not found
;;= exit 0
