//! LuaJIT and Luau, both by mlua.
//!
//! A state has the libraries that reach nothing outside, a limit of memory, and what loads other code taken away. Luau ends
//! what takes too long by a function that it calls at each turn and call; LuaJIT has nothing that would end its compiled code.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use mlua::chunk::ChunkMode;
use mlua::{FromLua, Function, IntoLua, Lua, LuaOptions, Result, StdLib, Table, Value};

use crate::{Bench, CALLS, DEADLINE, MEMORY, Order, PARCELS, TOTAL, TURNS, Text, mix, sum_of_numbers, sum_of_rates};

const SCRIPT: &str = include_str!("../programs/script.lua");
const FUNCTIONS: &str = include_str!("../programs/calls.lua");
const WORK: &str = include_str!("../programs/work.lua");

#[cfg(feature = "luajit")]
mod kind {
    use super::*;

    pub fn state() -> Result<Lua> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::BIT | StdLib::JIT;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        let globals = lua.globals();
        for name in ["load", "loadstring", "loadfile", "dofile", "collectgarbage", "jit"] {
            globals.raw_remove(name)?;
        }
        Ok(lua)
    }

    /// It does so by itself.
    pub fn compile_natively(_: &Lua) {}

    pub fn end_at(_: &Lua, _: Rc<Cell<Instant>>) {}

    pub fn bytecode(lua: &Lua, source: &str) -> Result<Vec<u8>> {
        Ok(lua.load(source).into_function()?.dump(true))
    }
}

#[cfg(feature = "luau")]
mod kind {
    use mlua::chunk::Compiler;
    use mlua::{Error, VmState};

    use super::*;

    pub fn state() -> Result<Lua> {
        let libraries = StdLib::TABLE | StdLib::STRING | StdLib::MATH | StdLib::BIT | StdLib::BUFFER;
        let lua = Lua::new_with(libraries, LuaOptions::default())?;
        lua.enable_jit(false);
        lua.sandbox(true)?;
        Ok(lua)
    }

    /// What is loaded from now on is compiled to the processor's code.
    pub fn compile_natively(lua: &Lua) {
        lua.enable_jit(true);
    }

    /// It looks at the clock once in so many turns and calls.
    pub fn end_at(lua: &Lua, end: Rc<Cell<Instant>>) {
        const BETWEEN: u32 = 10_000;
        let left = Cell::new(BETWEEN);
        lua.set_interrupt(move |_| {
            left.set(left.get() - 1);
            if left.get() == 0 {
                left.set(BETWEEN);
                if Instant::now() > end.get() {
                    return Err(Error::runtime("the time is over"));
                }
            }
            Ok(VmState::Continue)
        });
    }

    pub fn bytecode(_: &Lua, source: &str) -> Result<Vec<u8>> {
        Compiler::new().compile(source)
    }
}

/// A state with its limits.
struct State {
    lua: Lua,
    end: Rc<Cell<Instant>>,
}

impl State {
    fn new() -> Result<Self> {
        let lua = kind::state()?;
        lua.set_memory_limit(MEMORY)?;
        let end = Rc::new(Cell::new(Instant::now() + DEADLINE));
        kind::end_at(&lua, end.clone());
        Ok(Self { lua, end })
    }

    /// Gives what is run next its time, where that can be bounded.
    fn begin(&self) -> &Lua {
        if cfg!(feature = "luau") {
            self.end.set(Instant::now() + DEADLINE);
        }
        &self.lua
    }
}

/// Measures the one that it is built with.
pub fn main() {
    crate::main(|bench| times(bench).unwrap(), |bench| memory(bench).unwrap());
}

fn times(bench: &mut Bench) -> Result<()> {
    let whole = || from_source(&State::new()?);
    bench.first("source.first", Some(TOTAL), || whole().ok());
    bench.each("source", Some(TOTAL), || whole().ok());
    let kept = State::new()?;
    bench.each("source.kept", Some(TOTAL), || from_source_apart(&kept).ok());

    let code = kind::bytecode(&kept.lua, SCRIPT)?;
    bench.each("compiled", Some(TOTAL), || {
        let state = State::new().ok()?;
        let lua = state.begin();
        lua.load(code.as_slice()).set_mode(ChunkMode::Binary).exec().ok()?;
        total(&lua.globals()).ok()
    });
    bench.each("compiled.kept", Some(TOTAL), || apart(&kept, &code).ok());

    calls(bench)?;
    work(bench)
}

fn memory(bench: &mut Bench) -> Result<()> {
    let kept = State::new()?;
    let code = kind::bytecode(&kept.lua, SCRIPT)?;
    bench.memory(|| apart(&kept, &code).unwrap());
    Ok(())
}

