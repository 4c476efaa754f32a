//! Functions about the operators on objects and on references to functions, as `operators.rs` has them for the others.

/// Types, objects to act on, and functions that make them.
pub const SURROUNDINGS: &str = r#"
    (type $point (sub (struct (field $x (mut i32)) (field $y (mut i64)))))
    (type $far (sub $point (struct (field $x (mut i32)) (field $y (mut i64)) (field $z (mut f64)) (field $next (mut (ref null $point))))))
    (type $end (sub final $far (struct (field $x (mut i32)) (field $y (mut i64)) (field $z (mut f64)) (field $next (mut (ref null $point)))
        (field $more i8))))
    (type $mixed (struct (field $a (mut i8)) (field $b (mut i16)) (field $v (mut v128)) (field $f (mut f32)) (field $e (mut externref))
        (field $fn (mut funcref)) (field $any (mut anyref)) (field $last (mut i8))))
    (type $empty (struct))
    (rec (type $tree (struct (field $left (ref null $tree)) (field $leaves (ref null $trees)))) (type $trees (array (mut (ref null $tree)))))
    (type $bytes (array (mut i8)))
    (type $shorts (array (mut i16)))
    (type $ints (array (mut i32)))
    (type $longs (array (mut i64)))
    (type $singles (array (mut f32)))
    (type $doubles (array (mut f64)))
    (type $vectors (array (mut v128)))
    (type $points (array (mut (ref null $point))))
    (type $anys (array (mut anyref)))
    (type $functions (array (mut funcref)))
    (type $constants (array i64))
    (global $some_bytes (export "bytes") (mut (ref $bytes)) (array.new $bytes (i32.const 0x181) (i32.const 40)))
    (global $some_points (export "points") (mut (ref $points)) (array.new_default $points (i32.const 7)))
    (global $some_anys (export "anys") (mut (ref $anys)) (array.new $anys (ref.i31 (i32.const -3)) (i32.const 6)))
    (global $kept (export "kept") (mut anyref) (struct.new $point (i32.const 3) (i64.const -4)))
    (global $mixture (export "mixture") (mut (ref null $mixed)) (struct.new_default $mixed))
    (elem $point_elements (ref null $point) (item (struct.new $point (i32.const 1) (i64.const 2))) (item (ref.null $point))
        (item (struct.new $far (i32.const 3) (i64.const 4) (f64.const 5) (ref.null none))))
    (elem $more_functions func $sub $square $add $add_three)
    (func $add_three (type $binary) (i32.add (i32.const 3) (i32.mul (local.get 0) (local.get 1))))
    ;; Functions of a type by the low bits of its argument, or null.
    (func $function (param i32) (result (ref null $binary))
        (if (i32.and (local.get 0) (i32.const 1)) (then (return (ref.func $add))))
        (if (i32.and (local.get 0) (i32.const 2)) (then (return (ref.func $sub))))
        (if (i32.and (local.get 0) (i32.const 4)) (then (return (ref.func $add_three))))
        (ref.null $binary))
    ;; Something of every kind, by the low bits of its argument.
    (func $make (param i32) (result anyref)
        (block $null (block $small (block $point (block $far (block $end (block $mixed (block $bytes (block $anys (block $external
            (br_table $null $small $point $far $end $mixed $bytes $anys $external (i32.rem_u (local.get 0) (i32.const 9))))
            (return (any.convert_extern (global.get $externref))))
            (return (array.new $anys (global.get $kept) (i32.and (local.get 0) (i32.const 3)))))
            (return (array.new $bytes (local.get 0) (i32.and (local.get 0) (i32.const 15)))))
            (return (struct.new $mixed (local.get 0) (i32.const -2) (v128.const i64x2 3 -4) (f32.const 0.5) (global.get $externref)
                (ref.func $add) (global.get $kept) (i32.const 9))))
            (return (struct.new $end (local.get 0) (i64.const 1) (f64.const 2) (ref.null none) (i32.const 255))))
            (return (struct.new $far (local.get 0) (i64.const 5) (f64.const 6) (struct.new $point (i32.const 7) (i64.const 8)))))
            (return (struct.new $point (local.get 0) (i64.const 9))))
            (return (ref.i31 (local.get 0))))
        (ref.null any))
    ;; A point of one of the types of points, or null.
    (func $point (param i32) (result (ref null $point))
        (ref.cast (ref null $point) (call $make (select (i32.add (i32.and (local.get 0) (i32.const 1)) (i32.const 2))
            (i32.const 0) (i32.and (local.get 0) (i32.const 14))))))
