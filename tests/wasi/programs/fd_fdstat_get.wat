;; Kind, flags and rights; of streams no more than that they are some.
(func $describe (param $at i32) (param $len i32) (param $fd i32)
  (call $tell (local.get $at) (local.get $len) (call $fd_fdstat_get (local.get $fd) (i32.const 5000)))
  (call $value32 (str "  kind") (i32.load8_u (i32.const 5000)))
  (call $value32 (str "  flags") (i32.load16_u (i32.const 5002)))
  (call $value (str "  rights") (i64.load (i32.const 5008)))
  (call $value (str "  inheriting") (i64.load (i32.const 5016))))
(func (export "_start")
  (call $describe (str "a granted directory") (i32.const 3))
  (call $describe (str "output") (i32.const 1))
  (call $must (call $path_open (i32.const 3) (i32.const 0) (str "file") (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 1) (i32.const 96)))
  (call $describe (str "a file with one right, that appends") (i32.load (i32.const 96)))
  (call $tell (str "nothing") (call $fd_fdstat_get (i32.const 99) (i32.const 5000)))
  (call $tell (str "past the end") (call $fd_fdstat_get (i32.const 3) (i32.const 65530))))
;;= a granted directory: ok
;;=   kind: 3
;;=   flags: 0
;;=   rights: 264240665
;;=   inheriting: 268435455
;;= output: ok
;;=   kind: 0
;;=   flags: 0
;;=   rights: 136314952
;;=   inheriting: 0
;;= a file with one right, that appends: ok
;;=   kind: 4
;;=   flags: 1
;;=   rights: 2
;;=   inheriting: 0
;;= nothing: badf
;;= past the end: fault
;;= exit 0
