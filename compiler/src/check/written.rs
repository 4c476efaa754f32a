//! What written types say of access.

use crate::syntax::Access;
use crate::typed::{AccessTree, Ty, TyKind, Types};

/// The `var` and `let` in a written type, in its shape; before its position says what the rest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// There are none.
    Nothing,
    /// There may be some.
    Node {
        /// Of the type itself.
        access: Option<Access>,
        /// Of its parts, as of [`AccessTree::Node`].
        parts: Vec<Written>,
    },
}

impl Written {
    /// That of a type with these parts.
    pub fn of(parts: Vec<Written>) -> Self {
        if parts.iter().all(|part| *part == Written::Nothing) {
            Written::Nothing
        } else {
            Written::Node { access: None, parts }
        }
    }

    /// This, with `var` or `let` before it.
    pub fn with(self, access: Access) -> Self {
        match self {
            Written::Nothing => Written::Node { access: Some(access), parts: Vec::new() },
            Written::Node { parts, .. } => Written::Node { access: Some(access), parts },
        }
    }

    fn part(&self, index: usize) -> &Written {
        match self {
            Written::Nothing => &Written::Nothing,
            Written::Node { parts, .. } => parts.get(index).unwrap_or(&Written::Nothing),
        }
    }
}

/// What an alias's type says, with what its arguments say in the places of its parameters.
pub(super) fn graft(types: &Types, ty: Ty, written: &Written, args: &[Written]) -> Written {
    if args.iter().all(|arg| *arg == Written::Nothing) {
        return written.clone();
    }
    if let TyKind::Param(index) = types.kind(ty) {
        let arg = args.get(*index as usize).cloned().unwrap_or(Written::Nothing);
        return match (written, arg) {
            (Written::Node { access: Some(access), .. }, arg) => arg.with(*access),
            (_, arg) => arg,
        };
    }
    let mut parts: Vec<Written> =
        types.parts(ty).iter().enumerate().map(|(i, &part)| graft(types, part, written.part(i), args)).collect();
    if let TyKind::Fn(params, result) = types.kind(ty) {
        parts.push(graft(types, *result, written.part(params.len()), args));
    }
    match written {
        Written::Node { access: Some(access), .. } => Written::of(parts).with(*access),
        _ => Written::of(parts),
    }
}

/// What a type says of access at a position where `default` holds unless something is written: `None` leaves it to
/// inference.
pub(super) fn access_tree(types: &Types, ty: Ty, written: &Written, default: Option<Access>) -> AccessTree {
    let access = match written {
        Written::Node { access: Some(access), .. } => Some(*access),
        _ => default,
    };
    let parts: Box<[AccessTree]> = match types.kind(ty) {
        TyKind::Buffer => Box::new([]),
        TyKind::Fn(params, result) => {
            // A function type is a signature of its own.
            let params_access = params
                .iter()
                .enumerate()
                .map(|(i, &param)| access_tree(types, param, written.part(i), Some(Access::Read)));
            let result = access_tree(types, *result, written.part(params.len()), None);
            params_access.chain(std::iter::once(result)).collect()
        }
        TyKind::Array(_) | TyKind::Tuple(_) | TyKind::Record(..) | TyKind::Enum(..) | TyKind::Dyn(..) => types
            .parts(ty)
            .iter()
            .enumerate()
            .map(|(i, &part)| access_tree(types, part, written.part(i), access))
            .collect(),
        _ => return AccessTree::Leaf,
    };
    AccessTree::Node { access, parts }
}
