//! The tree as text, for people and tests: S-expressions, without places.

use super::*;
use crate::names::Names;

/// The longest line where there is a choice.
const WIDTH: usize = 100;

/// Writes a file's tree.
pub fn dump(file: &File, names: &Names) -> String {
    let mut out = String::new();
    let dumper = Dumper { names };
    let doc = file.doc.iter().map(|doc| list("doc", [text(doc)]));
    let needs = file.needs.iter().map(|needs| list("needs", needs.params.iter().map(|param| dumper.param(param))));
    let items = file.items.iter().map(|item| dumper.item(item));
    let body = file.body.iter().map(|stmt| dumper.stmt(stmt));
    for node in doc.chain(needs).chain(items).chain(body) {
        node.write(0, &mut out);
        out.push('\n');
    }
    out
}

/// What is written.
enum Node {
    Atom(String),
    List(Vec<Node>),
}

impl Node {
    /// How long it is in one line.
    fn length(&self) -> usize {
        match self {
            Node::Atom(text) => text.chars().count(),
            Node::List(parts) => parts.iter().map(|part| part.length() + 1).sum::<usize>() + 1,
        }
    }

    fn write(&self, indent: usize, out: &mut String) {
        let parts = match self {
            Node::Atom(text) => return out.push_str(text),
            Node::List(parts) => parts,
        };
        out.push('(');
        let fits = indent + self.length() <= WIDTH;
        // The head and what is short goes into the first line.
        let mut first = true;
        for (index, part) in parts.iter().enumerate() {
            first &= fits || index == 0 || matches!(part, Node::Atom(_));
            if first {
                out.push_str(if index > 0 { " " } else { "" });
                part.write(indent + 2, out);
            } else {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
                part.write(indent + 2, out);
            }
        }
        out.push(')');
    }
}

fn atom(text: impl Into<String>) -> Node {
    Node::Atom(text.into())
}

fn text(text: &str) -> Node {
    atom(format!("{text:?}"))
}

fn list(head: &str, parts: impl IntoIterator<Item = Node>) -> Node {
    Node::List(std::iter::once(atom(head)).chain(parts).collect())
}

/// A word if something holds.
fn flag(holds: bool, word: &str) -> Option<Node> {
    holds.then(|| atom(word))
}

struct Dumper<'a> {
    names: &'a Names,
}

