;; The names are those under which the directories were granted, not those of the host.
(func (export "_start")
  (call $tell (str "the first") (call $fd_prestat_dir_name (i32.const 3) (i32.const 5000) (i32.const 5)))
  (call $show (str "  name") (i32.const 5000) (i32.const 5))
  (call $tell (str "the second") (call $fd_prestat_dir_name (i32.const 4) (i32.const 5000) (i32.const 100)))
  (call $show (str "  name") (i32.const 5000) (i32.const 6))
  (call $tell (str "too little room") (call $fd_prestat_dir_name (i32.const 3) (i32.const 5000) (i32.const 4)))
  (call $tell (str "nothing") (call $fd_prestat_dir_name (i32.const 99) (i32.const 5000) (i32.const 5)))
  (call $tell (str "past the end") (call $fd_prestat_dir_name (i32.const 3) (i32.const 65533) (i32.const 5))))
;;= the first: ok
;;=   name: /data
;;= the second: ok
;;=   name: /shown
;;= too little room: nametoolong
;;= nothing: badf
;;= past the end: fault
;;= exit 0
