;; Works below a directory that somebody else rearranges meanwhile. Descriptor 3 is the directory, which may be written; `TRIES` and `SEED` are
;; put in before it runs. What is outside begins with "S3CR", or is 77 bytes long.

(global $state (mut i64) (i64.const SEED))
(global $granted (mut i32) (i32.const 0))
(global $outside (mut i32) (i32.const 0))
(global $handle (mut i32) (i32.const -1))

;; A number below this.
(func $below (param $bound i32) (result i32)
  (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 13))))
  (global.set $state (i64.xor (global.get $state) (i64.shr_u (global.get $state) (i64.const 7))))
  (global.set $state (i64.xor (global.get $state) (i64.shl (global.get $state) (i64.const 17))))
  (i32.rem_u (i32.wrap_i64 (i64.shr_u (global.get $state) (i64.const 33))) (local.get $bound)))

(func $escaped (param $at i32) (param $len i32)
  (call $show (str "ESCAPED") (local.get $at) (local.get $len))
  (call $proc_exit (i32.const 99)))

;; Counts what became of a call; whether it was done.
(func $did (param $errno i32) (result i32)
  (if (i32.eqz (local.get $errno)) (then (global.set $granted (i32.add (global.get $granted) (i32.const 1)))))
  ;; perm, it would have led outside; or loop, a link was in the way where none is followed.
  (if (i32.or (i32.eq (local.get $errno) (i32.const 63)) (i32.eq (local.get $errno) (i32.const 32))) (then (global.set $outside (i32.add (global.get $outside) (i32.const 1)))))
  (i32.eqz (local.get $errno)))

(func $try_open (param $dir i32) (param $at i32) (param $len i32) (param $oflags i32) (param $rights i64) (result i32)
  (if (result i32) (call $did (call $path_open (local.get $dir) (i32.const 1) (local.get $at) (local.get $len)
      (local.get $oflags) (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 96)))
    (then (i32.load (i32.const 96)))
    (else (i32.const -1))))

(func $read (param $dir i32) (param $at i32) (param $len i32)
  (local $fd i32)
  (local.set $fd (call $try_open (local.get $dir) (local.get $at) (local.get $len) (i32.const 0) (global.get $READ)))
  (if (i32.ge_s (local.get $fd) (i32.const 0)) (then
    (i32.store (i32.const 5000) (i32.const 0))
    (drop (call $fd_read (local.get $fd) (call $list (i32.const 5000) (i32.const 16)) (i32.const 1) (i32.const 8)))
    (if (i32.eq (i32.load (i32.const 5000)) (i32.const 0x52433353)) (then (call $escaped (local.get $at) (local.get $len))))
    (call $must (call $fd_close (local.get $fd))))))

(func $write (param $at i32) (param $len i32) (param $oflags i32)
  (local $fd i32)
  (local.set $fd (call $try_open (i32.const 3) (local.get $at) (local.get $len) (local.get $oflags) (global.get $WRITE)))
  (if (i32.ge_s (local.get $fd) (i32.const 0)) (then
    (drop (call $fd_write (local.get $fd) (call $list (str "inside")) (i32.const 1) (i32.const 8)))
    (drop (call $fd_filestat_set_size (local.get $fd) (i64.const 6)))
    (call $must (call $fd_close (local.get $fd))))))

(func $stat (param $dir i32) (param $at i32) (param $len i32)
  (if (call $did (call $path_filestat_get (local.get $dir) (i32.const 1) (local.get $at) (local.get $len) (i32.const 5000)))
    (then (if (i64.eq (i64.load (i32.const 5032)) (i64.const 77)) (then (call $escaped (local.get $at) (local.get $len)))))))

;; Opens the directory that is swapped, and looks at what is in it.
(func $enter
  (local $fd i32)
  (local.set $fd (call $try_open (i32.const 3) (str "swap") (i32.const 2) (global.get $DIRECTORY)))
  (if (i32.ge_s (local.get $fd) (i32.const 0)) (then
    (call $stat (local.get $fd) (str "secret"))
    (call $read (local.get $fd) (str "secret"))
    (drop (call $did (call $path_create_directory (local.get $fd) (str "made"))))
    (call $must (call $fd_close (local.get $fd))))))

