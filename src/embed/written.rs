//! Capabilities of the host's own as they are written in Fold: for hosts whose types the Rust compiler does not know, as those of other
//! languages.

use std::any::Any;
use std::sync::Arc;

use pinfold_compiler::diagnostic::Diagnostics;
use pinfold_compiler::names::Names;
use pinfold_compiler::parser::parse;
use pinfold_compiler::source::{Sources, Span};
use pinfold_compiler::syntax::{self, Item, ItemKind, Member, Payload, TypeKind};

use super::capability::{Capability, Failed, Made, Method, Run};
use super::error::{Error, Result};
use super::mismatch::Mismatch;
use super::types::{Declarations, Declared, Field, Kind, Type};
use super::value::Value;
use crate::fold;

impl<T: Any + Send + Sync> Capability<T> {
    /// One that is written in Fold, with the records and enums that it names. What its functions do is said by
    /// [`implement`](Self::implement): of all of them, before an object is granted to a program.
    ///
    /// ```
    /// use pinfold::{Capability, Value, Vm, grants};
    ///
    /// # fn main() -> Result<(), pinfold::Error> {
    /// let shop = Capability::declared("
    ///     record Item { name: String, price: Float }
    ///     capability Shop {
    ///         /// What costs so much at most.
    ///         fn below(self, price: Float) -> List<Item>
    ///     }
    /// ")?
    /// .implement("below", |stock: &Vec<Value>, arguments, _| {
    ///     let [Value::Float(most)] = arguments[..] else { return Err("one price is wanted".into()) };
    ///     let is_cheap = |item: &&Value| matches!(item.field("price"), Some(Value::Float(price)) if *price <= most);
    ///     Ok(Value::List(stock.iter().filter(is_cheap).cloned().collect()))
    /// })?;
    /// let vm = Vm::builder().capability(&shop).build()?;
    /// let program = vm.compile("cheap.fold", "
    ///     import host
    ///     pub fn cheap(shop: host.Shop) -> List<String> { shop.below(2.0).map(|item| item.name).to_list() }
    /// ")?;
    /// let item = |name: &str, price: f64| Value::Record(vec![("name".into(), name.into()), ("price".into(), price.into())]);
    /// let shop = shop.with(vec![item("nail", 0.1), item("hammer", 20.0)]);
    /// let cheap: Vec<String> = program.session(grants! { shop: shop })?.call("cheap", ())?;
    /// assert_eq!(cheap, ["nail"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Rejected`] if the text is wrong, [`Error::Grant`] if it declares something else, or with types that do not cross.
    pub fn declared(text: &str) -> Result<Self> {
        let (mut names, mut sources, mut wrong) = (Names::default(), Sources::default(), Diagnostics::default());
        let file = sources.add("the capability", text);
        let tree = parse(file, text, &mut names, &mut wrong);
        if wrong.has_errors() {
            return Err(Error::Rejected(fold::findings(&wrong.into_sorted(), &sources)));
        }
        let mut written = Written { names: &names, sources: &sources, declarations: Declarations::default() };
        if let Some(statement) = tree.body.first() {
            return Err(written.wrong(statement.span, "a statement, where a capability is declared"));
        }
        if let Some(needs) = &tree.needs {
            return Err(written.wrong(needs.span, "`needs`, where a capability is declared"));
        }
        written.types(&tree.items)?;
        written.capability(&tree.items).map(Self::of)
    }

    /// The names of its functions.
    pub fn functions(&self) -> Vec<String> {
        self.made.methods.iter().map(|method| method.name.clone()).collect()
    }

