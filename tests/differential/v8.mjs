// Runs modules between their harnesses on V8: what it reads and prints is told in v8.rs.
import { readFileSync, writeSync } from 'node:fs';

const input = readFileSync(0);
let at = 0;
const number = () => (at += 4, input.readUInt32LE(at - 4));
const bytes = () => { const length = number(); at += length; return input.subarray(at - length, at); };

// Host values are objects: a number would turn into a small integer when it becomes an anyref.
const values = new Map();
const numbers = new Map();
const MASK = (1n << 64n) - 1n;
const host = {
  // SplitMix64.
  answer(seed) {
    let z = (BigInt.asUintN(64, seed) + 0x9e3779b97f4a7c15n) & MASK;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
    return z ^ (z >> 31n);
  },
  value(number) {
    if (!values.has(number)) {
      const value = {};
      values.set(number, value);
      numbers.set(value, number);
    }
    return values.get(number);
  },
  number: value => numbers.get(value) ?? -1,
};

function digest(memory) {
  const words = new Uint32Array(memory.buffer);
  let digest = 0;
  for (let i = 0; i < words.length; i++) {
    digest = Math.imul(digest ^ words[i], 0x01000193);
    digest = (digest << 13) | (digest >>> 19);
  }
  return ['memory', memory.buffer.byteLength, digest >>> 0];
}

function failure(error) {
  if (error instanceof WebAssembly.Exception) return ['failed', 'exception'];
  if (error instanceof WebAssembly.RuntimeError) return ['failed', error.message];
  if (error instanceof RangeError) return ['exhausted', error.message];
  throw error;
}

function run(provider, module, driver, calls) {
  const provided = new WebAssembly.Instance(new WebAssembly.Module(provider), { host }).exports;
  const compiled = new WebAssembly.Module(module);
  const imports = Object.create(null);
  WebAssembly.Module.imports(compiled).forEach((wanted, index) => {
    imports[wanted.module] ??= Object.create(null);
    imports[wanted.module][wanted.name] = provided[index];
  });
  let exports;
  try {
    exports = new WebAssembly.Instance(compiled, imports).exports;
  } catch (error) {
    return [failure(error)];
  }
  const sights = [['instantiated']];
  const drive = new WebAssembly.Instance(new WebAssembly.Module(driver), { host, provider: provided, module: exports }).exports;
  for (const name of [...Array(calls).keys(), 'state']) {
    try {
      sights.push(['returned', BigInt.asUintN(64, drive[name]()).toString()]);
    } catch (error) {
      sights.push(failure(error));
    }
  }
  for (const { name, kind } of WebAssembly.Module.exports(compiled)) {
    if (kind === 'memory') sights.push(digest(exports[name]));
  }
  return sights;
}

let ran = 0;
while (at < input.length) {
  const calls = number();
  const [provider, module, driver] = [bytes(), bytes(), bytes()];
  let line;
  try {
    line = run(provider, module, driver, calls);
  } catch (error) {
    line = [['refused', String(error)]];
  }
  writeSync(1, JSON.stringify(line) + '\n');
  // What instances reserve of the address space is only given back with them.
  if (++ran % 50 === 0) globalThis.gc?.();
}
