//! Capabilities of the host's own: what they are called, their functions, and how a program calls these.

use std::any::Any;
use std::fmt::{self, Write};
use std::marker::PhantomData;
use std::sync::Arc;

use super::convert::{FromFold, ToFold};
use super::declare::FoldType;
use super::grants::Grant;
use super::mismatch::Mismatch;
use super::types::{Declarations, Declared};
use super::wire::{Reader, Writer};

/// A capability that the host makes: an interface for programs, whose functions are closures.
///
/// `T` is what the host keeps behind it: each [object](Self::with) has one, and the closures get it first. The others of their parameters,
/// and what they return, are [of types that cross](ToFold). Programs import the module `host`, which has all capabilities of a
/// [`Vm`](crate::Vm), and are handed objects as they are handed a console.
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use pinfold::{Capability, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let counter = Capability::new("Counter")
///     .method("add", ["count"], |sum: &AtomicI64, count: i64| sum.fetch_add(count, Ordering::Relaxed) + count);
/// let vm = Vm::builder().capability(&counter).build()?;
/// let program = vm.compile("hello.fold", r#"
///     import host
///     fn main(counter: host.Counter) { assert counter.add(2) + counter.add(3) == 7 }
/// "#)?;
/// let object = counter.with(AtomicI64::default());
/// program.run(grants! { counter: object.clone() })?;
/// assert_eq!(object.state().load(Ordering::Relaxed), 5);
/// # Ok(())
/// # }
/// ```
///
/// A closure that panics ends the program, not the host: the run is an [`Error::Host`](crate::Error::Host). What a program is to deal with
/// itself is a `Result` that the closure returns; [`Failure`] is the error type that any error goes into, and is `dyn Error` there.
pub struct Capability<T> {
    pub(super) made: Made,
    state: PhantomData<fn(&T)>,
}

/// What is known of a capability without its state's type.
#[derive(Clone)]
pub(crate) struct Made {
    pub(super) name: Arc<str>,
    pub(super) doc: String,
    pub(super) declarations: Declarations,
    pub(super) methods: Vec<Method>,
}

#[derive(Clone)]
pub(crate) struct Method {
    pub name: String,
    pub doc: String,
    pub params: Vec<(String, Declared)>,
    pub result: Declared,
    /// None for one that is declared and not implemented, of which no program gets an object.
    pub run: Option<Run>,
}

/// Calls a closure with the state, which is of its type.
pub(crate) type Run = Arc<dyn Fn(&dyn Any, Call<'_, '_>) -> Result<(), Failed> + Send + Sync>;

/// Why a function of the host gave nothing: the run ends with this.
///
/// ```
/// use pinfold::{Capability, Error, Failed, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// // What ends a program: a state that is not of the type that was said, say.
/// fn failed(ended: Error) -> Option<Failed> {
///     match ended {
///         Error::Host { source, .. } => Some(source.to_string().into()),
///         _ => None,
///     }
/// }
/// let broken = Capability::new("Broken").method("touch", [], |_: &()| -> i64 { panic!("it broke") });
/// let vm = Vm::builder().capability(&broken).build()?;
/// let program = vm.compile("touch.fold", "import host\nneeds it: host.Broken\nlet n = it.touch()")?;
/// let ended = program.run(grants! { it: broken.with(()) }).unwrap_err();
/// assert!(failed(ended).is_some_and(|why| why.to_string().contains("it broke")));
/// # Ok(())
/// # }
/// ```
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// A call that a program makes: its arguments, and where what it gives is put.
#[doc(hidden)]
#[derive(Debug)]
pub struct Call<'c, 'w> {
    name: &'c str,
    pub(super) params: std::slice::Iter<'c, (String, Declared)>,
    pub(super) result: Declared,
    pub(super) declarations: &'c Declarations,
    from: &'c mut Reader<'w>,
    to: &'c mut Writer,
}

impl Call<'_, '_> {
    /// The next argument.
    ///
    /// # Errors
    /// If it is of another type, or there is none.
    pub fn take<T: FromFold>(&mut self) -> Result<T, Mismatch> {
        let (name, ty) = self.params.next().ok_or_else(Mismatch::malformed)?;
        T::from_fold(self.declarations.get(*ty), self.from).map_err(|error| error.within(name))
    }

    /// Gives the program this.
    ///
    /// # Errors
    /// If it is of another type.
    pub fn give<T: ToFold + ?Sized>(self, value: &T) -> Result<(), Mismatch> {
        value.to_fold(self.declarations.get(self.result), self.to).map_err(|error| error.within(self.name))
    }
}

/// An error that a program in Fold sees as a `dyn Error`. Any error goes into it.
///
/// ```
/// use pinfold::{Capability, Failure, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let files = Capability::new("Files").method("size", ["path"], |_: &(), path: String| -> Result<u64, Failure> {
///     Ok(std::fs::metadata(path)?.len())
/// });
/// let vm = Vm::builder().capability(&files).build()?;
/// let program = vm.compile("size.fold", r#"
///     import host
///     pub fn size(files: host.Files, path: String) -> Int { files.size(path).or(-1) }
/// "#)?;
/// let mut session = program.session(grants! { files: files.with(()) })?;
/// assert_eq!(session.call::<i64>("size", ("/there/is/no/such/file",))?, -1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

impl<T: Any + Send + Sync> Capability<T> {
    /// One without functions. The name is that of the type in Fold: an upper-case letter first.
    pub fn new(name: &str) -> Self {
        Self::of(Made::new(name))
    }

    pub(super) fn of(made: Made) -> Self {
        Self { made, state: PhantomData }
    }

    /// Says what it is for: of the capability, or of the function that was added last.
    #[must_use]
    pub fn doc(mut self, text: &str) -> Self {
        match self.made.methods.last_mut() {
            Some(method) => method.doc = text.to_owned(),
            None => self.made.doc = text.to_owned(),
        }
        self
    }

    /// Adds a function: its name, the names of its parameters, and what it does.
    #[must_use]
    pub fn method<const N: usize, M>(
        mut self,
        name: &str,
        params: [&str; N],
        method: impl IntoMethod<T, N, M>,
    ) -> Self {
        let (types, result, run) = method.into_method(&mut self.made.declarations);
        let params = params.iter().map(|name| (*name).to_owned()).zip(types).collect();
        self.made.methods.push(Method { name: name.to_owned(), doc: String::new(), params, result, run: Some(run) });
        self
    }

    /// An object of it, to be granted.
    pub fn with(&self, state: T) -> Granted<T> {
        self.with_shared(Arc::new(state))
    }

    /// The same, of what the host has already.
    pub fn with_shared(&self, state: Arc<T>) -> Granted<T> {
        Granted::new(Object::new(Arc::new(self.made.clone()), state.clone()), state)
    }

    /// How programs see it, as text in Fold.
    pub fn declaration(&self) -> String {
        self.made.declaration()
    }
}

/// What a [`Vm`](crate::Vm) can be told of: a [`Capability`], or a trait that [is one](macro@crate::capability).
///
/// ```
/// use pinfold::{Capability, Declares, Vm};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// #[pinfold::capability]
/// trait Log {
///     fn line(&self, text: &str);
/// }
///
/// /// A machine with one capability of the host's own, however it is declared.
/// fn machine(capability: &impl Declares) -> pinfold::Result<Vm> {
///     Vm::builder().capability(capability).build()
/// }
/// assert!(machine(&Log).is_ok());
/// assert!(machine(&Capability::<()>::new("Nothing")).is_ok());
/// # Ok(())
/// # }
/// ```
pub trait Declares {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn made(&self) -> &Made;
}

#[allow(private_interfaces)]
impl<T> Declares for Capability<T> {
    fn made(&self) -> &Made {
        &self.made
    }
}

impl<T> Clone for Capability<T> {
    fn clone(&self) -> Self {
        Self { made: self.made.clone(), state: PhantomData }
    }
}

impl<T> fmt::Debug for Capability<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Capability").field(&self.made.name).finish()
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Made").field(&self.name).finish()
    }
}

