;; How many variables, and how many bytes with their ends.
;; variable: COLOUR=green
;; variable: EMPTY=
(func (export "_start")
  (call $tell (str "sizes") (call $environ_sizes_get (i32.const 5000) (i32.const 5004)))
  (call $value32 (str "count") (i32.load (i32.const 5000)))
  (call $value32 (str "bytes") (i32.load (i32.const 5004)))
  (call $tell (str "past the end") (call $environ_sizes_get (i32.const -1) (i32.const 5004))))
;;= sizes: ok
;;= count: 2
;;= bytes: 20
;;= past the end: fault
;;= exit 0
