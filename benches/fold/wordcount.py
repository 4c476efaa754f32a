"""The words of generated texts of 1,000 words each: how many, how many different ones, and the most frequent; so many texts."""
import sys


class Source:
    def __init__(self, seed):
        self.seed = seed

    def below(self, end):
        """A number from 0 up to `end`, which is at most 65,536."""
        self.seed = (self.seed * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.seed >> 16) % end


def vocabulary(source):
    return ["".join(chr(97 + source.below(26)) for _ in range(2 + source.below(8))) for _ in range(3000)]


def generate(words, source):
    """Lines of ten words; those at the beginning of the vocabulary are more frequent."""
    return "\n".join(
        " ".join(words[source.below(3000) * source.below(3000) // 3000] for _ in range(10)) for _ in range(100))


def count(text, counts):
    for line in text.splitlines():
        for word in line.split():
            counts[word] = counts.get(word, 0) + 1


def main(texts):
    source = Source(42)
    words = vocabulary(source)
    counts = {}
    for _ in range(texts):
        count(generate(words, source), counts)
    ranking = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    total = sum(counts.values())
    top = " ".join(f"{word}:{n}" for word, n in ranking[:5])
    print(f"wordcount {total} {len(ranking)} {top}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
