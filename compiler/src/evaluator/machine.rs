//! Functions, frames, type arguments, limits.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::host::Host;
use super::value::{Function, Slot, Value};
use super::{Ending, Limits, Panic, PanicKind, Run, TRACE};
use crate::names::Names;
use crate::source::Span;
use crate::typed::{
    Body, Callee, ConstId, Expr, FnId, FunctionKind, LocalId, LoopId, Program, TraitId, Ty, TyKind, Types,
};

/// The number of a list of type arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EnvId(u32);

/// Why an expression has no value.
#[derive(Debug)]
pub(super) enum Flow<'p> {
    /// The function ends.
    Return(Value<'p>),
    /// A loop ends.
    Break(LoopId),
    /// A loop goes on.
    Continue(LoopId),
    /// The program ends.
    End(Box<Ending>),
}

/// A value, or why there is none.
pub(super) type Eval<'p, T = Value<'p>> = Result<T, Flow<'p>>;

/// What is called.
pub(super) enum Target<'p> {
    /// A function, with type arguments.
    Function(FnId, EnvId),
    /// What the compiler makes of a type's structure.
    Structural(super::structure::Structural, Ty),
    /// A trait's function, of the value that comes first.
    Dyn(TraitId, u32),
    /// A function value.
    Value(Value<'p>),
}

/// A function that runs.
pub(super) struct Frame<'p> {
    pub(super) env: EnvId,
    pub(super) locals: Vec<Slot<'p>>,
    pub(super) body: &'p Body,
}

/// The state of a run.
pub(super) struct Machine<'p> {
    pub(super) program: &'p Program,
    pub(super) names: &'p Names,
    /// The program's types, and those that type arguments make.
    pub(super) types: Types,
    pub(super) host: Host,
    pub(super) impls: super::resolve::Impls,
    /// Where it is, for messages.
    pub(super) span: Span,
    limits: Limits,
    steps: u64,
    calls: Vec<Rc<str>>,
    envs: Vec<Rc<[Ty]>>,
    env_numbers: FxHashMap<Rc<[Ty]>, EnvId>,
    substituted: FxHashMap<(Ty, EnvId), Ty>,
    constants: Vec<Option<Value<'p>>>,
    /// The types that were asked for their number.
    pub(super) type_ids: Vec<Ty>,
}

impl<'p> Machine<'p> {
    pub(super) fn new(program: &'p Program, names: &'p Names, limits: Limits, input: &[u8]) -> Self {
        Self {
            program,
            names,
            types: program.types.clone(),
            host: Host::new(input),
            impls: super::resolve::Impls::new(program),
            span: Span::default(),
            limits,
            steps: 0,
            calls: Vec::new(),
            envs: Vec::new(),
            env_numbers: FxHashMap::default(),
            substituted: FxHashMap::default(),
            constants: vec![None; program.constants.len()],
            type_ids: Vec::new(),
        }
    }

    pub(super) fn finish(self, ending: Ending) -> Run {
        Run { ending, output: self.host.output, errors: self.host.errors, steps: self.steps }
    }

