;; Files are opened, made and cut as the grant allows; nothing outside is.
;; look: data/new
;; look: data/file
;; look: shown/new
;; look: new
(func $try (param $label i32) (param $len i32) (param $dir i32) (param $follow i32) (param $at i32) (param $size i32) (param $oflags i32) (param $rights i64)
  (call $tell (local.get $label) (local.get $len) (call $path_open (local.get $dir) (local.get $follow)
    (local.get $at) (local.get $size) (local.get $oflags) (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 96)))
  (drop (call $fd_close (i32.load (i32.const 96)))))
(func (export "_start")
  (call $try (str "a file") (i32.const 4) (i32.const 0) (str "file") (i32.const 0) (global.get $READ))
  (call $try (str "a directory") (i32.const 4) (i32.const 0) (str "folder") (i32.const 2) (global.get $DIRECTORY))
  (call $try (str "a new file") (i32.const 3) (i32.const 0) (str "new") (i32.const 5) (global.get $WRITE))
  (call $try (str "again, if there is none") (i32.const 3) (i32.const 0) (str "new") (i32.const 5) (global.get $WRITE))
  (call $try (str "cut") (i32.const 3) (i32.const 0) (str "file") (i32.const 8) (global.get $WRITE))
  (call $try (str "through a link") (i32.const 4) (i32.const 1) (str "link") (i32.const 0) (global.get $READ))
  (call $try (str "a link itself") (i32.const 4) (i32.const 0) (str "link") (i32.const 0) (global.get $READ))
  (call $try (str "through a link to outside") (i32.const 4) (i32.const 1) (str "out") (i32.const 0) (global.get $READ))
  (call $try (str "outside") (i32.const 4) (i32.const 0) (str "../secret") (i32.const 0) (global.get $READ))
  (call $try (str "outside and back") (i32.const 4) (i32.const 0) (str "../shown/file") (i32.const 0) (global.get $READ))
  (call $try (str "new, outside") (i32.const 3) (i32.const 0) (str "../new") (i32.const 1) (global.get $WRITE))
  (call $try (str "absolute") (i32.const 4) (i32.const 0) (str "/shown/file") (i32.const 0) (global.get $READ))
  (call $try (str "nothing") (i32.const 4) (i32.const 0) (str "none") (i32.const 0) (global.get $READ))
  (call $try (str "a file as a directory") (i32.const 4) (i32.const 0) (str "file") (i32.const 2) (global.get $READ))
  (call $try (str "a directory for writing") (i32.const 3) (i32.const 0) (str "folder") (i32.const 0) (global.get $WRITE))
  (call $try (str "granted for reading, for writing") (i32.const 4) (i32.const 0) (str "file") (i32.const 0) (global.get $WRITE))
  (call $try (str "granted for reading, new") (i32.const 4) (i32.const 0) (str "new") (i32.const 1) (global.get $READ))
  (call $try (str "granted for reading, cut") (i32.const 4) (i32.const 0) (str "file") (i32.const 8) (global.get $READ))
  (call $try (str "no such flag") (i32.const 4) (i32.const 0) (str "file") (i32.const 16) (global.get $READ))
  (call $try (str "in a file") (call $open (i32.const 4) (str "file")) (i32.const 0) (str "file") (i32.const 0) (global.get $READ))
  (call $try (str "in nothing") (i32.const 99) (i32.const 0) (str "file") (i32.const 0) (global.get $READ))
  (call $tell (str "past the end") (call $path_open (i32.const 4) (i32.const 0) (str "file") (i32.const 0)
    (global.get $READ) (i64.const 0) (i32.const 0) (i32.const 65534)))
  (call $until_full))
;; The limit of descriptors, which here is 16.
(func $until_full
  (local $count i32)
  (loop $more
    (local.set $count (i32.add (local.get $count) (i32.const 1)))
    (br_if $more (i32.eqz (call $path_open (i32.const 4) (i32.const 0) (str "file") (i32.const 0)
      (global.get $READ) (i64.const 0) (i32.const 0) (i32.const 96)))))
  (call $value32 (str "opened until there were too many") (local.get $count))
  (call $tell (str "one more") (call $path_open (i32.const 4) (i32.const 0) (str "file") (i32.const 0)
    (global.get $READ) (i64.const 0) (i32.const 0) (i32.const 96))))
;;= a file: ok
;;= a directory: ok
;;= a new file: ok
;;= again, if there is none: exist
;;= cut: ok
;;= through a link: ok
;;= a link itself: loop
;;= through a link to outside: perm
;;= outside: perm
;;= outside and back: perm
;;= new, outside: perm
;;= absolute: perm
;;= nothing: noent
;;= a file as a directory: notdir
;;= a directory for writing: isdir
;;= granted for reading, for writing: rofs
;;= granted for reading, new: rofs
;;= granted for reading, cut: rofs
;;= no such flag: inval
;;= in a file: notdir
;;= in nothing: badf
;;= past the end: fault
;;= opened until there were too many: 12
;;= one more: mfile
;;= data/new: ""
;;= data/file: ""
;;= shown/new: entity not found
;;= new: entity not found
;;= exit 0
