(module
    (func $fee (param $weight i64) (result i64)
        (if (i64.gt_s (local.get $weight) (i64.const 20)) (then (return (i64.const 900))))
        (select (i64.const 500) (i64.const 250) (i64.gt_s (local.get $weight) (i64.const 5))))
    (func (export "total") (param $parcels i64) (result i64) (local $sum i64) (local $parcel i64)
        (block $done
            (loop $next
                (local.set $parcel (i64.add (local.get $parcel) (i64.const 1)))
                (br_if $done (i64.gt_s (local.get $parcel) (local.get $parcels)))
                (local.set $sum (i64.add (local.get $sum)
                    (call $fee (i64.rem_s (i64.mul (local.get $parcel) (i64.const 7)) (i64.const 31)))))
                (br $next)))
        (if (i64.gt_s (local.get $parcels) (i64.const 10))
            (then (local.set $sum (i64.sub (local.get $sum) (i64.div_s (local.get $sum) (i64.const 20))))))
        (local.get $sum)))
