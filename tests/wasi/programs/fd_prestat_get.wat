;; Granted directories tell how long their names are; what was opened has none.
(func (export "_start")
  (call $tell (str "the first") (call $fd_prestat_get (i32.const 3) (i32.const 5000)))
  (call $value32 (str "  kind") (i32.load8_u (i32.const 5000)))
  (call $value32 (str "  length") (i32.load (i32.const 5004)))
  (call $tell (str "the second") (call $fd_prestat_get (i32.const 4) (i32.const 5000)))
  (call $value32 (str "  length") (i32.load (i32.const 5004)))
  (call $tell (str "the third") (call $fd_prestat_get (i32.const 5) (i32.const 5000)))
  (call $tell (str "one that was opened") (call $fd_prestat_get (call $open_directory (i32.const 3) (str "folder")) (i32.const 5000)))
  (call $tell (str "a stream") (call $fd_prestat_get (i32.const 1) (i32.const 5000)))
  (call $tell (str "past the end") (call $fd_prestat_get (i32.const 3) (i32.const 65530))))
;;= the first: ok
;;=   kind: 0
;;=   length: 5
;;= the second: ok
;;=   length: 6
;;= the third: badf
;;= one that was opened: badf
;;= a stream: badf
;;= past the end: fault
;;= exit 0