    /// What a declared function does: it is given the state, the arguments and the type of the result, of which what it returns has to be. An
    /// error ends the program, as [`Error::Host`] with that error; what a program is to deal with is a value of a type `Result`.
    ///
    /// # Errors
    /// If no such function is declared.
    pub fn implement(
        mut self,
        name: &str,
        run: impl Fn(&T, Vec<Value>, Type<'_>) -> Result<Value, Failed> + Send + Sync + 'static,
    ) -> Result<Self> {
        let capability = self.made.name.clone();
        let found = self.made.methods.iter_mut().find(|method| method.name == name);
        let method = found.ok_or_else(|| Error::Grant(format!("{capability} has no function {name}")))?;
        let run: Run = Arc::new(move |state, mut call| {
            let state = state.downcast_ref::<T>().ok_or_else(Mismatch::malformed)?;
            let arguments = (0..call.params.len()).map(|_| call.take()).collect::<Result<_, _>>()?;
            let given = run(state, arguments, call.declarations.get(call.result))?;
            Ok(call.give(&given)?)
        });
        method.run = Some(run);
        Ok(self)
    }
}

/// What is read, and what was declared in it so far.
struct Written<'a> {
    names: &'a Names,
    sources: &'a Sources,
    declarations: Declarations,
}

impl<'a> Written<'a> {
    fn wrong(&self, at: Span, found: &str) -> Error {
        let line = self.sources.get(at.file).line_of(at.start) + 1;
        Error::Grant(format!("the capability, line {line}: {found}"))
    }

