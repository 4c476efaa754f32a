//! Clocks, random bytes, the environment, arguments.

use std::sync::Arc;

use super::call::Answer;
use super::handle::{Handle, Kind};
use super::{Call, Code, Text, rows};
use crate::host::wasi::Errno;

rows! {
    clock_now(clock: handle) -> int, Process, "Nanoseconds since the beginning of 1970.";
    clock_monotonic(clock: handle) -> int, Process, "Nanoseconds since some point in time; never goes back.";
    clock_sleep(clock: handle, nanoseconds: int), Process, "Waits.";
    random_int(random: handle) -> int, Process, "64 random bits.";
    random_bytes(random: handle, count: int) -> text, Process, "So many random bytes.";
    env_get(env: handle, key: text) -> text(optional), Environment, "The value of a variable.";
    env_keys(env: handle) -> text, Environment, "The names of all variables, each ended by a zero byte.";
    args_all(args: handle) -> text, Process, "The arguments without the program's name, each ended by a zero byte.";
}

const REALTIME: u64 = 0;
const MONOTONIC: u64 = 1;
/// Most random bytes at once.
const MOST: i64 = 16 << 20;

fn time(call: &mut Call<'_>, clock: &Handle, which: u64) -> Answer<Code> {
    clock.expect(|kind| matches!(kind, Kind::Clock))?;
    let mut time = [0; 8];
    call.wasi("clock_time_get", &mut time, &[which, 1, 0])?;
    Ok(Code(i64::try_from(u64::from_le_bytes(time)).unwrap_or(i64::MAX)))
}

fn clock_now(call: &mut Call<'_>, clock: Arc<Handle>) -> Answer<Code> {
    time(call, &clock, REALTIME)
}

fn clock_monotonic(call: &mut Call<'_>, clock: Arc<Handle>) -> Answer<Code> {
    time(call, &clock, MONOTONIC)
}

fn clock_sleep(call: &mut Call<'_>, clock: Arc<Handle>, nanoseconds: i64) -> Answer<()> {
    clock.expect(|kind| matches!(kind, Kind::Clock))?;
    super::console::flush(call)?;
    if nanoseconds <= 0 {
        return Ok(());
    }
    // A subscription to a clock; an event; how many there are.
    let mut memory = [0; 48 + 32 + 4];
    memory[16] = MONOTONIC as u8;
    memory[24..32].copy_from_slice(&nanoseconds.to_le_bytes());
    call.wasi("poll_oneoff", &mut memory, &[0, 48, 1, 80])
}

fn random_int(call: &mut Call<'_>, random: Arc<Handle>) -> Answer<Code> {
    random.expect(|kind| matches!(kind, Kind::Random))?;
    let mut bits = [0; 8];
    call.wasi("random_get", &mut bits, &[0, 8])?;
    Ok(Code(i64::from_le_bytes(bits)))
}

fn random_bytes(call: &mut Call<'_>, random: Arc<Handle>, count: i64) -> Answer<Vec<u8>> {
    random.expect(|kind| matches!(kind, Kind::Random))?;
    let mut bytes = vec![0; count.clamp(0, MOST) as usize];
    let len = bytes.len() as u64;
    call.wasi("random_get", &mut bytes, &[0, len])?;
    Ok(bytes)
}

/// How variables begin that tell other programs of connections: they are nobody's to ask for here.
const OWN: &str = "PINFOLD_FD_";

fn env_get(call: &mut Call<'_>, env: Arc<Handle>, key: Text) -> Answer<Option<Vec<u8>>> {
    env.expect(|kind| matches!(kind, Kind::Env))?;
    let Ok(key) = call.text(key) else { return Err(Errno::Ilseq.into()) };
    let variables = call.host.environ.iter().filter_map(|entry| entry.split_once('='));
    let found = variables.filter(|(name, _)| !name.starts_with(OWN)).find(|(name, _)| *name == key);
    Ok(found.map(|(_, value)| value.as_bytes().to_vec()))
}

fn env_keys(call: &mut Call<'_>, env: Arc<Handle>) -> Answer<Vec<u8>> {
    env.expect(|kind| matches!(kind, Kind::Env))?;
    let names = call.host.environ.iter().filter_map(|entry| entry.split_once('=')).map(|(name, _)| name);
    Ok(zero_ended(names.filter(|name| !name.starts_with(OWN))))
}

fn args_all(call: &mut Call<'_>, args: Arc<Handle>) -> Answer<Vec<u8>> {
    args.expect(|kind| matches!(kind, Kind::Args))?;
    Ok(zero_ended(call.host.args.iter().skip(1).map(String::as_str)))
}

fn zero_ended<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u8> {
    texts.flat_map(|text| text.bytes().chain([0])).collect()
}
