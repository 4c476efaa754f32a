//! Traits as capabilities: beside the trait stands a static of the same name, of type `pinfold::CapabilityOf`, which declares its
//! functions to programs and calls them.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{
    Attribute, Error, Expr, FnArg, Ident, Item, ItemTrait, Lit, Meta, Pat, PatType, Receiver, Result, ReturnType,
    Signature, TraitItem, TraitItemFn, Type,
};

use crate::name;

/// The trait, and the static beside it. Where something is wrong with it: the trait, and all that is.
pub fn expand(arguments: &TokenStream, item: Item) -> TokenStream {
    let Item::Trait(mut item) = item else {
        return Error::new_spanned(item, "a capability is a trait").into_compile_error();
    };
    let declared = declare(arguments, &item);
    take_fold(&mut item);
    let beside = declared.unwrap_or_else(Error::into_compile_error);
    quote! { #item #beside }
}

fn declare(arguments: &TokenStream, item: &ItemTrait) -> Result<TokenStream> {
    let mut wrong = Wrong(None);
    if !arguments.is_empty() {
        wrong.note(arguments, "it takes no arguments; another name in Fold is said by #[fold(name = \"…\")]");
    }
    if !item.generics.params.is_empty() {
        wrong.note(&item.generics, "a capability has no type parameters: programs know one interface of its name");
    }
    if let Some(clause) = &item.generics.where_clause {
        wrong.note(clause, "a capability has no `where` clause");
    }
    if let Some(word) = &item.unsafety {
        wrong.note(word, "a capability is no unsafe trait: programs call its functions as they like");
    }
    let mut functions = Vec::new();
    for member in &item.items {
        match member {
            TraitItem::Fn(function) => match Function::new(function) {
                Ok(function) => functions.push(function.declared(&item.ident)),
                Err(error) => wrong.add(error),
            },
            TraitItem::Const(other) => wrong.note(other, "a capability has functions only"),
            TraitItem::Type(other) => wrong.note(other, "a capability has functions only"),
            other => wrong.note(other, "a capability has functions only"),
        }
    }
    let ItemTrait { ident, vis, .. } = item;
    let name = name(&item.attrs, ident).unwrap_or_else(|error| {
        wrong.add(error);
        String::new()
    });
    wrong.end()?;
    let doc = doc(&item.attrs);
    let shown = format!("[`{ident}`](trait@{ident}) as a capability of programs in Fold.");
    Ok(quote! {
        #[doc = #shown]
        #[allow(non_upper_case_globals, unused_mut)]
        #vis static #ident: ::pinfold::CapabilityOf<
            dyn #ident + ::core::marker::Send + ::core::marker::Sync
        > = ::pinfold::CapabilityOf::new(#name, #doc, |functions| { #(#functions)* });

        #[automatically_derived]
        impl<Implementor: #ident + ::core::marker::Send + ::core::marker::Sync + 'static>
            ::pinfold::ImplementedBy<Implementor> for dyn #ident + ::core::marker::Send + ::core::marker::Sync
        {
            fn of(state: ::std::sync::Arc<Implementor>) -> ::std::sync::Arc<Self> {
                state
            }
        }
    })
}

/// All that is wrong, told at once.
struct Wrong(Option<Error>);

impl Wrong {
    fn note(&mut self, at: impl ToTokens, message: &str) {
        self.add(Error::new_spanned(at, message));
    }

    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(all) => all.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn end(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A function of the trait.
struct Function<'a> {
    ident: &'a Ident,
    name: String,
    doc: String,
    /// Under which conditions it is there at all.
    cfgs: Vec<&'a Attribute>,
    params: Vec<Param>,
    result: TokenStream,
}

/// A parameter: a program gives a value of a type that has no borrows, and the function may be lent it.
struct Param {
    name: String,
    ty: TokenStream,
    is_lent: bool,
}

impl<'a> Function<'a> {
    fn new(function: &'a TraitItemFn) -> Result<Self> {
        let mut wrong = Wrong(None);
        let Signature { ident, generics, inputs, output, asyncness, constness, unsafety, abi, variadic, .. } =
            &function.sig;
        if let Some(word) = asyncness {
            wrong.note(
                word,
                "a function of a capability is not async: the program that calls it waits for what it gives",
            );
        }
        let words =
            [constness.as_ref().map(ToTokens::to_token_stream), unsafety.as_ref().map(ToTokens::to_token_stream)];
        let others = [abi.as_ref().map(ToTokens::to_token_stream), variadic.as_ref().map(ToTokens::to_token_stream)];
        for word in words.into_iter().chain(others).flatten() {
            wrong.note(word, "a function of a capability is a plain function");
        }
        if !generics.params.is_empty() {
            wrong.note(
                generics,
                "a function of a capability has no type parameters and no lifetimes: programs know its types",
            );
        }
        if let Some(clause) = &generics.where_clause {
            wrong.note(clause, "a function of a capability has no `where` clause");
        }
        let mut inputs = inputs.iter();
        match inputs.next() {
            Some(FnArg::Receiver(receiver)) => receiver_is_shared(receiver, &mut wrong),
            _ => wrong.note(&function.sig, "a function of a capability takes `&self`: programs have objects of it"),
        }
        let mut params = Vec::new();
        for input in inputs {
            let FnArg::Typed(input) = input else { continue };
            match Param::new(input) {
                Ok(param) => params.push(param),
                Err(error) => wrong.add(error),
            }
        }
        let result = match output {
            ReturnType::Default => quote! { () },
            ReturnType::Type(_, ty) => {
                if let Err(error) = crosses(ty.to_token_stream()) {
                    wrong.add(error);
                }
                ty.to_token_stream()
            }
        };
        let name = name(&function.attrs, ident).unwrap_or_else(|error| {
            wrong.add(error);
            String::new()
        });
        wrong.end()?;
        let cfgs = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect();
        Ok(Self { ident, name, doc: doc(&function.attrs), cfgs, params, result })
    }

    /// What declares it.
    fn declared(&self, of: &Ident) -> TokenStream {
        let Self { ident, name, doc, cfgs, params, result } = self;
        let types = params.iter().map(|Param { name, ty, .. }| {
            quote! { (#name, <#ty as ::pinfold::FoldType>::fold_type(declarations)) }
        });
        let locals: Vec<Ident> =
            (0..params.len()).map(|place| format_ident!("argument_{place}", span = Span::mixed_site())).collect();
        let taken = params.iter().zip(&locals).map(|(Param { ty, .. }, local)| {
            quote! { let #local: #ty = call.take()?; }
        });
        let handed = params.iter().zip(&locals).map(|(param, local)| match param.is_lent {
            true => quote! { &#local },
            false => quote! { #local },
        });
        quote! {
            #(#cfgs)*
            functions.add(
                #name,
                #doc,
                |declarations| {
                    (::std::vec![#(#types),*], <#result as ::pinfold::FoldType>::fold_type(declarations))
                },
                |of, mut call| {
                    #(#taken)*
                    call.give(&#of::#ident(of, #(#handed),*))
                },
            );
        }
    }
}

fn receiver_is_shared(receiver: &Receiver, wrong: &mut Wrong) {
    let message = "a function of a capability takes `&self`: programs share its objects, on any thread. What changes is behind a \
                   `Mutex`, or atomic";
    let lifetime = receiver.reference.as_ref().and_then(|(_, lifetime)| lifetime.as_ref());
    match lifetime {
        Some(lifetime) => wrong.note(lifetime, "it is `&self`, without a lifetime: an object is lent for the call"),
        None if receiver.reference.is_none() || receiver.mutability.is_some() || receiver.colon_token.is_some() => {
            wrong.note(receiver, message);
        }
        None => {}
    }
}

impl Param {
    fn new(param: &PatType) -> Result<Self> {
        let Pat::Ident(pattern) = &*param.pat else {
            return Err(Error::new_spanned(
                &param.pat,
                "a parameter of a capability's function has a name, which programs see",
            ));
        };
        let name = name(&param.attrs, &pattern.ident)?;
        crosses(param.ty.to_token_stream())?;
        let Type::Reference(lent) = &*param.ty else {
            return Ok(Self { name, ty: param.ty.to_token_stream(), is_lent: false });
        };
        if let Some(word) = &lent.mutability {
            let message = "a function of a capability is lent what it reads only: values cross by value, and nothing of them goes back";
            return Err(Error::new_spanned(word, message));
        }
        let ty = match &*lent.elem {
            Type::Path(path) if path.path.is_ident("str") => quote! { ::std::string::String },
            Type::Slice(slice) => {
                let of = &slice.elem;
                quote! { ::std::vec::Vec<#of> }
            }
            other => other.to_token_stream(),
        };
        Ok(Self { name, ty, is_lent: true })
    }
}

/// Whether there is nothing in a type by which it is none that a program can have.
fn crosses(ty: TokenStream) -> Result<()> {
    let mut after = None;
    for token in ty {
        match &token {
            TokenTree::Ident(word) if *word == "impl" => {
                return Err(Error::new_spanned(
                    token,
                    "what crosses to a program is of one type, not of any that implements a trait",
                ));
            }
            TokenTree::Ident(word) if *word == "Self" => {
                return Err(Error::new_spanned(token, "programs do not know the type behind a capability"));
            }
            TokenTree::Ident(word) if after == Some('\'') && *word != "static" => {
                let message = "no lifetimes: what a function is lent is there for the call";
                return Err(Error::new_spanned(token, message));
            }
            TokenTree::Group(group) => crosses(group.stream())?,
            _ => {}
        }
        after = if let TokenTree::Punct(punct) = &token { Some(punct.as_char()) } else { None };
    }
    Ok(())
}

/// What the documentation says, without the blank that each line begins with.
fn doc(attrs: &[Attribute]) -> String {
    let line = |attr: &Attribute| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(value) => match &value.lit {
                Lit::Str(text) => {
                    let text = text.value();
                    Some(text.strip_prefix(' ').unwrap_or(&text).to_owned())
                }
                _ => None,
            },
            _ => None,
        },
        _ => None,
    };
    attrs.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// Takes off the attributes that only this macro knows.
fn take_fold(item: &mut ItemTrait) {
    let take = |attrs: &mut Vec<Attribute>| attrs.retain(|attr| !attr.path().is_ident("fold"));
    take(&mut item.attrs);
    for member in &mut item.items {
        let TraitItem::Fn(function) = member else { continue };
        take(&mut function.attrs);
        for input in &mut function.sig.inputs {
            if let FnArg::Typed(input) = input {
                take(&mut input.attrs);
            }
        }
    }
}
