// The words of generated texts of 1,000 words each: how many, how many different ones, and the most frequent; so many texts.
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

function vocabulary(source) {
    const words = [];
    for (let i = 0; i < 3000; i++) {
        let word = '';
        const length = 2 + source.below(8);
        for (let k = 0; k < length; k++) word += String.fromCharCode(97 + source.below(26));
        words.push(word);
    }
    return words;
}

// Lines of ten words; those at the beginning of the vocabulary are more frequent.
function generate(words, source) {
    const lines = [];
    for (let i = 0; i < 100; i++) {
        const line = [];
        for (let k = 0; k < 10; k++) line.push(words[Math.floor(source.below(3000) * source.below(3000) / 3000)]);
        lines.push(line.join(' '));
    }
    return lines.join('\n');
}

function count(text, counts) {
    for (const line of text.split('\n')) {
        for (const word of line.split(' ')) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
}

const texts = Number(process.argv[2] ?? 0);
const source = new Source(42);
const words = vocabulary(source);
const counts = new Map();
for (let i = 0; i < texts; i++) count(generate(words, source), counts);
const ranking = [...counts];
ranking.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
const total = ranking.reduce((sum, entry) => sum + entry[1], 0);
const top = ranking.slice(0, 5).map(([word, n]) => `${word}:${n}`).join(' ');
console.log(`wordcount ${total} ${ranking.length} ${top}`);