impl Dumper<'_> {
    fn name(&self, ident: &Ident) -> Node {
        atom(self.names.text(ident.name))
    }

    fn path(&self, path: &Path) -> Node {
        atom(path.parts.iter().map(|part| self.names.text(part.name)).collect::<Vec<_>>().join("."))
    }

    fn label(&self, label: &Option<Ident>) -> Option<Node> {
        label.as_ref().map(|label| atom(format!("{}:", self.names.text(label.name))))
    }

    fn item(&self, item: &Item) -> Node {
        let doc = item.doc.as_ref().map(|doc| list("doc", [text(doc)]));
        let public = flag(item.public, "pub");
        let (head, parts) = self.item_kind(&item.kind);
        list(head, public.into_iter().chain(parts).chain(doc))
    }

    fn item_kind(&self, kind: &ItemKind) -> (&'static str, Vec<Node>) {
        match kind {
            ItemKind::Import(import) => ("import", self.import(import)),
            ItemKind::Fn(function) => (fn_head(function.kind), self.function(function)),
            ItemKind::Record(record) => {
                let fields = record.fields.iter().map(|field| self.field(field));
                ("record", self.named(&record.name, &record.generics).chain(fields).collect())
            }
            ItemKind::Enum(item) => {
                let variants = item.variants.iter().map(|variant| self.variant(variant));
                ("enum", self.named(&item.name, &item.generics).chain(variants).collect())
            }
            ItemKind::Trait(item) => {
                let supers = item.supers.iter().map(|bound| list("super", [self.trait_ref(bound)]));
                let members = item.members.iter().map(|member| self.member(member));
                let head = if item.capability { "capability" } else { "trait" };
                (head, self.named(&item.name, &item.generics).chain(supers).chain(members).collect())
            }
            ItemKind::Impl(item) => ("impl", self.impl_parts(item)),
            ItemKind::Const(item) => ("const", vec![self.name(&item.name), self.ty(&item.ty), self.expr(&item.value)]),
            ItemKind::Alias(item) => {
                ("type", self.named(&item.name, &item.generics).chain([self.ty(&item.ty)]).collect())
            }
            ItemKind::Test(test) => ("test", std::iter::once(text(&test.name)).chain(self.stmts(&test.body)).collect()),
            ItemKind::Error => ("error", Vec::new()),
        }
    }

    fn import(&self, import: &Import) -> Vec<Node> {
        let path = import.path.iter().map(|part| self.names.text(part.name)).collect::<Vec<_>>().join("/");
        let mut parts = vec![atom(path)];
        parts.extend(import.alias.iter().map(|alias| list("as", [self.name(alias)])));
        if let Some(names) = &import.names {
            let name = |(name, alias): &(Ident, Option<Ident>)| match alias {
                Some(alias) => list("as", [self.name(name), self.name(alias)]),
                None => self.name(name),
            };
            parts.push(list("names", names.iter().map(name)));
        }
        parts
    }

    fn named(&self, name: &Ident, generics: &[Generic]) -> impl Iterator<Item = Node> {
        std::iter::once(self.name(name)).chain(self.generics("of", generics))
    }

    fn generics(&self, head: &str, generics: &[Generic]) -> Option<Node> {
        let one = |generic: &Generic| match generic.bounds.as_slice() {
            [] => self.name(&generic.name),
            bounds => {
                let bounds = bounds.iter().map(|bound| self.trait_ref(bound));
                Node::List(std::iter::once(self.name(&generic.name)).chain(bounds).collect())
            }
        };
        (!generics.is_empty()).then(|| list(head, generics.iter().map(one)))
    }

    fn function(&self, function: &Fn) -> Vec<Node> {
        let receiver = function.receiver.map(|receiver| atom(if receiver.mutable { "var-self" } else { "self" }));
        let params = receiver.into_iter().chain(function.params.iter().map(|param| self.param(param)));
        let params = Node::List(params.collect());
        let mut parts: Vec<Node> = self.named(&function.name, &function.generics).chain([params]).collect();
        parts.extend(function.result.iter().map(|ty| list("->", [self.ty(ty)])));
        parts.extend(self.generics("where", &function.wheres));
        parts.extend(function.body.iter().filter_map(Body::block).map(|body| self.block(body)));
        parts
    }

    fn param(&self, param: &Param) -> Node {
        let ty = param.ty.iter().map(|ty| self.ty(ty));
        Node::List(flag(param.mutable, "var").into_iter().chain([self.name(&param.name)]).chain(ty).collect())
    }

    fn field(&self, field: &Field) -> Node {
        let flags = flag(field.public, "pub").into_iter().chain(flag(field.mutable, "var"));
        let doc = field.doc.as_ref().map(|doc| list("doc", [text(doc)]));
        Node::List(flags.chain([self.name(&field.name), self.ty(&field.ty)]).chain(doc).collect())
    }

    fn variant(&self, variant: &Variant) -> Node {
        let payload: Vec<Node> = match &variant.payload {
            Payload::Unit => Vec::new(),
            Payload::Tuple(types) => types.iter().map(|ty| self.ty(ty)).collect(),
            Payload::Named(fields) => vec![list("fields", fields.iter().map(|field| self.field(field)))],
        };
        let doc = variant.doc.as_ref().map(|doc| list("doc", [text(doc)]));
        Node::List(std::iter::once(self.name(&variant.name)).chain(payload).chain(doc).collect())
    }

    fn member(&self, member: &Member) -> Node {
        let doc = member.doc.as_ref().map(|doc| list("doc", [text(doc)]));
        let parts = flag(member.public, "pub").into_iter().chain(self.function(&member.function)).chain(doc);
        list(fn_head(member.function.kind), parts)
    }

    fn impl_parts(&self, item: &Impl) -> Vec<Node> {
        let mut parts: Vec<Node> = self.generics("of", &item.generics).into_iter().collect();
        if let Some(trait_ref) = &item.trait_ref {
            parts.extend([self.trait_ref(trait_ref), atom("for")]);
        }
        parts.push(self.ty(&item.ty));
        parts.extend(self.generics("where", &item.wheres));
        parts.extend(item.members.iter().map(|member| self.member(member)));
        parts
    }

    fn trait_ref(&self, bound: &TraitRef) -> Node {
        self.applied(&bound.path, &bound.args)
    }

    fn applied(&self, path: &Path, args: &[Type]) -> Node {
        match args {
            [] => self.path(path),
            _ => Node::List(std::iter::once(self.path(path)).chain(args.iter().map(|ty| self.ty(ty))).collect()),
        }
    }

    fn ty(&self, ty: &Type) -> Node {
        match &ty.kind {
            TypeKind::Named(path, args) => self.applied(path, args),
            TypeKind::Tuple(types) => list("tuple", types.iter().map(|ty| self.ty(ty))),
            TypeKind::Fn(params, result) => {
                let result = result.iter().map(|ty| list("->", [self.ty(ty)]));
                list("fn", params.iter().map(|ty| self.ty(ty)).chain(result))
            }
            TypeKind::Dyn(bound) => list("dyn", [self.trait_ref(bound)]),
            TypeKind::Access(Access::Read, ty) => list("let", [self.ty(ty)]),
            TypeKind::Access(Access::Mutable, ty) => list("var", [self.ty(ty)]),
            TypeKind::Infer => atom("_"),
            TypeKind::Error => atom("<error>"),
        }
    }

    fn block(&self, block: &Block) -> Node {
        list("block", self.stmts(block))
    }

    fn stmts<'a>(&'a self, block: &'a Block) -> impl Iterator<Item = Node> + 'a {
        block.stmts.iter().map(|stmt| self.stmt(stmt))
    }

    fn stmt(&self, stmt: &Stmt) -> Node {
        match &stmt.kind {
            StmtKind::Let { pattern, ty, value, otherwise } => {
                let ty = ty.iter().map(|ty| list(":", [self.ty(ty)]));
                let otherwise = otherwise.iter().map(|block| list("else", self.stmts(block)));
                list("let", [self.pattern(pattern)].into_iter().chain(ty).chain([self.expr(value)]).chain(otherwise))
            }
            StmtKind::Assign { place, op, value } => {
                let sign = format!("{}=", op.map_or("", BinaryOp::sign));
                list(&sign, [self.expr(place), self.expr(value)])
            }
            StmtKind::While { label, condition, body } => {
                list("while", self.label(label).into_iter().chain([self.expr(condition)]).chain(self.stmts(body)))
            }
            StmtKind::For { label, pattern, value, body } => {
                let head = [self.pattern(pattern), self.expr(value)];
                list("for", self.label(label).into_iter().chain(head).chain(self.stmts(body)))
            }
            StmtKind::Expr { expr, ended: false } => self.expr(expr),
            StmtKind::Expr { expr, ended: true } => list(";", [self.expr(expr)]),
            StmtKind::Error => atom("<error>"),
        }
    }

    fn exprs<'a>(&'a self, exprs: &'a [Expr]) -> impl Iterator<Item = Node> + 'a {
        exprs.iter().map(|expr| self.expr(expr))
    }

    fn expr(&self, expr: &Expr) -> Node {
        match &expr.kind {
            ExprKind::Int(value) => atom(value.map_or("<error>".into(), |value| value.to_string())),
            ExprKind::Float(value) => atom(format!("{value:?}")),
            ExprKind::Bool(value) => atom(value.to_string()),
            ExprKind::Char(value) => atom(format!("{value:?}")),
            ExprKind::String(value) => text(value),
            ExprKind::Interpolation(pieces) => list("text", pieces.iter().map(|piece| self.piece(piece))),
            ExprKind::Bytes(bytes) => atom(format!("b\"{}\"", bytes.escape_ascii())),
            ExprKind::Name(name) => self.name(name),
            ExprKind::Generic(base, args) => {
                list("::", [self.expr(base)].into_iter().chain(args.iter().map(|ty| self.ty(ty))))
            }
            ExprKind::Field(base, name) => list(".", [self.expr(base), self.name(name)]),
            ExprKind::TupleField(base, index, _) => list(".", [self.expr(base), atom(index.to_string())]),
            ExprKind::Index(base, index) => list("index", [self.expr(base), self.expr(index)]),
            ExprKind::Call(function, args) => list("call", [self.expr(function)].into_iter().chain(self.exprs(args))),
            ExprKind::Try(base) => list("?", [self.expr(base)]),
            ExprKind::Unary(op, base) => list(op.sign(), [self.expr(base)]),
            ExprKind::Binary(op, left, right, _) => list(op.sign(), [self.expr(left), self.expr(right)]),
            ExprKind::Range { start, end, inclusive } => self.range(start, end, *inclusive),
            ExprKind::Tuple(parts) => list("tuple", self.exprs(parts)),
            ExprKind::Paren(inner) => list("paren", [self.expr(inner)]),
            ExprKind::List(parts) => list("list", self.exprs(parts)),
            ExprKind::Repeat(value, count) => list("repeat", [self.expr(value), self.expr(count)]),
            ExprKind::Map(pairs) => {
                list("map", pairs.iter().map(|(key, value)| Node::List(vec![self.expr(key), self.expr(value)])))
            }
            ExprKind::Record { path, fields, base } => {
                let fields = fields.iter().map(|field| self.field_init(field));
                let base = base.iter().map(|base| list("..", [self.expr(base)]));
                list("record", [self.expr(path)].into_iter().chain(fields).chain(base))
            }
            ExprKind::Block(block) => self.block(block),
            ExprKind::If { condition, then, otherwise } => {
                let otherwise = otherwise.iter().map(|expr| list("else", [self.expr(expr)]));
                list("if", [self.expr(condition), self.block(then)].into_iter().chain(otherwise))
            }
            ExprKind::Let(pattern, value) => list("let", [self.pattern(pattern), self.expr(value)]),
            ExprKind::Match { value, arms } => {
                list("match", [self.expr(value)].into_iter().chain(arms.iter().map(|arm| self.arm(arm))))
            }
            ExprKind::Closure { params, result, body } => {
                let params = Node::List(params.iter().map(|param| self.closure_param(param)).collect());
                let result = result.iter().map(|ty| list("->", [self.ty(ty)]));
                list("closure", [params].into_iter().chain(result).chain([self.expr(body)]))
            }
            ExprKind::Return(value) => list("return", value.iter().map(|value| self.expr(value))),
            ExprKind::Break(label) => list("break", label.iter().map(|label| self.name(label))),
            ExprKind::Continue(label) => list("continue", label.iter().map(|label| self.name(label))),
            ExprKind::Assert(condition, message) => list(
                "assert",
                [self.expr(condition)].into_iter().chain(message.iter().map(|message| self.expr(message))),
            ),
            ExprKind::Error => atom("<error>"),
        }
    }

    fn field_init(&self, field: &FieldInit) -> Node {
        match field.short {
            true => self.name(&field.name),
            false => Node::List(vec![self.name(&field.name), self.expr(&field.value)]),
        }
    }

    fn closure_param(&self, param: &ClosureParam) -> Node {
        match &param.ty {
            Some(ty) => Node::List(vec![self.pattern(&param.pattern), self.ty(ty)]),
            None => self.pattern(&param.pattern),
        }
    }

    fn arm(&self, arm: &Arm) -> Node {
        let guard = arm.guard.iter().map(|guard| list("if", [self.expr(guard)]));
        list("=>", [self.pattern(&arm.pattern)].into_iter().chain(guard).chain([self.expr(&arm.body)]))
    }

    fn piece(&self, piece: &Piece) -> Node {
        match piece {
            Piece::Text(part) => text(part),
            Piece::Value(value, None) => self.expr(value),
            Piece::Value(value, Some(format)) => list(":", [self.expr(value), self.format(format)]),
        }
    }

    fn format(&self, format: &Format) -> Node {
        let mut parts = vec![atom("format")];
        parts.extend(format.align.map(|align| atom(format!("{:?}{align:?}", format.fill))));
        parts.extend(flag(format.plus, "plus"));
        parts.extend(flag(format.prefix, "prefix"));
        parts.extend(flag(format.zero, "zero"));
        parts.extend((format.width > 0).then(|| atom(format!("width={}", format.width))));
        parts.extend(format.precision.map(|precision| atom(format!("precision={precision}"))));
        parts.extend((format.kind != FormatKind::Plain).then(|| atom(format!("{:?}", format.kind))));
        Node::List(parts)
    }

    fn range(&self, start: &Option<Box<Expr>>, end: &Option<Box<Expr>>, inclusive: bool) -> Node {
        let end_of = |end: &Option<Box<Expr>>| end.as_ref().map_or_else(|| atom("-"), |end| self.expr(end));
        list(if inclusive { "..=" } else { ".." }, [end_of(start), end_of(end)])
    }

    fn pattern(&self, pattern: &Pattern) -> Node {
        let patterns = |patterns: &[Pattern]| patterns.iter().map(|pattern| self.pattern(pattern)).collect::<Vec<_>>();
        match &pattern.kind {
            PatternKind::Wildcard => atom("_"),
            PatternKind::Bind { mutable, name, sub } => match (mutable, sub) {
                (false, None) => self.name(name),
                (true, None) => list("var", [self.name(name)]),
                (_, Some(sub)) => {
                    list("@", flag(*mutable, "var").into_iter().chain([self.name(name), self.pattern(sub)]))
                }
            },
            PatternKind::Literal(value) => self.expr(value),
            PatternKind::Range { start, end, inclusive } => self.range(start, end, *inclusive),
            PatternKind::Tuple(parts) => list("tuple", patterns(parts)),
            PatternKind::List { before, rest, after } => {
                let rest = rest.as_ref().map(|rest| list("..", rest.iter().map(|rest| self.pattern(rest))));
                list("list", patterns(before).into_iter().chain(rest).chain(patterns(after)))
            }
            PatternKind::Variant(path, parts) => list("variant", [self.path(path)].into_iter().chain(patterns(parts))),
            PatternKind::Record { path, fields, open } => {
                let fields =
                    fields.iter().map(|(name, pattern)| Node::List(vec![self.name(name), self.pattern(pattern)]));
                list("record", [self.path(path)].into_iter().chain(fields).chain(flag(*open, "..")))
            }
            PatternKind::Or(parts) => list("|", patterns(parts)),
            PatternKind::Error => atom("<error>"),
        }
    }
}

fn fn_head(kind: FnKind) -> &'static str {
    match kind {
        FnKind::Plain => "fn",
        FnKind::Intrinsic => "intrinsic-fn",
        FnKind::Host => "host-fn",
    }
}
