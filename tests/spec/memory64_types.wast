;; What the types of 64-bit memories and tables admit, and what operators on them take and give.

;; Limits: up to 2^48 pages, up to 2^64 - 1 elements.
(module (memory i64 0))
(module (memory i64 0 0))
(module (memory i64 2 7))
(module (memory i64 0 0x1_0000_0000_0000))
(module (memory i64 1) (memory 1) (memory i64 1 1))
(module definition (memory i64 0x10_0000 0x1_0000_0000_0000))
;; Valid, though there is no room for them anywhere.
(module definition
    (memory i64 0x1_0000_0000_0000) (table $t i64 0xffff_ffff_ffff_ffff externref) (table $e i64 0x1_0000_0000 funcref)
    (func (export "read") (param i64) (result i32) (i32.load8_u offset=0xffff (local.get 0)))
    (func (export "get") (param i64) (result externref) (table.get $t (local.get 0))))
(module (table i64 0 funcref))
(module (table i64 0 0xffff_ffff_ffff_ffff externref))
(module (table i64 3 4 funcref) (table 3 4 funcref))

(assert_invalid (module (memory i64 5 4)) "size minimum must not be greater than maximum")
(assert_invalid (module (memory i64 0x1_0000_0000_0001)) "memory size must be at most 2^48 pages")
(assert_invalid (module (memory i64 0 0x1_0000_0000_0001)) "memory size must be at most 2^48 pages")
(assert_invalid (module (memory i64 0 0xffff_ffff_ffff_ffff)) "memory size must be at most 2^48 pages")
(assert_invalid (module (memory 0 65537)) "memory size must be at most 65536 pages (4GiB)")
(assert_invalid (module (table i64 2 1 funcref)) "size minimum must not be greater than maximum")
(assert_malformed (module quote "(table 0 0x1_0000_0000 funcref)") "i32 constant out of range")
(assert_malformed (module quote "(memory i64 0x1_0000_0000_0000_0000)") "i64 constant out of range")

;; A 32-bit limit whose number has more bits is refused in the binary format too.
(assert_invalid
    (module binary "\00asm\01\00\00\00" "\04\08\01\70\00\80\80\80\80\10")
    "table size")

