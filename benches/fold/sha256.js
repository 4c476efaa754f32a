// SHA-256 of 1 KiB, as often as the argument says; each digest goes into the beginning of the next message.
'use strict';

const ROUNDS = new Uint32Array([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);

function rotate(word, count) {
    return word >>> count | word << (32 - count);
}

function block(state, words, bytes, at) {
    for (let i = 0; i < 16; i++) {
        const k = at + i * 4;
        words[i] = bytes[k] << 24 | bytes[k + 1] << 16 | bytes[k + 2] << 8 | bytes[k + 3];
    }
    for (let i = 16; i < 64; i++) {
        const p = words[i - 15], q = words[i - 2];
        const x = rotate(p, 7) ^ rotate(p, 18) ^ p >>> 3;
        const y = rotate(q, 17) ^ rotate(q, 19) ^ q >>> 10;
        words[i] = words[i - 16] + x + words[i - 7] + y;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i++) {
        const x = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        const first = (h + x + (e & f ^ ~e & g) + ROUNDS[i] + words[i]) | 0;
        const y = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        const second = (y + (a & b ^ a & c ^ b & c)) | 0;
        h = g;
        g = f;
        f = e;
        e = (d + first) | 0;
        d = c;
        c = b;
        b = a;
        a = (first + second) | 0;
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => { state[i] += word; });
}

function sha256(message) {
    const length = message.length;
    const padded = new Uint8Array((length + 9 + 63 >> 6) << 6);
    padded.set(message);
    padded[length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 4, length * 8);
    const state = new Uint32Array([0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19]);
    const words = new Uint32Array(64);
    for (let at = 0; at < padded.length; at += 64) block(state, words, padded, at);
    const digest = new Uint8Array(32);
    const out = new DataView(digest.buffer);
    state.forEach((word, i) => out.setUint32(i * 4, word));
    return digest;
}

const rounds = Number(process.argv[2] ?? 0);
const message = Uint8Array.from({ length: 1024 }, (_, i) => i * 7 & 255);
for (let round = 0; round < rounds; round++) message.set(sha256(message));
console.log(`sha256 ${Array.from(message.subarray(0, 32), byte => byte.toString(16).padStart(2, '0')).join('')}`);
