;; Five bodies under gravity, each an object with seven doubles.
(module
  (type $body
    (struct
      (field $x (mut f64)) (field $y (mut f64)) (field $z (mut f64))
      (field $vx (mut f64)) (field $vy (mut f64)) (field $vz (mut f64)) (field $mass f64)))
  (type $system (array (ref $body)))

  (func $pull (param $a (ref $body)) (param $b (ref $body))
    (local $dx f64) (local $dy f64) (local $dz f64) (local $square f64) (local $force f64) (local $m f64)
    (local.set $dx (f64.sub (struct.get $body $x (local.get $a)) (struct.get $body $x (local.get $b))))
    (local.set $dy (f64.sub (struct.get $body $y (local.get $a)) (struct.get $body $y (local.get $b))))
    (local.set $dz (f64.sub (struct.get $body $z (local.get $a)) (struct.get $body $z (local.get $b))))
    (local.set $square
      (f64.add (f64.mul (local.get $dx) (local.get $dx))
        (f64.add (f64.mul (local.get $dy) (local.get $dy)) (f64.mul (local.get $dz) (local.get $dz)))))
    (local.set $force (f64.div (f64.const 0.001) (f64.mul (local.get $square) (f64.sqrt (local.get $square)))))
    (local.set $m (f64.mul (local.get $force) (struct.get $body $mass (local.get $b))))
    (struct.set $body $vx (local.get $a)
      (f64.sub (struct.get $body $vx (local.get $a)) (f64.mul (local.get $dx) (local.get $m))))
    (struct.set $body $vy (local.get $a)
      (f64.sub (struct.get $body $vy (local.get $a)) (f64.mul (local.get $dy) (local.get $m))))
    (struct.set $body $vz (local.get $a)
      (f64.sub (struct.get $body $vz (local.get $a)) (f64.mul (local.get $dz) (local.get $m))))
    (local.set $m (f64.mul (local.get $force) (struct.get $body $mass (local.get $a))))
    (struct.set $body $vx (local.get $b)
      (f64.add (struct.get $body $vx (local.get $b)) (f64.mul (local.get $dx) (local.get $m))))
    (struct.set $body $vy (local.get $b)
      (f64.add (struct.get $body $vy (local.get $b)) (f64.mul (local.get $dy) (local.get $m))))
    (struct.set $body $vz (local.get $b)
      (f64.add (struct.get $body $vz (local.get $b)) (f64.mul (local.get $dz) (local.get $m)))))

  (func $move (param $a (ref $body))
    (struct.set $body $x (local.get $a)
      (f64.add (struct.get $body $x (local.get $a)) (f64.mul (f64.const 0.001) (struct.get $body $vx (local.get $a)))))
    (struct.set $body $y (local.get $a)
      (f64.add (struct.get $body $y (local.get $a)) (f64.mul (f64.const 0.001) (struct.get $body $vy (local.get $a)))))
    (struct.set $body $z (local.get $a)
      (f64.add (struct.get $body $z (local.get $a)) (f64.mul (f64.const 0.001) (struct.get $body $vz (local.get $a))))))

  (func $step (param $system (ref $system)) (local $i i32) (local $j i32) (local $a (ref $body))
    (loop $first
      (local.set $a (array.get $system (local.get $system) (local.get $i)))
      (local.set $j (i32.add (local.get $i) (i32.const 1)))
      (block $end
        (loop $second
          (br_if $end (i32.ge_u (local.get $j) (array.len (local.get $system))))
          (call $pull (local.get $a) (array.get $system (local.get $system) (local.get $j)))
          (local.set $j (i32.add (local.get $j) (i32.const 1)))
          (br $second)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $first (i32.lt_u (local.get $i) (array.len (local.get $system)))))
    (local.set $i (i32.const 0))
    (loop $each
      (call $move (array.get $system (local.get $system) (local.get $i)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (array.len (local.get $system))))))

  (func $run (param $percent i32) (result i64)
    (local $system (ref $system)) (local $steps i32) (local $i i32) (local $sum i64) (local $a (ref $body))
    (local.set $system
      (array.new_fixed $system 5
        (struct.new $body (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 0) (f64.const 40))
        (struct.new $body (f64.const 5) (f64.const -1) (f64.const 0.1) (f64.const 0.6) (f64.const 2.8) (f64.const 0) (f64.const 0.04))
        (struct.new $body (f64.const 8) (f64.const 4) (f64.const -0.4) (f64.const -1) (f64.const 1.8) (f64.const 0.1) (f64.const 0.01))
        (struct.new $body (f64.const 13) (f64.const -15) (f64.const -0.2) (f64.const 1) (f64.const 0.9) (f64.const 0) (f64.const 0.002))
        (struct.new $body (f64.const 15) (f64.const -26) (f64.const 0.2) (f64.const 1) (f64.const 0.6) (f64.const -0.1) (f64.const 0.002))))
    (local.set $steps (i32.mul (local.get $percent) (i32.const 50000)))
    (loop $again
      (if (local.get $steps)
        (then
          (call $step (local.get $system))
          (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
          (br $again))))
    (loop $each
      (local.set $a (array.get $system (local.get $system) (local.get $i)))
      (local.set $sum
        (i64.add (i64.rotl (local.get $sum) (i64.const 5))
          (i64.add (i64.reinterpret_f64 (struct.get $body $x (local.get $a)))
            (i64.reinterpret_f64 (struct.get $body $vz (local.get $a))))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $each (i32.lt_u (local.get $i) (array.len (local.get $system)))))
    (local.get $sum)))