impl Made {
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), doc: String::new(), declarations: Declarations::default(), methods: Vec::new() }
    }

    /// How programs see it, as text in Fold.
    pub fn declaration(&self) -> String {
        let mut out = self.declarations.text();
        self.interface(&mut out);
        out
    }

    /// What is no name in Fold.
    pub fn wrong_name(&self) -> Option<&str> {
        let is_word = |text: &&str| {
            let mut chars = text.chars();
            chars.next().is_some_and(|first| first == '_' || first.is_alphabetic())
                && chars.all(|c| c == '_' || c.is_alphanumeric())
        };
        let names = self.methods.iter().flat_map(|method| {
            std::iter::once(method.name.as_str()).chain(method.params.iter().map(|(name, _)| name.as_str()))
        });
        if !self.name.starts_with(char::is_uppercase) {
            return Some(&self.name);
        }
        // Those that the methods use themselves are not hidden from them.
        std::iter::once(&*self.name).chain(names).find(|name| !is_word(name) || USED.contains(name))
    }

    fn interface(&self, out: &mut String) {
        comment(out, "", &self.doc);
        let _ = writeln!(out, "pub capability {} {{", self.name);
        for method in &self.methods {
            comment(out, "    ", &method.doc);
            let _ = writeln!(out, "    {}", self.head(method));
        }
        out.push_str("}\n");
    }

    fn head(&self, method: &Method) -> String {
        let params = method.params.iter().map(|(name, ty)| format!(", {name}: {}", self.declarations.get(*ty)));
        let result = self.declarations.get(method.result);
        format!("fn {}(self{}) -> {result}", method.name, params.collect::<String>())
    }

    /// The interface, and what is behind it: calls of the host.
    fn module(&self, out: &mut String) {
        self.interface(out);
        let name = &self.name;
        let _ = writeln!(out, "record Host{name} {{ handle: Extern }}\nimpl {name} for Host{name} {{");
        for (number, method) in self.methods.iter().enumerate() {
            // What stands in it has names that no parameter has.
            let mut wire = "wire".to_owned();
            while method.params.iter().any(|(param, _)| param.starts_with(&wire)) {
                wire.push('_');
            }
            let _ = writeln!(out, "    {} {{\n        var {wire} = host_empty()", self.head(method));
            for (param, _) in &method.params {
                let _ = writeln!(out, "        wire_put({wire}, {param})");
            }
            let result = self.declarations.get(method.result);
            let _ = writeln!(
                out,
                "        host_called(self.handle, {number}, {wire})\n        wire_take::<{result}>({wire})\n    }}"
            );
        }
        let _ = writeln!(
            out,
            "}}\nimpl {name} {{\n    fn from_handle(handle: Extern) -> {name} {{ Host{name} {{ handle }} }}\n}}"
        );
    }
}

