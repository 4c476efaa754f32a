;; A loop's header has what changes in it as parameters, and nothing else.
(module
    (func (export "sum") (param $n i32) (param $step i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (local.get $step)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "choose") (param i32) (result i32)
        (block (block (block (br_table 0 1 2 (local.get 0)))
            (return (i32.const 10)))
            (return (i32.const 20)))
        (i32.const 30)))
