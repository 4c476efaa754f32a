;; A file that appends writes at its end; what the kernel cannot change once a file is open is not supported.
;; look: data/file
(func (export "_start")
  (local $file i32)
  (local.set $file (call $open_for_writing (i32.const 3) (str "file")))
  (call $tell (str "append") (call $fd_fdstat_set_flags (local.get $file) (i32.const 1)))
  (call $must (call $fd_write (local.get $file) (call $list (str "end")) (i32.const 1) (i32.const 8)))
  (call $tell (str "no more") (call $fd_fdstat_set_flags (local.get $file) (i32.const 0)))
  (call $must (call $fd_seek (local.get $file) (i64.const 0) (i32.const 0) (i32.const 8)))
  (call $must (call $fd_write (local.get $file) (call $list (str "begin")) (i32.const 1) (i32.const 8)))
  (call $tell (str "input that does not wait") (call $fd_fdstat_set_flags (i32.const 0) (i32.const 4)))
  (call $tell (str "synchronous") (call $fd_fdstat_set_flags (local.get $file) (i32.const 16)))
  (call $tell (str "no such flag") (call $fd_fdstat_set_flags (local.get $file) (i32.const 32)))
  (call $tell (str "nothing") (call $fd_fdstat_set_flags (i32.const 99) (i32.const 1))))
;;= append: ok
;;= no more: ok
;;= input that does not wait: ok
;;= synchronous: notsup
;;= no such flag: inval
;;= nothing: badf
;;= data/file: "begin56789end"
;;= exit 0
