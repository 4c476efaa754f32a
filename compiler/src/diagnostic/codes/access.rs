//! F06xx: access to what is mutable.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0601",
        title: "a change to something read-only",
        explanation: "What is bound by `let`, a plain parameter, a plain name of a pattern or a plain field is not changed through it, and neither is \
                      what it holds, however many names it goes through. That is how a signature tells what a call may change. `var` allows it: \
                      in a local, a parameter (`var rows: List<Row>`, `var self`), a pattern (`Some(var group)`), a closure (`|var row| …`), a \
                      field, or for a part of a type (`List<var List<Int>>`). The label shows where it is read-only; `.copy()` makes a copy \
                      of one's own.",
        rejected: "fn add(rows: List<Int>) {\n    rows.push(1)\n}\n",
        accepted: "fn add(var rows: List<Int>) {\n    rows.push(1)\n}\n",
    },
    Code {
        code: "F0602",
        title: "something read-only where it may be changed",
        explanation: "A `var` parameter, a `var` field and a type with `var` in it ask for something that may be changed, and what is handed over \
                      here is read-only. It is mutable where it begins to be `var` all the way, or a copy is handed over: `rows.copy()`.",
        rejected: "fn add(var rows: List<Int>) {\n    rows.push(1)\n}\n\nfn f(rows: List<Int>) {\n    add(rows)\n}\n",
        accepted: "fn add(var rows: List<Int>) {\n    rows.push(1)\n}\n\nfn f(var rows: List<Int>) {\n    add(rows)\n}\n",
    },
    Code {
        code: "F0603",
        title: "an implementation that changes more than its trait says",
        explanation: "Who calls a function of a trait knows the trait's signature only. A parameter that is read-only there is read-only in each \
                      implementation.",
        rejected: "trait Grow {\n    fn grow(var self)\n}\n\ntrait Sink<T> {\n    fn put(self, x: T)\n}\n\nrecord Grower<T> { last: Option<T> \
                   }\n\nimpl<T: Grow> Sink<T> for Grower<T> {\n    fn put(self, var x: T) {\n        x.grow()\n    }\n}\n",
        accepted: "trait Grow {\n    fn grow(var self)\n}\n\ntrait Sink<T> {\n    fn put(self, var x: T)\n}\n\nrecord Grower<T> { last: Option<T> \
                   }\n\nimpl<T: Grow> Sink<T> for Grower<T> {\n    fn put(self, var x: T) {\n        x.grow()\n    }\n}\n",
    },
];
