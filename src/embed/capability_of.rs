//! Capabilities of the host's own that are traits: what [`capability`](macro@crate::capability) makes of one.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock};

use super::capability::{Call, Declares, Granted, Made, Method, Object, Run};
use super::mismatch::Mismatch;
use super::types::{Declarations, Declared};

/// A capability that is a trait, whose functions are the trait's. [`capability`](macro@crate::capability) makes one, a static with the
/// trait's own name; `I` is `dyn Trait + Send + Sync`.
///
/// ```
/// use pinfold::{Vm, grants};
///
/// /// Where documents are found.
/// #[pinfold::capability]
/// pub trait Search {
///     /// At most `limit` titles with this in them.
///     fn search(&self, query: &str, limit: usize) -> Vec<String>;
/// }
///
/// struct Index(Vec<String>);
///
/// impl Search for Index {
///     fn search(&self, query: &str, limit: usize) -> Vec<String> {
///         self.0.iter().filter(|title| title.contains(query)).take(limit).cloned().collect()
///     }
/// }
///
/// # fn main() -> Result<(), pinfold::Error> {
/// let vm = Vm::builder().capability(&Search).build()?;
/// let program = vm.compile("find.fold", r#"
///     import host
///     pub fn found(search: host.Search, what: String) -> Int { search.search(what, 10).len() }
/// "#)?;
/// let index = Index(["pigs", "cows", "guinea pigs"].map(String::from).into());
/// let mut session = program.session(grants! { search: Search.with(index) })?;
/// assert_eq!(session.call::<usize>("found", ("pig",))?, 2);
///
/// // In a test, something else that implements the trait.
/// struct Nothing;
/// impl Search for Nothing {
///     fn search(&self, _: &str, _: usize) -> Vec<String> { Vec::new() }
/// }
/// let mut session = program.session(grants! { search: Search.with(Nothing) })?;
/// assert_eq!(session.call::<usize>("found", ("pig",))?, 0);
/// # Ok(())
/// # }
/// ```
///
/// A function that panics ends the program, as [those](crate::Capability) of other capabilities do; what it returns of
/// `Result<T, Failure>` the program deals with.
pub struct CapabilityOf<I: ?Sized> {
    name: &'static str,
    doc: &'static str,
    declare: fn(&mut Functions<I>),
    made: OnceLock<Arc<Made>>,
}

/// Functions of a trait, as they are declared.
#[doc(hidden)]
pub struct Functions<I: ?Sized> {
    made: Made,
    of: PhantomData<fn(&I)>,
}

/// A trait that `T` implements: [`capability`](macro@crate::capability) says so of each trait that is one.
///
/// ```
/// use pinfold::{CapabilityOf, Granted, ImplementedBy};
///
/// #[pinfold::capability]
/// trait Log {
///     fn line(&self, text: &str);
/// }
///
/// struct Quiet;
/// impl Log for Quiet {
///     fn line(&self, _: &str) {}
/// }
///
/// /// An object of whichever capability it implements the trait of.
/// fn quiet<I: ?Sized + ImplementedBy<Quiet> + Send + Sync + 'static>(capability: &CapabilityOf<I>) -> Granted<Quiet> {
///     capability.with(Quiet)
/// }
/// quiet(&Log);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{T}` is not what this capability's trait is implemented for",
    label = "does not implement the trait, or is not `Send + Sync + 'static`"
)]
pub trait ImplementedBy<T> {
    #[doc(hidden)]
    fn of(state: Arc<T>) -> Arc<Self>;
}

impl<I: ?Sized> CapabilityOf<I> {
    #[doc(hidden)]
    pub const fn new(name: &'static str, doc: &'static str, declare: fn(&mut Functions<I>)) -> Self {
        Self { name, doc, declare, made: OnceLock::new() }
    }

    fn shared(&self) -> &Arc<Made> {
        self.made.get_or_init(|| {
            let mut functions = Functions { made: Made::new(self.name), of: PhantomData };
            functions.made.doc = self.doc.to_owned();
            (self.declare)(&mut functions);
            Arc::new(functions.made)
        })
    }

    /// How programs see it, as text in Fold.
    pub fn declaration(&self) -> String {
        self.shared().declaration()
    }
}

impl<I: ?Sized + Send + Sync + 'static> CapabilityOf<I> {
    /// An object of it, to be granted: anything that implements the trait.
    pub fn with<T>(&self, state: T) -> Granted<T>
    where
        I: ImplementedBy<T>,
    {
        self.with_shared(Arc::new(state))
    }

    /// The same, of what the host has already.
    pub fn with_shared<T>(&self, state: Arc<T>) -> Granted<T>
    where
        I: ImplementedBy<T>,
    {
        let object = Object::new(self.shared().clone(), Arc::new(I::of(state.clone())));
        Granted::new(object, state)
    }
}

impl<I: ?Sized> fmt::Debug for CapabilityOf<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CapabilityOf").field(&self.name).finish()
    }
}

#[allow(private_interfaces)]
impl<I: ?Sized> Declares for CapabilityOf<I> {
    fn made(&self) -> &Made {
        self.shared()
    }
}

/// Declares the types of a function's parameters, with their names, and of what it gives.
type Signature = fn(&mut Declarations) -> (Vec<(&'static str, Declared)>, Declared);

impl<I: ?Sized + Send + Sync + 'static> Functions<I> {
    /// Adds a function.
    pub fn add(
        &mut self,
        name: &str,
        doc: &str,
        signature: Signature,
        run: fn(&I, Call<'_, '_>) -> Result<(), Mismatch>,
    ) {
        let (params, result) = signature(&mut self.made.declarations);
        let params = params.into_iter().map(|(name, ty)| (name.to_owned(), ty)).collect();
        let run: Run = Arc::new(move |state, call| {
            Ok(run(state.downcast_ref::<Arc<I>>().ok_or_else(Mismatch::malformed)?, call)?)
        });
        self.made.methods.push(Method { name: name.to_owned(), doc: doc.to_owned(), params, result, run: Some(run) });
    }
}

impl<I: ?Sized> fmt::Debug for Functions<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Functions").finish_non_exhaustive()
    }
}
