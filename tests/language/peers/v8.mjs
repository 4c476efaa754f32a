// Runs Fold's modules on V8 against a record of their calls: what it reads and prints is told in v8.rs.
import { readFileSync, writeSync } from 'node:fs';

const [first, ...lines] = readFileSync(0, 'utf8').split('\n').map(line => JSON.parse(line));
const texts = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(first.texts, 'hex'))).exports;

class Ended extends Error {}
class Different extends Error {}

const bits = new DataView(new ArrayBuffer(8));

// A value from the host, as the program gets it.
function answer([kind, value], handles) {
  switch (kind) {
    case 'nothing': return undefined;
    case 'null': return null;
    case 'flag': return value;
    case 'int': return BigInt(value);
    case 'float':
      bits.setBigUint64(0, BigInt(value));
      return bits.getFloat64(0);
    case 'bytes': {
      const bytes = Buffer.from(value, 'hex');
      texts.room(bytes.length);
      new Uint8Array(texts.memory.buffer).set(bytes);
      return texts.make(bytes.length);
    }
    case 'handle': return handles[value];
  }
}

// What a value of the program's is, if it is not what it is to be.
function other([kind, expected], value, handles) {
  switch (kind) {
    case 'null': return value === null ? null : String(value);
    case 'flag': return value === expected ? null : String(value);
    case 'int': return value === BigInt(expected) ? null : String(value);
    case 'float': {
      const number = answer([kind, expected]);
      return Object.is(value, number) ? null : String(value);
    }
    case 'bytes': {
      // First, since it may make the memory larger, and that another buffer.
      const length = texts.read(value);
      const bytes = Buffer.from(texts.memory.buffer, 0, length).toString('hex');
      return bytes === expected ? null : bytes;
    }
    case 'handle': return value === handles[expected] ? null : 'another handle';
  }
}

function run({ module, handles: count, calls }) {
  const handles = Array.from({ length: count }, (_, number) => ({ number }));
  let at = 0;
  const compiled = new WebAssembly.Module(Buffer.from(module, 'hex'));
  const fold = {};
  for (const { name } of WebAssembly.Module.imports(compiled)) {
    fold[name] = (...given) => {
      const call = calls[at++];
      if (!call) throw new Different(`it also calls ${name}`);
      const [expected, wanted, answered] = call;
      if (name !== expected) throw new Different(`call ${at} is of ${name}, not ${expected}`);
      wanted.forEach((value, index) => {
        const seen = other(value, given[index], handles);
        if (seen !== null) throw new Different(`call ${at}, ${name}: given ${seen}, not ${value[1]}`);
      });
      if (answered === null) throw new Ended();
      return answer(answered, handles);
    };
  }
  const { main } = new WebAssembly.Instance(compiled, { fold }).exports;
  try {
    main(...handles.slice(0, main.length));
  } catch (error) {
    if (error instanceof Ended) return 'ended';
    return error.message;
  }
  return at === calls.length ? 'good' : `it makes ${at} calls, not ${calls.length}`;
}

for (const line of lines) {
  let seen;
  try {
    seen = run(line);
  } catch (error) {
    seen = String(error);
  }
  writeSync(1, JSON.stringify(seen) + '\n');
}
