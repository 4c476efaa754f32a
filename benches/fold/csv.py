"""Tables of 100 rows are written as CSV and read again; amounts are grouped and summed by city. So many tables."""
import sys


class Source:
    def __init__(self, seed):
        self.seed = seed

    def below(self, end):
        """A number from 0 up to `end`, which is at most 65,536."""
        self.seed = (self.seed * 1664525 + 1013904223) & 0xFFFFFFFF
        return (self.seed >> 16) % end


class Group:
    __slots__ = ("count", "sum", "most")

    def __init__(self):
        self.count = self.sum = self.most = 0


CITIES = [
    "Amberg", "Bad Tölz", "Celle, North", "Dahn", "Emden", 'Furth "the old"', "Gera", 'Hof, "upper"', "Ilmenau", "Jena",
    "Kehl", "Lahr", "Marl", "Naila", "Olpe", "Passau", "Rain, Lech", "Selb", "Thale", "Uelzen",
]


def written(field):
    if "," in field or '"' in field or "\n" in field:
        return '"' + field.replace('"', '""') + '"'
    return field


def generate(source):
    out = ["id,city,amount,note\n"]
    for id in range(100):
        out.append(f"{id},")
        out.append(written(CITIES[source.below(20)]))
        out.append(f",{source.below(10000)},")
        out.append(written("first of ten,\nchecked" if id % 10 == 0 else ""))
        out.append("\n")
    return "".join(out)


def quoted(text, start):
    """A field in quotes that begins at a place, and where what follows it begins."""
    parts = []
    at = begin = start + 1
    while True:
        if text[at] != '"':
            at += 1
            continue
        parts.append(text[begin:at])
        if at + 1 == len(text) or text[at + 1] != '"':
            break
        begin = at + 1
        at += 2
    return "".join(parts), at + 1


def parse(text):
    rows = []
    at = 0
    while at < len(text):
        row = []
        while True:
            if text[at] == '"':
                field, at = quoted(text, at)
                row.append(field)
            else:
                start = at
                while text[at] != "," and text[at] != "\n":
                    at += 1
                row.append(text[start:at])
            at += 1
            if text[at - 1] == "\n":
                break
        rows.append(row)
    return rows


def collect(rows, groups):
    for row in rows[1:]:
        amount = int(row[2])
        group = groups.get(row[1])
        if group is None:
            group = groups[row[1]] = Group()
        group.count += 1
        group.sum += amount
        if amount > group.most:
            group.most = amount


def main(tables):
    source = Source(7)
    groups = {}
    for _ in range(tables):
        collect(parse(generate(source)), groups)
    count = total = check = 0
    for city in sorted(groups):
        group = groups[city]
        count += group.count
        total += group.sum
        check = (check * 31 + group.sum + group.most * group.count + len(city)) % 1_000_003
    print(f"csv {len(groups)} {count} {total} {check}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
