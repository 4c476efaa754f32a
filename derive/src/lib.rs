//! Macros of the crate `pinfold`: structs and enums cross to programs in Fold as records and enums, whose fields and variants are
//! found by their names, and traits are capabilities.
//!
//! `#[fold(name = "…")]` on a type, a field, a variant, or on a trait, a function of it or a parameter, says what it is called in Fold,
//! where that is not what it is called here.

#![deny(unsafe_code)]

mod capability;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Fields, Ident, LitStr, Member, Result, Type, parse_macro_input};

/// `pinfold::ToFold`: values that a program can be given.
#[proc_macro_derive(ToFold, attributes(fold))]
pub fn to_fold(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(&parse_macro_input!(input), Shape::putting)
}

/// `pinfold::FromFold`: values that a program can give.
#[proc_macro_derive(FromFold, attributes(fold))]
pub fn from_fold(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(&parse_macro_input!(input), Shape::taking)
}

/// `pinfold::FoldType`: types that a capability of the host's own can be declared with.
#[proc_macro_derive(FoldType, attributes(fold))]
pub fn fold_type(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    derive(&parse_macro_input!(input), Shape::declaring)
}

/// Makes a trait a capability of programs in Fold: an interface with the same functions, parameters and documentation.
///
/// Beside the trait there is then a static of the same name, a `pinfold::CapabilityOf`, of which machines are told, and which
/// makes objects of whatever implements the trait: `Vm::builder().capability(&Search)`, `grants! { search: Search.with(index) }`.
///
/// Functions take `&self`, since programs share objects and may run on several threads at once. Their other parameters are of types that
/// cross, and are declared with (`FromFold` and `FoldType`), or references to such, also `&str` and slices, which are lent for the call. What
/// they give crosses the other way (`ToFold` and `FoldType`); a `Result` is one in Fold, which the program deals with, and a panic
/// ends the program.
#[proc_macro_attribute]
pub fn capability(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    capability::expand(&arguments.into(), parse_macro_input!(item)).into()
}

fn derive(input: &DeriveInput, make: fn(&Shape) -> TokenStream) -> proc_macro::TokenStream {
    let made = Shape::new(input).map(|shape| make(&shape));
    made.unwrap_or_else(Error::into_compile_error).into()
}

/// What is derived for.
struct Shape {
    ident: Ident,
    name: String,
    kind: Kind,
}

enum Kind {
    Record(Parts),
    Enum(Vec<(Ident, String, Parts)>),
}

/// The fields of a struct or variant.
struct Parts(Vec<Field>);

struct Field {
    member: Member,
    /// A variable for it that no name of a field is.
    local: Ident,
    name: String,
    ty: Type,
}

impl Shape {
    fn new(input: &DeriveInput) -> Result<Self> {
        if !input.generics.params.is_empty() {
            return Err(Error::new_spanned(&input.generics, "what crosses to Fold has no parameters"));
        }
        let kind = match &input.data {
            Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => Kind::Record(Parts::new(&data.fields)?),
            Data::Enum(data) if !data.variants.is_empty() => {
                let variant = |variant: &syn::Variant| {
                    let name = name(&variant.attrs, &variant.ident)?;
                    Ok((variant.ident.clone(), name, Parts::new(&variant.fields)?))
                };
                Kind::Enum(data.variants.iter().map(variant).collect::<Result<_>>()?)
            }
            _ => {
                let message = "what crosses to Fold is a struct whose fields have names, or an enum that has variants";
                return Err(Error::new_spanned(&input.ident, message));
            }
        };
        Ok(Self { ident: input.ident.clone(), name: name(&input.attrs, &input.ident)?, kind })
    }

