// Tables of 100 rows are written as CSV and read again; amounts are grouped and summed by city. So many tables.
'use strict';

class Source {
    constructor(seed) {
        this.seed = seed;
    }

    // A number from 0 up to end, which is at most 65,536.
    below(end) {
        this.seed = (Math.imul(this.seed, 1664525) + 1013904223) >>> 0;
        return (this.seed >>> 16) % end;
    }
}

const CITIES = [
    'Amberg', 'Bad Tölz', 'Celle, North', 'Dahn', 'Emden', 'Furth "the old"', 'Gera', 'Hof, "upper"', 'Ilmenau', 'Jena',
    'Kehl', 'Lahr', 'Marl', 'Naila', 'Olpe', 'Passau', 'Rain, Lech', 'Selb', 'Thale', 'Uelzen',
];

function written(field) {
    if (field.includes(',') || field.includes('"') || field.includes('\n')) return `"${field.replaceAll('"', '""')}"`;
    return field;
}

function generate(source) {
    let out = 'id,city,amount,note\n';
    for (let id = 0; id < 100; id++) {
        out += `${id},`;
        out += written(CITIES[source.below(20)]);
        out += `,${source.below(10000)},`;
        out += written(id % 10 === 0 ? 'first of ten,\nchecked' : '');
        out += '\n';
    }
    return out;
}

// A field in quotes that begins at a place, and where what follows it begins.
function quoted(text, start) {
    let field = '';
    let from = start + 1;
    let at = from;
    for (;;) {
        if (text.charCodeAt(at) !== 34) {
            at++;
            continue;
        }
        field += text.slice(from, at);
        if (text.charCodeAt(at + 1) !== 34) break;
        from = at + 1;
        at += 2;
    }
    return [field, at + 1];
}

function parse(text) {
    const rows = [];
    let at = 0;
    while (at < text.length) {
        const row = [];
        do {
            if (text.charCodeAt(at) === 34) {
                const [field, end] = quoted(text, at);
                row.push(field);
                at = end;
            } else {
                const start = at;
                while (text.charCodeAt(at) !== 44 && text.charCodeAt(at) !== 10) at++;
                row.push(text.slice(start, at));
            }
            at++;
        } while (text.charCodeAt(at - 1) !== 10);
        rows.push(row);
    }
    return rows;
}

function collect(rows, groups) {
    for (const row of rows.slice(1)) {
        const amount = Number(row[2]);
        let group = groups.get(row[1]);
        if (group === undefined) groups.set(row[1], group = { count: 0, sum: 0, most: 0 });
        group.count++;
        group.sum += amount;
        if (amount > group.most) group.most = amount;
    }
}

const tables = Number(process.argv[2] ?? 0);
const source = new Source(7);
const groups = new Map();
for (let i = 0; i < tables; i++) collect(parse(generate(source)), groups);
let count = 0, sum = 0, check = 0;
for (const city of [...groups.keys()].sort()) {
    const group = groups.get(city);
    count += group.count;
    sum += group.sum;
    check = (check * 31 + group.sum + group.most * group.count + city.length) % 1000003;
}
console.log(`csv ${groups.size} ${count} ${sum} ${check}`);
