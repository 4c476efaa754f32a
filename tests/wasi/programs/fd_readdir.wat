;; Entries come with their kinds, and go on where a cookie says.
(func $kinds (param $label i32) (param $len i32) (param $fd i32) (param $cookie i64)
  (local $at i32) (local $end i32) (local $files i32) (local $folders i32) (local $links i32) (local $others i32) (local $kind i32)
  (call $tell (local.get $label) (local.get $len)
    (call $fd_readdir (local.get $fd) (i32.const 5000) (i32.const 2000) (local.get $cookie) (i32.const 96)))
  (local.set $at (i32.const 5000))
  (local.set $end (i32.add (local.get $at) (i32.load (i32.const 96))))
  (block $all (loop $next
    (br_if $all (i32.ge_u (local.get $at) (local.get $end)))
    (local.set $kind (i32.load8_u offset=20 (local.get $at)))
    (local.set $files (i32.add (local.get $files) (i32.eq (local.get $kind) (i32.const 4))))
    (local.set $folders (i32.add (local.get $folders) (i32.eq (local.get $kind) (i32.const 3))))
    (local.set $links (i32.add (local.get $links) (i32.eq (local.get $kind) (i32.const 7))))
    (local.set $others (i32.add (local.get $others) (i32.eqz (local.get $kind))))
    (i64.store (i32.const 88) (i64.load (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.add (i32.const 24) (i32.load offset=16 (local.get $at)))))
    (br $next)))
  (call $value32 (str "  files") (local.get $files))
  (call $value32 (str "  folders") (local.get $folders))
  (call $value32 (str "  links") (local.get $links))
  (call $value32 (str "  others") (local.get $others)))
(func (export "_start")
  (call $kinds (str "granted") (i32.const 4) (i64.const 0))
  (call $kinds (str "after the last") (i32.const 4) (i64.load (i32.const 88)))
  (call $kinds (str "opened") (call $open_directory (i32.const 3) (str "folder")) (i64.const 0))
  (call $tell (str "little room") (call $fd_readdir (i32.const 4) (i32.const 5000) (i32.const 10) (i64.const 0) (i32.const 96)))
  (call $value32 (str "  all used") (i32.load (i32.const 96)))
  (call $tell (str "a cookie that is none") (call $fd_readdir (i32.const 4) (i32.const 5000) (i32.const 100) (i64.const -1) (i32.const 96)))
  (call $tell (str "a file") (call $fd_readdir (call $open (i32.const 4) (str "file")) (i32.const 5000) (i32.const 100) (i64.const 0) (i32.const 96)))
  (call $tell (str "nothing") (call $fd_readdir (i32.const 99) (i32.const 5000) (i32.const 100) (i64.const 0) (i32.const 96)))
  (call $tell (str "past the end") (call $fd_readdir (i32.const 4) (i32.const 65000) (i32.const 1000) (i64.const 0) (i32.const 96))))
;;= granted: ok
;;=   files: 1
;;=   folders: 3
;;=   links: 2
;;=   others: 1
;;= after the last: ok
;;=   files: 0
;;=   folders: 0
;;=   links: 0
;;=   others: 0
;;= opened: ok
;;=   files: 1
;;=   folders: 2
;;=   links: 0
;;=   others: 0
;;= little room: ok
;;=   all used: 10
;;= a cookie that is none: inval
;;= a file: notdir
;;= nothing: badf
;;= past the end: fault
;;= exit 0
