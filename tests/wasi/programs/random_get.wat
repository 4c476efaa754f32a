;; Bytes that are not the same twice, into memory that there is.
(func (export "_start")
  (call $tell (str "64 bytes") (call $random_get (i32.const 5000) (i32.const 64)))
  (call $tell (str "64 others") (call $random_get (i32.const 5100) (i32.const 64)))
  (call $value32 (str "the same") (i64.eq (i64.load (i32.const 5056)) (i64.load (i32.const 5156))))
  (call $tell (str "none") (call $random_get (i32.const 5000) (i32.const 0)))
  (call $tell (str "all of the memory but what these texts are in") (call $random_get (i32.const 4096) (i32.const 61440)))
  (call $tell (str "past the end") (call $random_get (i32.const 65530) (i32.const 7))))
;;= 64 bytes: ok
;;= 64 others: ok
;;= the same: 0
;;= none: ok
;;= all of the memory but what these texts are in: ok
;;= past the end: fault
;;= exit 0
