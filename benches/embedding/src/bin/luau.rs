//! Luau, by mlua: see `pinfold_embedding::lua`.

fn main() {
    pinfold_embedding::lua::main();
}