;; Addresses and sizes are i64, and nothing else is.
(module
    (memory $m i64 1)
    (func (param i64) (result i32) (i32.load (local.get 0)))
    (func (param i64 v128) (v128.store64_lane offset=8 1 (local.get 0) (local.get 1)))
    (func (result i64) memory.size)
    (func (param i64) (result i64) (memory.grow (local.get 0)))
    (func (param i64 i32 i64) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (param i64 i64 i64) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (param i64 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
    (data $d "x"))
(assert_invalid (module (memory i64 1) (func (param i32) (drop (i32.load (local.get 0))))) "type mismatch")
(assert_invalid (module (memory i64 1) (func (param i32 f32) (f32.store (local.get 0) (local.get 1)))) "type mismatch")
(assert_invalid (module (memory i64 1) (func (param i32) (drop (v128.load8_splat (local.get 0))))) "type mismatch")
(assert_invalid (module (memory 1) (func (param i64) (drop (i64.load (local.get 0))))) "type mismatch")
(assert_invalid (module (memory i64 1) (func (result i32) memory.size)) "type mismatch")
(assert_invalid (module (memory i64 1) (func (param i32) (drop (memory.grow (local.get 0))))) "type mismatch")
(assert_invalid (module (memory i64 1) (func (param i64) (result i32) (memory.grow (local.get 0)))) "type mismatch")
(assert_invalid
    (module (memory i64 1) (func (memory.fill (i64.const 0) (i64.const 0) (i64.const 0)))) "type mismatch")
(assert_invalid
    (module (memory i64 1) (func (memory.fill (i64.const 0) (i32.const 0) (i32.const 0)))) "type mismatch")
(assert_invalid
    (module (memory i64 1) (func (memory.init 0 (i64.const 0) (i64.const 0) (i32.const 0))) (data "x")) "type mismatch")
(assert_invalid
    (module (memory i64 1) (func (memory.init 0 (i64.const 0) (i32.const 0) (i64.const 0))) (data "x")) "type mismatch")
(assert_invalid (module (memory i64 1) (data (i32.const 0) "x")) "type mismatch")
(assert_invalid (module (memory 1) (data (i64.const 0) "x")) "type mismatch")

;; The length of a copy is of the narrower type.
(module
    (memory $n 1) (memory $w i64 1)
    (func (memory.copy $n $w (i32.const 0) (i64.const 0) (i32.const 0)))
    (func (memory.copy $w $n (i64.const 0) (i32.const 0) (i32.const 0)))
    (func (memory.copy $w $w (i64.const 0) (i64.const 0) (i64.const 0))))
(assert_invalid
    (module (memory $n 1) (memory $w i64 1)
        (func (memory.copy $n $w (i32.const 0) (i64.const 0) (i64.const 0)))) "type mismatch")
(assert_invalid
    (module (memory $n 1) (memory $w i64 1)
        (func (memory.copy $w $n (i64.const 0) (i64.const 0) (i32.const 0)))) "type mismatch")
(assert_invalid
    (module (memory $w i64 1) (func (memory.copy (i64.const 0) (i64.const 0) (i32.const 0)))) "type mismatch")

;; Offsets: 32 bits for 32-bit memories, 64 for others.
(module (memory i64 1) (func (drop (i32.load8_u offset=0xffff_ffff_ffff_ffff (i64.const 0)))))
(assert_invalid
    (module (memory 1) (memory i64 1) (func (drop (i32.load8_u 0 offset=0x1_0000_0000 (i32.const 0)))))
    "offset out of range")
(assert_invalid (module (memory i64 1) (func (drop (i64.load align=16 (i64.const 0)))))
    "alignment must not be larger than natural")

;; Tables: indices and sizes are i64.
(module
    (table $t i64 1 funcref) (type $f (func))
    (func (param i64) (result funcref) (table.get $t (local.get 0)))
    (func (param i64) (table.set $t (local.get 0) (ref.null func)))
    (func (result i64) (table.size $t))
    (func (param i64) (result i64) (table.grow $t (ref.null func) (local.get 0)))
    (func (param i64 i64) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
    (func (param i64) (call_indirect $t (type $f) (local.get 0)))
    (func (param i64) (return_call_indirect $t (type $f) (local.get 0)))
    (func (param i64 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
    (elem $e funcref (ref.null func)))
(assert_invalid (module (table i64 1 funcref) (func (drop (table.get (i32.const 0))))) "type mismatch")
(assert_invalid (module (table 1 funcref) (func (drop (table.get (i64.const 0))))) "type mismatch")
(assert_invalid (module (table i64 1 funcref) (func (table.set (i32.const 0) (ref.null func)))) "type mismatch")
(assert_invalid (module (table i64 1 funcref) (func (result i32) (table.size 0))) "type mismatch")
(assert_invalid
    (module (table i64 1 funcref) (func (result i32) (table.grow (ref.null func) (i64.const 0)))) "type mismatch")
(assert_invalid
    (module (table i64 1 funcref) (func (drop (table.grow (ref.null func) (i32.const 0))))) "type mismatch")
(assert_invalid
    (module (table i64 1 funcref) (func (table.fill (i64.const 0) (ref.null func) (i32.const 0)))) "type mismatch")
(assert_invalid (module (table i64 1 funcref) (type $f (func)) (func (call_indirect (type $f) (i32.const 0))))
    "type mismatch")
(assert_invalid (module (table 1 funcref) (type $f (func)) (func (call_indirect (type $f) (i64.const 0))))
    "type mismatch")
(assert_invalid (module (table i64 1 funcref) (elem (i32.const 0) func)) "type mismatch")
(assert_invalid (module (table 1 funcref) (elem (i64.const 0) func)) "type mismatch")
(module
    (table $n 1 funcref) (table $w i64 1 funcref)
    (func (table.copy $n $w (i32.const 0) (i64.const 0) (i32.const 0)))
    (func (table.copy $w $n (i64.const 0) (i32.const 0) (i32.const 0))))
(assert_invalid
    (module (table $n 1 funcref) (table $w i64 1 funcref)
        (func (table.copy $w $n (i64.const 0) (i32.const 0) (i64.const 0)))) "type mismatch")
