;; The program chooses its code.
(func (export "_start")
  (call $print (str "before\n"))
  (call $proc_exit (i32.const 42))
  (call $print (str "after\n")))
;;= before
;;= exit 42
