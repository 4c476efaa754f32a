;; Where a link leads is told, also if that is outside: it is only text.
(func $read (param $label i32) (param $len i32) (param $dir i32) (param $at i32) (param $size i32) (param $room i32)
  (i32.store (i32.const 96) (i32.const 0))
  (call $tell (local.get $label) (local.get $len) (call $path_readlink
    (local.get $dir) (local.get $at) (local.get $size) (i32.const 5000) (local.get $room) (i32.const 96)))
  (call $show (str "  target") (i32.const 5000) (i32.load (i32.const 96))))
(func (export "_start")
  (call $read (str "a link") (i32.const 4) (str "link") (i32.const 100))
  (call $read (str "a link to outside") (i32.const 4) (str "out") (i32.const 100))
  (call $read (str "little room") (i32.const 4) (str "out") (i32.const 5))
  (call $read (str "a file") (i32.const 4) (str "file") (i32.const 100))
  (call $read (str "nothing") (i32.const 4) (str "none") (i32.const 100))
  (call $read (str "outside") (i32.const 4) (str "../shown/link") (i32.const 100))
  (call $read (str "in nothing") (i32.const 99) (str "link") (i32.const 100))
  (call $tell (str "past the end") (call $path_readlink (i32.const 4) (str "link") (i32.const 65533) (i32.const 100) (i32.const 96))))
;;= a link: ok
;;=   target: file
;;= a link to outside: ok
;;=   target: ../secret
;;= little room: ok
;;=   target: ../se
;;= a file: inval
;;=   target: 
;;= nothing: noent
;;=   target: 
;;= outside: perm
;;=   target: 
;;= in nothing: badf
;;=   target: 
;;= past the end: fault
;;= exit 0