"#;

/// Functions about an operator. `None`: it is none of these.
pub fn special(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "call_ref" => &[
            "(param i32 i32 i32) (result i32) (call_ref $binary (local.get 0) (local.get 1) (call $function (local.get 2)))",
            "(param i64) (result i64) (call_ref $unary (local.get 0) (ref.func $square))",
            "(param i32 i32) (result i32) (call_ref $binary (local.get 0) (local.get 1) (ref.func $sub))",
            "(param i32) (result i32) (local $i i32) (loop (result i32) (local.set 0 (call_ref $binary (local.get 0) (local.get $i) \
             (call $function (i32.or (local.get $i) (i32.const 8))))) (local.set $i (i32.add (local.get $i) (i32.const 1))) \
             (br_if 0 (i32.lt_u (local.get $i) (i32.const 12))) (local.get 0))",
            "(param i32 i32) (result i32) (call_ref $binary (local.get 0) (local.get 1) (ref.null $binary))",
        ],
        "return_call_ref" => &[
            "(param i32 i32 i32) (result i32) (return_call_ref $binary (local.get 0) (local.get 1) (call $function (local.get 2)))",
            "(param i64) (result i64) (return_call_ref $unary (local.get 0) (ref.func $square))",
        ],
        "ref.as_non_null" => &[
            "(param i32) (result anyref) (ref.as_non_null (call $make (local.get 0)))",
            "(param i32) (result i32) (struct.get $point $x (ref.as_non_null (call $point (local.get 0))))",
            "(param i32) (result funcref) (ref.as_non_null (call $function (local.get 0)))",
        ],
        "br_on_null" => &[
            "(param i32) (result i32) (block $null (return (struct.get $point $x (br_on_null $null (call $point (local.get 0)))))) (i32.const 5)",
            "(param i32) (result i32) (block $null (result i32) (i32.const 7) (br_on_null $null (call $make (local.get 0))) (drop) (drop) (i32.const 8))",
            "(param i32 externref) (result i32) (block $null (drop (br_on_null $null (local.get 1))) (return (i32.const 1))) (i32.const 2)",
            "(param i32) (result i32) (block $null (drop (br_on_null $null (call $function (local.get 0)))) (return (i32.const 1))) (i32.const 2)",
        ],
        "br_on_non_null" => &[
            "(param i32) (result i32) (block $there (result (ref $point)) (br_on_non_null $there (call $point (local.get 0))) \
             (return (i32.const 5))) (struct.get $point $x)",
            "(param i32) (result i32) (block $there (result i32 (ref any)) (i32.const 7) (br_on_non_null $there (call $make (local.get 0))) \
             (return (i32.const 8))) (drop)",
            "(param i32) (result i32) (block $there (result (ref $binary)) (br_on_non_null $there (call $function (local.get 0))) \
             (return (i32.const 1))) (call_ref $binary (i32.const 3) (i32.const 4) (call $function (local.get 0))) (return)",
        ],
        "ref.eq" => &[
            "(param i32 i32) (result i32) (ref.eq (call $point (local.get 0)) (call $point (local.get 1)))",
            "(param i32 i32) (result i32) (ref.eq (ref.i31 (local.get 0)) (ref.i31 (local.get 1)))",
            "(param i32) (result i32) (local $p eqref) (local.set $p (call $point (local.get 0))) (ref.eq (local.get $p) (local.get $p))",
            "(param i32) (result i32) (if (result i32) (ref.eq (ref.cast (ref null eq) (global.get $kept)) (ref.null none)) (then (i32.const 1)) \
             (else (i32.const 2)))",
        ],
        "struct.new" => &[
            "(param i32 i64) (result anyref) (struct.new $point (local.get 0) (local.get 1))",
            "(param i32 i64 f64) (result (ref null struct)) (struct.new $far (local.get 0) (local.get 1) (local.get 2) (call $point (local.get 0)))",
            "(param i32 f32 v128 externref) (global.set $mixture (struct.new $mixed (local.get 0) (local.get 0) (local.get 2) (local.get 1) \
             (local.get 3) (ref.func $sub) (call $make (local.get 0)) (local.get 0)))",
            "(result (ref $empty)) (struct.new $empty)",
            "(param i32) (result (ref $tree)) (struct.new $tree (struct.new $tree (ref.null $tree) (ref.null $trees)) \
             (array.new $trees (struct.new_default $tree) (i32.and (local.get 0) (i32.const 3))))",
            "(param i32) (result anyref) (local $i i32) (loop (global.set $kept (struct.new $mixed (i32.const 1) (i32.const 2) \
             (v128.const i64x2 1 2) (f32.const 1) (ref.null extern) (ref.null func) (struct.new $point (local.get $i) (i64.const 0)) (local.get 0))) \
             (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if 0 (i32.lt_u (local.get $i) (i32.const 50)))) (global.get $kept)",
        ],
        "struct.new_default" => &[
            "(result anyref) (struct.new_default $point)",
            "(result (ref $mixed)) (struct.new_default $mixed)",
            "(param i32) (result i32) (struct.get_s $mixed $a (struct.new_default $mixed))",
        ],
        "struct.get" => &[
            "(param i32) (result i32 i64) (struct.get $point $x (call $point (local.get 0))) (struct.get $point $y (call $point (local.get 0)))",
            "(param i32) (result f64 anyref) (local $p (ref null $far)) (local.set $p (ref.cast (ref null $far) (call $make (local.get 0)))) \
             (struct.get $far $z (local.get $p)) (struct.get $far $next (local.get $p))",
            "(result v128 f32 externref funcref anyref) (struct.get $mixed $v (global.get $mixture)) (struct.get $mixed $f (global.get $mixture)) \
             (struct.get $mixed $e (global.get $mixture)) (struct.get $mixed $fn (global.get $mixture)) (struct.get $mixed $any (global.get $mixture))",
            "(result i32) (struct.get $point $x (ref.null $point))",
        ],
        "struct.get_s" => &[
            "(result i32 i32 i32) (struct.get_s $mixed $a (global.get $mixture)) (struct.get_s $mixed $b (global.get $mixture)) \
             (struct.get_s $mixed $last (global.get $mixture))",
            "(param i32) (result i32) (struct.get_s $mixed $b (struct.new $mixed (i32.const 0) (local.get 0) (v128.const i64x2 0 0) (f32.const 0) \
             (ref.null extern) (ref.null func) (ref.null any) (i32.const 0)))",
            "(param i32) (result i32) (struct.get_s $mixed $a (ref.cast (ref null $mixed) (call $make (local.get 0))))",
        ],
        "struct.get_u" => &[
            "(result i32 i32 i32) (struct.get_u $mixed $a (global.get $mixture)) (struct.get_u $mixed $b (global.get $mixture)) \
             (struct.get_u $mixed $last (global.get $mixture))",
            "(param i32) (result i32) (struct.get_u $end $more (ref.cast (ref null $end) (call $make (local.get 0))))",
            "(param i32) (result i32) (struct.get_u $mixed $b (struct.new $mixed (i32.const 0) (local.get 0) (v128.const i64x2 0 0) (f32.const 0) \
             (ref.null extern) (ref.null func) (ref.null any) (i32.const 0)))",
        ],
        "struct.set" => &[
            "(param i32 i64) (result anyref) (local $p (ref null $point)) (local.set $p (call $point (local.get 0))) \
             (struct.set $point $y (local.get $p) (local.get 1)) (struct.set $point $x (local.get $p) (i32.const 77)) (local.get $p)",
            "(param i32 v128 f32 externref) (struct.set $mixed $a (global.get $mixture) (local.get 0)) \
             (struct.set $mixed $b (global.get $mixture) (local.get 0)) (struct.set $mixed $v (global.get $mixture) (local.get 1)) \
             (struct.set $mixed $f (global.get $mixture) (local.get 2)) (struct.set $mixed $e (global.get $mixture) (local.get 3)) \
             (struct.set $mixed $last (global.get $mixture) (local.get 0))",
            "(param i32) (struct.set $mixed $fn (global.get $mixture) (call $function (local.get 0))) \
             (struct.set $mixed $any (global.get $mixture) (call $make (local.get 0)))",
            "(param i32) (struct.set $far $next (ref.cast (ref null $far) (call $make (local.get 0))) (call $point (local.get 0)))",
        ],
        "array.new" => &[
            "(param i32 i32) (result anyref) (array.new $bytes (local.get 0) (i32.and (local.get 1) (i32.const 63)))",
            "(param i64 i32) (result anyref) (array.new $longs (local.get 0) (i32.and (local.get 1) (i32.const 63)))",
            "(param v128 i32) (result anyref) (array.new $vectors (local.get 0) (i32.and (local.get 1) (i32.const 7)))",
            "(param f64 f32) (result anyref anyref) (array.new $doubles (local.get 0) (i32.const 3)) (array.new $singles (local.get 1) (i32.const 5))",
            "(param i32) (global.set $some_anys (array.new $anys (call $make (local.get 0)) (i32.and (local.get 0) (i32.const 15))))",
            "(param i32) (result anyref) (array.new $functions (call $function (local.get 0)) (i32.and (local.get 0) (i32.const 15)))",
        ],
        "array.new_default" => &[
            "(param i32) (result anyref anyref anyref) (array.new_default $shorts (i32.and (local.get 0) (i32.const 31))) \
             (array.new_default $points (i32.and (local.get 0) (i32.const 31))) (array.new_default $ints (i32.and (local.get 0) (i32.const 31)))",
            "(param i32) (result i32) (array.len (array.new_default $bytes (i32.and (local.get 0) (i32.const 0xfffff))))",
        ],
        "array.new_fixed" => &[
            "(param i32 i64) (result anyref) (array.new_fixed $longs 4 (local.get 1) (i64.const 1) (local.get 1) (i64.extend_i32_u (local.get 0)))",
            "(param i32) (result anyref) (array.new_fixed $anys 3 (call $make (local.get 0)) (ref.i31 (local.get 0)) (global.get $kept))",
            "(param i32) (result (ref $bytes)) (array.new_fixed $bytes 5 (local.get 0) (i32.const -1) (i32.const 256) (local.get 0) (i32.const 0))",
            "(result anyref) (array.new_fixed $functions 0)",
        ],
        "array.new_data" => &[
            "(param i32 i32) (result anyref) (array.new_data $bytes $passive (local.get 0) (local.get 1))",
            "(param i32 i32) (result anyref) (array.new_data $shorts $passive (i32.and (local.get 0) (i32.const 15)) (i32.and (local.get 1) (i32.const 15)))",
            "(param i32 i32) (result anyref) (array.new_data $doubles $passive (i32.and (local.get 0) (i32.const 15)) (i32.and (local.get 1) (i32.const 3)))",
            "(param i32 i32) (result anyref) (array.new_data $vectors $passive (i32.and (local.get 0) (i32.const 7)) (i32.and (local.get 1) (i32.const 3)))",
        ],
        "array.new_elem" => &[
            "(param i32 i32) (result anyref) (array.new_elem $points $point_elements (local.get 0) (local.get 1))",
            "(param i32 i32) (result anyref) (array.new_elem $points $point_elements (i32.and (local.get 0) (i32.const 3)) (i32.and (local.get 1) (i32.const 3)))",
            "(param i32 i32) (result anyref) (array.new_elem $functions $more_functions (i32.and (local.get 0) (i32.const 3)) (i32.and (local.get 1) (i32.const 3)))",
        ],
        "array.get" => &[
            "(param i32) (result i64) (array.get $longs (array.new_fixed $longs 3 (i64.const 5) (i64.const -6) (i64.const 7)) (local.get 0))",
            "(param i32) (result anyref) (array.get $anys (global.get $some_anys) (i32.and (local.get 0) (i32.const 7)))",
            "(param i32) (result f32) (array.get $singles (array.new $singles (f32.const 1.5) (i32.const 4)) (i32.and (local.get 0) (i32.const 3)))",
            "(param i32) (result v128) (array.get $vectors (array.new $vectors (v128.const i64x2 5 6) (i32.const 4)) (i32.and (local.get 0) (i32.const 3)))",
            "(param i32) (result funcref) (array.get $functions (array.new $functions (ref.func $add) (i32.const 4)) (i32.and (local.get 0) (i32.const 7)))",
            "(param i32) (result i64) (array.get $constants (array.new_fixed $constants 2 (i64.const 1) (i64.const 2)) (i32.and (local.get 0) (i32.const 1)))",
            "(param i32) (result i64) (array.get $longs (ref.null $longs) (local.get 0))",
        ],
        "array.get_s" => &[
            "(param i32) (result i32) (array.get_s $bytes (global.get $some_bytes) (local.get 0))",
            "(param i32 i32) (result i32) (array.get_s $shorts (array.new $shorts (local.get 0) (i32.const 9)) (i32.and (local.get 1) (i32.const 7)))",
        ],
        "array.get_u" => &[
            "(param i32) (result i32) (array.get_u $bytes (global.get $some_bytes) (i32.and (local.get 0) (i32.const 31)))",
            "(param i32 i32) (result i32) (array.get_u $shorts (array.new $shorts (local.get 0) (i32.const 9)) (i32.and (local.get 1) (i32.const 15)))",
        ],
        "array.set" => &[
            "(param i32 i32) (array.set $bytes (global.get $some_bytes) (local.get 0) (local.get 1))",
            "(param i32 i32) (array.set $bytes (global.get $some_bytes) (i32.and (local.get 0) (i32.const 31)) (local.get 1))",
            "(param i32 i32) (array.set $anys (global.get $some_anys) (i32.and (local.get 0) (i32.const 7)) (call $make (local.get 1)))",
            "(param i32 i32) (array.set $points (global.get $some_points) (i32.and (local.get 0) (i32.const 7)) (call $point (local.get 1)))",
            "(param i32 i64) (result anyref) (local $a (ref $longs)) (local.set $a (array.new $longs (i64.const 1) (i32.const 5))) \
             (array.set $longs (local.get $a) (i32.and (local.get 0) (i32.const 3)) (local.get 1)) (local.get $a)",
        ],
        "array.len" => &[
            "(param i32) (result i32) (array.len (ref.cast (ref null array) (call $make (local.get 0))))",
            "(result i32 i32) (array.len (global.get $some_bytes)) (array.len (global.get $some_anys))",
            "(result i32) (array.len (ref.null array))",
        ],
        "array.fill" => &[
            "(param i32 i32 i32) (array.fill $bytes (global.get $some_bytes) (local.get 0) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (array.fill $bytes (global.get $some_bytes) (i32.and (local.get 0) (i32.const 31)) (local.get 1) \
             (i32.and (local.get 2) (i32.const 7)))",
            "(param i32 i32 i32) (array.fill $points (global.get $some_points) (i32.and (local.get 0) (i32.const 7)) (call $point (local.get 1)) \
             (i32.and (local.get 2) (i32.const 3)))",
            "(param v128) (result anyref) (local $a (ref $vectors)) (local.set $a (array.new_default $vectors (i32.const 6))) \
             (array.fill $vectors (local.get $a) (i32.const 1) (local.get 0) (i32.const 4)) (local.get $a)",
        ],
        "array.copy" => &[
            "(param i32 i32 i32) (array.copy $bytes $bytes (global.get $some_bytes) (local.get 0) (global.get $some_bytes) (local.get 1) (local.get 2))",
            "(param i32 i32 i32) (array.set $bytes (global.get $some_bytes) (i32.and (local.get 0) (i32.const 15)) (local.get 0)) \
             (array.copy $bytes $bytes (global.get $some_bytes) (i32.and (local.get 0) (i32.const 15)) (global.get $some_bytes) \
             (i32.and (local.get 1) (i32.const 15)) (i32.and (local.get 2) (i32.const 15)))",
            "(param i32 i32 i32) (array.copy $anys $points (global.get $some_anys) (i32.and (local.get 0) (i32.const 3)) (global.get $some_points) \
             (i32.and (local.get 1) (i32.const 3)) (i32.and (local.get 2) (i32.const 3)))",
            "(param i32 i32 i32) (array.set $points (global.get $some_points) (i32.and (local.get 2) (i32.const 3)) (call $point (local.get 0))) \
             (array.copy $points $points (global.get $some_points) (i32.and (local.get 0) (i32.const 3)) (global.get $some_points) \
             (i32.and (local.get 1) (i32.const 3)) (i32.and (local.get 2) (i32.const 3)))",
            "(param i32) (array.copy $bytes $bytes (global.get $some_bytes) (local.get 0) (ref.null $bytes) (i32.const 0) (i32.const 0))",
        ],
        "array.init_data" => &[
            "(param i32 i32 i32) (array.init_data $bytes $passive (global.get $some_bytes) (i32.and (local.get 0) (i32.const 31)) \
             (i32.and (local.get 1) (i32.const 31)) (i32.and (local.get 2) (i32.const 7)))",
            "(param i32 i32 i32) (result anyref) (local $a (ref $longs)) (local.set $a (array.new_default $longs (i32.const 5))) \
             (array.init_data $longs $passive (local.get $a) (i32.and (local.get 0) (i32.const 3)) (i32.and (local.get 1) (i32.const 7)) \
             (i32.and (local.get 2) (i32.const 1))) (local.get $a)",
            "(param i32) (array.init_data $bytes $passive (global.get $some_bytes) (i32.const 0) (local.get 0) (i32.const 1))",
        ],
        "array.init_elem" => &[
            "(param i32 i32 i32) (array.init_elem $points $point_elements (global.get $some_points) (i32.and (local.get 0) (i32.const 7)) \
             (i32.and (local.get 1) (i32.const 3)) (i32.and (local.get 2) (i32.const 3)))",
            "(param i32 i32 i32) (result anyref) (local $a (ref $functions)) (local.set $a (array.new_default $functions (i32.const 5))) \
             (array.init_elem $functions $more_functions (local.get $a) (i32.and (local.get 0) (i32.const 3)) (i32.and (local.get 1) (i32.const 3)) \
             (i32.and (local.get 2) (i32.const 3))) (local.get $a)",
        ],
        "ref.test (ref)" => &[
            "(param i32) (result i32 i32 i32 i32) (ref.test (ref i31) (call $make (local.get 0))) (ref.test (ref struct) (call $make (local.get 0))) \
             (ref.test (ref array) (call $make (local.get 0))) (ref.test (ref eq) (call $make (local.get 0)))",
            "(param i32) (result i32 i32 i32) (ref.test (ref $point) (call $make (local.get 0))) (ref.test (ref $far) (call $make (local.get 0))) \
             (ref.test (ref $end) (call $make (local.get 0)))",
            "(param i32) (result i32 i32) (ref.test (ref $bytes) (call $make (local.get 0))) (ref.test (ref none) (call $make (local.get 0)))",
            "(param i32) (result i32) (if (result i32) (ref.test (ref $far) (call $point (local.get 0))) (then (i32.const 1)) (else (i32.const 2)))",
            "(param i32) (result i32 i32) (ref.test (ref $binary) (table.get $functions (i32.and (local.get 0) (i32.const 7)))) \
             (ref.test (ref func) (table.get $functions (i32.and (local.get 0) (i32.const 7))))",
            "(param externref) (result i32 i32) (ref.test (ref extern) (local.get 0)) (ref.test (ref noextern) (local.get 0))",
        ],
        "ref.test (ref null)" => &[
            "(param i32) (result i32 i32 i32 i32) (ref.test (ref null i31) (call $make (local.get 0))) \
             (ref.test (ref null struct) (call $make (local.get 0))) (ref.test (ref null array) (call $make (local.get 0))) \
             (ref.test (ref null eq) (call $make (local.get 0)))",
            "(param i32) (result i32 i32 i32) (ref.test (ref null $point) (call $make (local.get 0))) \
             (ref.test (ref null $far) (call $make (local.get 0))) (ref.test (ref null $end) (call $make (local.get 0)))",
            "(param i32) (result i32) (ref.test (ref null none) (call $make (local.get 0)))",
            "(param i32) (result i32) (ref.test (ref null $unary) (table.get $functions (i32.and (local.get 0) (i32.const 7))))",
        ],
        "ref.cast (ref)" => &[
            "(param i32) (result i32) (struct.get $point $x (ref.cast (ref $point) (call $make (local.get 0))))",
            "(param i32) (result anyref) (ref.cast (ref i31) (call $make (local.get 0)))",
            "(param i32) (result anyref) (ref.cast (ref $far) (call $point (local.get 0)))",
            "(param i32) (result anyref) (ref.cast (ref eq) (call $make (local.get 0)))",
            "(param i32) (result i64) (call_ref $unary (i64.const 9) (ref.cast (ref $unary) (table.get $functions (i32.and (local.get 0) (i32.const 7)))))",
            "(param i32) (result i32) (struct.get_u $end $more (ref.cast (ref $end) (call $make (local.get 0))))",
        ],
        "ref.cast (ref null)" => &[
            "(param i32) (result anyref) (ref.cast (ref null $point) (call $make (local.get 0)))",
            "(param i32) (result anyref) (ref.cast (ref null array) (call $make (local.get 0)))",
            "(param i32) (result anyref) (ref.cast (ref null none) (call $make (local.get 0)))",
            "(param i32) (result anyref) (ref.cast (ref null $mixed) (call $make (local.get 0)))",
        ],
        "br_on_cast" => &[
            "(param i32) (result i32) (block $is (result (ref $point)) (br_on_cast $is anyref (ref $point) (call $make (local.get 0))) \
             (drop) (return (i32.const -1))) (struct.get $point $x)",
            "(param i32) (result i32) (block $is (result (ref null $far)) (br_on_cast $is anyref (ref null $far) (call $make (local.get 0))) \
             (drop) (return (i32.const -1))) (ref.is_null)",
            "(param i32) (result i32) (block $is (result i31ref) (br_on_cast $is anyref i31ref (call $make (local.get 0))) \
             (drop) (return (i32.const -1))) (i31.get_s)",
            "(param i32) (result i32) (block $is (result i32 (ref $end)) (i32.const 5) (br_on_cast $is (ref null $point) (ref $end) (call $point (local.get 0))) \
             (drop) (return)) (drop)",
        ],
        "br_on_cast_fail" => &[
            "(param i32) (result i32) (block $not (result anyref) (return (struct.get $point $x (br_on_cast_fail $not anyref (ref $point) \
             (call $make (local.get 0)))))) (drop) (i32.const -1)",
            "(param i32) (result i32) (block $not (result (ref any)) (drop (br_on_cast_fail $not anyref (ref null struct) (call $make (local.get 0)))) \
             (return (i32.const 1))) (drop) (i32.const -1)",
            "(param i32) (result anyref) (block $not (result anyref) (ref.i31 (i31.get_u (br_on_cast_fail $not anyref (ref i31) (call $make (local.get 0))))))",
        ],
        "any.convert_extern" => &[
            "(param externref) (result anyref) (any.convert_extern (local.get 0))",
            "(param externref) (result i32 i32) (ref.is_null (any.convert_extern (local.get 0))) (ref.test (ref eq) (any.convert_extern (local.get 0)))",
            "(param i32) (result anyref) (any.convert_extern (extern.convert_any (call $make (local.get 0))))",
        ],
        "extern.convert_any" => &[
            "(param i32) (result externref) (extern.convert_any (call $make (local.get 0)))",
            "(param i32) (global.set $externref (extern.convert_any (call $make (local.get 0))))",
            "(param externref) (result externref) (extern.convert_any (any.convert_extern (local.get 0)))",
        ],
        "ref.i31" => &[
            "(param i32) (result i31ref) (ref.i31 (local.get 0))",
            "(param i32) (result i32) (i31.get_s (ref.i31 (i32.add (local.get 0) (i32.const 1))))",
            "(result anyref) (ref.i31 (i32.const 0x7fffffff))",
            "(param i32) (global.set $kept (ref.i31 (local.get 0)))",
        ],
        "i31.get_s" => &[
            "(param i32) (result i32) (i31.get_s (ref.i31 (local.get 0)))",
            "(param i32) (result i32) (i31.get_s (ref.cast (ref null i31) (call $make (local.get 0))))",
            "(param i32) (result i32) (if (result i32) (i31.get_s (ref.i31 (local.get 0))) (then (i32.const 1)) (else (i32.const 2)))",
        ],
        "i31.get_u" => &[
            "(param i32) (result i32) (i31.get_u (ref.i31 (local.get 0)))",
            "(param i32) (result i32) (i31.get_u (ref.cast (ref null i31) (call $make (local.get 0))))",
            "(result i32) (i31.get_u (ref.null i31))",
        ],
        _ => return None,
    })
}
