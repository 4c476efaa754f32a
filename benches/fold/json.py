"""A document of 50 records is printed as JSON, parsed, and walked; so many documents."""
import sys


def item(id):
    return {
        "id": id,
        "name": f"item number {id}",
        "price": id * 37 % 1000 + 0.25,
        "in stock": id % 3 == 0,
        "note": 'a "quoted" word,\na new line and a \\' if id % 4 == 0 else None,
        "tags": ["red", "green", "blue"][:id % 4],
        "size": {"width": id % 50, "height": -id},
    }


def document(number):
    return {"number": number, "items": [item(number % 1000 + i) for i in range(50)]}


def print_text(text, out):
    out.append('"')
    for c in text:
        if c == '"':
            out.append('\\"')
        elif c == "\\":
            out.append("\\\\")
        elif c == "\n":
            out.append("\\n")
        else:
            out.append(c)
    out.append('"')


def print_value(value, out):
    if value is None:
        out.append("null")
    elif value is True:
        out.append("true")
    elif value is False:
        out.append("false")
    elif isinstance(value, str):
        print_text(value, out)
    elif isinstance(value, list):
        before = "["
        for item in value:
            out.append(before)
            print_value(item, out)
            before = ","
        out.append("]" if value else "[]")
    elif isinstance(value, dict):
        before = "{"
        for name, field in value.items():
            out.append(before)
            print_text(name, out)
            out.append(":")
            print_value(field, out)
            before = ","
        out.append("}" if value else "{}")
    else:
        out.append(str(value))


class Parser:
    def __init__(self, text):
        self.text = text
        self.at = 0

    def peek(self):
        return self.text[self.at] if self.at < len(self.text) else ""

    def skip_space(self):
        while self.peek() == " " or self.peek() == "\n":
            self.at += 1

    def eat(self, c):
        """Goes over a character if it is the next one after white space."""
        self.skip_space()
        found = self.peek() == c
        if found:
            self.at += 1
        return found

    def expect(self, c):
        if not self.eat(c):
            raise ValueError(f"{c} expected at {self.at}")

    def word(self, word, value):
        for c in word:
            self.expect(c)
        return value

    def value(self):
        self.skip_space()
        c = self.peek()
        if c == "{":
            return self.object()
        if c == "[":
            return self.list()
        if c == '"':
            return self.string()
        if c == "n":
            return self.word("null", None)
        if c == "t":
            return self.word("true", True)
        if c == "f":
            return self.word("false", False)
        return self.number()

    def object(self):
        self.at += 1
        fields = {}
        if self.eat("}"):
            return fields
        while True:
            self.skip_space()
            name = self.string()
            self.expect(":")
            fields[name] = self.value()
            if not self.eat(","):
                break
        self.expect("}")
        return fields

    def list(self):
        self.at += 1
        items = []
        if self.eat("]"):
            return items
        while True:
            items.append(self.value())
            if not self.eat(","):
                break
        self.expect("]")
        return items

    def string(self):
        self.expect('"')
        out = ""
        start = self.at
        while self.peek() != '"':
            if self.peek() == "\\":
                out += self.text[start:self.at]
                self.at += 1
                c = self.peek()
                if c == '"' or c == "\\":
                    out += c
                elif c == "n":
                    out += "\n"
                else:
                    raise ValueError(f"no such escape at {self.at}")
                start = self.at + 1
            self.at += 1
            if self.at >= len(self.text):
                raise ValueError("a text without end")
        out += self.text[start:self.at]
        self.at += 1
        return out

    def number(self):
        start = self.at
        whole = True
        while True:
            c = self.peek()
            if c == "." or c == "e":
                whole = False
            elif c != "-" and not "0" <= c <= "9":
                break
            self.at += 1
        digits = self.text[start:self.at]
        return int(digits) if whole else float(digits)


def walk(value):
    """Adds up numbers, lengths of texts, and how many values there are."""
    if value is None:
        return 1
    if isinstance(value, (bool, int, float)):
        return value + 1
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(walk(item) for item in value) + 1
    return sum(walk(field) + len(name) for name, field in value.items())


def main(rounds):
    length, total = 0, 0.0
    for round in range(rounds):
        parts = []
        print_value(document(round), parts)
        text = "".join(parts)
        total += walk(Parser(text).value())
        length += len(text)
    print(f"json {length} {total:.2f}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
