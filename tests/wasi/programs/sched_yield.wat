;; Nothing happens.
(func (export "_start")
  (call $tell (str "yield") (call $sched_yield)))
;;= yield: ok
;;= exit 0