fn total(environment: &Table) -> Result<i64> {
    environment.get::<Function>("total")?.call(PARCELS)
}

fn from_source(state: &State) -> Result<i64> {
    let lua = state.begin();
    lua.load(SCRIPT).set_mode(ChunkMode::Text).exec()?;
    total(&lua.globals())
}

/// A table for a program's globals, that has the state's behind it.
fn environment(lua: &Lua) -> Result<Table> {
    let (environment, behind) = (lua.create_table()?, lua.create_table()?);
    behind.raw_set("__index", lua.globals())?;
    environment.set_metatable(Some(behind))?;
    Ok(environment)
}

/// Where the state is kept, a program has globals of its own.
fn from_source_apart(state: &State) -> Result<i64> {
    let lua = state.begin();
    let environment = environment(lua)?;
    lua.load(SCRIPT).set_mode(ChunkMode::Text).set_environment(environment.clone()).exec()?;
    total(&environment)
}

/// The same of a program that was compiled before.
fn apart(state: &State, code: &[u8]) -> Result<i64> {
    let lua = state.begin();
    let environment = environment(lua)?;
    lua.load(code).set_mode(ChunkMode::Binary).set_environment(environment.clone()).exec()?;
    total(&environment)
}

impl IntoLua for &Order {
    fn into_lua(self, lua: &Lua) -> Result<Value> {
        let table = lua.create_table_with_capacity(0, 4)?;
        table.raw_set("id", self.id)?;
        table.raw_set("price", self.price)?;
        table.raw_set("name", self.name.as_str())?;
        table.raw_set("paid", self.paid)?;
        Ok(Value::Table(table))
    }
}

impl FromLua for Order {
    fn from_lua(value: Value, lua: &Lua) -> Result<Self> {
        let table = Table::from_lua(value, lua)?;
        Ok(Self {
            id: table.raw_get("id")?,
            price: table.raw_get("price")?,
            name: table.raw_get("name")?,
            paid: table.raw_get("paid")?,
        })
    }
}

fn calls(bench: &mut Bench) -> Result<()> {
    let state = State::new()?;
    let lua = &state.lua;
    kind::compile_natively(lua);
    let desk = lua.create_table()?;
    desk.raw_set("add", lua.create_function(|_, (a, b): (i64, i64)| Ok(a.wrapping_add(b)))?)?;
    desk.raw_set("rate", lua.create_function(|_, order: Order| Ok(order.rate()))?)?;
    lua.globals().set("desk", desk)?;
    lua.load(FUNCTIONS).exec()?;
    let function = |name: &str| lua.globals().get::<Function>(name);
    let (nothing, add, rate) = (function("nothing")?, function("add")?, function("rate")?);
    let (numbers, records) = (function("numbers")?, function("records")?);
    let order = Order::example();
    bench.each_of("call.nothing", CALLS, (), || {
        (0..CALLS).for_each(|_| {
            state.begin();
            nothing.call::<()>(()).unwrap();
        });
    });
    bench.each_of("call.numbers", CALLS, sum_of_numbers(CALLS), || {
        (0..CALLS).fold(0, |sum, turn| {
            state.begin();
            add.call((sum, turn)).unwrap()
        })
    });
    bench.each_of("call.record", CALLS, CALLS as f64 * order.rate(), || {
        (0..CALLS)
            .map(|_| {
                state.begin();
                rate.call::<f64>(&order).unwrap()
            })
            .sum()
    });
    bench.each_of("host.numbers", CALLS, sum_of_numbers(CALLS), || {
        state.begin();
        numbers.call(CALLS).unwrap()
    });
    bench.each_of("host.record", CALLS, sum_of_rates(CALLS), || {
        state.begin();
        records.call(CALLS).unwrap()
    });
    Ok(())
}

fn work(bench: &mut Bench) -> Result<()> {
    let text = Text::default();
    let state = State::new()?;
    let lua = &state.lua;
    kind::compile_natively(lua);
    lua.load(WORK).exec()?;
    let (mix_in_guest, words) = (lua.globals().get::<Function>("mix")?, lua.globals().get::<Function>("words")?);
    bench.each_of("loop", TURNS, mix(TURNS), || {
        state.begin();
        mix_in_guest.call(TURNS).unwrap()
    });
    bench.each_of("words", text.words, text.answer, || {
        state.begin();
        words.call(text.text.as_str()).unwrap()
    });
    let free = kind::state()?;
    kind::compile_natively(&free);
    free.load(WORK).exec()?;
    let mix_in_guest = free.globals().get::<Function>("mix")?;
    bench.each_of("loop.uncounted", TURNS, mix(TURNS), || mix_in_guest.call(TURNS).unwrap());
    Ok(())
}
