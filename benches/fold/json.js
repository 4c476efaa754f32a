// A document of 50 records is printed as JSON, parsed, and walked; so many documents.
'use strict';

function item(id) {
    return new Map([
        ['id', id],
        ['name', `item number ${id}`],
        ['price', id * 37 % 1000 + 0.25],
        ['in stock', id % 3 === 0],
        ['note', id % 4 === 0 ? 'a "quoted" word,\na new line and a \\' : null],
        ['tags', ['red', 'green', 'blue'].slice(0, id % 4)],
        ['size', new Map([['width', id % 50], ['height', -id]])],
    ]);
}

function makeDocument(number) {
    return new Map([['number', number], ['items', Array.from({ length: 50 }, (_, i) => item(number % 1000 + i))]]);
}

function printText(text) {
    let out = '"';
    for (const c of text) {
        switch (c) {
            case '"': out += '\\"'; break;
            case '\\': out += '\\\\'; break;
            case '\n': out += '\\n'; break;
            default: out += c;
        }
    }
    return out + '"';
}

function printValue(value) {
    if (value === null) return 'null';
    if (typeof value === 'string') return printText(value);
    if (Array.isArray(value)) {
        let out = '';
        for (const item of value) out += (out === '' ? '' : ',') + printValue(item);
        return `[${out}]`;
    }
    if (value instanceof Map) {
        let out = '';
        for (const [name, field] of value) out += (out === '' ? '' : ',') + printText(name) + ':' + printValue(field);
        return `{${out}}`;
    }
    return String(value);
}

class Parser {
    constructor(text) {
        this.text = text;
        this.at = 0;
    }

    peek() {
        return this.at < this.text.length ? this.text.charCodeAt(this.at) : 0;
    }

    skipSpace() {
        while (this.peek() === 32 || this.peek() === 10) this.at++;
    }

    // Goes over a character if it is the next one after white space.
    eat(code) {
        this.skipSpace();
        const found = this.peek() === code;
        if (found) this.at++;
        return found;
    }

    expect(code) {
        if (!this.eat(code)) throw new Error(`character ${code} expected at ${this.at}`);
    }

    word(word, value) {
        for (let i = 0; i < word.length; i++) this.expect(word.charCodeAt(i));
        return value;
    }

    value() {
        this.skipSpace();
        switch (this.peek()) {
            case 123: return this.object();
            case 91: return this.list();
            case 34: return this.string();
            case 110: return this.word('null', null);
            case 116: return this.word('true', true);
            case 102: return this.word('false', false);
            default: return this.number();
        }
    }

    object() {
        this.at++;
        const fields = new Map();
        if (this.eat(125)) return fields;
        do {
            this.skipSpace();
            const name = this.string();
            this.expect(58);
            fields.set(name, this.value());
        } while (this.eat(44));
        this.expect(125);
        return fields;
    }

    list() {
        this.at++;
        const items = [];
        if (this.eat(93)) return items;
        do items.push(this.value());
        while (this.eat(44));
        this.expect(93);
        return items;
    }

    string() {
        this.expect(34);
        let out = '';
        let start = this.at;
        while (this.peek() !== 34) {
            if (this.peek() === 92) {
                out += this.text.slice(start, this.at);
                this.at++;
                switch (this.peek()) {
                    case 34: out += '"'; break;
                    case 92: out += '\\'; break;
                    case 110: out += '\n'; break;
                    default: throw new Error(`no such escape at ${this.at}`);
                }
                start = this.at + 1;
            }
            this.at++;
            if (this.at >= this.text.length) throw new Error('a text without end');
        }
        out += this.text.slice(start, this.at);
        this.at++;
        return out;
    }

    number() {
        const start = this.at;
        for (;;) {
            const code = this.peek();
            if (code !== 46 && code !== 101 && code !== 45 && (code < 48 || code > 57)) break;
            this.at++;
        }
        const value = Number(this.text.slice(start, this.at));
        if (this.at === start || Number.isNaN(value)) throw new Error(`no number at ${start}`);
        return value;
    }
}

// Adds up numbers, lengths of texts, and how many values there are.
function walk(value) {
    if (value === null) return 1;
    switch (typeof value) {
        case 'boolean': return value ? 2 : 1;
        case 'number': return value + 1;
        case 'string': return value.length;
    }
    let sum = 0;
    if (Array.isArray(value)) {
        for (const item of value) sum += walk(item);
        return sum + 1;
    }
    for (const [name, field] of value) sum += walk(field) + name.length;
    return sum;
}

const rounds = Number(process.argv[2] ?? 0);
let length = 0, sum = 0;
for (let round = 0; round < rounds; round++) {
    const text = printValue(makeDocument(round));
    sum += walk(new Parser(text).value());
    length += text.length;
}
console.log(`json ${length} ${sum.toFixed(2)}`);
