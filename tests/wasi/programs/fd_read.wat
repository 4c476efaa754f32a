;; Reads what is there from input, files and pipes.
;; stdin: typed text
(func $from (param $label i32) (param $len i32) (param $fd i32)
  (call $tell (local.get $label) (local.get $len)
    (call $fd_read (local.get $fd) (call $list (i32.const 5000) (i32.const 6)) (i32.const 1) (i32.const 96))))
(func $got (call $show (str "  read") (i32.const 5000) (i32.load (i32.const 96))))
(func (export "_start")
  (local $file i32)
  (call $from (str "input") (i32.const 0)) (call $got)
  (call $from (str "more of it") (i32.const 0)) (call $got)
  (call $from (str "its end") (i32.const 0)) (call $got)
  (local.set $file (call $open (i32.const 4) (str "file")))
  (call $from (str "a file") (local.get $file)) (call $got)
  (call $from (str "more of it") (local.get $file)) (call $got)
  (call $from (str "its end") (local.get $file)) (call $got)
  (call $from (str "a pipe") (call $open (i32.const 4) (str "pipe"))) (call $got)
  (call $from (str "output") (i32.const 1))
  (call $from (str "a directory") (i32.const 3))
  (call $from (str "nothing") (i32.const 99))
  (call $tell (str "into nowhere") (call $fd_read (i32.const 0) (call $list (i32.const 65530) (i32.const 10)) (i32.const 1) (i32.const 96)))
  (call $tell (str "too many buffers") (call $fd_read (i32.const 0) (i32.const 5000) (i32.const 1025) (i32.const 96))))
;;= input: ok
;;=   read: typed 
;;= more of it: ok
;;=   read: text
;;= its end: ok
;;=   read: 
;;= a file: ok
;;=   read: 012345
;;= more of it: ok
;;=   read: 6789
;;= its end: ok
;;=   read: 
;;= a pipe: ok
;;=   read: from t
;;= output: notcapable
;;= a directory: isdir
;;= nothing: badf
;;= into nowhere: fault
;;= too many buffers: inval
;;= exit 0