fn comment(out: &mut String, indent: &str, text: &str) {
    text.lines().for_each(|line| {
        let _ = writeln!(out, "{}", format!("{indent}/// {line}").trim_end());
    });
}

/// Functions that the code of methods calls.
const USED: [&str; 4] = ["wire_put", "wire_take", "host_empty", "host_called"];

/// What every module `host` begins with.
const BEGINNING: &str = "\
//! What the host offers.

host fn host_call(handle: Extern, function: Int, var words: Array<Int>, word: Int, var bytes: Buffer, byte: Int) -> (var Array<Int>, var Buffer)

fn host_empty() -> Wire { wire_of(array_empty(16), buffer_new(64)) }

fn host_called(handle: Extern, function: Int, var wire: Wire) {
    let (var words, var bytes) = host_call(handle, function, wire.words, wire.word, wire.bytes, wire.byte)
    wire.words = words
    wire.bytes = bytes
    wire_rewind(wire)
}

";

/// The module in which programs find these capabilities. Types of one name in several of them are one type.
pub(crate) fn module(all: &[Made]) -> String {
    let mut out = BEGINNING.to_owned();
    let mut seen = std::collections::BTreeSet::new();
    for made in all {
        let declarations = made.declarations.text();
        let new = declarations.split_terminator("\n\n").filter(|text| seen.insert((*text).to_owned()));
        new.for_each(|text| {
            let _ = writeln!(out, "{text}\n");
        });
        made.module(&mut out);
    }
    out
}

