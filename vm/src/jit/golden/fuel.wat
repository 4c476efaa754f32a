;; settings: fuel
;; Each segment charges once, where it begins.
(module
    (func (export "count") (param $n i32) (result i32)
        (loop $again
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $n)))
