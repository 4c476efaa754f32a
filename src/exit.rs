//! Exit codes of the command.

/// Done.
pub const SUCCESS: u8 = 0;
/// Of a command other than `run`: not done.
pub const FAILURE: u8 = 1;

/// The deadline passed.
pub const TIMEOUT: u8 = 124;
/// Refused before anything ran: an import is unknown or not granted, or a grant cannot be given.
pub const REFUSED: u8 = 125;
/// The file cannot be read, or is no module that Pinfold admits.
pub const NOT_A_MODULE: u8 = 126;
/// The program trapped.
pub const TRAP: u8 = 134;
/// The memory limit was reached.
pub const MEMORY: u8 = 137;
/// The fuel is used up.
pub const FUEL: u8 = 152;
/// The output limit was reached.
pub const OUTPUT: u8 = 153;
/// The program's calls cannot be recorded any more.
pub const RECORDS: u8 = 154;
/// The processor time is used up.
pub const CPU: u8 = 155;
/// There were too many processes and threads.
pub const PROCESSES: u8 = 156;

/// The worker tried what was not granted to it.
pub const VIOLATION: u8 = 159;
/// The virtual machine crashed.
pub const CRASH: u8 = 160;

/// What `--help` says of them.
pub const HELP: &str = "\
Exit codes of run:
  0-123  the program's own (it may also use the ones below)
  124    the deadline passed (--timeout)
  125    refused: an import is unknown or not granted, or a grant cannot be had
  126    the file cannot be read, or is not a module that Pinfold admits
  130    ended by Ctrl-C, 143 by SIGTERM
  134    the program trapped
  137    the memory limit was reached (--max-memory)
  152    the fuel is used up (--fuel)
  153    the output limit was reached (--max-output)
  154    the record of its calls is too long (--max-audit) or cannot be written
  155    the processor time is used up (--max-cpu)
  156    there were too many processes and threads (--max-processes)
  159    the worker made a system call that nothing granted needs
  160    the virtual machine crashed";
