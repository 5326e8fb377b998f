//! Reading the house's own source: what several rules ask of it.

use syn::{Attribute, GenericArgument, PathArguments, Type};

/// Is an item there for tests only?
pub(crate) fn is_test_only(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|it| it.path().is_ident("cfg") && it.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test")))
}

/// The last name of a path, and the types between its angle brackets.
pub(crate) fn last(path: &syn::Path) -> (String, Vec<Type>) {
    let Some(segment) = path.segments.last() else { return Default::default() };
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(them) => {
            let of_type = |it: &GenericArgument| if let GenericArgument::Type(of) = it { Some(of.clone()) } else { None };
            them.args.iter().filter_map(of_type).collect()
        }
        _ => Vec::new(),
    };
    (segment.ident.to_string(), arguments)
}
