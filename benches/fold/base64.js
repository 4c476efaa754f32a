// Base64 of 4,000 bytes, there and back, as often as the argument says; in each round another byte is changed.
'use strict';

const ALPHABET = Uint8Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/', c => c.charCodeAt(0));
const PAD = 61;

// For each byte its value as a digit.
function digits() {
    const values = new Uint8Array(256);
    ALPHABET.forEach((byte, value) => { values[byte] = value; });
    return values;
}

function encode(data) {
    const length = data.length;
    const text = new Uint8Array(Math.floor((length + 2) / 3) * 4);
    for (let at = 0, to = 0; at < length; at += 3, to += 4) {
        const second = at + 1 < length ? data[at + 1] : 0;
        const third = at + 2 < length ? data[at + 2] : 0;
        const group = data[at] << 16 | second << 8 | third;
        text[to] = ALPHABET[group >> 18];
        text[to + 1] = ALPHABET[group >> 12 & 63];
        text[to + 2] = at + 1 < length ? ALPHABET[group >> 6 & 63] : PAD;
        text[to + 3] = at + 2 < length ? ALPHABET[group & 63] : PAD;
    }
    return text;
}

function decode(text, values) {
    const length = text.length;
    const missing = text[length - 1] !== PAD ? 0 : text[length - 2] !== PAD ? 1 : 2;
    const data = new Uint8Array(length / 4 * 3 - missing);
    for (let at = 0, to = 0; at < length; at += 4, to += 3) {
        const group = values[text[at]] << 18 | values[text[at + 1]] << 12 | values[text[at + 2]] << 6 | values[text[at + 3]];
        data[to] = group >> 16;
        if (to + 1 < data.length) data[to + 1] = group >> 8 & 255;
        if (to + 2 < data.length) data[to + 2] = group & 255;
    }
    return data;
}

const rounds = Number(process.argv[2] ?? 0);
const values = digits();
let data = Uint8Array.from({ length: 4000 }, (_, i) => i * i & 255);
let sum = 0;
for (let round = 0; round < rounds; round++) {
    data[round % data.length] = round & 255;
    const text = encode(data);
    data = decode(text, values);
    sum = (sum * 31 + text[round % text.length] + data[round * 7 % data.length]) % 65521;
}
console.log(`base64 ${data.length} ${sum}`);