    fn putting(&self) -> TokenStream {
        let ident = &self.ident;
        let body = match &self.kind {
            Kind::Record(parts) => {
                let (pattern, names, put) = (parts.pattern(), parts.names(), parts.put());
                quote! {
                    let Self #pattern = self;
                    to.record(ty, &[#(#names),*], #put)
                }
            }
            Kind::Enum(variants) => {
                let arms = variants.iter().map(|(ident, name, parts)| {
                    let (pattern, names, put) = (parts.pattern(), parts.names(), parts.put());
                    quote! { Self::#ident #pattern => to.variant(ty, #name, &[#(#names),*], #put), }
                });
                quote! { match self { #(#arms)* } }
            }
        };
        quote! {
            #[automatically_derived]
            impl ::pinfold::ToFold for #ident {
                fn to_fold(
                    &self,
                    ty: ::pinfold::Type<'_>,
                    to: &mut ::pinfold::Writer,
                ) -> ::core::result::Result<(), ::pinfold::Mismatch> {
                    #body
                }
            }
        }
    }

    fn taking(&self) -> TokenStream {
        let ident = &self.ident;
        let body = match &self.kind {
            Kind::Record(parts) => {
                let (locals, names, take) = (parts.locals(), parts.names(), parts.take());
                let made = parts.made(&quote! { Self });
                quote! {
                    #locals
                    from.record(ty, &[#(#names),*], #take)?;
                    #made
                }
            }
            Kind::Enum(variants) => {
                let arms = variants.iter().map(|(ident, name, parts)| {
                    let (locals, names, take) = (parts.locals(), parts.names(), parts.take());
                    let made = parts.made(&quote! { Self::#ident });
                    quote! {
                        #name => {
                            #locals
                            variant.fields(from, &[#(#names),*], #take)?;
                            #made
                        }
                    }
                });
                quote! {
                    from.variant(ty, |variant, from| match variant.name() {
                        #(#arms)*
                        _ => ::core::result::Result::Err(variant.unknown()),
                    })
                }
            }
        };
        quote! {
            #[automatically_derived]
            impl ::pinfold::FromFold for #ident {
                fn from_fold(
                    ty: ::pinfold::Type<'_>,
                    from: &mut ::pinfold::Reader<'_>,
                ) -> ::core::result::Result<Self, ::pinfold::Mismatch> {
                    #body
                }
            }
        }
    }

    fn declaring(&self) -> TokenStream {
        let (ident, name) = (&self.ident, &self.name);
        let body = match &self.kind {
            Kind::Record(parts) => {
                let declared = parts.declared();
                quote! { declarations.record(#name, |declarations| #declared) }
            }
            Kind::Enum(variants) => {
                let variants = variants.iter().map(|(_, name, parts)| {
                    let declared = parts.declared();
                    quote! { (#name, #declared) }
                });
                quote! { declarations.enumeration(#name, |declarations| ::std::vec![#(#variants),*]) }
            }
        };
        quote! {
            #[automatically_derived]
            impl ::pinfold::FoldType for #ident {
                fn fold_type(declarations: &mut ::pinfold::Declarations) -> ::pinfold::Declared {
                    #body
                }
            }
        }
    }
}

impl Parts {
    fn new(fields: &Fields) -> Result<Self> {
        let field = |(field, member): (&syn::Field, Member)| {
            let index = match &member {
                Member::Named(ident) => ident.unraw().to_string(),
                Member::Unnamed(index) => index.index.to_string(),
            };
            let name = written(&field.attrs)?.unwrap_or_else(|| index.clone());
            Ok(Field { local: format_ident!("field_{index}"), member, name, ty: field.ty.clone() })
        };
        fields.iter().zip(fields.members()).map(field).collect::<Result<_>>().map(Self)
    }

    /// Binds all of them. With braces, as all kinds of structs and variants may be written.
    fn pattern(&self) -> TokenStream {
        let fields = self.0.iter().map(|Field { member, local, .. }| quote! { #member: #local });
        quote! { { #(#fields),* } }
    }

    fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|field| &field.name)
    }

    /// What puts one of them.
    fn put(&self) -> TokenStream {
        if self.0.is_empty() {
            return quote! { |_, _, _| ::core::result::Result::Ok(()) };
        }
        let arms = self.0.iter().enumerate().map(|(place, Field { local, .. })| {
            quote! { #place => ::pinfold::ToFold::to_fold(#local, ty, to), }
        });
        quote! { |at, ty, to| match at { #(#arms)* _ => ::core::result::Result::Ok(()) } }
    }

    /// Variables for what is taken.
    fn locals(&self) -> TokenStream {
        let locals = self.0.iter().map(|Field { local, ty, .. }| {
            quote! { let mut #local = ::core::option::Option::<#ty>::None; }
        });
        quote! { #(#locals)* }
    }

    /// What takes one of them.
    fn take(&self) -> TokenStream {
        if self.0.is_empty() {
            return quote! { |_, _, _| ::core::result::Result::Ok(()) };
        }
        let arms = self.0.iter().enumerate().map(|(place, Field { local, .. })| {
            quote! { #place => #local = ::core::option::Option::Some(::pinfold::FromFold::from_fold(ty, from)?), }
        });
        quote! {
            |at, ty, from| {
                match at { #(#arms)* _ => {} }
                ::core::result::Result::Ok(())
            }
        }
    }

    /// What was taken, as one.
    fn made(&self, of: &TokenStream) -> TokenStream {
        let locals: Vec<&Ident> = self.0.iter().map(|field| &field.local).collect();
        let pattern = self.pattern();
        if locals.is_empty() {
            return quote! { ::core::result::Result::Ok(#of {}) };
        }
        quote! {
            match (#(#locals,)*) {
                (#(::core::option::Option::Some(#locals),)*) => ::core::result::Result::Ok(#of #pattern),
                _ => ::core::result::Result::Err(::pinfold::Mismatch::new(ty, "a field less")),
            }
        }
    }

    /// Their names and types.
    fn declared(&self) -> TokenStream {
        let fields = self.0.iter().map(|Field { name, ty, .. }| {
            quote! { (#name, <#ty as ::pinfold::FoldType>::fold_type(declarations)) }
        });
        quote! { ::std::vec![#(#fields),*] }
    }
}

/// What something is called in Fold.
fn name(attrs: &[Attribute], ident: &Ident) -> Result<String> {
    Ok(written(attrs)?.unwrap_or_else(|| ident.unraw().to_string()))
}

/// The name that an attribute gives.
fn written(attrs: &[Attribute]) -> Result<Option<String>> {
    let mut found = None;
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("fold")) {
        attr.parse_nested_meta(|meta| {
            if !meta.path.is_ident("name") {
                return Err(meta.error("what can be said is name = \"…\""));
            }
            found = Some(meta.value()?.parse::<LitStr>()?.value());
            Ok(())
        })?;
    }
    Ok(found)
}
