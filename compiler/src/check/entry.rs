//! Bodies in order, and what a program begins with.

use super::declare::Code;
use super::scope::{Def, Entry};
use super::traits::{Head, Proof, Wanted};
use super::{Checker, Owner, function_ids};
use crate::diagnostic::Diagnostic;
use crate::session::transfer;
use crate::source::Span;
use crate::typed::{ConstId, Earlier, EntryMain, FnId, FunctionKind, LocalId, Main, ModuleId, TraitId, Ty, TyKind};

impl Checker<'_> {
    /// Checks all bodies: those of the program, then those of the standard library that they reach.
    pub(super) fn check_bodies(&mut self) {
        let root = ModuleId(self.program.modules.len() as u32 - 1);
        self.find_main(root);
        let lang = self.program.lang;
        for id in [lang.panic, lang.fail, lang.string_eq, lang.string_concat].into_iter().flatten() {
            self.reach_fn(id);
        }
        self.keep_tests(root);
        if self.options.embedded {
            self.find_interface(root);
        }
        for index in 0..self.program.constants.len() {
            let module = self.program.constants[index].module;
            if self.is_checked(module) {
                self.check_constant(ConstId(index as u32));
            }
        }
        for id in function_ids(&self.program) {
            let module = self.program.functions[id.index()].module;
            let has_body = match self.declared.fns[id.index()].source {
                Code::Test(_) => self.program.tests.iter().any(|test| test.function == id),
                source => source.has_body(),
            };
            if has_body && self.is_checked(module) && !self.is_over() {
                self.infer_function(id);
            }
        }
        self.check_reached();
        while self.make_derived() {
            self.check_reached();
        }
        self.check_constant_cycles();
        self.share_variables();
    }

    /// Puts what a session's entry shares with others into boxes.
    fn share_variables(&mut self) {
        let Some(main) = &mut self.program.main else { return };
        let Some(entry) = &mut main.entry else { return };
        let FunctionKind::Plain(body) = &mut self.program.functions[main.function.index()].kind else { return };
        let path = &self.program.modules[self.program.modules.len() - 1].path;
        for &id in &self.binds {
            let name = self.names.text(body.locals[id.index()].name);
            entry.binds.push((id, format!("{path}: {name}").into()));
        }
        let earlier = (main.needs.len()..body.params).map(|index| LocalId(index as u32));
        for id in earlier.chain(self.binds.iter().copied()) {
            let local = &mut body.locals[id.index()];
            (local.captured, local.assigned) = (true, true);
        }
    }

    fn is_checked(&self, module: ModuleId) -> bool {
        self.options.check_all || !self.program.modules[module.index()].standard
    }

    /// Leaves those tests that are asked for.
    fn keep_tests(&mut self, root: ModuleId) {
        let package = self.scopes[root.index()].package;
        let tests = std::mem::take(&mut self.program.tests);
        let (kept, left): (Vec<_>, Vec<_>) = tests.into_iter().partition(|test| {
            let own = self.scopes[test.module.index()].package == package;
            self.options.tests && (own || self.options.check_all)
        });
        self.program.tests = kept;
        for test in left {
            self.program.functions[test.function.index()].kind = FunctionKind::Unreached;
        }
    }

    fn find_main(&mut self, root: ModuleId) {
        let entry = self.scopes[root.index()].entries.get(&self.words.main).copied();
        let entry = entry.filter(|_| self.options.session.is_none());
        let script =
            function_ids(&self.program).find(|id| matches!(self.declared.fns[id.index()].source, Code::Script(_)));
        match (entry, script) {
            (Some(Entry { def: Def::Fn(_), span, .. }), Some(_)) => {
                let error = Diagnostic::error("F0320", span, "a script has no `main`");
                self.report(error.help("its statements are what runs: take them or this function out"));
            }
            (_, Some(script)) => self.set_main(script),
            (Some(Entry { def: Def::Fn(id), import: None, .. }), None) => self.set_main(id),
            (_, None) if self.options.needs_main => {
                let file = self.declared.root.map_or(Span::default(), |file| Span { file: file.id, start: 0, end: 0 });
                let error = Diagnostic::error("F0320", file, "there is no `main`");
                self.report(error.help("a program begins with `fn main(…) { … }`, a script with its first statement"));
            }
            _ => {}
        }
    }

    fn set_main(&mut self, id: FnId) {
        let function = &self.program.functions[id.index()];
        let span = function.span;
        let mut needs = Vec::new();
        let mut wrong = None;
        let variables = self.options.session.map_or(0, |session| session.variables.len());
        let handed = function.params.len().saturating_sub(variables);
        for param in &function.params[..handed] {
            match self.program.types.kind(param.ty) {
                TyKind::Dyn(of, _) if self.maker(*of).is_some() => needs.push((param.name, *of)),
                TyKind::Error => {}
                _ => wrong = wrong.or(Some((param.span, param.ty))),
            }
        }
        let generic = self.declared.fns[id.index()].owner == Owner::Module && !function.generics.is_empty();
        let result = function.result;
        if let Some((span, ty)) = wrong {
            let message = format!("`main` cannot be handed a `{}`", self.show(ty));
            let error = Diagnostic::error("F0320", span, message);
            self.report(error.note("its parameters are capabilities: `Console`, `Dir`, `Net` and others"));
        }
        if generic {
            self.report(Diagnostic::error("F0320", span, "`main` has no type parameters"));
        }
        self.check_main_result(result, span);
        for (_, of) in &needs {
            if let Some(id) = self.maker(*of) {
                self.reach_fn(id);
            }
        }
        let entry = self.options.session.map(|session| {
            let types = self.program.functions[id.index()].params[handed..].iter().map(|param| param.ty);
            let earlier = session.variables.iter().zip(types);
            let earlier = earlier.map(|(variable, ty)| Earlier { global: variable.global.clone(), ty }).collect();
            let types = &mut self.program.types;
            let mut here = |ty| transfer(&session.types, ty, types);
            let rows = session.rows_of.iter().map(|((ty, of, args), place)| {
                let args = args.iter().map(|&arg| here(arg)).collect();
                ((here(*ty), *of, args), *place)
            });
            EntryMain { earlier, binds: Vec::new(), rows: rows.collect() }
        });
        self.program.main = Some(Main { function: id, needs, entry });
    }

    /// The function that makes a capability of the host's handle; others are not handed over by the host, but made by a program.
    pub(super) fn maker(&self, of: TraitId) -> Option<FnId> {
        let of_capability = self.program.traits[of.index()].capability;
        of_capability.then(|| self.own_function(Head::Dyn(of), self.words.from_handle))?
    }

    fn check_main_result(&mut self, result: Ty, span: Span) {
        if result == Ty::UNIT || result == Ty::ERROR || result == Ty::NEVER {
            return;
        }
        if let TyKind::Enum(id, args) = self.program.types.kind(result)
            && Some(*id) == self.program.lang.result
            && (args[0] == Ty::UNIT || self.options.session.is_some())
            && let Some(show) = self.program.lang.show
        {
            let error = args[1];
            if !matches!(self.prove(Wanted { ty: error, of: show, args: Vec::new() }), Proof::Yes) {
                let message = format!("`main` gives an error, `{}`, that has no text", self.show(error));
                self.report(Diagnostic::error("F0320", span, message).help("implement `Show` for it"));
            }
            for method in 0..self.program.traits[show.index()].methods.len() as u32 {
                self.reach_trait(show, method, error);
            }
            return;
        }
        let message = format!("`main` cannot give a `{}`", self.show(result));
        self.report(Diagnostic::error("F0320", span, message).note("it gives nothing, or a `Result<()>`"));
    }
}
