//! What a session can be told beside entries.

/// What each command says of itself.
pub const COMMANDS: [(&str, &str); 18] = [
    (":help", "show this"),
    (":type EXPRESSION", "show the type of an expression, without running it"),
    (":doc NAME", "show what is documented of a name, a path, or something of a value"),
    (":vars", "list the variables"),
    (":caps", "list what the session was granted"),
    (":grant WHAT", "grant the session something more, as `:grant dir data=/srv/data`; see docs/repl.md"),
    (":revoke NAME", "take a grant away"),
    (":time", "tell after each entry how long it took and how much work it was, or no longer"),
    (":fuel [UNITS]", "end entries after this much work; 0: never"),
    (":stages ENTRY", "show what each phase makes of an entry, without running it"),
    (":ir ENTRY", "show its functions in the compiler's own language"),
    (":wat ENTRY", "show them as WebAssembly"),
    (":slots ENTRY", "show them as the interpreter runs them"),
    (":asm ENTRY", "show them as machine code"),
    (":load FILE", "enter a file"),
    (":save FILE", "write the entries so far to a file"),
    (":reset", "begin anew"),
    (":quit", "end; so does Ctrl-D"),
];

/// The same where a module is explored.
pub const EXPLORING: [(&str, &str); 13] = [
    (":help", "show this"),
    (":exports", "list what the module exports"),
    (":mem ADDRESS LENGTH", "show bytes of memory; MEMORY:ADDRESS of another than the first"),
    (":globals", "list the globals"),
    (":break PLACE", "stop at a function or at an operator's offset, as 0x1a; without PLACE: list where"),
    (":clear", "stop nowhere any more"),
    (":step [COUNT]", "go on for an operator, or so many"),
    (":continue", "go on"),
    (":stop", "end the call that is stopped"),
    (":locals", "list the locals of the function that is stopped"),
    (":stack", "list its operands, with the types that the verifier saw"),
    (":where", "show where it is and who called it"),
    (":quit", "end; so does Ctrl-D"),
];

/// Shows all of them.
pub fn help() {
    println!("Entries are what stands in a script: declarations, statements, expressions. `it` is the last value.");
    list(&COMMANDS);
    println!("Ctrl-C stops what runs. An entry that is not whole goes on in the next line; Tab completes.");
}

/// Shows some.
pub fn list(commands: &[(&str, &str)]) {
    for (command, what) in commands {
        println!("  {command:<21}{what}");
    }
}