    fn text(&self, ident: syntax::Ident) -> &'a str {
        self.names.text(ident.name)
    }

    /// Records and enums: all names first, since each may be part of any other.
    fn types(&mut self, items: &[Item]) -> Result<()> {
        let mut reserved = Vec::new();
        for item in items {
            let (name, generics) = match &item.kind {
                ItemKind::Record(record) => (record.name, &record.generics),
                ItemKind::Enum(all) => (all.name, &all.generics),
                ItemKind::Trait(of) if of.capability => continue,
                _ => return Err(self.wrong(item.span, "this is no capability, record or enum")),
            };
            if let Some(generic) = generics.first() {
                return Err(self.wrong(generic.name.span, "types that cross have no parameters"));
            }
            let text = self.text(name).to_owned();
            if self.declarations.find(&text).is_some() {
                return Err(self.wrong(name.span, &format!("another {text}")));
            }
            reserved.push((self.declarations.reserve(&text), item));
        }
        for (declared, item) in reserved {
            let kind = match &item.kind {
                ItemKind::Record(record) => Kind::Record(self.text(record.name).into(), self.fields(&record.fields)?),
                ItemKind::Enum(all) => {
                    let variant = |variant: &syntax::Variant| {
                        Ok((self.text(variant.name).into(), self.payload(&variant.payload)?))
                    };
                    let variants = all.variants.iter().map(variant).collect::<Result<_>>()?;
                    Kind::Enum(self.text(all.name).into(), variants)
                }
                _ => continue,
            };
            self.declarations.fill(declared, kind);
        }
        Ok(())
    }

    fn payload(&mut self, payload: &Payload) -> Result<Vec<Field>> {
        match payload {
            Payload::Unit => Ok(Vec::new()),
            Payload::Named(fields) => self.fields(fields),
            Payload::Tuple(types) => {
                let field = |(place, ty): (usize, &syntax::Type)| {
                    Ok(Field { name: place.to_string().into(), ty: self.ty(ty)?.0 })
                };
                types.iter().enumerate().map(field).collect()
            }
        }
    }

    fn fields(&mut self, fields: &[syntax::Field]) -> Result<Vec<Field>> {
        fields.iter().map(|field| Ok(Field { name: self.text(field.name).into(), ty: self.ty(&field.ty)?.0 })).collect()
    }

    /// The only capability.
    fn capability(mut self, items: &[Item]) -> Result<Made> {
        let is_one = |item: &&Item| matches!(item.kind, ItemKind::Trait(_));
        let mut all = items.iter().filter(is_one);
        let item = all.next().ok_or_else(|| Error::Grant("the text declares no capability".into()))?;
        if let Some(other) = all.next() {
            return Err(self.wrong(other.span, "a second capability"));
        }
        let ItemKind::Trait(of) = &item.kind else { return Err(self.wrong(item.span, "no capability")) };
        if !of.generics.is_empty() || !of.supers.is_empty() {
            return Err(self.wrong(of.name.span, "a capability of a host has neither parameters nor others above it"));
        }
        let methods = of.members.iter().map(|member| self.method(member)).collect::<Result<_>>()?;
        let doc = item.doc.as_deref().unwrap_or_default().to_owned();
        Ok(Made { name: self.text(of.name).into(), doc, declarations: self.declarations, methods })
    }

    fn method(&mut self, member: &Member) -> Result<Method> {
        let function = &member.function;
        let is_plain = function.generics.is_empty() && function.wheres.is_empty() && function.body.is_none();
        if !is_plain || function.receiver.is_none_or(|receiver| receiver.mutable) {
            return Err(self.wrong(
                function.head,
                "a function of a host takes `self`, and has neither type parameters nor a body",
            ));
        }
        let mut params = Vec::with_capacity(function.params.len());
        for param in &function.params {
            let Some(ty) = param.ty.as_ref().filter(|_| !param.mutable) else {
                return Err(self.wrong(param.span, "a parameter of a function of a host has a type, and is not `var`"));
            };
            params.push((self.text(param.name).to_owned(), self.ty(ty)?));
        }
        let result = match &function.result {
            Some(ty) => self.ty(ty)?,
            None => self.declarations.plain(Kind::Tuple(Vec::new())),
        };
        let (name, doc) = (self.text(function.name).to_owned(), member.doc.as_deref().unwrap_or_default().to_owned());
        Ok(Method { name, doc, params, result, run: None })
    }

    /// The type that is written.
    fn ty(&mut self, ty: &syntax::Type) -> Result<Declared> {
        let kind = match &ty.kind {
            TypeKind::Tuple(parts) => {
                Kind::Tuple(parts.iter().map(|part| Ok(self.ty(part)?.0)).collect::<Result<_>>()?)
            }
            TypeKind::Dyn(of) if self.name_of(&of.path) == Some("Error") && of.args.is_empty() => Kind::Error,
            TypeKind::Named(path, args) => {
                let name = self.name_of(path).unwrap_or_default().to_owned();
                if let Some(known) = self.declarations.find(&name).filter(|_| args.is_empty()) {
                    return Ok(known);
                }
                let args = args.iter().map(|arg| Ok(self.ty(arg)?.0)).collect::<Result<Vec<_>>>()?;
                match (name.as_str(), &args[..]) {
                    ("Int", []) => Kind::Int,
                    ("Float", []) => Kind::Float,
                    ("Bool", []) => Kind::Bool,
                    ("Char", []) => Kind::Char,
                    ("String", []) => Kind::String,
                    ("Bytes", []) => Kind::Bytes,
                    ("List", [of]) => Kind::List(*of),
                    ("Set", [of]) => Kind::Set(*of),
                    ("Option", [of]) => Kind::Option(*of),
                    ("Map", [key, value]) => Kind::Map(*key, *value),
                    ("Result", [good]) => Kind::Result(*good, self.declarations.plain(Kind::Error).0),
                    ("Result", [good, bad]) => Kind::Result(*good, *bad),
                    _ => return Err(self.no_type(ty)),
                }
            }
            _ => return Err(self.no_type(ty)),
        };
        Ok(self.declarations.plain(kind))
    }

    fn no_type(&self, ty: &syntax::Type) -> Error {
        self.wrong(
            ty.span,
            &format!("`{}` is no type that crosses, and none that the text declares", self.sources.text(ty.span)),
        )
    }

    /// The name that a path is, if it is one.
    fn name_of(&self, path: &syntax::Path) -> Option<&'a str> {
        if let [name] = path.parts[..] { Some(self.text(name)) } else { None }
    }
}
