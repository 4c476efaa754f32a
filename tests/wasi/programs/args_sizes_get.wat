;; How many arguments, and how many bytes with their ends.
;; argument: first
;; argument: second argument
(func (export "_start")
  (call $tell (str "sizes") (call $args_sizes_get (i32.const 5000) (i32.const 5004)))
  (call $value32 (str "count") (i32.load (i32.const 5000)))
  (call $value32 (str "bytes") (i32.load (i32.const 5004)))
  (call $tell (str "past the end") (call $args_sizes_get (i32.const 5000) (i32.const 65533))))
;;= sizes: ok
;;= count: 3
;;= bytes: 37
;;= past the end: fault
;;= exit 0