/// An object of a [`Capability`]. Clones are the same object.
///
/// ```
/// use pinfold::{Capability, Grant, Vm, grants};
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let list = Capability::new("List").method("add", ["n"], |list: &std::sync::Mutex<Vec<i64>>, n: i64| list.lock().expect("nobody panics with it").push(n));
/// let vm = Vm::builder().capability(&list).build()?;
/// let program = vm.compile("add.fold", "import host\nneeds list: host.List\nlist.add(7)")?;
/// let granted = list.with(Default::default());
/// program.run(grants! { list: granted.clone() })?;
/// assert_eq!(*granted.state().lock().expect("nobody panics with it"), [7]);
/// # Ok(())
/// # }
/// ```
pub struct Granted<T> {
    object: Object,
    state: Arc<T>,
}

impl<T> Granted<T> {
    pub(crate) fn new(object: Object, state: Arc<T>) -> Self {
        Self { object, state }
    }

    /// What the host keeps behind it.
    pub fn state(&self) -> &T {
        &self.state
    }
}

impl<T> Clone for Granted<T> {
    fn clone(&self) -> Self {
        Self { object: self.object.clone(), state: self.state.clone() }
    }
}

impl<T> fmt::Debug for Granted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Granted").field(&self.object.kind()).finish()
    }
}

impl<T> From<Granted<T>> for Grant {
    fn from(granted: Granted<T>) -> Self {
        Self::Object(granted.object)
    }
}

/// An object without its state's type: what a program holds a handle of.
#[derive(Clone)]
pub struct Object {
    made: Arc<Made>,
    state: Arc<dyn Any + Send + Sync>,
}

impl Object {
    pub(crate) fn new(made: Arc<Made>, state: Arc<dyn Any + Send + Sync>) -> Self {
        Self { made, state }
    }

    pub(crate) fn kind(&self) -> &str {
        &self.made.name
    }

    /// A function that is declared and not implemented.
    pub(crate) fn missing(&self) -> Option<&str> {
        self.made.methods.iter().find(|method| method.run.is_none()).map(|method| method.name.as_str())
    }

    /// Calls a function by its number; what is malformed is told as that.
    pub(crate) fn call(&self, function: i64, from: &mut Reader<'_>, to: &mut Writer) -> Result<(), Failed> {
        let method = usize::try_from(function).ok().and_then(|at| self.made.methods.get(at));
        let Method { name, params, result, run, .. } = method.ok_or_else(Mismatch::malformed)?;
        let run = run.as_ref().ok_or_else(Mismatch::malformed)?;
        let call =
            Call { name, params: params.iter(), result: *result, declarations: &self.made.declarations, from, to };
        run(&*self.state, call)
    }
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Object").field(&self.made.name).finish()
    }
}

/// A closure that can be a function of a [`Capability`]: it takes a reference to the state, then values.
///
/// ```
/// use pinfold::Capability;
///
/// // A reference to what the host keeps, and values, of types that cross.
/// let counter = Capability::new("Counter")
///     .method("start", [], |start: &i64| *start)
///     .method("plus", ["n"], |start: &i64, n: i64| start.saturating_add(n));
/// assert!(counter.declaration().contains("fn plus(self, n: Int) -> Int"));
/// ```
pub trait IntoMethod<T, const N: usize, Marker> {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn into_method(self, declarations: &mut Declarations) -> (Vec<Declared>, Declared, Run);
}

macro_rules! methods {
    ($count:literal $($name:ident)*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, private_interfaces)]
        impl<T: Any, R, F, $($name),*> IntoMethod<T, $count, (R, $($name,)*)> for F
        where
            F: Fn(&T, $($name),*) -> R + Send + Sync + 'static,
            R: ToFold + FoldType,
            $($name: FromFold + FoldType,)*
        {
            fn into_method(self, declarations: &mut Declarations) -> (Vec<Declared>, Declared, Run) {
                let types = vec![$($name::fold_type(declarations)),*];
                let result = R::fold_type(declarations);
                let run: Run = Arc::new(move |state, mut call| {
                    let state = state.downcast_ref::<T>().ok_or_else(Mismatch::malformed)?;
                    $(let $name: $name = call.take()?;)*
                    Ok(call.give(&self(state, $($name),*))?)
                });
                (types, result, run)
            }
        }
    };
}

methods! { 0 }
methods! { 1 A }
methods! { 2 A B }
methods! { 3 A B C }
methods! { 4 A B C D }
methods! { 5 A B C D E }
methods! { 6 A B C D E G }
