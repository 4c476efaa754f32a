;; What every program of this suite begins with. Memory: scratch up to 1024, texts of `str` from there to 4096, the program's own from there.

(memory (export "memory") 1)

;; Rights: of a file for reading, of a file for everything, and of a directory and whatever is opened through it.
(global $READ i64 (i64.const 0x82000bf))
(global $WRITE i64 (i64.const 0x8e001ff))
(global $DIRECTORY i64 (i64.const 0xffffffffffffffbf))

(func $print (param $at i32) (param $len i32)
  (i32.store (i32.const 0) (local.get $at)) (i32.store (i32.const 4) (local.get $len))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

(func $number (param $value i64)
  (local $at i32)
  (local.set $at (i32.const 64))
  (loop $digit
    (local.set $at (i32.sub (local.get $at) (i32.const 1)))
    (i32.store8 (local.get $at) (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $value) (i64.const 10)))))
    (br_if $digit (i64.ne (i64.const 0) (local.tee $value (i64.div_u (local.get $value) (i64.const 10))))))
  (call $print (local.get $at) (i32.sub (i32.const 64) (local.get $at))))

;; "label: errno 8", which is shown by its name.
(func $tell (param $at i32) (param $len i32) (param $errno i32)
  (call $print (local.get $at) (local.get $len)) (call $print (str ": errno "))
  (call $number (i64.extend_i32_u (local.get $errno))) (call $print (str "\n")))

;; "label: 8"
(func $value (param $at i32) (param $len i32) (param $value i64)
  (call $print (local.get $at) (local.get $len)) (call $print (str ": "))
  (call $number (local.get $value)) (call $print (str "\n")))

(func $value32 (param $at i32) (param $len i32) (param $value i32)
  (call $value (local.get $at) (local.get $len) (i64.extend_i32_u (local.get $value))))

;; "label: text"
(func $show (param $at i32) (param $len i32) (param $text i32) (param $size i32)
  (call $print (local.get $at) (local.get $len)) (call $print (str ": "))
  (call $print (local.get $text) (local.get $size)) (call $print (str "\n")))

;; A list of one buffer.
(func $list (param $at i32) (param $len i32) (result i32)
  (i32.store (i32.const 80) (local.get $at)) (i32.store (i32.const 84) (local.get $len))
  (i32.const 80))

;; What a call must not fail with: anything.
(func $must (param $errno i32)
  (if (local.get $errno) (then (call $tell (str "must") (local.get $errno)) unreachable)))

;; Opens with these flags and rights; the descriptor.
(func $open_as (param $dir i32) (param $at i32) (param $len i32) (param $oflags i32) (param $rights i64) (result i32)
  (call $must (call $path_open (local.get $dir) (i32.const 0) (local.get $at) (local.get $len) (local.get $oflags)
    (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 96)))
  (i32.load (i32.const 96)))

(func $open (param $dir i32) (param $at i32) (param $len i32) (result i32)
  (call $open_as (local.get $dir) (local.get $at) (local.get $len) (i32.const 0) (global.get $READ)))

(func $open_for_writing (param $dir i32) (param $at i32) (param $len i32) (result i32)
  (call $open_as (local.get $dir) (local.get $at) (local.get $len) (i32.const 1) (global.get $WRITE)))

(func $open_directory (param $dir i32) (param $at i32) (param $len i32) (result i32)
  (call $open_as (local.get $dir) (local.get $at) (local.get $len) (i32.const 2) (global.get $DIRECTORY)))