    /// Counts an expression.
    pub(super) fn step(&mut self) -> Eval<'p, ()> {
        self.steps += 1;
        if self.steps > self.limits.steps { Err(Flow::End(Box::new(Ending::Steps))) } else { Ok(()) }
    }

    /// The program ends here.
    pub(super) fn panic<T>(&self, kind: PanicKind, message: impl Into<String>) -> Eval<'p, T> {
        let trace = self.calls.iter().rev().take(TRACE).map(|path| path.to_string()).collect();
        Err(Flow::End(Box::new(Ending::Panicked(Panic { kind, message: message.into(), span: self.span, trace }))))
    }

    /// The number of a list of type arguments.
    pub(super) fn env(&mut self, args: Vec<Ty>) -> EnvId {
        if let Some(&id) = self.env_numbers.get(&*args) {
            return id;
        }
        let args: Rc<[Ty]> = args.into();
        let id = EnvId(self.envs.len() as u32);
        self.envs.push(args.clone());
        self.env_numbers.insert(args, id);
        id
    }

    /// A list of type arguments.
    pub(super) fn args(&self, env: EnvId) -> Rc<[Ty]> {
        self.envs[env.0 as usize].clone()
    }

    /// A type with the type arguments put in.
    pub(super) fn ty(&mut self, ty: Ty, env: EnvId) -> Ty {
        if let Some(&known) = self.substituted.get(&(ty, env)) {
            return known;
        }
        let args = self.args(env);
        let result = self.types.substitute(ty, &args);
        self.substituted.insert((ty, env), result);
        result
    }

    pub(super) fn tys(&mut self, tys: &[Ty], env: EnvId) -> Vec<Ty> {
        tys.iter().map(|&ty| self.ty(ty, env)).collect()
    }

    /// A constant's value, which is made once.
    pub(super) fn constant(&mut self, id: ConstId) -> Eval<'p> {
        if let Some(value) = &self.constants[id.index()] {
            return Ok(value.clone());
        }
        let env = self.env(Vec::new());
        let program = self.program;
        let constant = &program.constants[id.index()];
        let value = self.run_body(self.names.text(constant.name).into(), &constant.body, env, Vec::new())?;
        self.constants[id.index()] = Some(value.clone());
        Ok(value)
    }

    /// Calls a function.
    pub(super) fn call_function(&mut self, id: FnId, type_args: Vec<Ty>, args: Vec<Value<'p>>) -> Eval<'p> {
        let env = self.env(type_args);
        self.call_target(Target::Function(id, env), args)
    }

    /// Calls what was found.
    pub(super) fn call_target(&mut self, target: Target<'p>, args: Vec<Value<'p>>) -> Eval<'p> {
        match target {
            Target::Function(id, env) => {
                let program = self.program;
                let function = &program.functions[id.index()];
                let name = self.names.text(function.name);
                match &function.kind {
                    FunctionKind::Plain(body) => self.run_body(function.path.clone(), body, env, args),
                    FunctionKind::Host(body) => match self.call_host(name, &args)? {
                        Some(value) => Ok(value),
                        None => match body {
                            Some(body) => self.run_body(function.path.clone(), body, env, args),
                            None => self.panic(PanicKind::Host, format!("no function {name} of the host")),
                        },
                    },
                    FunctionKind::Intrinsic => self.intrinsic(name, env, &args),
                    _ => unreachable!("{} has no body", function.path),
                }
            }
            Target::Structural(what, ty) => self.structural(what, ty, args),
            Target::Dyn(of, method) => {
                let Some(Value::Dyn(value)) = args.first() else { unreachable!("no dyn value") };
                let (ty, inner) = (value.0, value.1.clone());
                let target = self.resolve(of, method, ty, Vec::new());
                let mut args = args;
                args[0] = inner;
                self.call_target(target, args)
            }
            Target::Value(value) => self.call_value(&value, args),
        }
    }

    /// Calls a function value.
    pub(super) fn call_value(&mut self, value: &Value<'p>, args: Vec<Value<'p>>) -> Eval<'p> {
        let Value::Function(function) = value else { unreachable!("{value:?} is no function") };
        match &**function {
            Function::Plain(id, env) => self.call_target(Target::Function(*id, *env), args),
            Function::Structural(what, ty) => self.structural(*what, *ty, args),
            Function::Dyn(of, method) => self.call_target(Target::Dyn(*of, *method), args),
            Function::Constructor(id, tag) => Ok(Value::Variant(*id, *tag, args.into())),
            Function::Closure(closure, env, captured, body) => {
                let mut locals = vec![Slot::Empty; body.locals.len()];
                for (&local, slot) in closure.captures.iter().zip(captured) {
                    locals[local.index()] = slot.clone();
                }
                let mut frame = Frame { env: *env, locals, body };
                for (&local, arg) in closure.params.iter().zip(args) {
                    frame.bind(local, arg);
                }
                let path = self.calls.last().cloned().unwrap_or_default();
                self.run_frame(path, &mut frame, &closure.body)
            }
        }
    }

    fn run_body(&mut self, path: Rc<str>, body: &'p Body, env: EnvId, args: Vec<Value<'p>>) -> Eval<'p> {
        let mut frame = Frame { env, locals: vec![Slot::Empty; body.locals.len()], body };
        for (index, arg) in args.into_iter().enumerate() {
            frame.bind(LocalId(index as u32), arg);
        }
        self.run_frame(path, &mut frame, &body.value)
    }

    fn run_frame(&mut self, path: Rc<str>, frame: &mut Frame<'p>, value: &'p Expr) -> Eval<'p> {
        if self.calls.len() as u32 >= self.limits.depth {
            return Err(Flow::End(Box::new(Ending::Depth)));
        }
        self.calls.push(path);
        let span = self.span;
        let result = self.eval(frame, value);
        self.span = span;
        self.calls.pop();
        match result {
            Err(Flow::Return(value)) => Ok(value),
            other => other,
        }
    }

    /// What a callee means with the frame's type arguments.
    pub(super) fn target(&mut self, frame: &mut Frame<'p>, callee: &'p Callee) -> Eval<'p, Target<'p>> {
        Ok(match callee {
            Callee::Fn(id, args) => {
                let args = self.tys(args, frame.env);
                Target::Function(*id, self.env(args))
            }
            Callee::Trait { of, args: _, method, self_ty, method_args } => {
                let ty = self.ty(*self_ty, frame.env);
                let method_args = self.tys(method_args, frame.env);
                self.resolve(*of, *method, ty, method_args)
            }
            Callee::Dyn(of, method) => Target::Dyn(*of, *method),
            Callee::Value(function) => Target::Value(self.eval(frame, function)?),
        })
    }

    /// A callee as a value.
    pub(super) fn function_value(&mut self, frame: &mut Frame<'p>, callee: &'p Callee) -> Eval<'p> {
        let function = match self.target(frame, callee)? {
            Target::Function(id, env) => Function::Plain(id, env),
            Target::Structural(what, ty) => Function::Structural(what, ty),
            Target::Dyn(of, method) => Function::Dyn(of, method),
            Target::Value(value) => return Ok(value),
        };
        Ok(Value::Function(Rc::new(function)))
    }

    /// What `main` is handed for a capability: what the interface makes of the host's handle.
    pub(super) fn capability(&mut self, of: TraitId, handle: u32) -> Eval<'p> {
        let program = self.program;
        let found = program.impls.iter().find_map(|implementation| {
            let of_it = matches!(program.types.kind(implementation.self_ty), TyKind::Dyn(id, _) if *id == of);
            let named = |id: &&FnId| self.names.text(program.functions[id.index()].name) == "from_handle";
            if of_it && implementation.of.is_none() {
                implementation.methods.iter().flatten().find(named)
            } else {
                None
            }
        });
        match found {
            Some(&id) => self.call_function(id, Vec::new(), vec![Value::Extern(handle)]),
            None => self.panic(PanicKind::Host, "no such capability"),
        }
    }
}

impl<'p> Frame<'p> {
    /// A new place for a local, with a value.
    pub(super) fn bind(&mut self, id: LocalId, value: Value<'p>) {
        let local = &self.body.locals[id.index()];
        self.locals[id.index()] = if local.captured && local.assigned {
            Slot::Boxed(Rc::new(RefCell::new(value)))
        } else {
            Slot::Plain(value)
        };
    }

    /// Another value in the same place.
    pub(super) fn assign(&mut self, id: LocalId, value: Value<'p>) {
        match &mut self.locals[id.index()] {
            Slot::Boxed(place) => *place.borrow_mut() = value,
            slot => *slot = Slot::Plain(value),
        }
    }

    /// A local's value.
    pub(super) fn get(&self, id: LocalId) -> Value<'p> {
        match &self.locals[id.index()] {
            Slot::Plain(value) => value.clone(),
            Slot::Boxed(place) => place.borrow().clone(),
            Slot::Empty => unreachable!("local {} is not bound", id.0),
        }
    }
}
