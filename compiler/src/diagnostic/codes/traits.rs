//! F04xx: traits.

use super::Code;

pub(super) const CODES: &[Code] = &[
    Code {
        code: "F0401",
        title: "a type that does not implement a trait",
        explanation: "A bound, an operator or an interpolation asks for a trait that the type does not implement. Types \
                      implement `Eq`, `Ord`, `Hash`, `Show` and `Copy` by themselves if all that they hold does; functions, \
                      `dyn` and capabilities do not, and Floats have no `Hash`. For a type parameter, a bound says so: `T: \
                      Show`.",
        rejected: "pub fn f<T>(value: T) -> String { \"{value}\" }\n",
        accepted: "pub fn f<T: Show>(value: T) -> String { \"{value}\" }\n",
    },
    Code {
        code: "F0402",
        title: "an implementation that is not whole",
        explanation: "An `impl` of a trait has all functions for which the trait provides none.",
        rejected: "trait Named { fn name(self) -> String }\nrecord Dog {}\nimpl Named for Dog {}\n",
        accepted: "trait Named { fn name(self) -> String }\nrecord Dog {}\nimpl Named for Dog { fn name(self) -> String { \"dog\" } }\n",
    },
    Code {
        code: "F0403",
        title: "a function that the trait does not have",
        explanation: "An `impl` of a trait has the trait's functions only. Others stand in an `impl` of the type itself.",
        rejected: "trait Named {}\nrecord Dog {}\nimpl Named for Dog { fn bark(self) {} }\n",
        accepted: "record Dog {}\nimpl Dog { fn bark(self) {} }\n",
    },
    Code {
        code: "F0404",
        title: "a function with another signature than its trait's",
        explanation: "Parameters and result have the types that the trait says; the function may not ask for more: neither for \
                      further bounds, nor to change what the trait does not let it change.",
        rejected: "trait Named { fn name(self) -> String }\nrecord Dog {}\nimpl Named for Dog { fn name(self) -> Int { 1 } }\n",
        accepted: "trait Named { fn name(self) -> String }\nrecord Dog {}\nimpl Named for Dog { fn name(self) -> String { \"dog\" } }\n",
    },
    Code {
        code: "F0405",
        title: "two implementations of a trait for the same type",
        explanation: "A type implements a trait once, and with one list of arguments (of `From` it may implement several). \
                      Bounds are not looked at: `impl<T: A>` and `impl<T: B>` overlap, since a type may have both.",
        rejected: "trait Size { fn size(self) -> Int }\nimpl Size for List<Int> { fn size(self) -> Int { 1 } }\nimpl<T> Size for List<T> { fn size(self) -> Int { 2 } }\n",
        accepted: "trait Size { fn size(self) -> Int }\nimpl<T> Size for List<T> { fn size(self) -> Int { 2 } }\n",
    },
    Code {
        code: "F0406",
        title: "an implementation of a foreign trait for a foreign type",
        explanation: "The trait or the type is of this package: otherwise two packages could implement the same trait for the \
                      same type. A record of your own around the type can implement it.",
        rejected: "impl Iterator<Int> for String { fn next(var self) -> Option<Int> { None } }\n",
        accepted: "record Codes { text: String }\nimpl Iterator<Int> for Codes { fn next(var self) -> Option<Int> { None } }\n",
    },
    Code {
        code: "F0407",
        title: "an implementation for all types",
        explanation: "Only the standard library implements traits for a type parameter: such an `impl` would overlap with any \
                      other.",
        rejected: "trait Size { fn size(self) -> Int }\nimpl<T: Show> Size for T { fn size(self) -> Int { \"{self}\".len() } }\n",
        accepted: "trait Size { fn size(self) -> Int }\nimpl Size for Int { fn size(self) -> Int { \"{self}\".len() } }\n",
    },
    Code {
        code: "F0408",
        title: "an automatic trait that is implemented by hand",
        explanation: "`Eq`, `Hash` and `Copy` follow from the structure of a type, so that equal values always have equal \
                      hashes. `Ord` and `Show` may be implemented.",
        rejected: "record Dog { age: Int }\nimpl Eq for Dog { fn eq(self, other: Dog) -> Bool { self.age == other.age } }\n",
        accepted: "record Dog { age: Int }\nimpl Ord for Dog { fn cmp(self, other: Dog) -> Ordering { self.age.cmp(other.age) } }\n",
    },
    Code {
        code: "F0409",
        title: "a trait that has no `dyn`",
        explanation: "A function can be called on a value of unknown type if it has `self`, no type parameters of its own, and \
                      `Self` nowhere else. Others need a body in the trait, or the trait has no `dyn`.",
        rejected: "trait Make { fn make() -> Self }\npub fn f(_made: dyn Make) {}\n",
        accepted: "trait Make { fn make() -> Self }\npub fn f<T: Make>(_made: T) {}\n",
    },
    Code {
        code: "F0411",
        title: "a method of several traits",
        explanation: "Several traits in scope that the type implements have a function of this name. A bound decides, as in a \
                      function `fn f<T: First>(value: T)`.",
        rejected: "trait A { fn go(self) }\ntrait B { fn go(self) }\nimpl A for Int { fn go(self) {} }\nimpl B for Int { fn go(self) {} }\npub fn f(n: Int) { n.go() }\n",
        accepted: "trait A { fn go(self) }\ntrait B { fn go(self) }\nimpl A for Int { fn go(self) {} }\nimpl B for Int { fn go(self) {} }\npub fn f<T: A>(n: T) { n.go() }\n",
    },
    Code {
        code: "F0412",
        title: "a trait that asks for another",
        explanation: "`trait A: B` says that whatever implements `A` implements `B`.",
        rejected: "trait Base {}\ntrait Derived: Base {}\nrecord Dog {}\nimpl Derived for Dog {}\n",
        accepted: "trait Base {}\ntrait Derived: Base {}\nrecord Dog {}\nimpl Base for Dog {}\nimpl Derived for Dog {}\n",
    },
    Code {
        code: "F0413",
        title: "a trait that asks for itself",
        explanation: "Traits ask for one another in a circle.",
        rejected: "trait A: B {}\ntrait B: A {}\n",
        accepted: "trait A: B {}\ntrait B {}\n",
    },
    Code {
        code: "F0414",
        title: "a type parameter that does not follow from the type",
        explanation: "Which `impl` is meant is found by the type: so the type, or the traits that its parameters implement, tell \
                      all type parameters.",
        rejected: "record Dog {}\nimpl<T> Dog { fn f(self) {} }\n",
        accepted: "record Box<T> { value: T }\nimpl<T> Box<T> { fn f(self) {} }\n",
    },
    Code {
        code: "F0415",
        title: "functions of a type of another package",
        explanation: "Functions of a type itself are declared in its package. For other types, a trait with these functions can \
                      be implemented.",
        rejected: "impl Int { fn double(self) -> Int { self * 2 } }\n",
        accepted: "trait Double { fn double(self) -> Int }\nimpl Double for Int { fn double(self) -> Int { self * 2 } }\n",
    },
    Code {
        code: "F0416",
        title: "two functions of one type with the same name",
        explanation: "A type has one function of each name. `impl`s for different arguments of a type may have functions of the \
                      same name if no type is of both.",
        rejected: "record Dog {}\nimpl Dog { fn bark(self) {} }\nimpl Dog { fn bark(self) {} }\n",
        accepted: "record Dog {}\nimpl Dog { fn bark(self) {} }\nimpl Dog { fn growl(self) {} }\n",
    },
    Code {
        code: "F0417",
        title: "a trait where a type is needed",
        explanation: "A trait is no type. `dyn Trait` is the type of any value that implements it, found out at run time; `T: \
                      Trait` takes any type that does, known when compiled. Capabilities are types as they are.",
        rejected: "trait Named { fn name(self) -> String }\npub fn f(thing: Named) -> String { thing.name() }\n",
        accepted: "trait Named { fn name(self) -> String }\npub fn f(thing: dyn Named) -> String { thing.name() }\n",
    },
];