;; Holds on to a directory that is moved away, and goes on from there.
(func $hold
  (local $before i32)
  ;; What leads above a directory that is held is refused wherever that is: it is no sign of a race.
  (local.set $before (global.get $outside))
  (if (i32.lt_s (global.get $handle) (i32.const 0))
    (then (global.set $handle (call $try_open (i32.const 3) (str "a/b") (i32.const 2) (global.get $DIRECTORY)))))
  (if (i32.ge_s (global.get $handle) (i32.const 0)) (then
    (call $read (global.get $handle) (str "../secret"))
    (call $read (global.get $handle) (str "c/../../secret"))
    (drop (call $did (call $path_create_directory (global.get $handle) (str "c/../../made"))))
    (if (i32.eqz (call $below (i32.const 16))) (then
      (call $must (call $fd_close (global.get $handle)))
      (global.set $handle (i32.const -1))))))
  (global.set $outside (local.get $before)))

(func $once
  (block $b15 (block $b14 (block $b13 (block $b12 (block $b11 (block $b10 (block $b9 (block $b8
  (block $b7 (block $b6 (block $b5 (block $b4 (block $b3 (block $b2 (block $b1 (block $b0
    (br_table $b0 $b1 $b2 $b3 $b4 $b5 $b6 $b7 $b8 $b9 $b10 $b11 $b12 $b13 $b14 $b15 (call $below (i32.const 16))))
    (return (call $read (i32.const 3) (str "swap/secret"))))
    (return (call $read (i32.const 3) (str "file"))))
    (return (call $read (i32.const 3) (str "a/b/c/../../secret"))))
    (return (call $read (i32.const 3) (str "a/b/../../swap/../secret"))))
    (return (call $write (str "swap/victim") (i32.const 1))))
    (return (call $write (str "file") (i32.const 9))))
    (return (call $write (str "a/b/c/../../new") (i32.const 5))))
    (return (call $stat (i32.const 3) (str "swap/secret"))))
    (return (call $stat (i32.const 3) (str "file"))))
    (drop (call $did (call $path_rename (i32.const 3) (str "swap/victim") (i32.const 3) (str "taken"))))
    (return (drop (call $did (call $path_rename (i32.const 3) (str "taken") (i32.const 3) (str "swap/brought"))))))
    (drop (call $did (call $path_unlink_file (i32.const 3) (str "swap/brought"))))
    (return (drop (call $did (call $path_unlink_file (i32.const 3) (str "swap/victim"))))))
    (drop (call $did (call $path_link (i32.const 3) (i32.const 0) (str "swap/secret") (i32.const 3) (str "stolen"))))
    (return (drop (call $did (call $path_unlink_file (i32.const 3) (str "stolen"))))))
    (drop (call $did (call $path_symlink (str "file") (i32.const 3) (str "swap/pointer"))))
    (return (drop (call $did (call $path_unlink_file (i32.const 3) (str "swap/pointer"))))))
    (drop (call $did (call $path_create_directory (i32.const 3) (str "swap/folder"))))
    (return (drop (call $did (call $path_remove_directory (i32.const 3) (str "swap/folder"))))))
    (return (drop (call $did (call $path_filestat_set_times (i32.const 3) (i32.const 1) (str "swap/secret") (i64.const 1) (i64.const 1) (i32.const 5))))))
  (call $enter)
  (call $hold))

(func (export "_start")
  (local $tries i32)
  (loop $again
    (call $once)
    (br_if $again (i32.lt_u (local.tee $tries (i32.add (local.get $tries) (i32.const 1))) (i32.const TRIES))))
  (call $value32 (str "tries") (local.get $tries))
  (call $value32 (str "done") (global.get $granted))
  (call $value32 (str "refused") (global.get $outside)))
